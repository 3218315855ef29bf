"""The lines of our balance at the processor, and what it pays out: kept, entered in the books, once for each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, Sum

from counterfoil.core import clock, jobs
from counterfoil.core.db import writing
from counterfoil.core.money import show
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Movement, PaidOut, Wrong
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.models import BalanceEntry, Payout

LOOKS_BACK = timedelta(days=35)
OVERLAP = timedelta(days=1)  # lines are read again that far back: some are written down late
SOON = 30  # seconds; what is charged meanwhile is asked about together
_BATCH = 100
_OF_NO_CHARGE = frozenset({"fee", "other"})
_FORWARD = {"under_way": 0, "paid": 1, "cancelled": 2, "failed": 2}


def ask_soon() -> None:
    """Owe a look at the newest lines of the balance; one look serves everything charged until then."""
    with writing():
        jobs.enqueue("charging.balance", key="new", payload={}, delay=SOON)


def look_at_balance(since: datetime | None = None, *, again: bool = False) -> tuple[int, int]:
    """Take in payouts and lines since then (unset: since the newest line we have); how many of each were looked at.

    With `again` payouts whose lines did not add up are read once more. Raises the gateway's errors; may be repeated.
    """
    if since is None:
        newest = BalanceEntry.objects.order_by("-made_at").values_list("made_at", flat=True).first()
        since = newest - OVERLAP if newest else clock.business_now() - LOOKS_BACK
    payouts = [take_payout(found, again=again) for found in reversed(list(gateway().list_payouts(since)))]
    lines = list(gateway().list_movements(since))
    keep(lines)
    return len(lines), sum(row is not None for row in payouts)


# --- lines ----------------------------------------------------------------------------------------------------------


def keep(lines: Iterable[Movement], payout: Payout | None = None) -> None:
    """Write down those lines that are ours, of a payout or not yet of one, and enter them in the books."""
    found = sorted(lines, key=lambda line: line.id)
    for start in range(0, len(found), _BATCH):
        _keep_some(found[start : start + _BATCH], payout)


def _keep_some(lines: list[Movement], payout: Payout | None) -> None:
    charges = _charges_of(lines)
    ours = _ours(lines, charges)
    if not ours:
        return
    ids = [line.id for line in ours]
    with writing():
        BalanceEntry.objects.bulk_create(
            [
                BalanceEntry(
                    entry_id=line.id,
                    kind=line.kind,
                    source_id=line.source_id[:120],
                    charge_id=charges.get(line.id),
                    amount=line.amount,
                    fee=line.fee,
                    net=line.net,
                    currency=line.currency,
                    text=line.text[:200],
                    made_at=line.made_at,
                    available_on=line.available_on,
                )
                for line in ours
            ],
            ignore_conflicts=True,
        )
        if payout is not None:
            BalanceEntry.objects.filter(entry_id__in=ids, payout=None).update(payout=payout)
        todo = BalanceEntry.objects.filter(entry_id__in=ids, booked=False).exclude(kind="other")
        for entry in todo.select_related("charge__part__order").order_by("entry_id"):
            book(entry)


def _ours(lines: list[Movement], charges: dict[str, int]) -> list[Movement]:
    """Lines that concern this shop: of its charges, of none at all, or of a payout with its money that came back."""
    back = {line.source_id for line in lines if line.kind == "payout_failed"}
    known = set(Payout.objects.filter(payout_id__in=back).values_list("payout_id", flat=True)) if back else set()
    return [
        line
        for line in lines
        if line.id in charges
        or (line.kind in _OF_NO_CHARGE and not line.intent_id)
        or (line.kind == "payout_failed" and line.source_id in known)
    ]


def _charges_of(lines: list[Movement]) -> dict[str, int]:
    """Which of our charges each line belongs to, by the line's id."""
    intents = {line.intent_id for line in lines if line.intent_id}
    sources = {line.source_id for line in lines if line.source_id}
    known = Charge.objects.filter(Q(intent_id__in=intents) | Q(charge_id__in=sources), state="succeeded")
    by_intent: dict[str, int] = {}
    by_charge: dict[str, int] = {}
    for pk, intent_id, charge_id in known.values_list("pk", "intent_id", "charge_id"):
        by_intent[intent_id], by_charge[charge_id] = pk, pk
    found = {line.id: by_intent.get(line.intent_id) or by_charge.get(line.source_id) for line in lines}
    return {line: pk for line, pk in found.items() if pk is not None}


