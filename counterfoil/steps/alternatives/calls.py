"""The customer is called: their day cannot be met, or our question is open. What they said is written down with who
asked, and when; a yes or a no to a question answers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import clean
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Call, Order, Proposal
from counterfoil.records.orders.slip import say_date, say_moment
from counterfoil.steps.alternatives.actions import answer_proposal, propose_alternatives
from counterfoil.steps.alternatives.unreached import MOST_TRIES, write_instead

MORNING = time(9)  # when who did not answer is rung again, where the shop stands
ABOUT_DAY = {
    Call.ACCEPTED: "The customer accepts {day}",
    Call.DECLINED: "The customer does not accept {day}",
    Call.NO_ANSWER: "Called: no answer",
    Call.CALL_BACK: "Called: asked to be called back",
}
ABOUT_QUESTION = {
    **ABOUT_DAY,
    Call.ACCEPTED: "Called about our question: they took one of the choices",
    Call.DECLINED: "Called about our question: they want none of the choices",
}


def record_call(
    *,
    order: str,
    actor: Actor,
    outcome: str,
    note_text: str = "",
    call_back_at: datetime | None = None,
    choice: int | None = None,
    spoken_to: str = "",
) -> Order:
    """Write down a call about our open question, else about a day that misses the customer's. `outcome` is one of
    `Call.OUTCOMES`.

    `accepted` answers the question with `choice` (it may be left out where there is one), `declined` with none of them.
    Without a question it is the day as it is promised now that is accepted or declined. Nobody answered: they are rung
    again the next working morning, and after the third time asked by mail. Raises Forbidden, Missing, Invalid, or
    Refused when there is nothing to call about, or when a choice cannot be had any more.
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
        facts = facts_of(taken)
        asked = Proposal.objects.filter(order=taken, state=Proposal.OPEN).first() if facts.question_open else None
        late = None if asked else _late(facts)
        taken_choice = _choice(asked, outcome, choice)
        tries = 1 + _without_answer(order) if outcome == Call.NO_ANSWER else 0
        if outcome == Call.NO_ANSWER:
            call_back_at = next_morning(now, shop())
        call = Call(
            order=taken, outcome=outcome, told=late, proposal=asked, note=words, call_back_at=call_back_at,
            tries=tries, actor=actor.name, at=now,
        )  # fmt: skip
        _note(taken, call, actor)
        if tries >= MOST_TRIES and taken.email:
            written = write_instead(taken, facts, asked, late)
            if written is not None:
                call.proposal, call.told = written, None
        call.save()
        if asked is not None and outcome in {Call.ACCEPTED, Call.DECLINED}:
            answer_proposal(
                token=asked.token, choice=taken_choice, decline=taken_choice is None, via="telephone", actor=actor,
                spoken_to=spoken_to,
            )  # fmt: skip
    return taken


def take_offer(
    *, order: str, actor: Actor, choice: Mapping[str, Any], spoken_to: str = "", note_text: str = ""
) -> Proposal:
    """The customer, on the telephone, takes what the clerk offers for the day that cannot be met: asked and answered in
    one go, and without the mail that would ask them again. `choice` is as in `propose_alternatives`.

    Raises Forbidden, Missing, Invalid, or Refused when there is nothing to call about or it cannot be offered.
    """
    require(actor, CLERK)
    words = _words(note_text)
    with writing():
        taken = take(order)
        late = _late(facts_of(taken))
        asked = propose_alternatives(order=order, actor=actor, choices=[choice], by_telephone=True)
        Call.objects.create(
            order=taken, outcome=Call.ACCEPTED, told=late, proposal=asked, note=words, actor=actor.name,
            at=clock.business_now(),
        )  # fmt: skip
        text = f"Called: they take {asked.choices[0]['text']}"
        note(taken, "customer_called", actor=actor, text=f"{text}: {words}" if words else text,
             data={"outcome": Call.ACCEPTED, "proposal": asked.pk})  # fmt: skip
        return answer_proposal(token=asked.token, choice=0, via="telephone", actor=actor, spoken_to=spoken_to)


def tells_customer(order: str, outcome: str) -> bool:
    """Whether a call with this outcome mails the customer: it answers our question, or we write instead of ringing."""
    if outcome == Call.NO_ANSWER:
        return 1 + _without_answer(order) >= MOST_TRIES
    answers = outcome in {Call.ACCEPTED, Call.DECLINED}
    return answers and Proposal.objects.filter(order__number=order, state=Proposal.OPEN).exists()


def next_morning(now: datetime, settings: Shop) -> datetime:
    """The beginning of the shop's next working day."""
    return settings.moment_of(settings.business_days_from(settings.day_of(now), 1), MORNING)


def _without_answer(order: str) -> int:
    """How many calls in a row had no answer."""
    last = Call.objects.filter(order__number=order).order_by("-id").first()
    return last.tries if last is not None and last.outcome == Call.NO_ANSWER else 0


def _choice(asked: Proposal | None, outcome: str, choice: int | None) -> int | None:
    """Which choice is taken; None: none of them. Raises Invalid where that is not said, or makes no sense."""
    if asked is None or outcome != Call.ACCEPTED:
        if choice is not None:
            raise Invalid(("choice", "goes with accepted, while a question is open"))
        return None
    if choice is None and len(asked.choices) == 1:
        return 0
    if choice is None or not 0 <= choice < len(asked.choices):
        raise Invalid(("choice", f"say which they take, from 0 to {len(asked.choices) - 1}"))
    return choice


def _note(taken: Order, call: Call, actor: Actor) -> None:
    text = (ABOUT_DAY if call.proposal_id is None else ABOUT_QUESTION)[call.outcome].format(day=say_date(call.told))
    if call.call_back_at is not None:
        text += f"{', again' if call.outcome == Call.NO_ANSWER else ''} {say_moment(call.call_back_at)}"
    if call.tries > 1:
        text += f" ({call.tries} times)"
    data: dict[str, Any] = {"outcome": call.outcome, "told": call.told.isoformat() if call.told else None}
    if call.proposal_id is not None:
        data["proposal"] = call.proposal_id
    note(
        taken, "customer_called", actor=actor, text=f"{text}: {call.note}" if call.note else text, data=data
    )  # fmt: skip


def _late(facts: OrderFacts) -> date:
    late = facts.misses
    if facts.cancelled:
        raise blocked("cancelled", "the order is cancelled")
    if late is None:
        raise blocked("not_approved", "no day that the customer needs is missed: there is nothing to call about")
    return late


def _words(text: str) -> str:
    try:
        kept = clean(text)
    except ValueError as error:
        raise Invalid(("note", str(error))) from None
    if len(kept) > 500:
        raise Invalid(("note", "at most 500 characters"))
    return kept
