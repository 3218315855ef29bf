"""Giving money back: owed from the decision on, until the processor says that it arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterfoil.core import clock, jobs
from counterfoil.core.actor import BOOKKEEPER, CLERK, SYSTEM, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid, Missing, Refused, blocked
from counterfoil.core.money import plain, show, step
from counterfoil.core.text import clean
from counterfoil.gateways.card.protocol import Returned
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Line, Order, Part, Refund
from counterfoil.records.orders.refunds import decide_refund, disputed_of, refundable
from counterfoil.records.orders.slip import mail_slip
from counterfoil.steps.charging.keys import next_key
from counterfoil.steps.charging.offline import paid_back
from counterfoil.steps.charging.pieces import shares, units_wanted

CARD = ("card", "link")
BY_HAND = "by hand"  # stands in place of the processor's id
BY_BANK = "by dispute"  # the same: the customer's bank took it, and a refund was owed
NOT_THERE = ("", BY_HAND, BY_BANK)  # the processor knows no such refund


def refund_order(
    *,
    order: str,
    actor: Actor,
    reason: str,
    amount: int | None = None,
    lines: Sequence[Mapping[str, object]] | None = None,
) -> Refund:
    """Decide a refund: by amount, by line (price and tax), or, with neither, all that is left. The money goes by job.

    Raises Refused `over_refundable` when more was asked than is left of what was captured, Invalid, Forbidden, Missing.
    """
    require(actor, CLERK, BOOKKEEPER)
    reason = _reason(reason)
    if amount is not None and lines is not None:
        raise Invalid(("amount", "give an amount or lines, not both"))
    if amount is not None and amount <= 0:
        raise Invalid(("amount", "must be more than zero"))
    with writing():
        taken = take(order)
        parts = list(Part.objects.filter(order=taken).order_by("number"))
        if lines is not None:
            made = _by_line(taken, parts, lines, reason, actor)
        else:
            made = _by_amount(taken, parts, amount, reason, actor)
        for refund in made:
            if refund.charge.method not in CARD:
                # A person gives this money back with their own hands, now.
                paid_back(refund, actor)
                book_refund(taken, refund, reference=BY_HAND)
    return Refund.objects.get(pk=made[0].pk)


def _reason(reason: str) -> str:
    try:
        cleaned = clean(reason)
    except ValueError as error:
        raise Invalid(("reason", str(error))) from None
    if not cleaned:
        raise Invalid(("reason", "say why the money goes back"))
    if len(cleaned) > 500:
        raise Invalid(("reason", "at most 500 characters"))
    return cleaned


def _by_amount(taken: Order, parts: list[Part], amount: int | None, reason: str, actor: Actor) -> list[Refund]:
    room = {p.pk: refundable(p) for p in parts}
    left = sum(room.values())
    wanted = left if amount is None else amount
    if wanted <= 0 or wanted > left:
        raise Refused([_over(taken, parts, wanted, left)])
    least = step(taken.currency)
    if wanted % least and taken.payment_method == "card":
        raise Invalid(("amount", f"cards are refunded in steps of {plain(least, taken.currency)} {taken.currency}"))
    made: list[Refund] = []
    for part in parts:
        share = min(wanted, room[part.pk])
        if share > 0:
            made += decide_refund(order=taken, part=part, amount=share, reason=reason, actor=actor)
            wanted -= share
    return made


def _over(taken: Order, parts: list[Part], wanted: int, left: int) -> Blocker:
    said = f"{show(wanted, taken.currency)} is more than the {show(left, taken.currency)} that can go back"
    held = sum(sum(disputed_of(p).values()) for p in parts)
    if held:
        said += f"; the customer's bank has taken {show(held, taken.currency)} back in a dispute"
    return Blocker("over_refundable", said)


def _by_line(
    taken: Order, parts: list[Part], wanted: Sequence[Mapping[str, object]], reason: str, actor: Actor
) -> list[Refund]:
    lines = list(Line.objects.filter(order=taken).order_by("position"))
    asked = units_wanted(taken, lines, wanted)
    made: list[Refund] = []
    for part in parts:
        mine = [ln for ln in lines if ln.part_id == part.pk]
        pieces = shares(part, mine, [asked.get(ln.pk, 0) for ln in mine], step(taken.currency))
        if not pieces:
            continue
        amount = sum(share.amount for share in pieces)
        if amount > refundable(part):
            raise Refused([_over(taken, [part], amount, refundable(part))])
        if amount <= 0:
            raise Invalid(("lines", "nothing was paid for these"))
        made += decide_refund(
            order=taken, part=part, amount=amount, reason=reason, actor=actor,
            lines=[share.named for share in pieces], tax=sum(share.tax for share in pieces),
        )  # fmt: skip
    return made


def apply_refund(refund: Refund, found: Returned) -> None:
    """Write down what the processor says of a refund."""
    with writing():
        taken = take(refund.part.order.number)
        current = Refund.objects.select_related("charge").get(pk=refund.pk)
        if found.status == "succeeded" and current.state != "succeeded":
            book_refund(taken, current, reference=found.id)
        elif found.status == "failed" and current.state == "pending":
            Refund.objects.filter(pk=refund.pk).update(state="failed", refund_id=found.id, failure=found.failure[:300])
            note(
                taken,
                "refund_failed",
                actor=SYSTEM,
                text=f"The refund of {show(refund.amount, taken.currency)} failed; it is still owed",
                data={"refund": refund.pk, "failure": found.failure},
            )
        elif found.status == "failed" and current.state == "succeeded" and current.refund_id == found.id:
            _bounce(taken, current, found.failure)
        elif found.id and not current.refund_id:
            Refund.objects.filter(pk=refund.pk).update(refund_id=found.id)


def book_refund(taken: Order, refund: Refund, *, reference: str) -> None:
    """The money is back with the customer; inside `writing()`, the order taken."""
    if not Refund.objects.filter(pk=refund.pk, state__in=["pending", "failed"]).update(
        state="succeeded", refund_id=reference
    ):
        return
    part = Part.objects.get(pk=refund.part_id)
    part.refund_owed -= refund.amount
    part.refunded += refund.amount
    part.save(update_fields=["refund_owed", "refunded"])
    post(
        cause=f"refund-paid:{refund.key}",  # a refund that came back is paid again under another key
        kind="refund_paid",
        subject=taken.number,
        text=f"Refund of {taken.number}",
        currency=refund.currency,
        amounts={
            "refunds_payable": refund.amount,
            "card_clearing"
            if refund.charge.method in CARD and reference != BY_HAND
            else "other_clearing": -refund.amount,
        },
    )
    note(
        taken,
        "refund_succeeded",
        actor=SYSTEM,
        part=part,
        text=f"Refunded {show(refund.amount, taken.currency)}",
        data={"refund": refund.pk, "amount": refund.amount},
    )
    lines = list(Line.objects.filter(order=taken).order_by("position"))
    owe_mail(
        "refunded",
        to=taken.email,
        key=f"{taken.number}:refund:{refund.pk}",
        context={
            **mail_slip(taken, lines),
            "subject": f"{taken.number}: {show(refund.amount, taken.currency)} is on its way back to you",
            "amount": show(refund.amount, taken.currency),
            "reason": refund.reason,
        },
    )


def _bounce(taken: Order, refund: Refund, failure: str) -> None:
    """Paid, and sent back by the customer's bank: the money is ours again and theirs still; inside `writing()`."""
    Refund.objects.filter(pk=refund.pk).update(state="failed", failure=failure[:300])
    part = Part.objects.get(pk=refund.part_id)
    part.refund_owed += refund.amount
    part.refunded -= refund.amount
    part.save(update_fields=["refund_owed", "refunded"])
    post(
        cause=f"refund-came-back:{refund.key}",
        kind="refund_came_back",
        subject=taken.number,
        text=f"Refund of {taken.number} came back",
        currency=refund.currency,
        amounts={"card_clearing": refund.amount, "refunds_payable": -refund.amount},
    )
    note(
        taken,
        "refund_failed",
        actor=SYSTEM,
        part=part,
        text=f"The bank sent {show(refund.amount, taken.currency)} back; it is still owed",
        data={"refund": refund.pk, "failure": failure},
    )


