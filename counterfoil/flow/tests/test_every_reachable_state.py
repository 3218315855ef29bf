"""Every state that small worlds can come to, breadth first, over the facts alone: no law is broken anywhere.

A world is one order of one or two parts with one or two lines of one or two bottles. What may happen in it are the
tables of the axes behind the very gates of the actions (`walking/`), and what the outside does: stock comes or is lost,
suppliers confirm and put off, the bank says yes, no or nothing, holds lapse, days pass, customers answer. `-s` tells
how many worlds there were.
"""

from __future__ import annotations

import time

import pytest

from counterfoil.flow.tests.walking import gates, promises
from counterfoil.flow.tests.walking.walk import Found, walk
from counterfoil.flow.tests.walking.ways import WAYS, walked
from counterfoil.flow.tests.walking.world import MACHINES, TAKEN, World


@pytest.mark.parametrize("name", WAYS)
def test_no_step_and_no_state_breaks_a_law(name: str) -> None:
    """Not before every line is sure is money taken, nothing leaves before the charge, what is over stays over."""
    began = time.process_time()
    made = walked(name)
    steps = sum(len(following) for following in made.after)
    print(f"\n{name}: {len(made.worlds)} worlds, {steps} steps, {time.process_time() - began:.1f} s")
    assert len(made.worlds) > 100


@pytest.mark.parametrize("name", WAYS)
def test_from_every_living_state_the_goods_can_still_come_to_the_door(name: str) -> None:
    made = walked(name)
    at_the_door = [n for n, world in enumerate(made.worlds) if _delivered(world)]
    assert at_the_door
    can = made.from_where(at_the_door)
    stuck = [n for n, world in enumerate(made.worlds) if _lives(world) and n not in can]
    assert not stuck, (made.story(stuck[0]), made.stands[stuck[0]], made.worlds[stuck[0]])


def _delivered(world: World) -> bool:
    order = world.order
    return not order.cancelled and all(part.parcel == "delivered" for part in order.parts if part.live)


def _lives(world: World) -> bool:
    """Neither over, nor about to be, nor come back, nor given all its money back: then only cancelling is left."""
    order = world.order
    over = order.cancelled or (world.asked == "cancel" and order.answer_unapplied)
    back = any(part.parcel == "returned" for part in order.parts)
    given = any(0 < part.charged <= part.refunded + part.refund_owed for part in order.parts)
    return not (over or back or given)


@pytest.mark.parametrize("name", WAYS)
def test_from_every_state_an_order_comes_to_an_end(name: str) -> None:
    made = walked(name)
    can = made.from_where(n for n, world in enumerate(made.worlds) if _ended(world) or _halfway_and_given_back(world))
    stuck = [n for n in range(len(made.worlds)) if n not in can]
    assert not stuck, (made.story(stuck[0]), made.stands[stuck[0]], made.worlds[stuck[0]])


def _ended(world: World) -> bool:
    """Cancelled with nothing under way, or wholly at the customer's or back; no money is on its way either."""
    quiet = not any(world.flights) and not any(part.refund_owed for part in world.order.parts)
    gone = all(part.parcel in {"delivered", "returned"} for part in world.order.parts if part.live)
    return quiet and (world.order.cancelled or gone)


def _halfway_and_given_back(world: World) -> bool:
    """The one state without a way out: a box has left, the other has not, and all the money was given back."""
    return any(
        part.parcel == "packed" and any(ln.shipped for ln in part.lines) and part.charged <= part.refunded
        for part in world.order.parts
    )


def test_no_promise_lapses_unseen() -> None:
    made = walked("a promise that slips")
    _look_at_all(made.worlds)
    told = [world for world in made.worlds if world.order.notices]
    assert {(n.consents, n.declined) for world in told for n in world.order.notices} == {
        (True, False), (True, True), (False, False), (False, True),
    }  # fmt: skip


def test_a_clock_at_which_nobody_looks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    start, moves = WAYS["a promise that slips"]
    monkeypatch.setattr("counterfoil.flow.map.due_notice", lambda order: None)
    with pytest.raises(AssertionError, match="a promise lapses"):
        _look_at_all(walk(start, *moves).worlds)


def _look_at_all(worlds: list[World]) -> None:
    for world in worlds:
        promises.none_lapses_unseen(world)


def test_every_event_of_every_table_is_taken_by_somebody() -> None:
    for name in WAYS:
        walked(name)
    taken = {(axis, event) for axis, event, _ in TAKEN.ways}
    of_the_bank = {("money", "fall_short")}  # a person books what nobody in these worlds has got wrong: test_reconcile
    assert {(m.axis, event) for m in MACHINES for event in m.table} - taken == of_the_bank


# --- the walk notices -----------------------------------------------------------------------------------------------

