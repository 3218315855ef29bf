"""What nobody should send, at every door: a clear no that names the field, and nothing has changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.build import Desk, picture, refused, unchanged
from tests.doors.table import DOORS, changed, leaves, named
from tests.support import ADDRESS, order_body

pytestmark = pytest.mark.django_db

NEVER_TEXT: list[Any] = ["nul\x00", "half \ud83c", "\udc00 half", "x" * 5001, 1.5, True, [], {}, ["a"]]
NEVER_A_NUMBER: list[Any] = [True, False, 1.5, 1e300, "1", "", 10**40, -(10**40), 2**63, -(2**63) - 1, [], {}]
NEVER_A_BOOL: list[Any] = [1, 0, "true", "", [], {}]
NEVER_A_DAY: list[Any] = [
    "2026-02-30", "0001-01-01", "9999-12-31", "0000-00-00", "99999-01-01", "2020-01-01", "2026-1-1", "tomorrow", "",
    "2026-12-01T00:00:00Z", "٢٠٢٦-١٢-٠١", 20261201, 0, 1e9, True, [], {},
]  # fmt: skip
NEVER_A_MOMENT: list[Any] = [
    "2026-02-30T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-01", "noon", "",
    "2026-12-01T25:00:00Z", "2026-12-01T10:00:00+99:00", 1700000000, 1e300, True, [], {},
]  # fmt: skip
DAYS = {"ship_estimate", "needed_by", "date", "expected"}
AMOUNTS = {"price", "cost", "unit_price", "tax", "total", "minimum"}
MOMENTS = {"placed_at", "expires_at", "at"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def never(name: str | int, value: Any) -> list[Any]:
    """What may not stand where `value` stands."""
    if name in DAYS:
        return NEVER_A_DAY
    if name in MOMENTS:
        return NEVER_A_MOMENT
    if isinstance(value, bool):
        return NEVER_A_BOOL
    return NEVER_TEXT if isinstance(value, str) else NEVER_A_NUMBER


@pytest.mark.parametrize("door", DOORS)
def test_every_wrong_value_is_told_by_its_field_and_changes_nothing(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    for at, value in leaves(body):
        for wrong in never(at[-1], value):
            if at == ("needed_by",) and wrong == "2020-01-01":
                continue  # fitting for an order that was placed in the past, as this one was
            answer = desk.api.post(path, changed(body, at, wrong))
            refused(answer, 422)
            assert named(at) in answer.fields, (at, wrong, answer.body)
    unchanged(before)


@pytest.mark.parametrize("door", DOORS)
def test_negative_and_huge_numbers_are_refused(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    for at, value in leaves(body):
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        # Columns of units have 32 bits, of amounts 64; a negative adjustment takes stock off the shelf.
        large = [2**53] if at[-1] in AMOUNTS else [2**53, 2**31]
        for wrong in (*large, *([] if path == "/stock" else [-1, -(2**31) - 1])):
            answer = desk.api.post(path, changed(body, at, wrong))
            # A refund of more than was taken has its own code; everything else is a field.
            if answer.status == 409:
                refused(answer, 409)
                assert answer.codes == {"over_refundable"}
            else:
                refused(answer, 422)
                assert named(at) in answer.fields or "total" in answer.fields, (at, wrong, answer.body)
    unchanged(before)


@pytest.mark.parametrize("door", DOORS)
def test_a_field_that_we_do_not_know_is_told_not_swallowed(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    answer = desk.api.post(path, {**body, "quantitty": 3})
    refused(answer, 422)
    assert answer.fields == {"quantitty"}
    unchanged(before)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines.0.sku", "NOPE"), ("lines.0.sku", ""), ("lines.0.sku", "pinot-21"), ("lines.0.sku", " PINOT-21"),
        ("lines.0.quantity", 0), ("lines.0.quantity", -1), ("lines.0.quantity", 100_001), ("lines.0.quantity", 2**53),
        ("lines.0.quantity", 2.0), ("lines.0.unit_price", 25.5), ("lines.0.unit_price", -1),
        ("shipping.price", 15.0), ("shipping.price", -1), ("tax", -1), ("tax", 0.1), ("total", 1.5), ("total", -5),
        ("currency", "XXX"), ("currency", "usd"), ("currency", "US"), ("currency", ""), ("currency", "DOGE"),
        ("currency", "EUR🍷"), ("shipping_address.country", "USA"), ("shipping_address.country", ""),
        ("shipping_address.country", "🇺🇸"), ("shipping_address.street", ""), ("shipping_address.city", "  "),
        ("shipping_address.name", ""), ("billing_address.street", ""), ("customer.email", ""),
        ("customer.email", "nobody"), ("customer.email", "a b@example.com"), ("customer.name", ""),
        ("customer.name", "x" * 201), ("channel", ""), ("reference", ""), ("reference", "x" * 101),
        ("reference", "4242 4242 4242 4242"), ("shipping.method", ""), ("payment.method", "barter"),
        ("needed_by", "2020-01-01"), ("placed_at", "2999-01-01T00:00:00Z"), ("lines", []),
    ],
)  # fmt: skip
def test_an_order_with_something_wrong_is_not_taken(desk: Desk, field: str, value: Any) -> None:
    body = {**order_body(("PINOT-21", 2)), "billing_address": dict(ADDRESS)}
    before = picture()
    at = tuple(int(step) if step.isdigit() else step for step in field.split("."))
    answer = desk.api.post("/orders", changed(body, at, value))
    refused(answer, 422)
    # An unknown currency also lacks prices: the field itself must be among those named.
    assert ("lines.0.unit_price" if value == "EUR" else field) in answer.fields, answer.body
    unchanged(before)


@pytest.mark.parametrize("part", ["name", "street", "city", "country"])
def test_an_address_without_one_of_its_parts_is_not_taken(desk: Desk, part: str) -> None:
    before = picture()
    body = order_body(("PINOT-21", 2), shipping_address={k: v for k, v in ADDRESS.items() if k != part})
    answer = desk.api.post("/orders", body)
    refused(answer, 422)
    assert answer.fields == {f"shipping_address.{part}"}
    unchanged(before)


def test_another_currency_needs_its_prices(desk: Desk) -> None:
    before = picture()
    answer = desk.api.post("/orders", order_body(("PINOT-21", 2), currency="EUR"))
    refused(answer, 422)
    assert answer.fields == {"lines.0.unit_price"}
    unchanged(before)


def test_a_repeat_is_the_same_order_even_when_it_took_the_last_bottle(desk: Desk) -> None:
    desk.api.done("/products", {"sku": "LAST", "name": "Last one", "price": 1, "currency": "USD",
                                "sell_when_out": "stop"})  # fmt: skip
    desk.api.done("/stock", {"sku": "LAST", "quantity": 1, "reason": "found"})
    body = order_body(("LAST", 1))
    first = desk.api.post("/orders", body)
    before = picture()
    again = desk.api.post("/orders", body)
    assert (first.status, again.status, again.body["number"]) == (201, 200, first.body["number"])
    sold_out = desk.api.post("/orders", order_body(("LAST", 1)))
    refused(sold_out, 409)
    assert sold_out.codes == {"sold_out"}
    assert sold_out.body["blockers"][0]["line"] == "LAST"
    unchanged(before)


def test_long_telephone_and_order_numbers_are_kept_as_they_are_and_card_numbers_are_not(desk: Desk) -> None:
    # Both have a fitting check digit, as one number in ten has.
    body = order_body(("PINOT-21", 1), reference="5812345678901", comment="my card is 4242 4242 4242 4242")
    body["customer"]["phone"] = "+49 1511 234567 8"
    for reference in ("5812345678901", "5812345678919", "302-1234567-1234567"):
        taken = desk.api.done("/orders", {**body, "reference": reference})
        assert (taken["reference"], taken["customer"]["phone"]) == (reference, "+49 1511 234567 8")
        assert taken["comment"] == "my card is •••• 4242"
    assert not [k for k, v in picture().items() if "4242424242424242" in str(v).replace(" ", "")]
