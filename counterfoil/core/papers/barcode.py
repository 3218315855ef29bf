"""Code 128 as widths of bars and gaps; the template draws them."""

from itertools import groupby

from barcode.codex import Code128


def code128(text: str) -> list[int]:
    """Widths in modules, bar first, bars and gaps by turns, without quiet zone; `text` is printable ASCII."""
    (modules,) = Code128(text).build()
    return [len(list(run)) for _, run in groupby(modules)]
