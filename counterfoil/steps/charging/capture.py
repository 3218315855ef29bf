"""Booking money that was taken at the processor without our doing."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.errors import blocked
from counterfoil.core.machine import shift
from counterfoil.gateways.card.protocol import Intent
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, PayLink
from counterfoil.steps.charging.differences import charge_of
from counterfoil.steps.charging.settle import UNSETTLED, write_capture


def book_capture(taken: Order, intent: Intent, *, actor: Actor) -> bool:
    """Book a charge that the processor has as done; inside `writing()`, the order taken. False when it is booked.

    What is more than the part costs, or was taken for a cancelled order, goes back by itself.
    Raises Refused while our own call for this charge is still being asked about, and for another currency.
    """
    if intent.currency != taken.currency:
        raise blocked("someone_else", f"this was taken in {intent.currency}; {taken.number} is in {taken.currency}")
    charge = charge_of(intent)
    if charge is not None and charge.state == "succeeded":
        return False
    if charge is not None and charge.state in UNSETTLED:
        raise blocked("charge_in_flight", "this charge is being asked about; look again in a minute")
    part = Part.objects.get(pk=charge.part_id) if charge is not None else _part_of(taken, intent)
    facts = {
        "state": "succeeded",
        "amount": intent.captured,
        "intent_id": intent.id,
        "charge_id": intent.charge_id,
        "brand": intent.brand,
        "last4": intent.last4,
        "settled_at": clock.business_now(),
    }
    if charge is not None:
        Charge.objects.filter(pk=charge.pk).update(**facts, to_capture=None)
        charge.refresh_from_db()
        if charge.kind == Charge.HOLD:
            part.authorisation_amount = part.authorisation_expires_at = None
            part.save(update_fields=["authorisation_amount", "authorisation_expires_at"])
    else:
        attempt = Charge.objects.filter(part=part).count() + 1
        key = f"found-{intent.id}"[:80]
        charge = Charge.objects.create(
            **facts, part=part, attempt=attempt, currency=taken.currency, method="card", create_key=key,
            confirm_key=key, actor=actor.name, made_at=clock.real_now(),
        )  # fmt: skip
    moves = []
    if MONEY.target("begin", part.money) is not None and part.paid + intent.captured >= part.total:
        moves = [shift(MONEY, "begin", part, part=part.number), shift(MONEY, "capture", part, part=part.number)]
    write_capture(taken, part, charge, amount=intent.captured, by=actor.name, moves=moves)
    return True


def _part_of(taken: Order, intent: Intent) -> Part:
    """The part that the mark names, else the first that is still to be paid, else the first."""
    parts = list(Part.objects.filter(order=taken).order_by("number"))
    link = PayLink.objects.filter(order=taken, key=intent.reference.get("link", "")).first()
    if link is not None and link.part_id is not None:
        return next(p for p in parts if p.pk == link.part_id)
    number = intent.reference.get("charge", "").rsplit("-", 2)[-2:-1]
    named = [p for p in parts if [str(p.number)] == number]
    unpaid = [p for p in parts if MONEY.target("begin", p.money) is not None]
    return (named or unpaid or parts)[0]
