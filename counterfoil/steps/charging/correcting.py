"""A charge that we have booked otherwise than the bank took it, or than its slip says: booked so by one click."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.errors import blocked
from counterfoil.core.machine import shift
from counterfoil.core.money import show
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Wrong
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, Refund
from counterfoil.records.orders.refunds import disputed_of
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.settle import CARD_METHODS, give_surplus_back, paid_against

LEFT = ("shipped", "delivered", "returned")


def taken_there(intent_id: str, currency: str) -> int:
    """What the processor has taken under this charge, minor units; 0 when it has nothing or does not know it."""
    try:
        intent = gateway().get_intent(intent_id)
    except Wrong:
        return 0
    if intent.status != "done":
        return 0
    if intent.currency != currency:
        raise blocked("someone_else", f"the bank took it in {intent.currency}, the order is in {currency}")
    return intent.captured


def book_as_the_bank(taken: Order, row: Difference, amount: int, *, actor: Actor) -> None:
    """Bring a booked charge to what the bank took (or the slip says); inside `writing()`, the order taken.

    More than the part costs goes back by itself. With less, the part is to be paid again, by card, by link or in the
    hand, and stays in the house until it is. Raises Refused when that can no longer be: the goods have left, or more
    has gone back to the customer than the bank took.
    """
    charge = Charge.objects.filter(intent_id=row.object_id, state="succeeded", part__order=taken).first()
    if charge is None or charge.amount == amount:
        raise blocked("someone_else", "our side has changed since; compare again")
    part = Part.objects.get(pk=charge.part_id)
    by = amount - charge.amount
    back = sum(Refund.objects.filter(charge=charge).values_list("amount", flat=True))
    back += disputed_of(part).get(charge.pk, 0)
    if amount < back:
        raise blocked("over_refundable", f"{show(back, taken.currency)} of it has gone back to the customer already")
    if by < 0 and part.parcel in LEFT:
        raise blocked("already_shipped", "the goods have left: settle it with the customer, then leave it")
    gone = {"state": "withdrawn"} if amount == 0 else {}
    Charge.objects.filter(pk=charge.pk).update(amount=amount, settled_at=clock.business_now(), **gone)
    part.charged += by
    part.save(update_fields=["charged"])
    by_card = charge.method in CARD_METHODS
    asset = "card_clearing" if by_card else "other_clearing"
    against = paid_against(part, by) if by > 0 else {"customer_deposits": -by}  # less only while all of it is here
    post(
        cause=f"charge-corrected:{row.pk}:{charge.pk}:{taken.version}",
        kind="capture_corrected",
        subject=taken.number,
        text=f"Charge of {taken.number}, as {'the bank has it' if by_card else 'its slip says'}",
        currency=taken.currency,
        amounts={asset: by, **against},
    )
    short = part.money == "charged" and part.paid < part.total
    note(
        taken,
        "charge_corrected",
        actor=actor,
        part=part,
        text=f"{'The bank took' if by_card else 'The slip says'} {show(amount, taken.currency)}, "
        f"not {show(amount - by, taken.currency)}: booked so",
        moves=[shift(MONEY, "fall_short" if by_card else "grow_in_hand", part, part=part.number)] if short else [],
        data={"charge": charge.pk, "amount": amount, "by": by},
    )
    give_surplus_back(taken, part)
