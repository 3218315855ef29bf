"""Reads a paper back as a stranger would: its text, its pages, its glyphs."""

import io
from typing import Any

from pypdf import PdfReader
from pypdf.generic import TextStringObject


def reader(pdf: bytes) -> PdfReader:
    """The parsed document."""
    return PdfReader(io.BytesIO(pdf))


def pages(pdf: bytes) -> list[str]:
    """The text of each page, white space made single and zero-width spaces removed."""
    return [" ".join((page.extract_text() or "").replace("\u200b", "").split()) for page in reader(pdf).pages]


def text(pdf: bytes) -> str:
    """The text of all pages."""
    return " ".join(pages(pdf))


def sizes(pdf: bytes) -> set[tuple[int, int]]:
    """Width and height of the pages in points, rounded."""
    return {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in reader(pdf).pages}


def undefined_glyphs(pdf: bytes) -> int:
    """How many glyph 0 (.notdef) all pages show; every font here is a two-byte Identity-H one."""
    count = 0
    for page in reader(pdf).pages:
        contents = page.get_contents()
        if contents is None:
            continue
        for operands, operator in contents.operations:
            if operator in (b"Tj", b"TJ"):
                for shown in _shown(operands[0]):
                    codes = [shown[i : i + 2] for i in range(0, len(shown), 2)]
                    count += codes.count(b"\x00\x00")
    return count


def _shown(operand: Any) -> list[bytes]:
    parts = operand if isinstance(operand, list) else [operand]
    texts = [part.original_bytes for part in parts if isinstance(part, TextStringObject)]
    return texts + [bytes(part) for part in parts if isinstance(part, bytes)]
