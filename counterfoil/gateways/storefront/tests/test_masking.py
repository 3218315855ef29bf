"""No card number comes through, in whatever dress; what only looks like one stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.text import luhn
from counterfoil.gateways.storefront.fields import phone_of
from counterfoil.gateways.storefront.masking import mask, mask_raw, mask_tree
from counterfoil.gateways.storefront.tests.feed import CARD


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242\u00a04242\u00a04242\u00a04242",
        "4242  4242  4242  4242",
        "4242–4242–4242–4242",
        "4242\n4242\n4242\n4242",
        "４２４２ ４２４２ ４２４２ ４２４２",
        f"exp 12/27 {CARD} cvv 123",
        "exp 12/27 4242 4242 4242 4242 123",
        f"card:{CARD}, thanks",
        f"{CARD}/12/27",
        "amex 3782 822463 10005",
        "378282246310005",
    ],
)
def test_a_card_number_is_masked_however_it_is_written(text: str) -> None:
    masked = mask(text)
    assert "removed]" in masked
    digits = "".join(c for c in masked if c.isdigit())
    assert "42424242" not in digits
    assert "378282" not in digits


@pytest.mark.parametrize(
    "text",
    [
        "USPS 9400 1000 0000 0002 0000 00",
        "Shipped UPS, tracking 1Z999AA10000000004 http://wwwapps.example.com/track?tracknum=1Z999AA10000000004",
        "Ring 020 7946 0958 or 020 7946 0959",
        "2026-11-23 10:00, 2026-11-24 11:30",
        "4242424242424241",
    ],
)
def test_tracking_numbers_telephones_and_dates_stay(text: str) -> None:
    assert mask(text) == text


def test_a_telephone_number_in_international_form_stays_and_a_card_in_its_place_does_not() -> None:
    number = next(n for n in (f"+49151234567{i:02}" for i in range(100)) if luhn(n[1:]))
    assert phone_of(number, "phone") == number
    assert CARD not in phone_of(CARD, "phone")


def test_every_corner_of_a_line_is_masked() -> None:
    tree = mask_tree({"cc": int(CARD), "deep": [{"note": f"no. {CARD}"}], CARD: 1, "fine": 12, "yes": True})
    assert CARD not in str(tree)
    assert (tree["fine"], tree["yes"]) == (12, True)
    assert CARD[:8] not in mask_raw('{"broken": "\\u0034242424242424242')


@given(st.text("0123456789", min_size=14, max_size=14), st.text(" .-/", max_size=2), st.text("xyz ,", max_size=4))
def test_any_visa_number_is_masked_alone_and_between_words(body: str, gap: str, around: str) -> None:
    start = f"4{body}"
    number = next(start + c for c in "0123456789" if luhn(start + c))
    assert number not in mask(f"{around}{number}{around}")
    assert number not in mask(f"12{gap or ' '}{number} 123")
