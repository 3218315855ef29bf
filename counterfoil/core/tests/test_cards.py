"""No card number comes through, in whatever dress; what only looks like one stays."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import text as texts
from counterfoil.core.cards import luhn, mask_cards, mask_raw, mask_tree
from counterfoil.core.text import (
    as_cell,
    clean_email,
    clean_key,
    clean_new_sku,
    clean_phone,
    clean_sku,
    from_cell,
    new_name,
)

CARD = "4242424242424242"


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
        "4242\u200b4242\u200b4242\u200b4242",
        "4242 | 4242 | 4242 | 4242",
        f"+{CARD}",
        "+4242 4242 4242 4242",
        "exp 12/27 4242 4242 4242 4242 123",
        f"card:{CARD}, thanks",
        f"{CARD}/12/27",
        "amex 3782 822463 10005",
        "378282246310005",
    ],
)
def test_a_card_number_is_masked_however_it_is_written(text: str) -> None:
    masked = mask_cards(text)
    assert "•••• " in masked
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
    assert mask_cards(text) == text


def test_the_code_beside_a_card_number_goes_with_it_and_a_code_of_something_else_stays() -> None:
    assert mask_cards(f"{CARD} exp 12/27 CVV: 123") == "•••• 4242 exp 12/27 CVV: •••"
    assert mask_cards("the gate's security code 1234") == "the gate's security code 1234"


def test_a_telephone_number_in_international_form_stays_and_a_card_in_its_place_does_not() -> None:
    number = next(n for n in (f"+49151234567{i:02}" for i in range(100)) if luhn(n[1:]))
    assert clean_phone(number) == number
    with pytest.raises(ValueError, match="card number"):
        clean_phone(CARD)


def test_what_things_are_found_by_is_refused_and_never_masked() -> None:
    for kind in (clean_key, clean_sku, clean_email):
        with pytest.raises(ValueError, match="card number"):
            kind(f"{CARD}@example.com" if kind is clean_email else CARD)
    assert clean_key(" 302-1234567-1234567 ") == "302-1234567-1234567"


def test_the_number_on_a_case_of_goods_is_a_sku_and_no_reference() -> None:
    case = "30000000000087"  # a GTIN-14 with the beginning, the length and the check digit of a Diners card
    assert clean_sku(case) == case
    with pytest.raises(ValueError, match="card number"):
        clean_key(case)


@pytest.mark.parametrize("sku", ["CG 21/750ml", "50% #1?+&=", "ROT;GUT", "..", "a/../b", "a//b", "/a", "a/", "a\nb",
                                 "a/label.svg", "a/availability", "a/b/reordering", "label.svg"])  # fmt: skip
def test_a_sku_is_whatever_can_be_a_piece_of_an_address(sku: str) -> None:
    if sku in ("CG 21/750ml", "50% #1?+&=", "ROT;GUT", "label.svg"):
        assert clean_new_sku(f" {sku} ") == sku
    else:
        with pytest.raises(ValueError, match=r"address|cannot be seen"):
            clean_new_sku(sku)


@pytest.mark.parametrize("text", ["+1", "'+1", "''=1", "plain", "'plain", "-"])
def test_a_cell_that_a_spreadsheet_would_reckon_with_comes_back_as_it_was(text: str) -> None:
    assert from_cell(as_cell(text)) == text
    assert not as_cell(text).startswith(("+", "=", "-"))


def test_what_stands_for_a_number_is_never_longer_than_the_number() -> None:
    assert len(mask_cards("4222222222222")) < len("4222222222222")


def test_every_corner_of_a_line_is_masked() -> None:
    tree = mask_tree({"cc": int(CARD), "deep": [{"note": f"no. {CARD}"}], CARD: 1, "fine": 12, "yes": True})
    assert CARD not in str(tree)
    assert (tree["fine"], tree["yes"]) == (12, True)
    assert CARD[:8] not in mask_raw('{"broken": "\\u0034242424242424242')


@given(st.text("0123456789", min_size=14, max_size=14), st.text(" .-/", max_size=2), st.text("xyz ,", max_size=4))
def test_any_visa_number_is_masked_alone_and_between_words(body: str, gap: str, around: str) -> None:
    start = f"4{body}"
    number = next(start + c for c in "0123456789" if luhn(start + c))
    assert number not in mask_cards(f"{around}{number}{around}")
    assert number not in mask_cards(f"12{gap or ' '}{number} 123")


def test_the_name_of_a_form_is_none_that_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([UUID("aaaaaaaa-4242-4242-4242-4242aaaaaaaa"), UUID("5f1b0c9e-77aa-4b63-9d21-3b8ac6d8e9f1")])
    monkeypatch.setattr(texts, "uuid4", lambda: next(drawn))
    assert clean_key(new_name()) == "5f1b0c9e-77aa-4b63-9d21-3b8ac6d8e9f1"
