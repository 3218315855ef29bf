"""What stands on a pick list and on a packing slip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from counterfoil.core import clock, documents
from counterfoil.records.orders.models import Line, Order, Package, Part
from counterfoil.records.orders.slip import order_paper, say_date

# The words that carriers require on a parcel with alcohol (UPS and FedEx, as read in November 2026).
AGE_NOTICE = "CONTAINS ALCOHOL: SIGNATURE OF PERSON AGE 21 YEARS OR OLDER REQUIRED FOR DELIVERY"


def lines_of(part: Part) -> list[Line]:
    """The part's lines with their products, in their order."""
    return list(Line.objects.filter(part=part).select_related("product", "replaces").order_by("position"))


def age_notice(lines: Sequence[Line]) -> str | None:
    """The alcohol notice when one of these lines is age restricted."""
    return AGE_NOTICE if any(ln.product.age_restricted for ln in lines if ln.quantity) else None


def sales_order_version(order: Order, part: Part) -> int:
    """The version of the part's newest sales order; 1 before there is one."""
    found = documents.newest(order.number, "sales-order", part=part.number)
    return found.version if found is not None else 1


def by_bin(line: Line) -> tuple[bool, list[tuple[int, int, str]], str]:
    """Sorts lines as a picker walks: A-2 comes before A-10, and what has no place comes last."""
    pieces = re.findall(r"\d+|\D+", line.product.bin.upper())
    walk = [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces]
    return not line.product.bin, walk, line.sku


def pick_list(order: Order, part: Part, lines: Sequence[Line]) -> dict[str, Any]:
    """What is still to be fetched of a part, sorted by bin and then by SKU."""
    wanted = sorted((ln for ln in lines if ln.reserved), key=by_bin)
    return {
        **order_paper(order, at=clock.business_now()),
        "carrier": "",  # chosen when it is shipped
        "promise": say_date(part.promise_date) or None,
        "age_notice": age_notice(lines),
        "lines": [
            {
                "bin": ln.product.bin,
                "sku": ln.sku,
                "name": ln.name,
                "quantity": ln.reserved,
                "detail": ln.product.size or None,
                "note": f"instead of {ln.replaces.name}, as agreed" if ln.replaces else None,
            }
            for ln in wanted
        ],
    }


def packing_slip(order: Order, part: Part, lines: Sequence[Line], box: Package, *, whole: bool) -> dict[str, Any]:
    """What is in this box, without prices. `whole`: with it, everything of the part is packed."""
    boxes = Package.objects.filter(part=part, unpacked_at=None).count()
    inside = {int(entry["line"]): int(entry["quantity"]) for entry in box.lines}
    packed = [ln for ln in lines if ln.pk in inside]
    return {
        **order_paper(order, at=clock.business_now()),
        # While units wait for another box it is "1 of 2": how many there will be in the end nobody knows yet.
        "package": {"n": boxes, "of": boxes if whole else boxes + 1, "contents": _contents(box, whole=whole)},
        "age_notice": age_notice(packed),
        "lines": [
            {"sku": ln.sku, "name": ln.name, "quantity": inside[ln.pk], "detail": ln.product.size or None}
            for ln in packed
        ],
    }


def _contents(box: Package, *, whole: bool) -> str:
    words = [f"No. {box.number}"]
    if box.weight_g:
        words.append(f"{box.weight_g / 1000:g} kg")
    if not whole:
        words.append("more to follow")
    return ", ".join(words)
