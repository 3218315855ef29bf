"""Picked units go into a box, with a packing slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from counterfoil.core import clock, documents
from counterfoil.core.actor import PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.machine import shift
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import PARCEL, Line, Order, Package, Part
from counterfoil.steps.fulfilment import papers
from counterfoil.steps.fulfilment.asked import Asked, lay_out, read
from counterfoil.steps.fulfilment.rules import choose, may_pack

MAX_WEIGHT_G = 2_000_000


def pack_order(
    *,
    order: str,
    actor: Actor,
    lines: Sequence[Mapping[str, Any]] | None = None,
    weight_g: int | None = None,
    part: int | None = None,
) -> Package:
    """Pack one box of one part: the units named, else everything that was picked and is in no box yet.

    Without `part` it is the first part that may be packed and has the SKUs. Raises Forbidden, Missing, Invalid (a wrong
    bottle, more than was picked, a weight that is none) or Refused (`someone_else` with who packed).
    """
    require(actor, PICKER)
    asked = None if lines is None else read(lines)
    if weight_g is not None and not 0 < weight_g <= MAX_WEIGHT_G:
        raise Invalid(("weight_g", f"must be between 1 and {MAX_WEIGHT_G} grams"))
    with writing():
        taken = take(order)
        if part is not None and not Part.objects.filter(order=taken, number=part).exists():
            raise Missing(f"{order} has no part {part}")
        skus = [one.sku for one in asked or ()]
        opened, found = choose(facts_of(taken), may_pack, ("waiting", "picking", "picked"), wanted=part, skus=skus)
        check(found)
        row, rows = _which(taken, [p.number for p in opened], asked)
        return _pack(taken, row, rows, _lay_out(asked, rows), weight_g, actor)


def _unpacked(line: Line) -> int:
    return line.picked - line.packed


def _which(order: Order, numbers: Sequence[int], asked: Sequence[Asked] | None) -> tuple[Part, list[Line]]:
    """The first of these parts whose lines have every SKU that was asked for; else the first."""
    parts = list(Part.objects.filter(order=order, number__in=numbers).order_by("number"))
    wanted = {one.sku for one in asked or ()}
    with_lines = [(p, papers.lines_of(p)) for p in parts]
    for found, rows in with_lines:
        if wanted <= {ln.sku for ln in rows if _unpacked(ln)}:
            return found, rows
    return with_lines[0]


def _lay_out(asked: Sequence[Asked] | None, rows: Sequence[Line]) -> list[tuple[Line, int]]:
    if asked is None:
        return [(ln, _unpacked(ln)) for ln in rows if _unpacked(ln)]
    return [
        (ln, n)
        for one in asked
        for ln, n, _ in lay_out(one, [r for r in rows if r.quantity], _unpacked, "picked and in no box yet")
    ]


def _pack(
    order: Order,
    part: Part,
    rows: Sequence[Line],
    share: Sequence[tuple[Line, int]],
    weight_g: int | None,
    actor: Actor,
) -> Package:
    last = Package.objects.filter(order=order).aggregate(last=Max("number"))["last"] or 0
    box = Package.objects.create(
        order=order,
        part=part,
        number=last + 1,
        lines=[{"line": ln.pk, "sku": ln.sku, "quantity": n} for ln, n in share],
        weight_g=weight_g,
        packed_by=actor.name,
        packed_at=clock.business_now(),
    )
    for ln, n in share:
        ln.packed += n
    Line.objects.bulk_update([ln for ln, _ in share], ["packed"])
    whole = all(ln.packed + ln.shipped >= ln.quantity for ln in rows)
    part.packed_by = actor.name
    part.save(update_fields=["packed_by"])
    slip = documents.issue(
        "packing-slip",
        subject=order.number,
        part=part.number,
        version=box.number,
        content=papers.packing_slip(order, part, rows, box, whole=whole),
    )
    units = ", ".join(f"{n} × {ln.sku}" for ln, n in share)
    note(
        order,
        "package_packed",
        actor=actor,
        text=f"Packed box {box.number}: {units}",
        part=part,
        moves=[shift(PARCEL, "pack", part, part=part.number)] if whole else [],
        data={"package": box.pk, "document": slip.number},
    )
    return box
