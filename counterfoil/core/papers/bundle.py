"""Several papers as one PDF, for one trip to the printer."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from pypdf import PdfWriter


def bundled(papers: Iterable[bytes]) -> bytes:
    """The pages of all of them, one after the other. Each paper stays filed by itself: this is for the printer only."""
    writer = PdfWriter()
    for paper in papers:
        writer.append(BytesIO(paper), import_outline=False)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
