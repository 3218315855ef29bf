"""Only an order that a person approved goes into the books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.acceptance.rules import has_sales_order, may_make_sales_order

PART = PartFacts(lines=(LineFacts(1, "PINOT-21", "Pinot", 6),))
EMPTY = PartFacts(number=2, lines=(LineFacts(2, "SYRAH-19", "Syrah", 0),))
APPROVED = OrderFacts(number="CF-1001", review="approved", approved_by="Ann", parts=(PART,))


def test_an_approved_order_may_be_entered_before_its_stock_is_known() -> None:
    assert may_make_sales_order(APPROVED) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"review": "pending"}, "not_approved"),
        ({"cancelled": True}, "cancelled"),
        ({"holds": (HoldFacts(1, "Odd address", "Ann"),)}, "on_hold"),
        ({"question_open": True}, "question_open"),
        ({"answer_unapplied": True}, "question_open"),
    ],
)
def test_what_speaks_against_it_is_said(facts: dict[str, Any], code: str) -> None:
    assert [b.code for b in may_make_sales_order(replace(APPROVED, **facts))] == [code]


def test_every_part_that_is_still_wanted_needs_its_own() -> None:
    entered = replace(PART, books="sales_order")
    assert not has_sales_order(APPROVED)
    assert has_sales_order(replace(APPROVED, parts=(entered, EMPTY)))
    assert not has_sales_order(replace(APPROVED, parts=(entered, replace(PART, number=2))))
