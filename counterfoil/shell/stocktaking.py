"""`counterfoil import-stock` and `export-stock`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from counterfoil.core.actor import OWNER, Actor
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Invalid
from counterfoil.gateways.storefront.lines import Rejects, read_lines
from counterfoil.steps.sourcing.stock_file import digest, stock_csv, take_stock_file

WHO = Actor("system", "stock file", OWNER)


def import_stock(path: Path, mode: str, say: Callable[[str], None] | None = None) -> int:
    """Take in a file; 0 when every line was, 1 when some were rejected (they are kept beside it). Raises OSError."""
    say = say or _print
    with path.open("rb") as file, Rejects(path, "csv") as rejects:
        sha256 = digest(path.read_bytes())
        try:
            told = take_stock_file(
                actor=WHO, name=path.name, content=read_lines(file), sha256=sha256, mode=mode, reject=rejects.add
            )
        except Invalid as error:
            raise ValueError("; ".join(words for _, words in error.errors)) from error
    if told.again:
        say(f"{mask_cards(path.name)} has been taken in before: nothing was changed")
        return 0
    counted = f"{told.changed:,} places changed, {told.unchanged:,} as they were, {told.rejected:,} lines rejected"
    say("\n".join([*rejects.summary(), counted]))
    return 1 if told.rejected else 0


def export_stock(out: Path | None) -> int:
    """Write what is on hand, to a file or to standard output."""
    text = "".join(stock_csv())
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
