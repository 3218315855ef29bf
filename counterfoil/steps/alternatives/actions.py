"""The order as placed cannot be: the customer is asked, and nothing changes until they say yes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, SYSTEM, Actor, customer, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid, Missing, Refused, blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import Line, Notice, Offered, Order, Proposal
from counterfoil.records.orders.offers import keep_offered, release_offered
from counterfoil.records.orders.slip import mail_slip, order_url, say_moment
from counterfoil.steps.alternatives.choices import about, complete, units_offered
from counterfoil.steps.alternatives.late import words_on
from counterfoil.steps.alternatives.queries import (
    find_proposal,
    free_units,
    named_skus,
    read_order,
    read_terms,
    still_there,
)
from counterfoil.steps.alternatives.rules import check_answer, has_expired, may_propose, same_answer

MAX_MESSAGE = 5_000


def propose_alternatives(
    *,
    order: str,
    actor: Actor,
    choices: Sequence[Mapping[str, Any]],
    message: str = "",
    expires_at: datetime | None = None,
    by_telephone: bool = False,
) -> Proposal:
    """Ask the customer, by mail, which of at most ten choices they want. Nothing changes until they say yes.

    The system asks as well (`actor=SYSTEM`), with the same choices: for instance `{"kind": "later_date", "date": ...}`
    to wait, `{"kind": "substitute", "line": SKU, "sku": OTHER}`, `{"kind": "cancel"}`. The question is kept open for
    the shop's days or until `expires_at`; one question of an order is open at a time (else Refused `question_open`).
    Units of a substitute that are on the shelf are kept while it stands. It is taken back by `advance` when what it was
    about is no longer so: what lacked goods has them, the weather's hold was lifted, an offered unit is lost.
    `by_telephone`: they are being asked at this moment; no mail asks them again.

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
        for told in Proposal.objects.filter(order=taken, state=Proposal.OPEN):
            # A notice that waits for no answer: what we ask now takes its place.
            withdraw_question(taken, told, actor=actor, because="we have something else to ask you")
        state, terms = read_order(taken), read_terms(taken, named_skus(choices))
        completed = complete(choices, state, terms)
        asked = Proposal.objects.create(
            order=taken,
            token=secrets.token_urlsafe(32),
            choices=completed,
            about=about(completed, state, free_units(taken)),
            message=words,
            made_by=actor.name,
            made_at=now,
            expires_at=until,
        )
        kept = keep_offered(asked, units_offered(completed), order=taken, actor=actor)
        note(
            taken,
            "proposal_made",
            actor=actor,
            text="Asked the customer: " + " / ".join(c["text"] for c in completed),
            data={
                "proposal": asked.pk,
                "kinds": [c["kind"] for c in completed],
                "expires_at": until.isoformat(),
                "kept": {str(product): units for product, units in kept.items()},
            },
        )
        if not by_telephone:
            _mail_question(taken, asked, kept)
    return asked


def ask_again(taken: Order, asked: Proposal) -> None:
    """Mail an open question once more: nobody answered the telephone. Inside `writing()`, the order taken."""
    kept = Offered.objects.filter(proposal=asked, released_at=None).values_list("product_id", "quantity")
    again = f"again:{clock.business_now():%Y-%m-%dT%H:%M}"
    _mail_question(taken, asked, dict(kept), subject="we could not reach you, and need your answer", again=again)


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


