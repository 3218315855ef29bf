"""Taking the books elsewhere. The same entries give the same file, to the byte, however often it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from counterfoil.core.shop import shop
from counterfoil.records.books.export import beancount, generic, hledger, quickbooks, xero
from counterfoil.records.books.export.journal import Journal, journals

FORMATS = ("quickbooks", "xero", "beancount", "hledger", "csv")
ENDINGS = {"beancount": "beancount", "hledger": "journal"}


@dataclass
class Told:
    """What became of an export: how many entries went, and how many stayed because of their currency."""

    entries: int = 0
    left_out: int = 0


def books(
    form: str, *, since: date | None = None, until: date | None = None, tax_rate: str = xero.NO_TAX
) -> tuple[Iterator[Iterator[str]], Told]:
    """The books of the days from `since` to `until` in one of FORMATS: the text of each file, in pieces.

    All but Xero, which takes a few hundred lines at a time, are one file. `Told` is full when everything is read.
    Raises ValueError for an unknown format or for days in the wrong order.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is no format; use one of {', '.join(FORMATS)}")
    if since is not None and until is not None and since > until:
        raise ValueError(f"{since} is after {until}")
    told = Told()
    found = _counted(journals(since, until), told, only=shop().currency if form == "xero" else None)
    if form == "xero":
        return (xero.write(portion, tax_rate=tax_rate) for portion in _some(xero.portions(found))), told
    return iter([_WRITERS[form](found)]), told


def file_name(form: str, number: int = 1, *, since: date | None = None, until: date | None = None) -> str:
    """books-2026-11-01-2026-11-30-xero-2.csv"""
    days = "-".join(day.isoformat() for day in (since, until) if day)
    parts = ["books", *([days] if days else []), form, *([str(number)] if number > 1 else [])]
    return f"{'-'.join(parts)}.{ENDINGS.get(form, 'csv')}"


_WRITERS: dict[str, Callable[[Iterable[Journal]], Iterator[str]]] = {
    "quickbooks": quickbooks.write,
    "beancount": beancount.write,
    "hledger": hledger.write,
    "csv": generic.write,
}


def _counted(found: Iterable[Journal], told: Told, *, only: str | None) -> Iterator[Journal]:
    for entry in found:
        if only is not None and entry.currency != only:
            told.left_out += 1
            continue
        told.entries += 1
        yield entry


def _some(portions: Iterator[list[Journal]]) -> Iterator[list[Journal]]:
    """With nothing to tell, one file that says so."""
    empty = True
    for portion in portions:
        empty = False
        yield portion
    if empty:
        yield []
