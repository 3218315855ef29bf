"""The order as placed cannot be: the customer is asked, and nothing changes until they say yes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, SYSTEM, Actor, customer, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid, Refused, blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import Line, Order, Proposal
from counterfoil.records.orders.slip import mail_slip, order_url, say_moment
from counterfoil.steps.alternatives.choices import complete
from counterfoil.steps.alternatives.queries import find_proposal, named_skus, read_order, read_terms
from counterfoil.steps.alternatives.rules import check_answer, has_expired, may_propose, same_answer

MAX_MESSAGE = 5_000


def propose_alternatives(
    *,
    order: str,
    actor: Actor,
    choices: Sequence[Mapping[str, Any]],
    message: str = "",
    expires_at: datetime | None = None,
) -> Proposal:
    """Ask the customer, by mail, which of at most ten choices they want.

    A choice is `kind` with what it needs of `line` (SKU or id), `sku`, `quantity` (units), `price` (minor units; of one
    for a substitute, of shipping for expedite), `date` and `method`. It is kept with its consequence: `text`,
    `difference` and `total` (minor units, tax included) and `date`. Raises Forbidden, Missing, Invalid with paths such
    as `choices.0.sku`, or Refused.
    """
    require(actor, CLERK)
    now = clock.business_now()
    until = _expiry(expires_at, now)
    words = _text("message", message, MAX_MESSAGE)
    with writing():
        taken = take(order)
        check(may_propose(facts_of(taken)))
        completed = complete(choices, read_order(taken), read_terms(taken, named_skus(choices)))
        asked = Proposal.objects.create(
            order=taken,
            token=secrets.token_urlsafe(32),
            choices=completed,
            message=words,
            made_by=actor.name,
            made_at=now,
            expires_at=until,
        )
        note(
            taken,
            "proposal_made",
            actor=actor,
            text="Asked the customer: " + " / ".join(c["text"] for c in completed),
            data={"proposal": asked.pk, "kinds": [c["kind"] for c in completed], "expires_at": until.isoformat()},
        )
        _mail_question(taken, asked)
    return asked


def _text(name: str, value: str, most: int) -> str:
    try:
        kept = clean(value)
    except ValueError as error:
        raise Invalid((name, str(error))) from error
    if len(kept) > most:
        raise Invalid((name, f"write at most {most} characters"))
    return kept


def _expiry(wanted: datetime | None, now: datetime) -> datetime:
    if wanted is None:
        return now + timedelta(days=shop().proposal_days)
    if wanted.tzinfo is None:
        raise Invalid(("expires_at", "give the time with its zone, such as 2026-12-04T17:00:00Z"))
    if wanted <= now:
        raise Invalid(("expires_at", "must lie in the future"))
    return wanted


def _mail_question(order: Order, asked: Proposal) -> None:
    lines = list(Line.objects.filter(order=order).order_by("position"))
    owe_mail(
        "question",
        to=order.email,
        key=f"{order.number}:question:{asked.pk}",
        context={
            **mail_slip(order, lines),
            "subject": f"{order.number}: we need your answer",
            "url": f"{order_url(order)}#question",
            "message": asked.message,
            "choices": [
                {"text": c["text"], "price": price_words(c["difference"], c["total"], order.currency)}
                for c in asked.choices
            ],
            "until": say_moment(asked.expires_at),
        },
    )


def price_words(difference: int, total: int, currency: str) -> str:
    """What a choice does to the total, tax included: 'Your total stays $86.40'."""
    if difference == 0:
        return f"Your total stays {show(total, currency)}"
    more = "more" if difference > 0 else "less"
    return f"{show(abs(difference), currency)} {more} with tax: your total becomes {show(total, currency)}"


def answer_proposal(
    *, token: str, choice: int | None = None, decline: bool = False, via: str = "link", actor: Actor | None = None
) -> Proposal:
    """Keep the customer's answer; the token is the right to give it. `flow` then amends the order.

    The same answer again changes nothing. Raises Missing for an unknown token, Invalid unless exactly one of `choice`
    (index) and `decline` is given, and Refused when the question was answered otherwise, withdrawn, or has expired.
    """
    if actor is not None and actor.kind != "customer":
        require(actor, CLERK)
    found = find_proposal(token)
    wrong = check_answer(choice, decline, len(found.choices))
    if wrong:
        raise Invalid(*wrong)
    how = _text("via", via, 40)
    number = found.order.number
    now = clock.business_now()
    late = False
    with writing():
        taken = take(number)
        asked = Proposal.objects.get(pk=found.pk)
        if same_answer(state=asked.state, chosen=asked.choice, choice=choice, decline=decline):
            return asked
        if asked.state != Proposal.OPEN:
            raise Refused([_closed(asked)])
        if taken.cancelled_at is not None:
            raise blocked("cancelled", "the order is cancelled")
        late = has_expired(asked.expires_at, now)
        if late:
            _expire(taken, asked)
        else:
            _keep_answer(taken, asked, choice, via=how, actor=actor or customer(taken.name))
    asked = Proposal.objects.get(pk=found.pk)
    if late:
        raise Refused([_closed(asked)])
    return asked


def _keep_answer(order: Order, asked: Proposal, choice: int | None, *, via: str, actor: Actor) -> None:
    accepted = choice is not None
    by = via if actor.kind == "customer" else f"{via}, {actor.name}"
    _close(asked, Proposal.ACCEPTED if accepted else Proposal.DECLINED, choice=choice, via=by)
    words = asked.choices[choice]["text"] if choice is not None else "none of what we offered"
    note(
        order,
        "proposal_accepted" if accepted else "proposal_declined",
        actor=actor,
        text=f"{'Accepted' if accepted else 'Declined'} ({by}): {words}",
        data={"proposal": asked.pk, "choice": choice},
    )


def _close(asked: Proposal, state: str, *, via: str, choice: int | None = None) -> None:
    """Compare-and-set from open; whoever comes second is told who was first."""
    closed = Proposal.objects.filter(pk=asked.pk, state=Proposal.OPEN).update(
        state=state, choice=choice, answered_at=clock.business_now(), answered_via=via[:200]
    )
    if closed != 1:
        raise Refused([_closed(Proposal.objects.get(pk=asked.pk))])
    asked.refresh_from_db()


def _closed(asked: Proposal) -> Blocker:
    """Why a question takes no answer any more, and since when."""
    when = say_moment(asked.answered_at or asked.expires_at)
    words = {
        Proposal.ACCEPTED: f"the question was answered on {when}",
        Proposal.DECLINED: f"the question was answered on {when}: none of the choices",
        Proposal.EXPIRED: f"the question could be answered until {say_moment(asked.expires_at)}; please contact us",
        Proposal.WITHDRAWN: f"the question was withdrawn on {when}",
    }[asked.state]
    return Blocker("someone_else", words, by=asked.answered_via or None)


def withdraw_proposal(*, token: str, actor: Actor) -> Proposal:
    """Take a question back before it is answered. Twice changes nothing; Refused when it was answered or expired."""
    require(actor, CLERK)
    found = find_proposal(token)
    with writing():
        taken = take(found.order.number)
        asked = Proposal.objects.get(pk=found.pk)
        if asked.state == Proposal.WITHDRAWN:
            return asked
        if asked.state != Proposal.OPEN:
            raise Refused([_closed(asked)])
        withdraw_question(taken, asked, actor=actor)
    return asked


def withdraw_question(order: Order, asked: Proposal, *, actor: Actor) -> None:
    """Close an open question of an order that the caller has taken: it no longer stands."""
    _close(asked, Proposal.WITHDRAWN, via=actor.name)
    note(order, "proposal_withdrawn", actor=actor, text="Question withdrawn", data={"proposal": asked.pk})


def expire_proposals(*, order: str) -> bool:
    """Close the order's open question if its time is over. Whether there was one."""
    now = clock.business_now()
    overdue = Proposal.objects.filter(order__number=order, state=Proposal.OPEN, expires_at__lte=now)
    if not overdue.exists():
        return False
    with writing():
        taken = take(order)
        asked = overdue.first()
        if asked is None:
            return False
        _expire(taken, asked)
    return True


def _expire(order: Order, asked: Proposal) -> None:
    _close(asked, Proposal.EXPIRED, via=SYSTEM.name)
    note(
        order,
        "proposal_expired",
        actor=SYSTEM,
        text="No answer in time: call the customer, or ask again",
        data={"proposal": asked.pk},
    )
