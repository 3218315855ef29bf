"""What the bank has otherwise comes before everything else on an order, and stops none of its work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from counterfoil.flow.map import derive, due_by_itself
from counterfoil.records.orders.facts import DisputeFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.fulfilment.rules import may_pick, may_ship

ORDER = OrderFacts(
    number="CF-1001", review="approved", card_state="saved", parts=(PartFacts(lines=(LineFacts(1, "A", "A", 1),)),)
)


@pytest.mark.parametrize(
    "more",
    [{}, {"cancelled": True}, {"closed_history": True}, {"refund_failed": True}, {"question_open": True}],
    ids=lambda more: "".join(more) or "plain",
)
def test_an_order_about_which_the_bank_differs_stands_there(more: dict[str, bool]) -> None:
    facts = replace(ORDER, bank_differs=True, **more)  # type: ignore[arg-type]
    found = derive(facts)
    assert (found.queue, found.next_action, found.blockers) == ("bank_differs", "look_at_bank", [])
    agreed = replace(facts, bank_differs=False)
    assert derive(agreed).queue != "bank_differs"
    assert derive(agreed).status == found.status
    assert due_by_itself(agreed) == due_by_itself(facts)


def test_an_unfinished_check_out_is_no_order_to_look_at() -> None:
    assert derive(replace(ORDER, bank_differs=True, finished=False)).queue == "unfinished"


# --- disputes -------------------------------------------------------------------------------------------------------

DUE = date(2026, 12, 1)
PAID = replace(
    ORDER,
    parts=(
        PartFacts(
            money="charged", charged=100, total=100, books="sales_order", stock="confirmed",
            lines=(LineFacts(1, "A", "A", 1, reserved=1),),
        ),
    ),
)  # fmt: skip
SENT = replace(PAID, parts=(replace(PAID.parts[0], parcel="shipped", lines=(LineFacts(1, "A", "A", 1, shipped=1),)),))


def disputed(facts: OrderFacts, state: str, **more: bool) -> OrderFacts:
    inquiry = more.pop("inquiry", False)
    return replace(facts, disputes=(DisputeFacts(1, state, inquiry, due_on=DUE, **more),))


@pytest.mark.parametrize("facts", [PAID, SENT, replace(SENT, cancelled=True)], ids=["here", "sent", "cancelled"])
@pytest.mark.parametrize("inquiry", [False, True], ids=["chargeback", "inquiry"])
def test_a_dispute_waits_for_its_answer_until_the_banks_day(facts: OrderFacts, inquiry: bool) -> None:
    found = derive(disputed(facts, "open", inquiry=inquiry))
    assert (found.queue, found.next_action, found.deadline) == ("bank_differs", "answer_dispute", DUE)
    answered = derive(disputed(facts, "open", inquiry=inquiry, answered=True))
    assert answered.next_action != "answer_dispute"
    assert answered.deadline != DUE


@pytest.mark.parametrize(("state", "action"), [("answered", "wait_for_bank"), ("lost", "cancel")])
def test_what_is_still_here_stays_while_the_bank_has_the_money(state: str, action: str) -> None:
    facts = disputed(PAID, state)
    found = derive(facts)
    assert (found.queue, found.next_action) == ("cannot_ship", action)
    assert [b.code for b in found.blockers] == ["not_charged"]
    assert [b.code for b in may_pick(facts, facts.parts[0])] == ["not_charged"]
    packed = replace(facts.parts[0], parcel="packed")
    assert [b.code for b in may_ship(facts, packed)] == ["not_charged"]
    assert derive(disputed(SENT, state)).queue == "transit"


def test_an_inquiry_stops_no_goods() -> None:
    facts = disputed(PAID, "answered", inquiry=True)
    assert derive(facts).queue == "pick"
    assert may_pick(facts, facts.parts[0]) == []


def test_another_part_of_the_order_goes_on() -> None:
    other = replace(PAID.parts[0], number=2)
    facts = disputed(replace(PAID, parts=(*PAID.parts, other)), "answered")
    assert may_pick(facts, other) == []
    assert [b.code for b in may_pick(facts, facts.parts[0])] == ["not_charged"]
