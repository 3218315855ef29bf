"""Holds: the bank keeps an amount for us until a day that it names. Asked for, watched, let go; never money of ours."""

from __future__ import annotations

from datetime import datetime

from counterfoil.core import clock, jobs
from counterfoil.core.actor import CLERK, SYSTEM, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.money import show
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Intent
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import Charge, Order, Part
from counterfoil.records.orders.slip import say_moment
from counterfoil.steps.charging.capture import book_capture
from counterfoil.steps.charging.cards import due_of
from counterfoil.steps.charging.rules import hold_ends_soon, hold_is_idle, may_hold, wants_hold
from counterfoil.steps.charging.sending import cancel_there
from counterfoil.steps.charging.settle import UNSETTLED, settle_lapse

LOOK_AGAIN = 60.0  # seconds, when the processor still holds what it said would be over


def begin_holds(*, order: str, actor: Actor, part: int | None = None, only_wanted: bool = False) -> list[Charge]:
    """Intend a hold of every part that may have one, or of the one named; `only_wanted`: where the shop's rule asks it.

    Raises Refused with the reasons when a person asked and none may, Invalid, Forbidden, Missing.
    """
    require(actor, CLERK)
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        parts = [p for p in facts.parts if part in {None, p.number}]
        if not parts:
            raise Invalid(("part", f"{facts.number} has no part {part}"))
        gates = {p.number: _gate(taken, facts, p) for p in parts}
        open_ = [p for p in parts if not gates[p.number] and (not only_wanted or wants_hold(facts, p))]
        if not open_ and not only_wanted:
            raise Refused(next(iter(gates.values())))
        return [_intend_hold(taken, Part.objects.get(order=taken, number=p.number), actor) for p in open_]


def _gate(taken: Order, facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    found = may_hold(facts, part)
    if not found and unsettled_of(taken.number, part.number):
        found = [Blocker("charge_in_flight", "the bank is being asked already")]
    if not found and part.total <= part.paid:
        found = [Blocker("already_charged", "nothing is left to be paid")]
    return found


def _intend_hold(taken: Order, part: Part, actor: Actor) -> Charge:
    return make_hold(taken, part, amount=due_of(part), by=actor, text="Asking the bank to hold the amount")


def make_hold(taken: Order, part: Part, *, amount: int, by: Actor, text: str = "", supplement: bool = False) -> Charge:
    """A hold to be asked for, its keys stored; inside `writing()`, the order taken. `supplement`: to be taken too."""
    attempt = Charge.objects.filter(part=part).count() + 1
    key = f"pi-{taken.token[:20]}-{part.number}-{attempt}"
    hold = Charge.objects.create(
        part=part, attempt=attempt, kind=Charge.HOLD, amount=amount, currency=taken.currency, create_key=key,
        confirm_key=f"{key}-confirm", supplement=supplement, actor=by.name, made_at=clock.real_now(),
        **(to_capture(key, amount) if supplement else {}),
    )  # fmt: skip
    if text:
        note(taken, "hold_begun", actor=by, part=part, text=text, data={"charge": hold.pk, "amount": amount},
             advance=False)  # fmt: skip
    # Should this process die now, the job finds the hold and goes on where it stood.
    jobs.enqueue("charging.send", key=str(hold.pk), payload={"charge": hold.pk}, delay=30)
    return hold


def to_capture(create_key: str, amount: int) -> dict[str, object]:
    """What is stored on a hold before it is captured."""
    return {"to_capture": amount, "capture_key": f"{create_key}-capture", "capture_asked_at": clock.real_now()}


def unsettled_of(order: str, part: int | None = None, *, only_holds: bool = False) -> list[int]:
    """Charges and holds of an order whose outcome is not known yet, oldest first.

    `only_holds`: those that nothing is to be taken of yet.
    """
    all_of = Charge.objects.filter(part__order__number=order, **({} if part is None else {"part__number": part}))
    if only_holds:
        open_ = all_of.filter(state__in=UNSETTLED, kind=Charge.HOLD, to_capture=None)
    else:
        open_ = all_of.filter(state__in=UNSETTLED) | all_of.filter(state="held", to_capture__isnull=False)
    return list(open_.order_by("pk").values_list("pk", flat=True))


# --- letting go, watching -------------------------------------------------------------------------------------------


def release_holds(*, order: str) -> None:
    """Have the bank let go what nobody will take of this order. Raises the gateway's errors; safe at any time."""
    for hold in _standing(order):
        facts = facts_of(find(order))
        part = next(p for p in facts.parts if p.number == hold.part.number)
        if not (hold.supplement or hold_is_idle(facts, part)):
            continue
        _settle_gone(hold, cancel_there(hold), why="not needed any more")


def _standing(order: str) -> list[Charge]:
    held = Charge.objects.filter(part__order__number=order, kind=Charge.HOLD, state="held", to_capture=None)
    return list(held.select_related("part__order").order_by("pk"))


def _settle_gone(hold: Charge, intent: Intent, *, why: str) -> bool:
    """Write down that a hold is over. False when the bank still holds it."""
    if intent.status == "held":
        return False
    if intent.status == "done":
        # Somebody captured it at the processor: it is money taken, and goes back by itself if it is not wanted.
        with writing():
            book_capture(take(hold.part.order.number), intent, actor=SYSTEM)
        return True
    settle_lapse(hold.pk, why=why)
    return True


def look_at_holds(*, order: str, intent_id: str | None = None) -> None:
    """Ask what became of the holds of an order whose time is over (or of one that a webhook named).

    Raises jobs.Later while the processor still has one, and the gateway's errors.
    """
    waits = False
    for hold in _standing(order):
        over = hold.expires_at is not None and hold.expires_at <= clock.business_now()
        if not over and hold.intent_id != intent_id:
            continue
        intent = gateway().get_intent(hold.intent_id)
        if _settle_gone(hold, intent, why="its time at the bank was over"):
            continue
        if intent.expires_at and intent.expires_at > clock.business_now():
            _longer(hold, intent)
        else:
            waits = over
    if waits:
        raise jobs.Later(LOOK_AGAIN, "the bank has not let it go yet")


def _longer(hold: Charge, intent: Intent) -> None:
    """The processor has given another day than the one it named at first."""
    with writing():
        taken = take(hold.part.order.number)
        Charge.objects.filter(pk=hold.pk).update(expires_at=intent.expires_at)
        part = Part.objects.get(pk=hold.part_id)
        part.authorisation_expires_at, part.authorisation_warned_at = intent.expires_at, None
        part.save(update_fields=["authorisation_expires_at", "authorisation_warned_at"])
        note(taken, "authorisation_extended", actor=SYSTEM, part=part,
             text=f"The bank holds the amount until {_moment(intent.expires_at)}")  # fmt: skip


def warn_of_end(*, order: str) -> None:
    """Tell the desk, once, that the bank soon lets go what it holds."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        for seen in facts.parts:
            if not hold_ends_soon(facts, seen):
                continue
            part = Part.objects.get(order=taken, number=seen.number)
            part.authorisation_warned_at = clock.business_now()
            part.save(update_fields=["authorisation_warned_at"])
            amount = show(part.authorisation_amount or 0, taken.currency)
            note(taken, "authorisation_ending", actor=SYSTEM, part=part,
                 text=f"The bank holds {amount} only until {_moment(seen.authorisation_expires_at)}",
                 data={"expires_at": str(seen.authorisation_expires_at)})  # fmt: skip


def _moment(at: datetime | None) -> str:
    return say_moment(at) if at is not None else "a day that it has not named"
