"""The books as they leave the house: entries in the order in which they were made, each under its own number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from counterfoil.core.money import plain
from counterfoil.core.shop import shop
from counterfoil.records.books.export.chart import CHART, Account
from counterfoil.records.books.models import Entry

PAGE = 1_000


@dataclass(frozen=True)
class Line:
    """One side of an entry; `amount` in minor units, debit positive."""

    account: Account
    amount: int
    currency: str

    @property
    def signed(self) -> str:
        """The amount in full units: '-65.00'."""
        return plain(self.amount, self.currency)

    @property
    def debit(self) -> str:
        return plain(self.amount, self.currency) if self.amount > 0 else ""

    @property
    def credit(self) -> str:
        return plain(-self.amount, self.currency) if self.amount < 0 else ""


@dataclass(frozen=True)
class Journal:
    """One entry. Its number never changes: whoever has it already has this very entry."""

    number: str
    day: date  # where the shop stands
    kind: str
    subject: str  # an order, or what else it is about
    text: str
    lines: tuple[Line, ...]

    @property
    def currency(self) -> str:
        return self.lines[0].currency


def journals(since: date | None = None, until: date | None = None) -> Iterator[Journal]:
    """Every entry of the shop's days from `since` to `until`, both included; all of them without."""
    zone = ZoneInfo(shop().timezone)
    found = Entry.objects.order_by("id")
    if since is not None:
        found = found.filter(at__gte=_midnight(since, zone))
    if until is not None:
        found = found.filter(at__lt=_midnight(until + timedelta(days=1), zone))
    last = 0
    while page := list(found.filter(pk__gt=last).prefetch_related("postings")[:PAGE]):
        last = page[-1].pk
        yield from (_journal(entry, zone) for entry in page)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _line(text: str) -> str:
    """On one line and without controls, which no other program's reader expects."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _journal(entry: Entry, zone: ZoneInfo) -> Journal:
    sides = sorted(entry.postings.all(), key=lambda p: (p.amount < 0, CHART[p.account].code))
    return Journal(
        number=f"JE-{entry.pk:06}",
        day=entry.at.astimezone(zone).date(),
        kind=entry.kind,
        subject=_line(entry.subject),
        text=_line(entry.text),
        lines=tuple(Line(CHART[p.account], p.amount, p.currency) for p in sides),
    )
