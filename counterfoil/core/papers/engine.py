"""The typst compiler, kept warm: fonts are read once in a process, one compiler serves each thread."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import typst

from counterfoil.core.papers.coverage import FONTS

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS: "list[typst.PDFStandard]" = ["a-3a", "ua-1"]
"""PDF/A-3a, to be readable for years, and PDF/UA-1, to be read aloud."""

# A compiler serves one call at a time and fails the second ("Already borrowed"), so no two threads share one.
_local = threading.local()
_fonts_lock = threading.Lock()


@cache
def _read_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def _fonts() -> typst.Fonts:
    with _fonts_lock:
        return _read_fonts()


def _compiler() -> typst.Compiler:
    compiler: typst.Compiler | None = getattr(_local, "compiler", None)
    if compiler is None:
        compiler = typst.Compiler(root=str(TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True)
        _local.compiler = compiler
    return compiler


def compiled(template: str, data: Mapping[str, object], issued_at: datetime) -> bytes:
    """The PDF of `templates/<template>.typ` with `data` as JSON; `issued_at` (aware) is its creation date.

    The data enters as a string and is parsed by typst's `json`, which makes plain values: it is never markup.
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)

    def attempt(standards: "list[typst.PDFStandard]") -> bytes:
        pdf = _compiler().compile(
            input=str(TEMPLATES / f"{template}.typ"),
            format="pdf",
            sys_inputs={"data": text},
            pdf_standards=standards,
            timestamp=int(issued_at.astimezone(UTC).timestamp()),
        )
        assert isinstance(pdf, bytes)
        return pdf

    try:
        return attempt(STANDARDS)
    except typst.TypstError:
        # A combination of characters that no single font can draw breaks the standards, not the parcel:
        # rather a paper with an empty glyph than none. An error in a template fails again here.
        return attempt([])


def pictured(template: str, data: Mapping[str, object], *, ppi: float = 60) -> bytes:
    """The first page as a PNG."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    found = _compiler().compile(
        input=str(TEMPLATES / f"{template}.typ"), format="png", ppi=ppi, sys_inputs={"data": text}
    )
    pages = found if isinstance(found, list) else [found]
    assert isinstance(pages[0], bytes)
    return pages[0]
