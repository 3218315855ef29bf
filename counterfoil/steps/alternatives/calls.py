"""The customer is called: their day cannot be met. What they said is written down with who asked, and when."""

from __future__ import annotations

from datetime import date, datetime

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.text import clean
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Call, Order
from counterfoil.records.orders.slip import say_date, say_moment

SAID = {
    Call.ACCEPTED: "The customer accepts {day}",
    Call.DECLINED: "The customer does not accept {day}",
    Call.NO_ANSWER: "Called: no answer",
    Call.CALL_BACK: "Called: asked to be called back",
}


def record_call(
    *, order: str, actor: Actor, outcome: str, note_text: str = "", call_back_at: datetime | None = None
) -> Order:
    """Write down a call about a date that misses the customer's day. `outcome` is one of `Call.OUTCOMES`.

    What is accepted or declined is the date as it is promised now. Raises Forbidden, Missing, Invalid, or Refused when
    there is nothing to call about.
    """
    require(actor, CLERK)
    if outcome not in Call.OUTCOMES:
        raise Invalid(("outcome", f"one of {', '.join(Call.OUTCOMES)}"))
    words = _words(note_text)
    now = clock.business_now()
    if (outcome == Call.CALL_BACK) != (call_back_at is not None):
        raise Invalid(("call_back_at", "goes with call_back, and is needed for it"))
    if call_back_at is not None and call_back_at <= now:
        raise Invalid(("call_back_at", "is in the past"))
    with writing():
        taken = take(order)
        late = _late(facts_of(taken))
        Call.objects.create(
            order=taken, outcome=outcome, told=late, note=words, call_back_at=call_back_at, actor=actor.name, at=now
        )
        text = SAID[outcome].format(day=say_date(late))
        if call_back_at is not None:
            text += f" {say_moment(call_back_at)}"
        note(
            taken, "customer_called", actor=actor, text=f"{text}: {words}" if words else text,
            data={"outcome": outcome, "told": late.isoformat()},
        )  # fmt: skip
    return taken


def _late(facts: OrderFacts) -> date:
    late = facts.misses
    if facts.cancelled:
        raise blocked("cancelled", "the order is cancelled")
    if late is None:
        raise blocked("not_approved", "no date that the customer needs is missed: there is nothing to call about")
    return late


def _words(text: str) -> str:
    try:
        kept = clean(text)
    except ValueError as error:
        raise Invalid(("note", str(error))) from None
    if len(kept) > 500:
        raise Invalid(("note", "at most 500 characters"))
    return kept
