"""Xero, Manual journals > Import: rows with one narration and date are one journal; debits positive, credits negative.

Manual journals are in the organisation's own currency: entries in others are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterfoil.records.books.export.journal import Journal
from counterfoil.records.books.export.rows import row, words

HEADER = ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount",
          "TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2")  # fmt: skip
# Xero adds tax of its own to any other rate; ours stands on its own line already.
NO_TAX = "Tax Exempt (0%)"
MOST_LINES = 300  # that it takes in one file


def write(journals: Iterable[Journal], *, tax_rate: str = NO_TAX) -> Iterator[str]:
    yield row(HEADER)
    for entry in journals:
        # The number makes every narration the only one of its kind: two journals never run into one.
        narration = f"{entry.number} {entry.text}"
        for side in entry.lines:
            yield row(
                (
                    narration, f"{entry.day:%d/%m/%Y}", words(entry.subject), side.account.code, tax_rate, side.signed,
                    "", "", "", "",
                )
            )  # fmt: skip


def portions(journals: Iterable[Journal]) -> Iterator[list[Journal]]:
    """As many whole journals as one file may hold, again and again."""
    held: list[Journal] = []
    for entry in journals:
        if held and sum(len(e.lines) for e in held) + len(entry.lines) > MOST_LINES:
            yield held
            held = []
        held.append(entry)
    if held:
        yield held
