"""Cancelling: everything goes back to where it came from, once."""

from __future__ import annotations

from counterfoil.core import clock, jobs
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import Move, shift
from counterfoil.core.money import show
from counterfoil.core.text import clean
from counterfoil.flow.rules import may_cancel, money_of_cancelled
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import MONEY, Line, Notice, Order, Part, Proposal
from counterfoil.records.orders.offers import release_offered
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.orders.promises import close_notices
from counterfoil.records.orders.refunds import decide_refund, refundable
from counterfoil.records.orders.slip import mail_slip
from counterfoil.records.stock.actions import release_line
from counterfoil.records.stock.ledger import lock
from counterfoil.steps.alternatives.actions import withdraw_question
from counterfoil.steps.charging.actions import end_dunning

MAX_REASON = 500


def cancel_order(
    *, order: str, reason: str, actor: Actor, version: int | None = None, only_unfinished: bool = False
) -> Order:
    """Cancel an order of which nothing has left: stock goes back, what was charged is refunded, the rest voided.

    A cancelled order comes back unchanged. Raises Forbidden, Missing, Invalid (`reason`) or Refused `not_cancellable`.
    """
    require(actor, CLERK)
    try:
        words = clean(reason)
    except ValueError as error:
        raise Invalid(("reason", str(error))) from error
    if not words:
        raise Invalid(("reason", "say why the order is cancelled"))
    if len(words) > MAX_REASON:
        raise Invalid(("reason", f"write at most {MAX_REASON} characters"))
    known = find(order)
    if known.cancelled_at is not None:
        return known
    with writing():
        taken = take(order, version=version)
        if only_unfinished and taken.finished:
            # The customer completed the check-out at the last moment.
            return taken
        if taken.cancelled_at is None:
            facts = facts_of(taken)
            check(may_cancel(facts))
            cancel_taken(taken, facts, words, actor=actor)
    return taken


def cancel_taken(order: Order, facts: OrderFacts, reason: str, *, actor: Actor) -> None:
    """Cancel an order that the caller has taken and whose gate is open."""
    now = clock.business_now()
    order.cancelled_at, order.cancelled_by, order.cancel_reason = now, actor.name, reason
    order.save(update_fields=["cancelled_at", "cancelled_by", "cancel_reason"])
    _close_questions(order, actor)
    parts = list(Part.objects.filter(order=order).order_by("number"))
    # Every balance in one go and in product order: two cancellations must not wait for each other.
    lock(Line.objects.filter(order=order).values_list("product_id", flat=True))
    moves: list[Move] = []
    for part in parts:
        end_dunning(order, part)
        moves += put_back_parcel(taken_order=order, part=part, actor=actor)
    _release_lines(order, actor)
    refunded = 0
    fate = {p.number: money_of_cancelled(p) for p in facts.parts}
    for part in parts:
        if fate[part.number] == "void":
            moves.append(shift(MONEY, "void", part, part=part.number))
    note(
        order,
        "order_cancelled",
        actor=actor,
        text=f"Cancelled: {reason}",
        moves=moves,
        data={"reason": reason, "money": {str(n): what for n, what in fate.items()}},
    )
    for part in parts:
        # Also of a part that was paid only in part; what a charge in flight takes goes back with its outcome.
        amount = 0 if fate[part.number] == "ask" else refundable(part)
        if amount > 0:
            decide_refund(order=order, part=part, amount=amount, reason=f"Cancelled: {reason}", actor=actor)
            refunded += amount
    if order.payment_method == "card":
        # An open pay link, an authorisation, an unfinished charge: whatever could still take money is ended.
        jobs.enqueue("charging.withdraw", key=order.number, payload={"order": order.number})
    _mail_cancelled(order, parts, refunded=refunded, asking="ask" in fate.values())


def _close_questions(order: Order, actor: Actor) -> None:
    for asked in Proposal.objects.filter(order=order, state=Proposal.OPEN):
        withdraw_question(order, asked, actor=actor, because="the order is cancelled")
    for asked in Proposal.objects.filter(order=order, state=Proposal.ACCEPTED):
        release_offered(asked, order=order, actor=actor)
    close_notices(order, Notice.OVER)
    # An answer that has not been worked in has nothing left to change.
    Proposal.objects.filter(order=order, state=Proposal.ACCEPTED, applied_at=None).update(
        applied_at=clock.business_now()
    )


def _release_lines(order: Order, actor: Actor) -> None:
    """Give every unit back. `quantity` stays, so that the order stays readable; `cancelled` says it is over."""
    for line in Line.objects.filter(order=order, quantity__gt=0).order_by("position"):
        release_line(line=line, order=order, actor=actor)
        Line.objects.filter(pk=line.pk).update(cancelled=line.cancelled + line.quantity)


def _mail_cancelled(order: Order, parts: list[Part], *, refunded: int, asking: bool) -> None:
    """Tell the customer, with what happens to their money. A check-out that was never finished was never an order."""
    if not order.finished:
        return
    owed = sum(p.refund_owed for p in parts)
    owe_mail(
        "cancelled",
        to=order.email,
        key=f"{order.number}:cancelled",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number} is cancelled",
            "reason": order.cancel_reason,
            "card": order.payment_method == "card",
            "charged": any(p.charged for p in parts),
            "refund": show(owed, order.currency) if refunded or owed else "",
            "asking": asking,
        },
    )
