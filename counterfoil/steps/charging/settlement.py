"""Comparing what becomes of money after it was taken: disputes, the lines of the balance, payouts, clearing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.money import show
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Wrong
from counterfoil.records.orders.load import take
from counterfoil.steps.charging.balance import LOOKS_BACK, look_at_balance, take_payout
from counterfoil.steps.charging.clearing import agreements
from counterfoil.steps.charging.differences import Found
from counterfoil.steps.charging.disputes import look_at_dispute, take_in, taken_back, write_off
from counterfoil.steps.charging.models import BalanceEntry, Difference, Dispute, Payout
from counterfoil.steps.charging.queries import UNDECIDED, find_dispute


@dataclass
class Compared:
    """What was looked at, what was brought in line by it, and what is left to a person."""

    disputes: int = 0
    lines: int = 0
    payouts: int = 0
    repaired: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def compare_settlement(since: datetime) -> Compared:
    """Take in every dispute, line and payout since then, and say what does not fit. Raises the gateway's errors."""
    out = Compared()
    before = _stands()
    _compare_disputes(since, out)
    out.lines, out.payouts = look_at_balance(since, again=True)
    _write_off_late()
    out.repaired = [f"{what} taken in" for what in _stands() - before]
    out.found = [*_lines_unknown(), *_payouts_left(), *_clearing()]
    return out


def still(row: Difference) -> Found | None:
    """A difference about a payout or clearing after asking the processor again; None when it is none any more."""
    if row.kind.startswith("payout_"):
        take_payout(gateway().get_payout(row.object_id), again=True)
        look_at_balance()
    else:
        look_at_balance(clock.business_now() - LOOKS_BACK, again=True)
    found = (*_payouts_left(), *_clearing())
    return next((f for f in found if (f.kind, f.object_id) == (row.kind, row.object_id)), None)


def _stands() -> set[str]:
    """Disputes and payouts as they stand; what is new among them was brought in line."""
    disputes = Dispute.objects.values_list("order__number", "state", "inquiry", "submitted_at")
    return {f"{number}: dispute {state}" for number, state, *_ in disputes} | {
        f"payout {payout} ({status}, {booked})"
        for payout, status, booked in Payout.objects.values_list("payout_id", "status", "booked")
    }


def _compare_disputes(since: datetime, out: Compared) -> None:
    seen = set()
    for found in gateway().list_disputes(since):
        seen.add(found.id)
        out.disputes += take_in(found) is not None
    # Those that began earlier and were not decided when we last looked.
    for old in (
        Dispute.objects.filter(state__in=UNDECIDED).exclude(dispute_id__in=seen).values_list("dispute_id", flat=True)
    ):
        try:
            out.disputes += look_at_dispute(old) is not None
        except Wrong:
            continue  # the processor does not know it: its lines, if any, show in clearing


def _write_off_late() -> None:
    """Lines of a lost dispute that came after it was lost."""
    for pk in Dispute.objects.filter(state=Dispute.LOST).values_list("pk", flat=True):
        row = find_dispute(pk)
        if taken_back(row) > row.written_off:
            with writing():
                write_off(take(row.order.number), find_dispute(pk))


def _lines_unknown() -> list[Found]:
    return [
        Found(
            "entry_unknown", line.entry_id, "", "nothing of the kind",
            f"{show(line.net, line.currency)} {line.text}".strip(), abs(line.net), line.currency,
        )
        for line in BalanceEntry.objects.filter(kind="other", booked=False).order_by("pk")
    ]  # fmt: skip


def _payouts_left() -> list[Found]:
    """Payouts that came back and were not paid again since, and those whose lines the processor does not name."""
    found = []
    back = set(
        BalanceEntry.objects.filter(kind="payout_failed").exclude(payout=None).values_list("source_id", flat=True)
    )
    for row in Payout.objects.exclude(payout_id__in=back).filter(status="failed").order_by("pk"):
        theirs = f"came back: {row.failure}" if row.failure else "came back"
        found.append(Found("payout_failed", row.payout_id, "", "paid out", theirs, row.amount, row.currency))
    for row in Payout.objects.filter(lines=False).exclude(status="failed").order_by("pk"):
        theirs = f"{show(row.amount, row.currency)} paid out"
        found.append(Found("payout_unknown", row.payout_id, "", "no lines of it", theirs, row.amount, row.currency))
    return found


def _clearing() -> list[Found]:
    return [
        Found(
            "clearing_differs", f"clearing {one.currency}", "", f"{show(one.books, one.currency)} in clearing",
            f"{show(one.processor, one.currency)} not paid out", abs(one.unnamed), one.currency,
        )
        for one in agreements()
        if one.unnamed
    ]  # fmt: skip
