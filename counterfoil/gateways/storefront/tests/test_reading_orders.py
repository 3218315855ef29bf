"""What the reader makes of a line, and what it says of a bad one."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest

from counterfoil.core.cards import is_trade_number, looks_like_card
from counterfoil.gateways.storefront.lines import LIMIT, parse_json, read_lines
from counterfoil.gateways.storefront.oscommerce.orders import read_order
from counterfoil.gateways.storefront.protocol import MAX_LINES, MAX_QUANTITY, BadLine
from counterfoil.gateways.storefront.tests.feed import CARD, ORDERS, line
from counterfoil.steps.checkout import rules


def why(text: str) -> str:
    with pytest.raises(BadLine) as told:
        read_order(text)
    return str(told.value)


def test_all_real_orders_can_be_read_and_every_country_is_known() -> None:
    with ORDERS.open("rb") as file:
        orders = [read_order(raw.text) for raw in read_lines(file)]
    assert len(orders) == 311
    assert {o.shipping_address.country for o in orders} == {
        "RU", "JP", "US", "ES", "FR", "DE", "VN", "PL", "GB", "AU", "CA", "DK", "IS",
    }  # fmt: skip
    assert not [o for o in orders if o.flags]
    assert {o.payment_method for o in orders} == {"cheque", "on_delivery"}


def test_what_was_chosen_of_a_product_stands_in_the_name_of_its_line() -> None:
    assert read_order(line()).lines[0].name == "Lemons (Box Size: 24)"


def test_quotes_that_were_escaped_twice_are_plain_again_and_other_marks_stay() -> None:
    said = read_order(line(history__0__comment='It\\\'s for _b_mum_/b_ \\\\\\"Zoë\\" C:\\new')).history[0].comment
    assert said == 'It\'s for _b_mum_/b_ "Zoë" C:\\new'


def test_history_of_one_second_is_told_in_the_order_of_the_process() -> None:
    at = "2026-11-20T09:00:00Z"
    rows = [{"at": at, "status": s, "notified": True, "comment": s} for s in ("Delivered", "Pending", "Processing")]
    assert [row.status for row in read_order(line(history=rows)).history] == ["Pending", "Processing", "Delivered"]


def test_times_in_another_zone_become_utc() -> None:
    assert read_order(line(placed_at="2026-11-20T10:00:00+01:00")).placed_at.isoformat() == "2026-11-20T09:00:00+00:00"


def test_a_state_becomes_its_code_and_an_unknown_country_is_kept_and_flagged() -> None:
    assert read_order(line()).shipping_address.state == "CA"
    strange = read_order(line(shipping_address__country="Atlantis"))
    assert (strange.shipping_address.country, strange.shipping_address.country_known) == ("Atlantis", False)
    assert [code for code, _ in strange.flags] == ["country"]


def test_an_unknown_way_of_paying_is_for_a_person_to_settle() -> None:
    found = read_order(line(payment_method="Wampum"))
    assert (found.payment_method, found.flags[0][0]) == ("terminal", "payment")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lines": []}, "lines: the order has none"),
        ({"lines__0__quantity": -1}, "lines.0.quantity: -1 is out of range"),
        ({"lines__0__quantity": 0}, "lines.0.quantity: 0 is out of range"),
        ({"lines__0__quantity": MAX_QUANTITY + 1}, "lines.0.quantity"),
        ({"lines__0__quantity": 1.5}, "is not a whole number"),
        ({"lines__0__quantity": True}, "is not a whole number"),
        ({"lines__0__unit_price": "NaN"}, "lines.0.unit_price: 'NaN' is not a number"),
        ({"lines__0__unit_price": "-1.00"}, "out of range"),
        ({"lines__0__unit_price": "1e30"}, "is not a number"),
        ({"lines__0__unit_price": "9" * 25}, "out of range"),
        ({"lines__0__unit_price": "7.995"}, "more decimals than USD has"),
        ({"lines__0__tax_rate": "700"}, "no tax rate"),
        ({"currency": "XTS"}, "currency: 'XTS' is unknown"),
        ({"currency": None}, "currency: None is unknown"),
        ({"total": "Infinity"}, "total: 'Infinity' is not a number"),
        ({"total": "-1.00"}, "total: '-1.00' is out of range"),
        ({"customer__email": ""}, "customer.email: must not be empty"),
        ({"customer__email": "nobody"}, "is no e-mail address"),
        ({"placed_at": "yesterday"}, "placed_at: 'yesterday' is not a time"),
        ({"placed_at": "2026-11-20T09:00:00"}, "no time zone"),
        ({"placed_at": "0001-01-01T00:00:00+23:00"}, "is not a time"),
        ({"status": "Lost"}, "status: 'Lost' is unknown"),
        ({"reference": ""}, "reference: must not be empty"),
        ({"customer": "Ada"}, "customer: an object is needed"),
        ({"lines__0__sku": "x" * 65}, "lines.0.sku: at most 64"),
        ({"customer__name": "a\x00b"}, "cannot be stored"),
        ({"shipping__0__price": {"a": 1}}, "is not a number"),
    ],
)
def test_a_bad_order_is_told_with_the_field_and_the_reason(changed: dict[str, Any], reason: str) -> None:
    assert reason in why(line(**changed))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"channel": ', "broken JSON"),
        ("[]", "a JSON object is needed"),
        ('{"total": NaN}', "NaN is not a number"),
        ('{"total": -Infinity}', "-Infinity is not a number"),
        ('{"total": ' + "9" * 5000 + "}", "a number is out of range"),
        ("[" * 100_000, "nested too deeply"),
        (line().replace("Ada Quill", "\\ud800"), "half of a surrogate pair"),
    ],
)
def test_a_line_that_is_no_order_is_told_why(text: str, reason: str) -> None:
    assert reason in why(text)


def test_a_reason_never_says_a_card_number() -> None:
    for changed in ({"status": CARD}, {"customer__email": CARD}, {"currency": CARD}, {"placed_at": CARD}):
        assert CARD not in why(line(**changed))


def test_a_card_number_can_neither_name_an_order_nor_a_product_but_a_bar_code_can() -> None:
    assert "looks like a card number" in why(line(reference=CARD))
    assert "looks like a card number" in why(line(lines__0__sku=CARD))
    case = next(n for n in (f"36000{i:09}" for i in range(100_000)) if is_trade_number(n) and looks_like_card(n))
    assert read_order(line(lines__0__sku=case)).lines[0].sku == case


def test_blank_lines_and_a_byte_order_mark_do_no_harm_and_lines_keep_their_numbers() -> None:
    found = list(read_lines(io.BytesIO(b'\xef\xbb\xbf{"a": 1}\r\n\r\n\n{"b": 2}')))
    assert [(raw.number, raw.text) for raw in found] == [(1, '{"a": 1}'), (4, '{"b": 2}')]


def test_a_line_beyond_a_megabyte_is_left_out_and_the_next_one_is_read() -> None:
    long = b'{"a": "' + b"x" * (3 * LIMIT) + b'"}\n'
    found = list(read_lines(io.BytesIO(long + b'{"b": 2}\n' + b"\xff\xfe\n")))
    assert [raw.wrong for raw in found] == ["the line is longer than 1 MB", "", "the line is not UTF-8"]
    assert len(found[0].text) <= 1000
    assert found[1].text == '{"b": 2}'


def test_a_cut_through_a_card_number_leaves_none_of_it() -> None:
    start = b'{"a": "' + b"x" * 983
    found = next(iter(read_lines(io.BytesIO(start + CARD.encode() + b"x" * (2 * LIMIT)))))
    assert found.text.endswith("x")


def test_numbers_are_read_exactly() -> None:
    assert parse_json('{"price": 0.1}') == {"price": Decimal("0.1")}


def test_the_reader_takes_what_the_checkout_takes() -> None:
    assert (MAX_QUANTITY, MAX_LINES) == (rules.MAX_QUANTITY, rules.MAX_LINES)
