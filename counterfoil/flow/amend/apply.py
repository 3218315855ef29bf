"""Carrying out what the customer accepted."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM, Actor, customer
from counterfoil.core.db import writing
from counterfoil.core.money import show
from counterfoil.flow.amend.cancel import cancel_taken
from counterfoil.flow.amend.change import make_change
from counterfoil.flow.amend.making import Change
from counterfoil.flow.rules import has_left, must_wait, obstacle
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Hold, Line, Order, Part, Proposal
from counterfoil.records.orders.offers import release_offered
from counterfoil.records.orders.slip import mail_slip, say_date
from counterfoil.steps.alternatives.queries import still_there


def apply_answer(*, order: str, actor: Actor = SYSTEM) -> bool:
    """Amend the order as the customer accepted, once. False when there was nothing to do, or not yet.

    While a charge is in flight nothing happens either: its outcome calls `advance`, which calls here again. What can no
    longer be carried out is set aside with a hold that says why.
    """
    if not _unapplied(order):
        return False
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        asked = Proposal.objects.filter(order=taken, state=Proposal.ACCEPTED, applied_at=None).order_by("id").first()
        if asked is None or asked.choice is None or must_wait(facts):
            return False
        asked.applied_at = clock.business_now()
        asked.save(update_fields=["applied_at"])
        choice = asked.choices[asked.choice]
        gone = still_there(asked, choice)
        why_not = obstacle(facts, choice) or (gone[0].message if gone else None)
        if why_not is not None:
            _set_aside(taken, facts, asked, why_not, actor=actor)
            release_offered(asked, order=taken, actor=actor)
        elif choice["kind"] == "cancel" and choice.get("line") is None:
            cancel_taken(taken, facts, "The customer chose to cancel", actor=customer(taken.name))
        else:
            _mail_amended(taken, asked, make_change(taken, asked, choice, actor=actor))
            # Where paid goods are missing all the same, the customer is asked again about what is left.
            Part.objects.filter(order=taken, cover_question=asked.pk).update(cover_asked_at=None, cover_question=None)
    return True


def _unapplied(number: str) -> bool:
    return Proposal.objects.filter(order__number=number, state=Proposal.ACCEPTED, applied_at=None).exists()


def _set_aside(order: Order, facts: OrderFacts, asked: Proposal, why: str, *, actor: Actor) -> None:
    """Nobody's yes is dropped in silence: a person sees it, and the order waits for them."""
    text = f"The customer's answer was not carried out: {why}"
    if not facts.cancelled and not all(has_left(p) for p in facts.parts):
        Hold.objects.create(order=order, reason=text, placed_by=actor.name, at=clock.business_now())
    note(order, "answer_set_aside", actor=actor, text=text, data={"proposal": asked.pk, "choice": asked.choice})


def _mail_amended(order: Order, asked: Proposal, change: Change) -> None:
    owe_mail(
        "amended",
        to=order.email,
        key=f"{order.number}:amended:{asked.pk}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number} is changed as you chose",
            "choice": change.words,
            "date": say_date(change.day),
            "late": say_date(change.late),
            "refund": show(change.refunded, order.currency) if change.refunded else "",
        },
    )
