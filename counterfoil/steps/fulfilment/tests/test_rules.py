"""When goods may move: each sentence is a rule of the house."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.fulfilment.rules import (
    choose,
    may_deliver,
    may_pack,
    may_pick,
    may_return,
    may_ship,
    money_blockers,
)

LINE = LineFacts(id=1, sku="QUILL-21", name="Quill Riesling 2021", quantity=3, reserved=3)
PART = PartFacts(
    stock="confirmed",
    money="charged",
    books="sales_order",
    total=9000,
    charged=9000,
    lines=(LINE,),
    picked_by="Pia",
    packed_by="Paul",
)
PICKED = replace(LINE, reserved=0, picked=3)
PACKED = replace(PICKED, packed=3)
SHIPPED = replace(LINE, reserved=0, shipped=3)


def order(*parts: PartFacts, **more: Any) -> OrderFacts:
    told: dict[str, Any] = {"number": "CF-1", "review": "approved", "approved_by": "Ann", **more}
    return OrderFacts(parts=parts or (PART,), **told)


def at(parcel: str, line: LineFacts, **more: Any) -> PartFacts:
    return replace(PART, parcel=parcel, lines=(line,), **more)


def codes(found: list[Any]) -> list[str]:
    return [b.code for b in found]


PARCELS = {"pick": PART, "pack": at("picked", PICKED), "ship": at("packed", PACKED)}
GATES = {"pick": may_pick, "pack": may_pack, "ship": may_ship}


@pytest.mark.parametrize("act", GATES)
def test_a_paid_order_with_nothing_in_the_way_goes_on(act: str) -> None:
    assert GATES[act](order(PARCELS[act]), PARCELS[act]) == []


@pytest.mark.parametrize("act", GATES)
def test_a_hold_a_question_or_a_cancellation_stops_everything_in_the_house(act: str) -> None:
    gate, part = GATES[act], PARCELS[act]
    held = gate(order(part, holds=(HoldFacts(1, "asks for another label", "Ann"),)), part)
    assert [(b.code, b.by) for b in held] == [("on_hold", "Ann")]
    assert codes(gate(order(part, question_open=True), part)) == ["question_open"]
    assert codes(gate(order(part, answer_unapplied=True), part)) == ["question_open"]
    assert codes(gate(order(part, cancelled=True), part)) == ["cancelled"]


@pytest.mark.parametrize("act", GATES)
@pytest.mark.parametrize(
    ("money", "code"),
    [
        ({"money": "saved", "charged": 0}, "not_charged"),
        ({"money": "authorised", "charged": 0}, "not_charged"),
        ({"money": "declined", "charged": 0}, "not_charged"),
        ({"money": "voided", "charged": 0}, "not_charged"),
        ({"money": "charging", "charged": 0}, "charge_in_flight"),
        ({"money": "unknown", "charged": 0}, "charge_in_flight"),
        ({"charged": 8999}, "not_charged"),
        ({"refunded": 9000}, "not_charged"),
        ({"refunded": 4000, "refund_owed": 5000}, "not_charged"),
        ({"refund_owed": 9000}, "not_charged"),
    ],
)
def test_nothing_moves_on_dead_money(act: str, money: dict[str, Any], code: str) -> None:
    part = replace(PARCELS[act], **money)
    assert codes(GATES[act](order(part), part)) == [code]


def test_a_gift_of_a_part_of_the_price_stops_no_parcel() -> None:
    part = replace(PARCELS["ship"], refunded=500)
    assert may_ship(order(part), part) == []


def test_money_above_the_total_may_go_back_without_stopping_the_parcel() -> None:
    # A cheaper substitute: 100 was charged, it costs 90 now, the difference is on its way back.
    part = replace(PARCELS["ship"], charged=10_000, refund_owed=1000)
    assert may_ship(order(part), part) == []


@pytest.mark.parametrize("act", GATES)
@pytest.mark.parametrize("money", ["unpaid", "receivable"])
def test_an_order_paid_on_delivery_ships_unpaid(act: str, money: str) -> None:
    part = replace(PARCELS[act], money=money, charged=0)
    assert GATES[act](order(part, payment_method="on_delivery"), part) == []
    for method in ("card", "terminal", "cheque"):
        assert codes(GATES[act](order(part, payment_method=method), part)) == ["not_charged"]


def test_paid_on_delivery_is_no_excuse_once_money_was_taken_and_given_back() -> None:
    part = replace(PART, refunded=9000)
    assert codes(money_blockers(order(part, payment_method="on_delivery"), part)) == ["not_charged"]
    part = replace(PART, money="unknown", charged=0)
    assert codes(money_blockers(order(part, payment_method="on_delivery"), part)) == ["charge_in_flight"]


def test_every_reason_is_told_not_just_the_first() -> None:
    part = replace(PART, stock="unchecked", books="none", money="saved", charged=0)
    found = may_pick(order(part, review="pending", holds=(HoldFacts(1, "x", "Ann"), HoldFacts(2, "y", "Bob"))), part)
    assert codes(found) == ["on_hold", "on_hold", "not_approved", "no_sales_order", "stock_unchecked", "not_charged"]


def test_a_short_line_is_named() -> None:
    short = replace(LINE, reserved=1)
    found = may_pick(order(), at("waiting", short, stock="short"))
    assert [(b.code, b.line) for b in found] == [("line_short", "QUILL-21")]
    assert "2 of QUILL-21 not on the shelf" in found[0].message


def test_goods_on_order_are_not_on_the_shelf() -> None:
    due = replace(LINE, reserved=0, due=3, due_confirmed=3, due_date=date(2026, 11, 25))
    found = may_pick(order(), at("waiting", due, stock="awaiting"))
    assert [(b.code, b.line) for b in found] == [("line_short", "QUILL-21")]
    assert "due Wed 25 Nov 2026" in found[0].message


def test_a_cancelled_line_holds_nothing_up() -> None:
    gone = replace(LINE, id=2, sku="OTHER", quantity=0, reserved=0)
    part = replace(PART, lines=(LINE, gone))
    assert may_pick(order(part), part) == []


def test_a_part_of_which_nothing_is_wanted_is_not_picked() -> None:
    part = at("waiting", replace(LINE, quantity=0, reserved=0))
    assert "cancelled" in codes(may_pick(order(part), part))


def test_a_pick_goes_on_where_it_stopped() -> None:
    half = at("picking", replace(LINE, reserved=1, picked=2))
    assert may_pick(order(half), half) == []


@pytest.mark.parametrize("parcel", ["picked", "packed"])
def test_the_second_picker_hears_who_was_first(parcel: str) -> None:
    found = may_pick(order(), at(parcel, PICKED))
    assert [(b.code, b.by) for b in found] == [("someone_else", "Pia")]


def test_the_second_packer_hears_who_was_first() -> None:
    assert [(b.code, b.by) for b in may_pack(order(), at("packed", PACKED))] == [("someone_else", "Paul")]


def test_the_second_shipper_hears_who_was_first() -> None:
    found = may_ship(order(), at("shipped", SHIPPED), shipped_by="Sue")
    assert [(b.code, b.by) for b in found] == [("already_shipped", "Sue")]


@pytest.mark.parametrize("act", GATES)
@pytest.mark.parametrize(
    ("parcel", "code"), [("shipped", "already_shipped"), ("delivered", "delivered"), ("returned", "already_shipped")]
)
def test_what_has_left_does_not_leave_again(act: str, parcel: str, code: str) -> None:
    assert codes(GATES[act](order(), at(parcel, SHIPPED))) == [code]


def test_what_is_not_picked_is_not_packed_and_the_line_is_named() -> None:
    part = at("picking", replace(LINE, reserved=1, picked=2))
    found = may_pack(order(), part)
    assert [(b.code, b.line, b.message) for b in found] == [("not_picked", "QUILL-21", "1 of QUILL-21 not picked yet")]
    assert codes(may_ship(order(), part)) == ["not_picked"]


def test_what_is_not_packed_is_not_shipped() -> None:
    assert codes(may_ship(order(), at("picked", PICKED))) == ["not_packed"]


def test_only_what_is_on_its_way_arrives_and_only_once() -> None:
    assert may_deliver(order(), at("shipped", SHIPPED)) == []
    assert codes(may_deliver(order(), at("delivered", SHIPPED))) == ["delivered"]
    assert codes(may_deliver(order(), at("returned", SHIPPED))) == ["already_shipped"]
    assert codes(may_deliver(order(), at("packed", PACKED))) == ["not_packed"]
    assert codes(may_deliver(order(), PART)) == ["not_picked"]


def test_a_hold_does_not_stop_a_parcel_on_the_road() -> None:
    part = at("shipped", SHIPPED)
    facts = order(part, holds=(HoldFacts(1, "x", "Ann"),), question_open=True)
    assert may_deliver(facts, part) == []
    assert may_return(facts, part) == []


def test_the_first_of_two_boxes_may_arrive_while_the_second_is_in_the_house() -> None:
    assert may_deliver(order(), at("packed", replace(LINE, reserved=0, picked=1, packed=1, shipped=2))) == []


def test_only_what_was_shipped_comes_back() -> None:
    assert may_return(order(), at("delivered", replace(SHIPPED, returned=2))) == []
    assert codes(may_return(order(), at("returned", replace(SHIPPED, returned=3)))) == ["someone_else"]
    assert codes(may_return(order(), at("packed", PACKED))) == ["not_packed"]


def test_of_two_parts_the_open_one_is_chosen() -> None:
    gone = replace(at("shipped", SHIPPED), number=1)
    ready = replace(PART, number=2)
    opened, found = choose(order(gone, ready), may_pick, ("waiting", "picking"))
    assert (opened, found) == ([ready], [])


def test_a_part_that_has_left_does_not_hide_what_stops_the_other() -> None:
    gone = replace(at("shipped", SHIPPED), number=1)
    unpaid = replace(PART, number=2, money="saved", charged=0)
    assert codes(choose(order(gone, unpaid), may_pick, ("waiting", "picking"))[1]) == ["not_charged"]
    assert codes(choose(order(gone), may_pick, ("waiting", "picking"))[1]) == ["already_shipped"]


def test_one_hold_on_two_parts_is_one_reason() -> None:
    facts = order(PART, replace(PART, number=2), holds=(HoldFacts(1, "x", "Ann"),))
    assert codes(choose(facts, may_pick, ("waiting", "picking"))[1]) == ["on_hold"]


def test_a_bottle_of_a_stopped_part_is_told_why_it_is_stopped() -> None:
    other = replace(LINE, id=2, sku="OTHER")
    stopped = replace(PART, number=2, money="saved", charged=0, lines=(other,))
    opened, found = choose(order(PART, stopped), may_pick, ("waiting", "picking"), skus=["OTHER"])
    assert (opened, codes(found)) == ([], ["not_charged"])