def _mail_question(
    order: Order, asked: Proposal, kept: Mapping[int, int], *, subject: str = "we need your answer", again: str = ""
) -> None:
    lines = list(Line.objects.filter(order=order).order_by("position"))
    owe_mail(
        "question",
        to=order.email,
        key=f"{order.number}:question:{asked.pk}{f':{again}' if again else ''}",
        context={
            **mail_slip(order, lines),
            "subject": f"{order.number}: {subject}",
            "url": f"{order_url(order)}#question",
            "message": asked.message,
            "choices": [
                {
                    "text": c["text"],
                    "price": price_words(c["difference"], c["total"], order.currency),
                    "kept": kept_words(c, kept),
                }
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


def kept_words(choice: Mapping[str, Any], kept: Mapping[int, int]) -> str:
    """Whether a substitute is on the shelf for this customer; empty for every other kind of choice."""
    wanted = units_offered([choice])
    if not wanted:
        return ""
    units = sum(wanted.values())
    here = sum(min(quantity, kept.get(product, 0)) for product, quantity in wanted.items())
    if here >= units:
        return "kept for you until you answer"
    return f"{here} of them kept for you, the rest not in stock" if here else "not in stock, and not kept for you"


def answer_proposal(
    *,
    token: str,
    choice: int | None = None,
    decline: bool = False,
    via: str = "link",
    actor: Actor | None = None,
    spoken_to: str = "",
) -> Proposal:
    """Keep the customer's answer; the token is the right to give it. `flow` then amends the order.

    On the telephone a clerk notes it: `via`, with `spoken_to`, whom they spoke to. The same answer again changes
    nothing. Raises Missing for an unknown token, Invalid unless exactly one of `choice` (index) and `decline` is given,
    and Refused when the question was answered otherwise, withdrawn, or has expired, or with `sold_out` when a
    substitute that was not kept has gone meanwhile: the question and its other choices still stand.
    """
    if actor is not None and actor.kind != "customer":
        require(actor, CLERK)
    found = find_proposal(token)
    wrong = check_answer(choice, decline, len(found.choices))
    if wrong:
        raise Invalid(*wrong)
    how = _text("via", via, 40)
    who = _text("spoken_to", spoken_to, 200)
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
            if choice is not None:
                check(still_there(asked, asked.choices[choice]))
            _keep_answer(taken, asked, choice, via=how, spoken_to=who, actor=actor or customer(taken.name))
    asked = Proposal.objects.get(pk=found.pk)
    if late:
        raise Refused([_closed(asked)])
    return asked


def note_answer(
    *, order: str, actor: Actor, choice: int | None = None, decline: bool = False, spoken_to: str = ""
) -> Proposal:
    """Keep what the customer answered to the order's question on the telephone, with who asked and who said it.

    Raises Forbidden, Missing where the order has never been asked, and what `answer_proposal` raises.
    """
    require(actor, CLERK)
    asked = Proposal.objects.filter(order=find(order)).order_by("-pk").first()
    if asked is None:
        raise Missing(f"{order} has no question")
    return answer_proposal(
        token=asked.token, choice=choice, decline=decline, via="telephone", actor=actor, spoken_to=spoken_to
    )


def _keep_answer(order: Order, asked: Proposal, choice: int | None, *, via: str, spoken_to: str, actor: Actor) -> None:
    accepted = choice is not None
    by = via if actor.kind == "customer" else f"{via}{f' with {spoken_to}' if spoken_to else ''}, {actor.name}"
    _close(asked, Proposal.ACCEPTED if accepted else Proposal.DECLINED, choice=choice, via=by, spoken_to=spoken_to)
    if not accepted:
        release_offered(asked, order=order, actor=actor)  # of a yes, when it is carried out
    words = words_on(asked.choices[choice], shop().today()) if choice is not None else "none of what we offered"
    note(
        order,
        "proposal_accepted" if accepted else "proposal_declined",
        actor=actor,
        text=f"{'Accepted' if accepted else 'Declined'} ({by}): {words}",
        data={"proposal": asked.pk, "choice": choice, **({"spoken_to": spoken_to} if spoken_to else {})},
    )


def _close(
    asked: Proposal, state: str, *, via: str, choice: int | None = None, spoken_to: str = "", because: str = ""
) -> None:
    """Compare-and-set from open; whoever comes second is told who was first."""
    closed = Proposal.objects.filter(pk=asked.pk, state=Proposal.OPEN).update(
        state=state,
        choice=choice,
        answered_at=clock.business_now(),
        answered_via=via[:200],
        spoken_to=spoken_to,
        closed_because=because[:300],
    )
    if closed != 1:
        raise Refused([_closed(Proposal.objects.get(pk=asked.pk))])
    asked.refresh_from_db()
    if state in {Proposal.ACCEPTED, Proposal.WITHDRAWN}:
        # A notice of a delay ends with its question; a no, or none in time, leaves it to its last day.
        kinds = {"later_date": Notice.WAIT, "cancel": Notice.CANCEL, "cancel_parts": Notice.CANCEL}
        kind = asked.choices[choice]["kind"] if choice is not None else ""
        outcome = kinds.get(kind, Notice.CHANGE) if state == Proposal.ACCEPTED else Notice.SUPERSEDED
        Notice.objects.filter(proposal=asked, closed_at=None).update(outcome=outcome, closed_at=clock.business_now())


def _closed(asked: Proposal) -> Blocker:
    """Why a question takes no answer any more: since when, and what it was answered."""
    return Blocker("someone_else", closed_words(asked), by=asked.answered_via or None)


def chosen_words(asked: Proposal) -> str:
    """What was chosen, with the day that counted when the answer came; empty when nothing was."""
    if asked.choice is None:
        return ""
    settings = shop()
    return words_on(asked.choices[asked.choice], settings.day_of(asked.answered_at or asked.made_at), settings)


def closed_words(asked: Proposal) -> str:
    """What became of a question, for whoever comes to it later."""
    when = say_moment(asked.answered_at or asked.expires_at)
    chosen = chosen_words(asked)
    because = f": {asked.closed_because}" if asked.closed_because else ""
    return {
        Proposal.OPEN: f"the question can be answered until {say_moment(asked.expires_at)}",
        Proposal.ACCEPTED: f"the question was answered on {when}: {chosen}",
        Proposal.DECLINED: f"the question was answered on {when}: none of the choices",
        Proposal.EXPIRED: f"the question could be answered until {say_moment(asked.expires_at)}; please contact us",
        Proposal.WITHDRAWN: f"the question was withdrawn on {when}{because}",
    }[asked.state]


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
        _mail_withdrawn(taken, asked)
    return asked


def withdraw_question(order: Order, asked: Proposal, *, actor: Actor, because: str = "") -> None:
    """Close an open question of an order that the caller has taken: it no longer stands, and nothing is kept for it."""
    _close(asked, Proposal.WITHDRAWN, via=actor.name, because=because)
    release_offered(asked, order=order, actor=actor)
    text = f"Question withdrawn: {because}" if because else "Question withdrawn"
    note(order, "proposal_withdrawn", actor=actor, text=text, data={"proposal": asked.pk, "because": because})


def withdraw_told(order: Order, asked: Proposal, *, actor: Actor, because: str) -> None:
    """The same as `withdraw_question`, and the customer hears that it needs no answer, and why."""
    withdraw_question(order, asked, actor=actor, because=because)
    _mail_withdrawn(order, asked)


def withdraw_moot(*, order: str) -> bool:
    """Take back the order's open question if it has lost its reason, and tell the customer. Whether there was one."""
    with writing():
        taken = take(order)
        why = facts_of(taken).question_moot
        asked = Proposal.objects.filter(order=taken, state=Proposal.OPEN).first()
        if not why or asked is None:
            return False
        withdraw_question(taken, asked, actor=SYSTEM, because=why)
        _mail_withdrawn(taken, asked)
    return True


def _mail_withdrawn(order: Order, asked: Proposal) -> None:
    """The customer may have our mail before them: they hear that it needs no answer, and why."""
    owe_mail(
        "question_withdrawn",
        to=order.email,
        key=f"{order.number}:question-withdrawn:{asked.pk}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number}: our question needs no answer any more",
            "because": asked.closed_because,
        },
    )


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


def end_question(order: Order, asked: Proposal) -> None:
    """Close an open question whose answer nobody waits for any more; the caller has taken the order and says why."""
    _close(asked, Proposal.EXPIRED, via=SYSTEM.name)
    release_offered(asked, order=order, actor=SYSTEM)


def _expire(order: Order, asked: Proposal) -> None:
    end_question(order, asked)
    note(
        order,
        "proposal_expired",
        actor=SYSTEM,
        text="No answer in time: call the customer, or ask again",
        data={"proposal": asked.pk},
    )
