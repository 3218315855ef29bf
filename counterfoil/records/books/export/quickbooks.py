"""QuickBooks Online, Import data > Journal entries: one row a posting, rows of one JournalNo are one entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterfoil.records.books.export.journal import Journal
from counterfoil.records.books.export.rows import row, words

HEADER = ("JournalNo", "JournalDate", "Currency", "AccountName", "Debits", "Credits", "Description")


def write(journals: Iterable[Journal]) -> Iterator[str]:
    yield row(HEADER)
    for entry in journals:
        for side in entry.lines:
            yield row(
                (
                    entry.number, f"{entry.day:%m/%d/%Y}", side.currency, side.account.name, side.debit, side.credit,
                    words(entry.text),
                )
            )  # fmt: skip
