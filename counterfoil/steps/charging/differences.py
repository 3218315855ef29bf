"""Where the processor's books and ours differ: how it is judged, and the rows that people see of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import writing
from counterfoil.core.money import show
from counterfoil.gateways.card.protocol import Intent, Returned
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Charge, Order, Refund
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.refund import CARD, NOT_THERE

# What a difference is called, and the remedies that a person has for it; `note` closes it with a reason.
TITLES = {
    "captured_unknown": "Taken there, not booked here",
    "amount_differs": "Another amount there",
    "held_unknown": "Held there, not wanted here",
    "missing_there": "Booked here, not taken there",
    "refund_unknown": "Refunded there, not booked here",
    "refund_missing": "Refund booked here, not paid there",
    "refund_differs": "Another amount refunded there",
    "slip_alone": "Slip entered, not booked here",
    "slip_missing": "Booked here, no slip entered",
    "slip_differs": "Another amount on the slip",
    "return_differs": "Given back otherwise on the slip",
    "entry_unknown": "On the bank's balance, of nothing we know",
    "payout_unknown": "Paid out there, of which we know no lines",
    "payout_failed": "A payout came back",
    "clearing_differs": "Clearing does not agree",
}
REMEDIES = {
    "captured_unknown": ("take_over", "refund_it", "note"),
    "amount_differs": ("take_over", "note"),
    "held_unknown": ("let_go", "note"),
    "missing_there": ("take_over", "note"),
    "refund_unknown": ("take_over", "note"),
    "refund_missing": ("take_over", "note"),
    "refund_differs": ("ask", "note"),
    "slip_alone": ("take_over", "note"),
    "slip_missing": ("take_over", "note"),
    "slip_differs": ("take_over", "note"),
    "return_differs": ("take_over", "note"),
    "entry_unknown": ("take_over", "note"),
    "payout_unknown": ("ask", "note"),
    "payout_failed": ("ask", "note"),
    "clearing_differs": ("ask", "note"),
}
# What a person does where no click can do it for them.
ADVICE = {
    "refund_differs": "Look the refund up at the processor. If the customer had too little, refund the rest there and "
    "book that refund when it is found; if too much, settle it with them. Then leave this.",
    "payout_unknown": "Made by hand at the processor, which names no lines of it. Enter it in your accounts from the "
    "bank's statement, then leave this.",
    "payout_failed": "Mend the bank account at the processor. The money goes out with another payout, and this closes.",
    "clearing_differs": "The page of payouts names all that explains the rest. Look for what was entered by hand in "
    "the books or at the processor, put it right there and ask again.",
    "return_differs": "No refund of ours goes with it. Decide one on the order if it is owed, then leave this.",
}
NO_REFUND = "no refund"


def remedies_of(row: Difference) -> tuple[str, ...]:
    """What can be done about this very row; `note` closes it with a reason."""
    possible = REMEDIES[row.kind]
    if may_take_over(row.kind, row.order_number) and not (row.kind == "return_differs" and row.ours == NO_REFUND):
        return possible
    return tuple(remedy for remedy in possible if remedy != "take_over")


def advice_on(row: Difference) -> str:
    """What a person does about it, in words; empty where a click does it."""
    return "" if "take_over" in remedies_of(row) else ADVICE.get(row.kind, "")


OF_NO_ORDER = ("entry_unknown", "payout_unknown", "payout_failed", "clearing_differs")


def may_take_over(kind: str, order: str) -> bool:
    """Whether such a difference can be booked: on its order, or because it needs none."""
    return bool(order) or kind in OF_NO_ORDER


GIVEN_UP = ("declined", "withdrawn", "lapsed")


@dataclass(frozen=True)
class Found:
    """A difference as it was just seen. `amount` in minor units; `order` may be empty."""

    kind: str
    object_id: str
    order: str
    ours: str
    theirs: str
    amount: int
    currency: str


# --- judging --------------------------------------------------------------------------------------------------------


def order_of(intent: Intent) -> Order | None:
    """The order of this database whose mark the processor's charge carries: its number and its token."""
    found = Order.objects.filter(number=intent.reference.get("order", "")[:20]).first()
    if found is None:
        return None
    marks = (f"pi-{found.token[:20]}-", f"link-{found.token[:20]}-")
    key = intent.reference.get("charge") or intent.reference.get("link") or ""
    return found if key.startswith(marks) else None


def charge_of(intent: Intent) -> Charge | None:
    """Our record of this charge: by its id, or by the key stored before it was made."""
    of_key = Q(create_key=intent.reference.get("charge", ""), intent_id="")
    charges = Charge.objects.select_related("part__order").order_by("id")
    return charges.filter(Q(intent_id=intent.id) | of_key).first()


def is_ours(intent: Intent) -> bool:
    """Whether it concerns this shop: by its mark, by our record, or because we made its customer there."""
    if order_of(intent) is not None or charge_of(intent) is not None:
        return True
    return bool(intent.customer_id) and Customer.objects.filter(processor_id=intent.customer_id).exists()


