"""Reading disputes and payouts: for the desk and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, Sum

from counterfoil.core.errors import Missing
from counterfoil.core.models import Setting
from counterfoil.records.orders.models import Order
from counterfoil.records.orders.present import moment
from counterfoil.steps.charging.balance import share_of
from counterfoil.steps.charging.models import BalanceEntry, Dispute, Payout

UNDECIDED = (Dispute.OPEN, Dispute.ANSWERED)
# Why customers go to their bank, in plain words, by the processor's code.
REASONS = {
    "bank_cannot_process": "the bank cannot process the payment",
    "check_returned": "the cheque came back",
    "credit_not_processed": "they say that a refund never arrived",
    "customer_initiated": "they asked their bank to take it back",
    "debit_not_authorized": "they say that they never agreed to the debit",
    "duplicate": "they say that they were charged twice",
    "fraudulent": "they say that they did not make this payment",
    "general": "they gave no particular reason",
    "incorrect_account_details": "the account was not right",
    "insufficient_funds": "the account did not cover it",
    "noncompliant": "the bank holds a rule of the card network against it",
    "product_not_received": "they say that the goods never arrived",
    "product_unacceptable": "they say that the goods were not as described",
    "subscription_canceled": "they say that they had cancelled",
    "unrecognized": "they do not recognise the payment",
}


def reason_in_words(code: str) -> str:
    """Why, for people; a code that we do not know is shown as it is."""
    return REASONS.get(code, code.replace("_", " "))


def find_dispute(pk: int) -> Dispute:
    """A dispute with its charge and order. Raises Missing."""
    known = Dispute.objects.select_related("charge__part", "order")
    found = known.filter(pk=pk).first() if 0 < pk < 2**62 else None
    if found is None:
        raise Missing("there is no such dispute")
    return found


def disputes_page(*, state: str = "", after: int = 0, limit: int = 50) -> list[Dispute]:
    """Disputes by their id, oldest first, of one state or of all."""
    found = Dispute.objects.select_related("order").filter(pk__gt=after)
    return list((found.filter(state=state) if state else found).order_by("pk")[:limit])


def present_dispute(row: Dispute) -> dict[str, Any]:
    """A dispute as the API tells it."""
    return {
        "id": row.pk,
        "processor_id": row.dispute_id,
        "order": row.order.number,
        "kind": "inquiry" if row.inquiry else "chargeback",
        "state": row.state,
        "reason": row.reason,
        "reason_text": reason_in_words(row.reason),
        "amount": row.amount,
        "currency": row.currency,
        "opened_at": moment(row.opened_at),
        "due_by": moment(row.due_by),
        "closed_at": moment(row.closed_at),
        "owner": row.owner,
        "answer": row.answer or None,
        "answered_by": row.answered_by,
        "submitted_at": moment(row.submitted_at),
        "document": row.document or None,
    }


def open_disputes() -> list[Dispute]:
    """What the bank has not decided: unanswered ones first, soonest deadline first."""
    found = list(Dispute.objects.select_related("order").filter(state__in=UNDECIDED).order_by("due_by", "pk"))
    return sorted(found, key=lambda row: not row.wants_answer)


def decided_disputes(limit: int) -> list[Dispute]:
    """What the bank has decided, the last first."""
    found = Dispute.objects.select_related("order").exclude(state__in=UNDECIDED)
    return list(found.order_by("-closed_at", "-pk")[:limit])


def disputes_of(order: Order) -> list[Dispute]:
    """The disputes of one order, oldest first."""
    return list(Dispute.objects.filter(order=order).select_related("charge__part", "order").order_by("pk"))


# --- payouts --------------------------------------------------------------------------------------------------------

LINES = 1000  # of one payout that are listed


@dataclass(frozen=True)
class PaidOut:
    """A payout and what of it is this shop's: gross less fees is net; minor units. The rest is somebody else's."""

    row: Payout
    gross: int
    fees: int
    net: int
    lines: int

    @property
    def others(self) -> int:
        return self.row.amount - self.net


def payouts_page(*, before: int = 0, limit: int = 30, ids: Sequence[str] = ()) -> list[PaidOut]:
    """Payouts, the newest first (those made before the payout with this pk), with their sums: one statement."""
    found = Payout.objects.filter(payout_id__in=ids) if ids else Payout.objects.all()
    if before:
        last = Payout.objects.filter(pk=before).first()
        if last is not None:
            found = found.filter(Q(arrives_on__lt=last.arrives_on) | Q(arrives_on=last.arrives_on, pk__lt=before))
    own = ~Q(entries__kind="payout_failed")
    summed = found.annotate(
        gross=Sum("entries__amount", filter=own), fees=Sum("entries__fee", filter=own), own=Count("entries", filter=own)
    )
    out = []
    for row in summed.order_by("-arrives_on", "-pk")[:limit]:
        gross, fees, count = int(row.gross or 0), int(row.fees or 0), row.own
        if gross - fees != row.amount:
            gross = share_of(row) + fees  # money of an earlier payout that came back is in this one, too
        out.append(PaidOut(row, gross, fees, gross - fees, count))
    return out


def find_payout(payout_id: str) -> PaidOut | None:
    """One payout by the processor's id."""
    return next(iter(payouts_page(ids=[payout_id[:120]])), None)


def lines_of_payout(payout: Payout) -> list[BalanceEntry]:
    """Its lines that are ours, with their orders, in the order in which they were made."""
    found = BalanceEntry.objects.filter(payout=payout)
    return list(found.select_related("charge__part__order").order_by("made_at", "pk")[:LINES])


def unpaid_lines() -> list[BalanceEntry]:
    """What the processor has of ours and has not paid out, the newest first."""
    found = BalanceEntry.objects.filter(payout=None)
    return list(found.select_related("charge__part__order").order_by("-made_at", "-pk")[:LINES])


def last_compared() -> date | None:
    """The shop's day of the last nightly comparison; None before the first."""
    kept = Setting.objects.filter(key="reconciled_on").values_list("value", flat=True).first()
    return date.fromisoformat(str(kept)) if kept else None
