"""No card is charged until the shop knows that it can deliver."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.charging.rules import covered, may_charge, may_deliver_soon, may_hold, wants_charge

TODAY = date(2026, 11, 23)
HORIZON = date(2026, 11, 25)
LINE = LineFacts(1, "PINOT-21", "Pinot noir 2021", 6, reserved=6)
DUE = replace(LINE, reserved=2, due=4, due_confirmed=4, due_date=HORIZON)
PART = PartFacts(stock="confirmed", money="saved", books="sales_order", total=1000, lines=(LINE,))
READY = OrderFacts(
    number="CF-1001", review="approved", approved_by="Ann", card_state="saved", card_consent=True, parts=(PART,),
    today=TODAY, horizon=HORIZON,
)  # fmt: skip


def codes(blockers: list[Blocker]) -> list[str]:
    return [b.code for b in blockers]


def part(*lines: LineFacts, **more: Any) -> PartFacts:
    return replace(PART, lines=lines or (LINE,), **more)


def test_an_order_that_is_approved_entered_reserved_and_paid_by_a_saved_card_may_be_charged() -> None:
    assert may_charge(READY, PART) == []


SHUT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "not_approved": ({"review": "pending"}, {}),
    "on_hold": ({"holds": (HoldFacts(1, "Odd address", "Ann"),)}, {}),
    "question_open": ({"question_open": True}, {}),
    "no_sales_order": ({}, {"books": "none"}),
    "stock_unchecked": ({}, {"stock": "unchecked"}),
    "line_short": ({}, {"lines": (replace(LINE, reserved=5),)}),
    "due_too_late": ({}, {"lines": (replace(DUE, due_date=HORIZON + timedelta(days=1)),)}),
    "no_payment_method": ({"card_state": "refused"}, {}),
    "no_consent": ({"card_consent": False}, {}),
    "cancelled": ({"cancelled": True}, {}),
    "already_charged": ({}, {"money": "charged"}),
    "charge_in_flight": ({}, {"money": "charging"}),
}


@pytest.mark.parametrize("code", SHUT)
def test_any_single_reason_shuts_the_gate(code: str) -> None:
    of_order, of_part = SHUT[code]
    assert codes(may_charge(replace(READY, **of_order), replace(PART, **of_part))) == [code]


def test_every_reason_is_told_not_just_the_first() -> None:
    shut = replace(
        READY,
        review="pending",
        question_open=True,
        card_state="none",
        holds=(HoldFacts(1, "a", "Ann"), HoldFacts(2, "b", "Ben")),
    )
    wanting = part(replace(LINE, reserved=0), replace(LINE, sku="SYRAH-19", reserved=0), books="none")
    assert codes(may_charge(shut, wanting)) == [
        "not_approved", "on_hold", "on_hold", "question_open", "no_sales_order", "line_short", "line_short",
        "no_payment_method",
    ]  # fmt: skip


def test_an_answer_that_is_not_worked_in_yet_keeps_the_gate_shut() -> None:
    assert codes(may_charge(replace(READY, answer_unapplied=True), PART)) == ["question_open"]


def test_who_was_first_is_named() -> None:
    assert may_charge(READY, replace(PART, money="charged", charged_by="Ben"))[0].by == "Ben"
    assert may_charge(READY, replace(PART, money="unknown", charged_by="Ben"))[0].by == "Ben"
    held = replace(READY, holds=(HoldFacts(1, "Odd address", "Cleo"),))
    assert may_charge(held, PART)[0].by == "Cleo"


def test_a_short_line_names_its_wine_and_how_many_are_missing() -> None:
    (blocker,) = may_deliver_soon(READY, part(replace(LINE, reserved=2, due=1)))
    assert (blocker.code, blocker.line) == ("line_short", "PINOT-21")
    assert "3 of 6" in blocker.message


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"due_date": TODAY}, True),
        ({"due_date": TODAY - timedelta(days=1)}, False),  # overdue
        ({"due_date": HORIZON + timedelta(days=1)}, False),
        ({"due_date": None}, False),
        ({"due_confirmed": 3}, False),  # the supplier has confirmed a part of it only
        ({"due_confirmed": 0}, False),
        ({"due": 3, "due_confirmed": 3}, False),
        ({"reserved": 0, "picked": 2}, True),  # off the shelf already
        ({"reserved": 0, "shipped": 2}, True),
    ],
)
def test_goods_on_order_count_only_on_a_near_date_that_the_supplier_confirmed(
    change: dict[str, Any], good: bool
) -> None:
    line = replace(DUE, **change)
    assert covered(line, READY) is good
    assert (may_charge(READY, part(line)) == []) is good


def test_one_late_line_stops_the_whole_part_and_no_other_part() -> None:
    late = part(LINE, replace(DUE, sku="SYRAH-19", due_date=HORIZON + timedelta(days=9)))
    both = replace(READY, parts=(late, replace(PART, number=2)))
    assert codes(may_charge(both, both.parts[0])) == ["due_too_late"]
    assert may_charge(both, both.parts[1]) == []


def test_a_part_of_which_nothing_is_wanted_any_more_is_charged_nothing() -> None:
    assert codes(may_charge(READY, part(replace(LINE, quantity=0, reserved=0)))) == ["cancelled"]


def test_money_in_the_hand_needs_no_card_but_everything_else() -> None:
    counter = replace(READY, payment_method="terminal", card_state="none", card_consent=False)
    assert codes(may_charge(counter, PART)) == ["no_payment_method"]
    assert may_charge(counter, PART, offline=True) == []
    assert codes(may_charge(replace(counter, review="pending"), PART, offline=True)) == ["not_approved"]
    assert codes(may_charge(counter, part(replace(LINE, reserved=0)), offline=True)) == ["line_short"]


def test_what_was_shipped_to_be_paid_at_the_door_can_only_be_written_down() -> None:
    door = replace(READY, payment_method="on_delivery")
    shipped = part(replace(LINE, reserved=0, shipped=6), money="receivable", parcel="shipped")
    assert may_charge(door, shipped, offline=True) == []
    assert codes(may_charge(door, shipped)) == ["no_payment_method"]


def test_only_what_is_paid_at_the_door_is_picked_without_a_charge() -> None:
    assert wants_charge(READY, PART)
    assert not wants_charge(READY, replace(PART, money="charged"))
    assert not wants_charge(replace(READY, payment_method="on_delivery"), PART)


def test_what_came_back_from_the_door_unpaid_is_owed_no_more() -> None:
    door = replace(READY, payment_method="on_delivery")
    back = part(replace(LINE, reserved=0, shipped=6, returned=6), money="voided", parcel="returned", books="credited")
    assert codes(may_charge(door, back, offline=True)) == ["cancelled"]


def test_the_bank_is_asked_to_hold_an_amount_once() -> None:
    assert may_hold(READY, PART) == []
    assert codes(may_hold(READY, replace(PART, money="declined", authorised=600))) == ["already_charged"]
