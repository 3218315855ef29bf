"""Closing the day: the figures are gathered, and frozen once as a paper. The next sheet begins where this one ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError

from counterfoil.core import clock, documents, journal
from counterfoil.core.actor import BOOKKEEPER, CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import blocked
from counterfoil.core.models import Document, Printing
from counterfoil.core.money import show
from counterfoil.core.shop import Shop, shop
from counterfoil.desk.day_rules import differences, gaps, sections
from counterfoil.desk.rail import rail
from counterfoil.desk.words import QUEUES
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Shipment
from counterfoil.records.orders.slip import paper_shop, say_date, say_moment
from counterfoil.steps.charging.models import BalanceEntry

KIND = "day-sheet"
CHARGED = ("capture",)
REFUNDED = ("refund_paid", "refund_came_back")
AT_PROCESSOR = {"charge": "charged", "refund": "refunded", "refund_failed": "refunded"}
# What is no work of tomorrow: filed, on its way, called off, or not an order yet.
AT_REST = frozenset({"done", "transit", "cancelled", "unfinished"})


def number_of(day: date) -> str:
    return f"DAY-{day.isoformat()}"


def sheet_of(day: date) -> Document | None:
    """The frozen sheet of a day; None while it is open."""
    return Document.objects.filter(number=number_of(day)).first()


def sheets(limit: int = 14) -> list[Document]:
    """The days that were closed, the newest first."""
    return list(Document.objects.filter(kind=KIND).order_by("-issued_at")[:limit])


def begins(settings: Shop, last: Document | None) -> datetime:
    """Where the next sheet begins: at the end of the last one, else this morning. Nothing falls between two sheets."""
    return last.issued_at if last else clock.start_of_day(settings.today(), settings.timezone)


def close_day(*, actor: Actor) -> Document:
    """Freeze today's sheet, once. Raises Forbidden, or Refused (`someone_else`) with who has closed the day."""
    require(actor, CLERK, BOOKKEEPER)
    settings = shop()
    today = settings.today()
    try:
        with writing():
            known = sheet_of(today)
            if known is not None:
                raise _closed(known)
            now = clock.business_now()
            made = figures(settings, now, sheets(1))
            document = documents.issue(
                KIND, subject=number_of(today), number=number_of(today), content=_content(made, settings, now, actor),
                at=now,
            )  # fmt: skip
            journal.record(
                "day_closed", subject=number_of(today), actor=actor, text=f"{say_date(today)} closed", advance=False
            )
    except IntegrityError:  # another process closed it at this very moment
        raced = sheet_of(today)
        if raced is None:
            raise
        raise _closed(raced) from None
    return document


def _closed(known: Document) -> Exception:
    by = str(known.content.get("closed_by", ""))
    return blocked("someone_else", f"closed already by {by}, {say_moment(known.issued_at)}", by=by or None)


def _content(made: dict[str, Any], settings: Shop, now: datetime, actor: Actor) -> dict[str, Any]:
    charged = [(one["charged"], one["currency"]) for one in made["card"] if one["charged"]]
    return {
        "shop": paper_shop(settings),
        "date_text": say_date(now.astimezone(ZoneInfo(settings.timezone)).date()),
        "scope": f"{made['since']} to {made['until']}",
        "closed_by": actor.name,
        "amount": " and ".join(show(amount, currency) for amount, currency in charged) or show(0, settings.currency),
        "sections": sections(made),
        "figures": made,
    }


def figures(settings: Shop, now: datetime, last: Sequence[Document] = ()) -> dict[str, Any]:
    """Everything that a sheet says, as plain numbers: about ten statements, however long the day was."""
    before = last[0] if last else None
    start = begins(settings, before)
    shipped = list(
        Shipment.objects.filter(shipped_at__gt=start, shipped_at__lte=now)
        .order_by("id")
        .values_list("carrier", "order__number")
    )
    carriers: dict[str, list[str]] = {}
    for carrier, number in shipped:
        carriers.setdefault(carrier, []).append(number)
    card, differing, in_hand = _money(start, now)
    earlier = dict(before.content.get("figures", {})) if before else {}
    papers = list(
        Document.objects.filter(kind__in=["invoice", "credit-note"], issued_at__gt=start, issued_at__lte=now)
        .order_by("id")
        .values_list("kind", "number")
    )
    return {
        "since": say_moment(start),
        "until": say_moment(now),
        "shipped": [{"carrier": c, "orders": n} for c, n in sorted(carriers.items())],
        "card": card,
        "differences": differing,
        "in_hand": in_hand,
        "invoices": _series([n for k, n in papers if k == "invoice"], earlier.get("invoices", {})),
        "credit_notes": _series([n for k, n in papers if k == "credit-note"], earlier.get("credit_notes", {})),
        "copies": _copies(settings, list(dict.fromkeys(n for _, n in shipped))),
        "open": _open(settings),
    }


