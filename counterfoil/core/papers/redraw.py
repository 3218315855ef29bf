"""A picture that somebody gave us, drawn anew: only pixels come out, whatever else its file held."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typst

_PAGE = "#set page(width: {page_width}, height: {page_height}, margin: 0pt, fill: none)\n#image({file}, {how})\n"


def redrawn(data: bytes, ending: str, *, width: int, height: int) -> bytes:
    """The picture as a PNG of so many pixels. Raises ValueError for one that cannot be read to its end."""
    how = f"width: {width}pt, height: {height}pt"
    return _drawn(data, ending, page_width=f"{width}pt", page_height=f"{height}pt", how=how)


def shape_of(data: bytes, ending: str) -> float:
    """Width by height as people see it: a camera may have noted beside the pixels that they lie on their side."""
    made = _drawn(data, ending, page_width="100pt", page_height="auto", how="width: 100pt")
    return int.from_bytes(made[16:20], "big") / int.from_bytes(made[20:24], "big")


def _drawn(data: bytes, ending: str, *, page_width: str, page_height: str, how: str) -> bytes:
    """By the renderer of our papers: what it can draw here it can draw there."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"given.{ending}").write_bytes(data)
        page = Path(folder, "page.typ")
        page.write_text(_PAGE.format(page_width=page_width, page_height=page_height, file=f'"given.{ending}"', how=how))
        try:
            made = typst.compile(str(page), root=folder, format="png", ppi=72, ignore_system_fonts=True)
        except typst.TypstError:
            raise ValueError("this picture cannot be read to its end; save it once more and try again") from None
    assert isinstance(made, bytes)
    return made