def judge_intent(intent: Intent, gone_back: int) -> Found | None:
    """How a charge of ours at the processor differs from our record; `gone_back` of it was refunded there."""
    charge = charge_of(intent)
    theirs = f"{show(intent.captured, intent.currency)} taken" if intent.status == "done" else "nothing taken"
    if charge is not None and charge.state == "succeeded":
        ours = f"{show(charge.amount, charge.currency)} charged"
        number = charge.part.order.number
        if intent.status != "done":
            return Found("missing_there", intent.id, number, ours, theirs, charge.amount, charge.currency)
        if (intent.captured, intent.currency) != (charge.amount, charge.currency):
            amount = abs(intent.captured - charge.amount)
            return Found("amount_differs", intent.id, number, ours, theirs, amount, charge.currency)
        return None
    if intent.status == "held" and is_ours(intent) and (charge is None or charge.state in GIVEN_UP):
        order = charge.part.order if charge is not None else order_of(intent)
        ours, theirs = f"charge {charge.state}" if charge else "no charge", f"{show(intent.held, intent.currency)} held"
        number = order.number if order is not None else ""
        return Found("held_unknown", intent.id, number, ours, theirs, intent.held, intent.currency)
    left = intent.captured - gone_back if intent.status == "done" else 0
    if left <= 0 or not is_ours(intent):
        return None
    order = charge.part.order if charge is not None else order_of(intent)
    ours = f"charge {charge.state}" if charge is not None else "no charge"
    number = order.number if order is not None else ""
    return Found("captured_unknown", intent.id, number, ours, theirs, left, intent.currency)


def missing_charge(charge: Charge) -> Found:
    """We have it as taken, and the processor does not know it at all."""
    ours = f"{show(charge.amount, charge.currency)} charged"
    number = charge.part.order.number
    return Found("missing_there", charge.intent_id, number, ours, "no such charge", charge.amount, charge.currency)


def refund_of(found: Returned) -> Refund | None:
    """Our record of a refund at the processor: by its key, or by its id."""
    key = found.reference.get("refund", "")
    same = Q(refund_id=found.id) | Q(key=key, charge__intent_id=found.intent_id)
    return Refund.objects.select_related("charge", "part__order").filter(same).order_by("id").first()


def judge_refund(found: Returned) -> Found | None:
    """How a refund at the processor differs from our record."""
    refund = refund_of(found)
    theirs = f"{show(found.amount, found.currency or 'USD')} refund {found.status}"
    if refund is None:
        charge = Charge.objects.select_related("part__order").filter(intent_id=found.intent_id, state="succeeded")
        known = charge.first() if found.intent_id and found.status != "failed" else None
        if known is None:
            return None
        number = known.part.order.number
        return Found("refund_unknown", found.id, number, "no refund", theirs, found.amount, known.currency)
    number = refund.part.order.number
    ours = f"{show(refund.amount, refund.currency)} refund {refund.state}"
    if found.status == "failed":
        if refund.state == "succeeded" and refund.refund_id == found.id:
            return Found("refund_missing", found.id, number, ours, theirs, refund.amount, refund.currency)
        return None
    if found.amount != refund.amount:
        amount = abs(found.amount - refund.amount)
        return Found("refund_differs", found.id, number, ours, theirs, amount, refund.currency)
    return None


def missing_refund(refund: Refund) -> Found | None:
    """We have it as paid back by the processor, which does not know it; None when we do not (any more)."""
    if refund.state != "succeeded" or refund.refund_id in NOT_THERE or refund.charge.method not in CARD:
        return None
    ours = f"{show(refund.amount, refund.currency)} refund succeeded"
    number = refund.part.order.number
    return Found("refund_missing", refund.refund_id, number, ours, "no such refund", refund.amount, refund.currency)


# --- rows -----------------------------------------------------------------------------------------------------------


def open_difference(found: Found) -> Difference | None:
    """Put a difference on the list, or note that it still is. None when a person has settled exactly this already."""
    now = clock.business_now()
    seen = {"ours": found.ours, "theirs": found.theirs, "amount": found.amount, "currency": found.currency}
    with writing():
        taken = take(found.order) if found.order else None
        row, made = Difference.objects.get_or_create(
            kind=found.kind,
            object_id=found.object_id,
            defaults={**seen, "order_number": found.order, "found_at": now, "seen_at": now},
        )
        if not made:
            if row.closed_at is None:
                Difference.objects.filter(pk=row.pk, closed_at=None).update(**seen, seen_at=now)
                return row
            if row.remedy and (row.ours, row.theirs) == (found.ours, found.theirs):
                return None
            Difference.objects.filter(pk=row.pk).update(
                **seen, found_at=now, seen_at=now, owner="", closed_at=None, closed_by="", remedy="", reason=""
            )
            row.refresh_from_db()
        if taken is not None:
            note(
                taken,
                "bank_difference_found",
                actor=SYSTEM,
                text=f"{TITLES[found.kind]}: the bank has {found.theirs}, we have {found.ours}",
                data={"difference": row.pk, "object": found.object_id},
            )
    return row


def close_difference(row: Difference, *, actor: Actor, remedy: str = "", reason: str = "") -> bool:
    """Take a difference off the list; the order, if there is one, must not be held by this call's own transaction.

    False when it was closed already.
    """
    with writing():
        return close_inside(take(row.order_number) if row.order_number else None, row, actor, remedy, reason)


def close_inside(taken: Order | None, row: Difference, actor: Actor, remedy: str = "", reason: str = "") -> bool:
    """The same inside `writing()`, with the order in hand."""
    closed = {"closed_at": clock.business_now(), "closed_by": actor.name, "reason": reason}
    if remedy:
        closed["remedy"] = remedy
    if not Difference.objects.filter(pk=row.pk, closed_at=None).update(**closed):
        return False
    if taken is not None:
        note(
            taken,
            "bank_difference_settled",
            actor=actor,
            text=f"{TITLES[row.kind]}: settled{f' ({reason})' if reason else ''}",
            data={"difference": row.pk, "remedy": remedy},
        )
    return True


def open_differences() -> list[Difference]:
    """Every open difference, oldest first."""
    return list(Difference.objects.filter(closed_at=None).order_by("found_at", "id"))