def _series(numbers: Sequence[str], earlier: dict[str, Any]) -> dict[str, Any]:
    ordered = sorted(numbers, key=lambda n: int(n.rpartition("-")[2]))
    last = str(earlier.get("last", ""))
    return {
        "count": len(ordered),
        "from": ordered[0] if ordered else "",
        "to": ordered[-1] if ordered else "",
        "last": ordered[-1] if ordered else last,
        "gaps": gaps(ordered, last),
    }


def _money(start: datetime, now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """By card as our books and the processor's lines have it, where they differ, and what came in by hand."""
    ours: dict[str, dict[str, Counter[str]]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    in_hand: Counter[tuple[str, str]] = Counter()
    posted = Posting.objects.filter(
        entry__at__gt=start, entry__at__lte=now, account__in=["card_clearing", "other_clearing"],
        entry__kind__in=[*CHARGED, *REFUNDED],
    )  # fmt: skip
    for account, kind, order, currency, amount in posted.values_list(
        "account", "entry__kind", "entry__subject", "currency", "amount"
    ):
        name = "charged" if kind in CHARGED else "refunded"
        if account == "other_clearing":
            in_hand[("Taken" if name == "charged" else "Given back", currency)] += amount
            continue
        ours.setdefault(currency, {}).setdefault(name, Counter())[order] += amount
        counts[currency, name] += 1
    theirs: dict[str, dict[str, Counter[str]]] = {}
    lines = BalanceEntry.objects.filter(made_at__gt=start, made_at__lte=now, kind__in=list(AT_PROCESSOR))
    for kind, order, source, currency, amount in lines.values_list(
        "kind", "charge__part__order__number", "source_id", "currency", "amount"
    ):
        theirs.setdefault(currency, {}).setdefault(AT_PROCESSOR[kind], Counter())[order or source] += amount
    card, differing = [], []
    for currency in sorted({*ours, *theirs}):
        row: dict[str, Any] = {"currency": currency}
        for name, what in (("charged", "charged"), ("refunded", "refunded")):
            mine, yours = ours.get(currency, {}).get(name, Counter()), theirs.get(currency, {}).get(name, Counter())
            row |= {
                name: sum(mine.values()),
                f"{name}_there": sum(yours.values()),
                f"{name}_count": counts[currency, name],
            }
            differing += differences(mine, yours, currency, what)
        card.append(row)
    hand = [{"what": what, "currency": cur, "amount": amount} for (what, cur), amount in sorted(in_hand.items())]
    return card, differing, hand


def _copies(settings: Shop, orders: Sequence[str]) -> dict[str, Any]:
    """The file copies of what was shipped: the newest version of each."""
    found = Document.objects.filter(subject__in=orders, kind="sales-order-copy").order_by("id")
    newest = {(s, part): (pk, number) for pk, s, part, number in found.values_list("pk", "subject", "part", "number")}
    ids = [pk for pk, _ in newest.values()]
    done = (
        set()
        if settings.file_copy == "pdf"
        else set(Printing.objects.filter(document__in=ids).values_list("document_id", flat=True))
    )
    return {
        "pdf": settings.file_copy == "pdf",
        "count": len(ids),
        "to_print": [number for pk, number in newest.values() if pk not in done],
        "printed": [number for pk, number in newest.values() if pk in done],
    }


def _open(settings: Shop) -> list[dict[str, Any]]:
    counted = rail(settings.today())
    return [
        {"name": queue.name, "count": counted.counts[code], "late": counted.late.get(code, 0)}
        for code, queue in QUEUES.items()
        if code not in AT_REST and counted.counts.get(code)
    ]
