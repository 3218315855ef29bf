"""The papers of an order as PDF: a stub, a perforation, a body.

`render` is pure: the same kind, content, paper and reprint give the same bytes in every process (with the same typst,
fonts and templates). It knows no database; money and dates come in as text. What each paper needs: `content.py`.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from counterfoil.core.papers.barcode import code128
from counterfoil.core.papers.check import ContentError, UnknownKind, checked, moment
from counterfoil.core.papers.content import Kind, Party
from counterfoil.core.papers.engine import compiled, pictured
from counterfoil.core.papers.text import shortened

__all__ = ["KINDS", "ContentError", "UnknownKind", "picture", "render"]

KINDS: tuple[Kind, ...] = get_args(Kind)
# Papers that belong to no order, with what says whom or what they are for.
_OF_NO_ORDER = {"purchase-order": "supplier", "count-sheet": "scope", "day-sheet": "scope"}


def render(
    kind: str, content: Mapping[str, object], *, paper: Literal["a4", "letter"] = "a4", reprint: bool = False
) -> bytes:
    """The paper `kind` (one of KINDS) as a PDF/A-3a and PDF/UA-1 document; `reprint` marks each page REPRINT.

    Raises UnknownKind (a KeyError), ContentError (a ValueError naming the field), ValueError for an unknown paper size.
    """
    data = _data(kind, content, paper, reprint)
    return compiled(kind, data, moment(str(data["content"]["issued_at"])))


def picture(kind: str, content: Mapping[str, object], *, paper: Literal["a4", "letter"] = "a4") -> bytes:
    """The first page as a PNG of 60 pixels to the inch, to show what it looks like. Raises what `render` raises."""
    return pictured(kind, _data(kind, content, paper, False))


def _data(kind: str, content: Mapping[str, object], paper: str, reprint: bool) -> dict[str, Any]:
    """What the template is given."""
    if paper not in ("a4", "letter"):
        raise ValueError(f'paper must be "a4" or "letter", not {paper!r}')
    fields = checked(kind, content)
    # A purchase order may serve many orders, and a count none, so their bar code is their own number.
    scanned = str(fields["number"] if kind in _OF_NO_ORDER else fields["order_number"])
    who = fields["scope"] if "scope" in fields else cast(Party, fields[_OF_NO_ORDER.get(kind, "bill_to")])["name"]
    return {
        "paper": paper,
        "reprint": reprint,
        "scanned": scanned,
        "bars": code128(scanned),
        # The stub has room for two lines of a name; the address block has all of it.
        "who": shortened(str(who), 60),
        "content": fields,
    }