def book(entry: BalanceEntry) -> None:
    """Enter a line in the books, once; inside `writing()`. What its charge or refund has entered itself is left out."""
    if not BalanceEntry.objects.filter(pk=entry.pk, booked=False).update(booked=True):
        return
    match entry.kind:
        case "payout_failed":
            return  # the payout enters itself
        case "dispute" | "dispute_reversed":
            kind = "dispute_money"
            amounts = {"disputes": -entry.amount, "card_fees": entry.fee, "card_clearing": entry.net}
        case "fee" | "other":
            kind, amounts = "card_fee", {"card_fees": -entry.net, "card_clearing": entry.net}
        case _:
            kind, amounts = "card_fee", {"card_fees": entry.fee, "card_clearing": -entry.fee}
    order = entry.charge.part.order.number if entry.charge is not None else entry.source_id[:40] or entry.entry_id[:40]
    post(
        cause=f"balance:{entry.entry_id}"[:160],
        kind=kind,
        subject=order,
        text=f"Card processor: {entry.kind.replace('_', ' ')} of {show(entry.amount, entry.currency)}",
        currency=entry.currency,
        amounts=amounts,
    )


# --- payouts --------------------------------------------------------------------------------------------------------


def take_payout(found: PaidOut, *, again: bool = False) -> Payout | None:
    """Write down a payout as the processor has it, with its lines, and enter our share of it in the books.

    None when nothing of it is this shop's.
    """
    known = Payout.objects.filter(payout_id=found.id).first()
    lines: list[Movement] | None = None
    if known is None or not known.lines or (again and share_of(known) != known.amount):
        lines = _read_lines(found.id)
        if known is None and lines is not None and not _ours(lines, _charges_of(lines)):
            return None
    facts = {"amount": found.amount, "arrives_on": found.arrives_on, "failure": found.failure[:200]}
    with writing():
        row, made = Payout.objects.get_or_create(
            payout_id=found.id,
            defaults={**facts, "status": found.status, "currency": found.currency, "made_at": found.made_at},
        )
        if not made and _FORWARD[found.status] > _FORWARD[row.status]:
            Payout.objects.filter(pk=row.pk, status=row.status).update(**facts, status=found.status)
    if lines is not None:
        keep(lines, row)
        with writing():
            Payout.objects.filter(pk=row.pk).update(lines=True)
    settle_payout(row.pk)
    row.refresh_from_db()
    return row


def _read_lines(payout_id: str) -> list[Movement] | None:
    """None for a payout made by hand at the processor, which then does not say what it consists of."""
    try:
        return list(gateway().movements_of_payout(payout_id))
    except Wrong:
        return None


def share_of(payout: Payout) -> int:
    """What of a payout is this shop's, minor units: the processor's account may serve others too.

    Money of a payout that the bank sent back is ours as far as that one was.
    """
    lines = BalanceEntry.objects.filter(payout=payout)
    own = lines.exclude(kind="payout_failed").exclude(kind="other", booked=False)
    total = own.aggregate(Sum("net"))["net__sum"] or 0
    back = lines.filter(kind="payout_failed").exclude(source_id=payout.payout_id).values_list("source_id", flat=True)
    return int(total) + sum(share_of(failed) for failed in Payout.objects.filter(payout_id__in=list(back)))


def settle_payout(pk: int) -> None:
    """Bring the books in line with what a payout is: paid, or sent back by the bank. Once for each change."""
    with writing():
        row = Payout.objects.get(pk=pk)
        target = share_of(row) if row.status in {"under_way", "paid"} else 0
        moved = target - row.booked
        same = Payout.objects.filter(pk=pk, booked=row.booked, postings=row.postings)
        if not moved or not same.update(booked=target, postings=row.postings + 1):
            return
        number = f":{row.postings + 1}" if row.postings else ""
        failed = row.status in {"failed", "cancelled"}
        post(
            cause=f"payout:{row.payout_id}{number}",
            kind="payout_failed" if failed else "payout",
            subject=row.payout_id[:40],
            text=f"Payout of {row.arrives_on}{' came back' if failed else ''}",
            currency=row.currency,
            amounts={"bank": moved, "card_clearing": -moved},
        )
