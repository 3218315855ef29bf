"""Beancount: a whole ledger that `bean-check` accepts, each transaction with its number and what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from counterfoil.core.shop import shop
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.books.export.journal import Journal

OPENED = "2000-01-01"  # before any shop's first entry
_LINK = re.compile(r"[A-Za-z0-9\-_/.]+")


def write(journals: Iterable[Journal]) -> Iterator[str]:
    settings = shop()
    yield f'option "title" {quoted(settings.name)}\noption "operating_currency" "{settings.currency}"\n\n'
    for account in CHART.values():
        yield f'{OPENED} open {account.full}\n  code: "{account.code}"\n  name: {quoted(account.name)}\n'
    for entry in journals:
        link = f" ^{entry.subject}" if _LINK.fullmatch(entry.subject) else ""
        yield f"\n{entry.day.isoformat()} * {quoted(entry.text)}{link}\n"
        yield f'  number: "{entry.number}"\n  kind: "{entry.kind}"\n'
        for side in entry.lines:
            yield f"  {side.account.full:<34} {side.signed:>16} {side.currency}\n"


def quoted(text: str) -> str:
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
