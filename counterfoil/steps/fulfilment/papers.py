"""What stands on a pick list and on a packing slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.core import clock, documents
from counterfoil.records.orders.models import Line, Order, Package, Part
from counterfoil.records.orders.slip import order_paper, say_date
from counterfoil.records.stock.models import Place
from counterfoil.records.stock.rules import Share, walk

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


Fetched = Mapping[int, Sequence[Share]]
"""By order line: which places its units are fetched from."""


def pick_list(order: Order, part: Part, lines: Sequence[Line], fetched: Fetched) -> dict[str, Any]:
    """What is still to be fetched of a part, bin by bin as a picker walks, then by SKU; a line for each bin and lot."""
    wanted = [(share, ln) for ln in lines if ln.reserved for share in fetched.get(ln.pk, [])]
    wanted.sort(key=lambda row: (*walk(row[0].place.bin), row[1].sku, row[0].place.lot))
    return {
        **order_paper(order, at=clock.business_now()),
        "carrier": "",  # chosen when it is shipped
        "promise": say_date(part.promise_date) or None,
        "age_notice": age_notice(lines),
        "lines": [
            {
                "bin": share.place.bin,
                "sku": ln.sku,
                "name": ln.name,
                "quantity": share.units,
                "lot": share.place.lot or None,
                "detail": _detail(ln, share.place),
                "note": f"instead of {ln.replaces.name}, as agreed" if ln.replaces else None,
            }
            for share, ln in wanted
        ],
    }


def _detail(line: Line, place: Place) -> str | None:
    date_words = f"good until {place.best_before.isoformat()}" if place.best_before else ""
    return ", ".join(word for word in (line.product.size, date_words) if word) or None


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
