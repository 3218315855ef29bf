"""Writing comma-separated rows that a spreadsheet may open, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from counterfoil.core.text import as_cell


def row(cells: Sequence[str]) -> str:
    """One line, ended as RFC 4180 has it."""
    held = io.StringIO()
    csv.writer(held).writerow(cells)
    return held.getvalue()


def words(text: str) -> str:
    """Prose for a cell: what a spreadsheet would take for a formula is marked as text."""
    return as_cell(text)
