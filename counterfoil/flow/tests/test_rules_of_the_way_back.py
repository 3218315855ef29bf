"""When an order may be cancelled, what becomes of its money, and when a yes can still be carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from counterfoil.flow.rules import may_cancel, money_of_cancelled, must_wait, obstacle
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts

LINE = LineFacts(11, "SYRAH-2019", "Copper Gate Syrah 2019", 6)
PART = PartFacts(money="saved", lines=(LINE,))
ORDER = OrderFacts(review="approved", parts=(PART,))
SWAP = {"kind": "substitute", "part": 1, "line": 11, "quantity": 4, "difference": -400}


def with_part(**changes: Any) -> OrderFacts:
    return replace(ORDER, parts=(replace(PART, **changes),))


@pytest.mark.parametrize("money", ["unpaid", "saved", "authorised", "charging", "unknown", "charged", "declined"])
def test_until_it_leaves_an_order_can_be_cancelled_whatever_its_money(money: str) -> None:
    assert may_cancel(with_part(money=money)) == []


@pytest.mark.parametrize("parcel", ["picking", "picked", "packed"])
def test_a_packed_order_can_still_be_cancelled(parcel: str) -> None:
    assert may_cancel(with_part(parcel=parcel)) == []


def test_a_hold_and_an_open_question_do_not_keep_an_order_alive() -> None:
    assert may_cancel(replace(ORDER, question_open=True)) == []


@pytest.mark.parametrize("parcel", ["shipped", "delivered", "returned"])
def test_what_has_left_cannot_be_cancelled(parcel: str) -> None:
    assert [b.code for b in may_cancel(with_part(parcel=parcel))] == ["not_cancellable"]


def test_one_shipped_unit_is_enough() -> None:
    assert [b.code for b in may_cancel(with_part(lines=(replace(LINE, shipped=1),)))] == ["not_cancellable"]


def test_one_shipped_part_is_enough() -> None:
    two = replace(ORDER, parts=(replace(PART, parcel="shipped"), replace(PART, number=2)))
    assert [b.code for b in may_cancel(two)] == ["not_cancellable"]


def test_an_order_delivered_elsewhere_cannot_be_cancelled() -> None:
    assert [b.code for b in may_cancel(replace(ORDER, closed_history=True))] == ["not_cancellable"]


@pytest.mark.parametrize("money", ["unpaid", "saved", "authorised", "declined"])
def test_money_that_was_not_taken_is_voided(money: str) -> None:
    assert money_of_cancelled(replace(PART, money=money)) == "void"


@pytest.mark.parametrize("money", ["charging", "unknown"])
def test_of_a_charge_in_flight_the_bank_is_asked(money: str) -> None:
    assert money_of_cancelled(replace(PART, money=money)) == "ask"


def test_what_was_taken_and_not_given_back_is_refunded() -> None:
    assert money_of_cancelled(replace(PART, money="charged", charged=100, refunded=40, refund_owed=59)) == "refund"
    assert money_of_cancelled(replace(PART, money="charged", charged=100, refunded=40, refund_owed=60)) == "leave"


def test_an_answer_waits_for_the_bank() -> None:
    assert must_wait(with_part(money="unknown"))
    assert must_wait(with_part(money="charging"))
    assert not must_wait(with_part(money="charged"))
    assert not must_wait(replace(with_part(money="charging"), cancelled=True))


def test_a_yes_is_carried_out() -> None:
    assert obstacle(ORDER, SWAP) is None


def test_a_yes_to_a_cancelled_order_changes_nothing() -> None:
    assert "cancelled" in str(obstacle(replace(ORDER, cancelled=True), SWAP))


def test_what_has_left_meanwhile_is_not_changed() -> None:
    assert "shipped" in str(obstacle(with_part(parcel="shipped"), SWAP))
    assert "shipped" in str(obstacle(with_part(parcel="shipped"), {"kind": "cancel", "line": None, "difference": -1}))
    assert "shipped" in str(
        obstacle(with_part(parcel="shipped"), {"kind": "later_date", "parts": [1], "difference": 0})
    )


def test_units_that_are_no_longer_there_cannot_be_replaced() -> None:
    assert "fewer units" in str(obstacle(with_part(lines=(replace(LINE, quantity=3),)), SWAP))
    assert "fewer units" in str(obstacle(with_part(lines=(replace(LINE, id=12),)), SWAP))


def test_what_was_paid_meanwhile_is_not_made_dearer_nor_divided() -> None:
    paid = with_part(money="charged")
    assert obstacle(paid, SWAP) is None
    assert "costs more" in str(obstacle(paid, {**SWAP, "difference": 1}))
    later = {"kind": "split", "part": 1, "lines": [{"line": 11, "sku": "X", "quantity": 2}], "difference": 0}
    assert obstacle(ORDER, later) is None
    assert "one sum" in str(obstacle(paid, later))