def retry_refund(*, order: str, refund_id: int, actor: Actor, by_hand: bool = False) -> None:
    """Try a failed refund again under a new key, or (`by_hand`) write down that a person has paid it back otherwise.

    What was paid outside the card processor can only go back by hand. A refund on its way is left alone.
    """
    require(actor, CLERK, BOOKKEEPER)
    with writing():
        taken = take(order)
        refund = Refund.objects.select_related("charge").filter(pk=refund_id, part__order=taken).first()
        if refund is None:
            raise Missing(f"{order} has no refund {refund_id}")
        if refund.charge.method not in CARD and refund.state == "pending":
            paid_back(refund, actor)
            book_refund(taken, refund, reference=BY_HAND)
            return
        if refund.state != "failed":
            return
        if disputed_of(Part.objects.get(pk=refund.part_id)).get(refund.charge_id):
            raise blocked("over_refundable", "the customer's bank has taken this money back itself, in a dispute")
        # A number of its own for every try: the first may have been paid, entered in the books, and sent back.
        refund.key = next_key(refund.key)
        Refund.objects.filter(pk=refund.pk).update(key=refund.key)
        if by_hand or refund.charge.method not in CARD:
            book_refund(taken, refund, reference=BY_HAND)
            return
        Refund.objects.filter(pk=refund.pk).update(state="pending", refund_id="", made_at=clock.real_now())
        note(taken, "refund_tried_again", actor=actor, text="Refund tried again", data={"refund": refund.pk})
        jobs.enqueue("charging.refund", key=str(refund.pk), payload={"refund": refund.pk})
