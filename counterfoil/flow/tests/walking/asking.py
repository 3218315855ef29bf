"""What people decide about an order: read, approved, stopped, entered, asked about, changed, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from counterfoil.flow.map import due_by_itself
from counterfoil.flow.rules import NO_MONEY_YET, has_left, money_of_cancelled, obstacle
from counterfoil.flow.tests.walking import laws
from counterfoil.flow.tests.walking.gates import is_open
from counterfoil.flow.tests.walking.goods import put_back
from counterfoil.flow.tests.walking.payments import follow, give_back
from counterfoil.flow.tests.walking.world import DAY, NOW, SOON, Next, World, books, money, shifted, stock, with_lines
from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.records.orders.models import REVIEW
from counterfoil.steps.charging.rules import IN_FLIGHT


def review(world: World) -> Iterator[Next]:
    """Approved with a date, and entered as a sales order."""
    order = world.order
    if is_open("approve", order):
        laws.may_be_approved(order)
        promised = tuple(replace(p, promise_date=SOON) for p in order.parts)
        yield "approved", world.of(review=shifted(REVIEW, "approve", order.review), parts=promised)
    unentered = [p for p in order.parts if p.books == "none" and p.live]
    if unentered and is_open("enter", order):
        laws.may_be_entered(order)
        entered = tuple(books(p, "enter") if p in unentered else p for p in order.parts)
        yield "entered as a sales order", world.of(parts=entered)


def stops(world: World) -> Iterator[Next]:
    """Somebody stops the order, and lets it go on."""
    if not world.order.holds and is_open("stop", world.order):
        yield "stopped", world.of(holds=(HoldFacts(1, "odd address", "Ann"),))
    if world.order.holds:
        yield "goes on", world.of(holds=())


def cancelling(world: World) -> Iterator[Next]:
    """Cancelled, by whomever."""
    if not world.order.cancelled and is_open("cancel", world.order):
        laws.may_be_cancelled(world.order)
        yield "cancelled", cancelled(world)


def cancelled(world: World) -> World:
    order = replace(world.order, cancelled=True, **NOT_ASKED)
    return World(replace(order, parts=tuple(_over(order, p) for p in order.parts)), world.flights, world.pages)


def _over(order: OrderFacts, part: PartFacts) -> PartFacts:
    fate = money_of_cancelled(part)
    part = put_back(part)
    part = with_lines(part, lambda ln: replace(ln, reserved=0, due=0, due_confirmed=0, due_date=None))
    if fate == "void":
        part = money(part, "void")
    return part if fate == "ask" else give_back(order, part)


# --- questions ------------------------------------------------------------------------------------------------------

NOT_ASKED: dict[str, Any] = {
    "question_open": False,
    "question_expires_at": None,
    "question_moot": "",
    "notices": (),
    "answer_unapplied": False,
}


def questions(*kinds: str) -> Callable[[World], Iterator[Next]]:
    """The customer is offered one of these, says yes or no or nothing, and the yes is worked in."""

    def ask(world: World) -> Iterator[Next]:
        order = world.order
        if not order.answer_unapplied and not order.question_open and is_open("propose", order):
            asked = world.of(question_open=True, question_expires_at=NOW + DAY)
            for kind in kinds:
                if _offered(kind, order) is not None:
                    yield f"asked: {kind}", replace(asked, asked=kind)
        if order.question_open:
            yield "the customer says yes", world.of(**{**NOT_ASKED, "answer_unapplied": True})
            yield "the customer says no", replace(world.of(**NOT_ASKED), asked="")
            if not order.question_moot:
                yield "the question loses its reason", world.of(question_moot="it is here after all")
        due = due_by_itself(order)
        if due == "withdraw_question":
            yield "the question is taken back", replace(world.of(**NOT_ASKED), asked="")
        if due == "expire_question":
            yield "the question is over", replace(world.of(**NOT_ASKED), asked="")
        if due == "apply_answer":
            yield "the answer is worked in", _worked_in(replace(world.of(**NOT_ASKED), asked=""), world.asked)

    return ask


def _offered(kind: str, order: OrderFacts) -> dict[str, Any] | None:
    """The choice as `alternatives` completes it; None when it would not be offered."""
    part = next((p for p in order.parts if p.live and p.parcel not in {"shipped", "delivered", "returned"}), None)
    if part is None:
        return None
    paid = part.money in {"charged", "receivable"}
    line = next((ln for ln in part.lines if ln.quantity), None)
    free = line is not None and line.quantity - line.picked - line.shipped > 0
    units = sum(ln.quantity for ln in part.lines)
    last = order.parts[-1]
    found: dict[str, dict[str, Any] | None] = {
        "later_date": {"part": part.number, "difference": 0},
        "dearer": None if paid or part.total > 2 else {"kind": "expedite", "part": part.number, "difference": 1},
        "cheaper": {"kind": "cancel", "part": part.number, "difference": -1, "line": line.id, "quantity": 1}
        if line is not None and units > 1 and free
        else None,
        "cancel": None if any(has_left(p) for p in order.parts) else {"line": None, "difference": -1},
        "split": {"part": part.number, "difference": 0, "lines": _moved(part)}
        if units > 1 and not paid and len(order.parts) == 1 and free
        else None,
        "without_the_last": {"kind": "cancel", "part": last.number, "line": last.lines[0].id, "quantity": 1,
                             "difference": -1}
        if len(order.parts) > 1 and last.live and last.parcel == "waiting" and not last.lines[0].picked
        else None,
    }  # fmt: skip
    choice = found[kind]
    return None if choice is None else {"kind": kind, **choice}


def _moved(part: PartFacts) -> list[dict[str, int]]:
    last = [ln for ln in part.lines if ln.quantity][-1]
    return [{"line": last.id, "quantity": 1}]


def _worked_in(world: World, kind: str) -> World:
    """As `flow.amend` does it; what can no longer be done is set aside, with a stop that says why."""
    order = world.order
    laws.must(not any(p.money in IN_FLIGHT for p in order.parts), "no order is changed while a charge is in flight")
    choice = _offered(kind, order)
    why_not = obstacle(order, choice) if choice is not None else "there is nothing left of it"
    if why_not is not None:
        gone = order.cancelled or all(has_left(p) for p in order.parts)
        return world if gone else world.of(holds=(*order.holds, HoldFacts(2, why_not, "Counterfoil"))[:1])
    assert choice is not None
    if kind == "cancel":
        return cancelled(world)
    index = next(n for n, p in world.parts() if p.number == choice["part"])
    part = order.parts[index]
    if kind == "later_date":
        return world.with_part(index, replace(part, promise_date=SOON))
    if kind == "dearer":
        return world.with_part(index, replace(part, total=part.total + 1))
    part = put_back(part)
    part = part if part.stock == "unchecked" else stock(part, "reopen")
    if kind == "split":
        return _split(world, part)
    part = _without(part, choice["line"])
    part = replace(part, total=part.total - 1 if part.live else 0)
    if not part.live and part.money in NO_MONEY_YET:
        part = money(part, "void")
    elif 0 < part.total <= part.paid and part.money in NO_MONEY_YET:
        part = money(money(part, "begin"), "capture")  # paid in part, and that is all it costs now
    return world.with_part(index, give_back(order, part))


def _without(part: PartFacts, line: int) -> PartFacts:
    """One unit less of a line: one that is missing goes first."""

    def change(ln: LineFacts) -> LineFacts:
        if ln.id != line:
            return ln
        kept = min(ln.reserved, ln.quantity - 1)
        less = replace(ln, quantity=ln.quantity - 1, reserved=kept)
        due = min(ln.due, less.open_units)
        return replace(less, due=due, due_confirmed=min(ln.due_confirmed, due), due_date=ln.due_date if due else None)

    return with_lines(part, change)


def _split(world: World, part: PartFacts) -> World:
    """One unit of the last line becomes a part of its own, which has nothing yet."""
    order = world.order
    moved = [ln for ln in part.lines if ln.quantity][-1]
    later = PartFacts(
        number=2, total=1, promise_date=part.promise_date,
        lines=(LineFacts(9, moved.sku, moved.name, 1),),
    )  # fmt: skip
    if part.money != "unpaid" and order.card_state == "saved":
        later = money(later, "save")
    stays = replace(_without(part, moved.id), total=part.total - 1)
    return World(replace(order, parts=(stays, later)), (*world.flights, ""), (*world.pages, 0), "")


# --- a clerk amends -------------------------------------------------------------------------------------------------


def amending(world: World) -> Iterator[Next]:
    """The first part is made dearer or cheaper by one, as the customer agreed, also when it is paid; and back again.

    An undo is another amendment: what it finds is told from nothing else. Nobody does it without end.
    """
    order = world.order
    if not is_open("amend", order):
        return
    laws.may_be_amended(order)
    index, part = 0, order.parts[0]
    if has_left(part) or not part.live or part.charged > 3 or part.given_back > 1 or part.money == "voided":
        return
    for words, by in (("dearer", 1), ("cheaper", -1)):
        if 0 < part.total + by <= 3:
            changed = follow(order, replace(part, total=part.total + by), part.total)
            yield f"a clerk makes it {words}", world.with_part(index, changed)


def merging(world: World) -> Iterator[Next]:
    """What the customer's split divided comes together again."""
    order = world.order
    if len(order.parts) != 2 or not is_open("merge", order):
        return
    laws.may_be_merged(order)
    stays, gone = (put_back(p) for p in order.parts)
    stays, gone = (p if p.stock == "unchecked" else stock(p, "reopen") for p in (stays, gone))
    merged = replace(stays, lines=(*stays.lines, *gone.lines), total=stays.total + gone.total)
    ended = money(replace(gone, lines=(), total=0), "void")
    yield "the parts are merged", world.with_part(0, merged).with_part(1, ended)


# --- the shop and the check-out -------------------------------------------------------------------------------------


def settings(world: World) -> Iterator[Next]:
    """The owner changes their mind while orders are under way."""
    for charge_on in {"confirmed", "packed", "shipped"} - {world.order.charge_on}:
        yield f"charged when {charge_on} from now on", world.of(charge_on=charge_on)
    for at_checkout in {"save", "authorise"} - {world.order.card_at_checkout}:
        yield f"{at_checkout} at check-out from now on", world.of(card_at_checkout=at_checkout)


def left_alone(world: World) -> Iterator[Next]:
    """A check-out that nobody completes is ended, once its time is over."""
    if not world.order.finished and due_by_itself(world.order) == "end_checkout":
        yield "the check-out is ended", cancelled(world)
