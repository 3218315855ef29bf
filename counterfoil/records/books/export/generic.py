"""Comma-separated: one row a posting, for a spreadsheet or a program of your own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterfoil.records.books.export.journal import Journal
from counterfoil.records.books.export.rows import row, words

HEADER = ("number", "date", "kind", "subject", "text", "account", "name", "currency", "debit", "credit")


def write(journals: Iterable[Journal]) -> Iterator[str]:
    yield row(HEADER)
    for entry in journals:
        for side in entry.lines:
            yield row(
                (
                    entry.number, entry.day.isoformat(), entry.kind, words(entry.subject), words(entry.text),
                    side.account.code, side.account.name, side.currency, side.debit, side.credit,
                )
            )  # fmt: skip
