"""`counterfoil export-books`: writes the books for another program, to a file or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from counterfoil.core.shop import shop
from counterfoil.records.books.export import books
from counterfoil.records.books.export.xero import NO_TAX


def export_books(
    form: str, *, since: date | None, until: date | None, out: Path | None, tax_rate: str | None = None
) -> int:
    """Write the books; 0 when done. What was written, and what had to stay, is said on standard error.

    Raises ValueError for days in the wrong order and OSError when a file cannot be written.
    """
    files, told = books(form, since=since, until=until, tax_rate=tax_rate or NO_TAX)
    written = _print(files) if out is None else _write(files, out)
    where = f" to {', '.join(str(path) for path in written)}" if written else ""
    print(f"{told.entries:,} entries written{where}", file=sys.stderr)
    if told.left_out:
        words = f"{told.left_out:,} entries in other currencies than {shop().currency} stayed: {form} cannot take them"
        print(words, file=sys.stderr)
    return 0


def _print(files: Iterator[Iterator[str]]) -> list[Path]:
    for pieces in files:
        for piece in pieces:
            sys.stdout.write(piece)
    return []


def _write(files: Iterator[Iterator[str]], out: Path) -> list[Path]:
    """A file each: `books.csv`, `books-2.csv`; for its owner's eyes, and whole or not at all."""
    written = []
    for number, pieces in enumerate(files, start=1):
        place = out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
        half = place.with_name(f".{place.name}.half")
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        half.replace(place)
        written.append(place)
    return written
