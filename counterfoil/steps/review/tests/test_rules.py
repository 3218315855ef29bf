"""A person looks at every order, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.review.rules import may_approve, may_hold

PENDING = OrderFacts(number="CF-1001", parts=(PartFacts(lines=(LineFacts(1, "PINOT-21", "Pinot", 6),)),))
HELD = (HoldFacts(1, "Odd address", "Ann"),)


def test_a_pending_order_may_be_approved_whatever_its_stock_and_card() -> None:
    assert may_approve(PENDING) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"finished": False}, "not_approved"),
        ({"cancelled": True}, "cancelled"),
        ({"review": "approved", "approved_by": "Ann"}, "someone_else"),
        ({"holds": HELD}, "on_hold"),
        ({"question_open": True}, "question_open"),
        ({"answer_unapplied": True}, "question_open"),
    ],
)
def test_what_speaks_against_approving_is_said(facts: dict[str, Any], code: str) -> None:
    assert [b.code for b in may_approve(replace(PENDING, **facts))] == [code]


def test_who_approved_and_who_holds_are_named() -> None:
    assert may_approve(replace(PENDING, review="approved", approved_by="Ann"))[0].by == "Ann"
    assert may_approve(replace(PENDING, holds=HELD))[0].by == "Ann"


def test_whatever_is_in_the_house_can_be_held_and_nothing_else() -> None:
    shipped = replace(PENDING.parts[0], parcel="shipped")
    assert may_hold(PENDING) == []
    assert may_hold(replace(PENDING, parts=(shipped, PENDING.parts[0]))) == []
    assert [b.code for b in may_hold(replace(PENDING, parts=(shipped, shipped)))] == ["already_shipped"]
    assert [b.code for b in may_hold(replace(PENDING, cancelled=True))] == ["cancelled"]
