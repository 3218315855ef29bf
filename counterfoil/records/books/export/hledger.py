"""hledger: a whole journal that passes `hledger check --strict`, accounts and currencies declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterfoil.core.money import DECIMALS
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.books.export.journal import Journal


def write(journals: Iterable[Journal]) -> Iterator[str]:
    for currency, places in sorted(DECIMALS.items()):
        yield f"commodity 1000.{'0' * places} {currency}\n"
    for account in CHART.values():
        yield f"account {account.full}  ; {account.code} {account.name}\n"
    for entry in journals:
        yield f"\n{entry.day.isoformat()} * ({entry.number}) {_bare(entry.text)}\n"
        yield f"    ; kind: {entry.kind}, subject: {_bare(entry.subject).replace(',', ' ')}\n"
        for side in entry.lines:
            yield f"    {side.account.full:<34} {side.signed:>16} {side.currency}\n"


def _bare(text: str) -> str:
    """Without what begins a comment there, or divides the payee from a note."""
    return text.replace(";", ",").replace("|", "/")
