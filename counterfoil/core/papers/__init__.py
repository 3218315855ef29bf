"""The papers of an order as PDF: a stub, a perforation, a body.

`render` is pure: the same kind, content, paper and reprint give the same bytes in every process (with the same typst,
fonts and templates). It knows no database; money and dates come in as text. What each paper needs: `content.py`.
"""

import base64
from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from counterfoil.core.papers.barcode import code128
from counterfoil.core.papers.check import ContentError, UnknownKind, checked, moment
from counterfoil.core.papers.content import Kind, Party
from counterfoil.core.papers.engine import compiled, pictured
from counterfoil.core.papers.text import shortened

__all__ = ["KINDS", "ContentError", "UnknownKind", "picture", "render"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LOGO = (55, 13)  # mm that it may take at the head of a paper
# Papers that belong to no order, with what says whom or what they are for.
_OF_NO_ORDER = {"purchase-order": "supplier", "count-sheet": "scope", "day-sheet": "scope"}


def render(
    kind: str,
    content: Mapping[str, object],
    *,
    paper: Literal["a4", "letter"] = "a4",
    reprint: bool = False,
    logo: bytes = b"",
) -> bytes:
    """The paper `kind` (one of KINDS) as a PDF/A-3a and PDF/UA-1 document; `reprint` marks each page REPRINT.

    `logo` is the PNG that `content["shop"]["logo"]` names, if it names one.

    Raises UnknownKind (a KeyError), ContentError (a ValueError naming the field), ValueError for an unknown paper size.
    """
    data = _data(kind, content, paper, reprint, logo)
    return compiled(kind, data, moment(str(data["content"]["issued_at"])))


def picture(
    kind: str, content: Mapping[str, object], *, paper: Literal["a4", "letter"] = "a4", logo: bytes = b""
) -> bytes:
    """The first page as a PNG of 60 pixels to the inch, to show what it looks like. Raises what `render` raises."""
    return pictured(kind, _data(kind, content, paper, False, logo))


def _data(kind: str, content: Mapping[str, object], paper: str, reprint: bool, logo: bytes) -> dict[str, Any]:
    """What the template is given."""
    if paper not in ("a4", "letter"):
        raise ValueError(f'paper must be "a4" or "letter", not {paper!r}')
    fields = checked(kind, content)
    named = "logo" in cast(dict[str, str], fields["shop"])
    if named and not logo:
        raise ContentError("shop.logo", "is named, and its picture is not there")
    # A purchase order may serve many orders, and a count none, so their bar code is their own number.
    scanned = str(fields["number"] if kind in _OF_NO_ORDER else fields["order_number"])
    who = fields["scope"] if "scope" in fields else cast(Party, fields[_OF_NO_ORDER.get(kind, "bill_to")])["name"]
    drawn = {"logo": _embedded(logo)} if named else {}
    return drawn | {
        "paper": paper,
        "reprint": reprint,
        "scanned": scanned,
        "bars": code128(scanned),
        # The stub has room for two lines of a name; the address block has all of it.
        "who": shortened(str(who), 60),
        "content": fields,
    }


def _embedded(png: bytes) -> dict[str, Any]:
    """A picture as a text that typst reads (its own `bytes` would want a number for each), and how wide it is in mm."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><image width="{width}" '
        f'height="{height}" href="data:image/png;base64,{base64.b64encode(png).decode()}"/></svg>'
    )
    return {"picture": text, "width": min(LOGO[0], LOGO[1] * width / height)}
