"""The slips of the terminal against our charges: whatever a clerk recorded has one slip, and the other way round.

Both are written in one transaction. They differ when somebody has changed a table, or restored one without the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from counterfoil.core.money import show
from counterfoil.gateways.card.protocol import Intent, Returned, Wrong
from counterfoil.records.orders.models import Charge, Order, Refund
from counterfoil.steps.charging.differences import NO_REFUND, Found
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.offline import TILL
from counterfoil.steps.charging.refund import CARD

KINDS = ("slip_alone", "slip_missing", "slip_differs", "return_differs")


def compare(since: datetime) -> Iterator[Found]:
    """What differs of everything recorded since then (business time)."""
    for slip in TILL.list_intents(since):
        yield from _some(judge_slip(slip))
    charges = Charge.objects.filter(state="succeeded", amount__gt=0, settled_at__gte=since).exclude(method__in=CARD)
    for charge in charges.select_related("part__order").order_by("id"):
        yield from _some(judge_charge(charge))
    for returned in TILL.list_refunds(since):
        yield from _some(judge_return(returned))
    refunds = Refund.objects.filter(state="succeeded", at__gte=since).exclude(charge__method__in=CARD)
    for refund in refunds.select_related("charge", "part__order").order_by("id"):
        yield from _some(judge_refund(refund))


def still(row: Difference) -> Found | None:
    """The same difference as it is now; None when it is none any more."""
    try:
        if row.object_id.startswith("slip_"):
            return judge_slip(TILL.get_intent(row.object_id))
        if row.object_id.startswith("slipback_"):
            return judge_return(TILL.get_refund(row.object_id))
    except Wrong:
        return None  # the slip is gone: if a charge stands without it, that is a difference of another kind
    charge = Charge.objects.select_related("part__order").filter(create_key=row.object_id).first()
    refund = Refund.objects.select_related("charge", "part__order").filter(key=row.object_id).first()
    return judge_charge(charge) if charge else judge_refund(refund) if refund else None


def judge_slip(slip: Intent) -> Found | None:
    """How a slip differs from our charge."""
    if slip.status != "done":
        return None
    theirs = f"{show(slip.amount, slip.currency)} on the slip"
    charge = Charge.objects.select_related("part__order").filter(intent_id=slip.id, state="succeeded").first()
    if charge is None:
        number = slip.reference.get("order", "")
        known = number if Order.objects.filter(number=number).exists() else ""
        return Found("slip_alone", slip.id, known, "no charge", theirs, slip.amount, slip.currency)
    if (charge.amount, charge.currency) == (slip.amount, slip.currency):
        return None
    ours = f"{show(charge.amount, charge.currency)} charged"
    amount = abs(charge.amount - slip.amount)
    return Found("slip_differs", slip.id, charge.part.order.number, ours, theirs, amount, charge.currency)


def judge_charge(charge: Charge) -> Found | None:
    """A charge of ours that has no slip; one that has is judged from there."""
    try:
        if charge.intent_id and TILL.get_intent(charge.intent_id).status == "done":
            return None
    except Wrong:
        pass
    ours = f"{show(charge.amount, charge.currency)} charged"
    number = charge.part.order.number
    return Found("slip_missing", charge.create_key, number, ours, "no slip", charge.amount, charge.currency)


def judge_return(returned: Returned) -> Found | None:
    """How money noted as given back on a slip differs from our refund."""
    paid = returned.status == "succeeded"
    refund = (
        Refund.objects.select_related("part__order")
        .filter(key=returned.reference.get("refund", ""), charge__intent_id=returned.intent_id)
        .first()
    )
    theirs = f"{show(returned.amount, returned.currency)} {'given back' if paid else 'to be given back'}"
    if refund is None:
        charge = Charge.objects.select_related("part__order").filter(intent_id=returned.intent_id).first()
        number = charge.part.order.number if charge else ""
        return Found("return_differs", returned.id, number, NO_REFUND, theirs, returned.amount, returned.currency)
    if refund.amount == returned.amount and (refund.state == "succeeded") == paid:
        return None
    ours = f"{show(refund.amount, refund.currency)} refund {refund.state}"
    return Found("return_differs", returned.id, refund.part.order.number, ours, theirs, refund.amount, refund.currency)


def judge_refund(refund: Refund) -> Found | None:
    """A refund that we have as paid and of which the slip says nothing."""
    if refund.state != "succeeded" or not refund.charge.intent_id:
        return None  # without a slip: the charge itself is listed
    try:
        if TILL.find_refund(intent_id=refund.charge.intent_id, reference={"refund": refund.key}):
            return None
    except Wrong:
        return None
    ours = f"{show(refund.amount, refund.currency)} refund succeeded"
    number = refund.part.order.number
    return Found("return_differs", refund.key, number, ours, "nothing on the slip", refund.amount, refund.currency)


def _some(found: Found | None) -> Iterator[Found]:
    if found is not None:
        yield found