GOODS, CHEQUE = "charged when packed: goods, time, stops", "cheque: goods, time, stops, back"
WEB, MIND = "a check-out on the web", "the owner changes their mind"
ASKED, DOOR = "two bottles: cheaper, refunded, back", "on_delivery: cheaper, dearer, refunded, back"
ONE_BY_ONE = "two bottles, one by one"
AMENDED, IN_HAND = "amended by a clerk, and back", "amended by a clerk, paid by cheque"
MERGED = "divided by the customer, and merged"
# Gate, a reason that it forgets, and a small world in which that is noticed. A reason that is not here is told again by
# another gate before or by the same one in other words: an order that nobody has approved is not in the books either.
HINGES = (
    ("approve", "cancelled", WEB), ("approve", "not_approved", WEB), ("approve", "on_hold", CHEQUE),
    ("approve", "question_open", ASKED), ("approve", "someone_else", WEB),
    ("stop", "already_shipped", CHEQUE), ("stop", "cancelled", CHEQUE),
    ("enter", "cancelled", WEB), ("enter", "not_approved", WEB), ("enter", "on_hold", CHEQUE),
    ("enter", "question_open", ASKED),
    ("check_stock", "cancelled", WEB), ("check_stock", "no_sales_order", WEB), ("check_stock", "on_hold", CHEQUE),
    ("charge", "already_charged", WEB), ("charge", "cancelled", WEB), ("charge", "charge_in_flight", WEB),
    ("charge", "due_too_late", WEB), ("charge", "line_short", WEB), ("charge", "no_payment_method", ONE_BY_ONE),
    ("charge", "on_hold", GOODS), ("charge", "question_open", ASKED), ("charge", "stock_unchecked", WEB),
    ("record", "already_charged", CHEQUE), ("record", "cancelled", CHEQUE), ("record", "due_too_late", CHEQUE),
    ("record", "line_short", CHEQUE), ("record", "on_hold", CHEQUE), ("record", "question_open", DOOR),
    ("record", "stock_unchecked", CHEQUE),
    ("pay", "due_too_late", GOODS), ("pay", "line_short", ASKED), ("pay", "on_hold", GOODS),
    ("pay", "question_open", ASKED), ("pay", "stock_unchecked", ASKED),
    ("hold", "already_charged", MIND), ("hold", "cancelled", WEB), ("hold", "no_payment_method", MIND),
    ("pick", "already_shipped", WEB), ("pick", "authorisation_expired", MIND), ("pick", "charge_in_flight", WEB),
    ("pick", "delivered", WEB), ("pick", "line_short", ONE_BY_ONE), ("pick", "not_charged", WEB),
    ("pick", "on_hold", CHEQUE), ("pick", "question_open", ASKED), ("pick", "someone_else", WEB),
    ("pick", "stock_unchecked", DOOR),
    ("pack", "already_shipped", WEB), ("pack", "authorisation_expired", MIND), ("pack", "charge_in_flight", MIND),
    ("pack", "delivered", WEB), ("pack", "not_charged", ASKED), ("pack", "not_picked", ONE_BY_ONE),
    ("pack", "on_hold", CHEQUE), ("pack", "question_open", DOOR), ("pack", "someone_else", WEB),
    ("ship", "already_shipped", ONE_BY_ONE), ("ship", "charge_in_flight", MIND), ("ship", "delivered", ONE_BY_ONE),
    ("ship", "not_charged", ASKED), ("ship", "not_packed", ONE_BY_ONE), ("ship", "on_hold", CHEQUE),
    ("ship", "question_open", DOOR),
    ("deliver", "already_shipped", ONE_BY_ONE), ("deliver", "delivered", ONE_BY_ONE),
    ("return", "cancelled", ONE_BY_ONE), ("return", "not_packed", ONE_BY_ONE), ("return", "not_picked", ONE_BY_ONE),
    ("return", "someone_else", ONE_BY_ONE),
    ("invoice", "not_packed", ONE_BY_ONE), ("invoice", "not_picked", ONE_BY_ONE),
    ("invoice", "someone_else", ONE_BY_ONE),
    ("amend", "cancelled", IN_HAND), ("amend", "question_open", IN_HAND), ("amend", "charge_in_flight", AMENDED),
    ("merge", "already_charged", MERGED), ("merge", "charge_in_flight", MERGED),
    ("propose", "cancelled", ASKED), ("cancel", "not_cancellable", ONE_BY_ONE),
)  # fmt: skip


def _without(gate: gates.Gate, code: str) -> gates.Gate:
    return lambda order, part: [b for b in gate(order, part) if b.code != code]


@pytest.mark.parametrize(("name", "code", "way"), HINGES, ids=[f"{n} without {c}" for n, c, _ in HINGES])
def test_a_gate_that_forgets_a_reason_is_noticed(
    name: str, code: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(gates.GATES, name, _without(gates.GATES[name], code))
    start, moves = WAYS[way]
    with pytest.raises(Found):
        walk(start, *moves)


def test_a_charge_that_does_not_look_at_the_stock_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = {"stock_unchecked", "line_short", "due_too_late"}
    whole = gates.GATES["charge"]
    monkeypatch.setitem(
        gates.GATES, "charge", lambda order, part: [b for b in whole(order, part) if b.code not in stock]
    )
    start, moves = WAYS[GOODS]
    with pytest.raises(Found, match="no money is taken before"):
        walk(start, *moves)
