"""Writing comma-separated rows that a spreadsheet may open, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def row(cells: Sequence[str]) -> str:
    """One line, ended as RFC 4180 has it."""
    held = io.StringIO()
    csv.writer(held).writerow(cells)
    return held.getvalue()


def words(text: str) -> str:
    """Prose for a cell: what a spreadsheet would take for a formula is marked as text."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
