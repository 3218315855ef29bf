"""Units break on the packing table, or in a box: set aside, and others in their place where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import CLERK, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.machine import Move, shift
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import PARCEL, STOCK, Line, Order, Package, Part
from counterfoil.records.stock.ledger import Change, change_waiting, lock, move, once
from counterfoil.records.stock.places import Held, Wanted, held_by, keep_plans, shelves, spread
from counterfoil.records.stock.rules import Share
from counterfoil.steps.fulfilment.asked import Asked, lay_out, read
from counterfoil.steps.fulfilment.papers import lines_of
from counterfoil.steps.fulfilment.rules import choose, may_break, may_open


def break_units(
    *, order: str, actor: Actor, lines: Sequence[Mapping[str, Any]], part: int | None = None, package: int | None = None
) -> Order:
    """Units that were picked broke before they left: they are quarantined with the cause in the ledger.

    `lines` is `[{sku, quantity}]`. Those lie on the table, in no box yet, or in the box with the id `package`, which is
    open again then: the rest of it is packed anew. While others of the product are free the line reserves as many and
    they are to be picked; else the line is open again, as after a short pick. No money moves. Nothing but that they
    have left stops it: what broke has broken, on hold or not. A box may be opened by a clerk too. Raises Forbidden,
    Missing, Invalid or Refused (`not_picked`, `not_packed`, `already_shipped`, or `someone_else` with who packed them).
    """
    require(actor, *([PICKER] if package is None else [CLERK, PICKER]))
    asked = read(lines)
    with writing():
        taken = take(order)
        if part is not None and not Part.objects.filter(order=taken, number=part).exists():
            raise Missing(f"{order} has no part {part}")
        if package is not None:
            _break_in_box(taken, package, part, asked, actor)
            return taken
        skus = [one.sku for one in asked]
        opened, found = choose(facts_of(taken), may_break, ("waiting", "picking", "picked"), wanted=part, skus=skus)
        check(found)
        parts = list(Part.objects.filter(order=taken, number__in=[p.number for p in opened]).order_by("number"))
        rows = [ln for row in parts for ln in lines_of(row)]
        share = [
            (ln, n)
            for one in asked
            for ln, n, _ in lay_out(one, rows, lambda ln: ln.picked - ln.packed, "picked and in no box yet")
        ]
        broken = _set_aside(taken, share, actor, why=f"broken when {order} was packed")
        for row in parts:
            mine = [one for one in broken if one.line.part_id == row.pk]
            if mine:
                _note(taken, row, mine, [ln for ln in rows if ln.part_id == row.pk], actor)
    return taken


def _break_in_box(order: Order, package: int, part: int | None, asked: Sequence[Asked], actor: Actor) -> None:
    """The box is opened, and what broke in it is set aside."""
    box = Package.objects.filter(pk=package, order=order).select_related("part").first()
    if box is None or (part is not None and box.part.number != part):
        raise Invalid(("package", f"{order.number} has no package {package}"))
    check(next(may_open(facts, p) for facts in [facts_of(order)] for p in facts.parts if p.number == box.part.number))
    if box.unpacked_at is not None:
        raise blocked("not_packed", f"box {box.number} is open already")
    rows = lines_of(box.part)
    inside = {int(entry["line"]): int(entry["quantity"]) for entry in box.lines}
    share = [
        (ln, n)
        for one in asked
        for ln, n, _ in lay_out(one, rows, lambda ln: inside.get(ln.pk, 0), f"in box {box.number}")
    ]
    for line in rows:
        line.packed -= inside.get(line.pk, 0)
    Line.objects.bulk_update(rows, ["packed"])
    box.unpacked_at = clock.business_now()
    box.save(update_fields=["unpacked_at"])
    box.part.packed_by = ""
    box.part.save(update_fields=["packed_by"])
    moves = [shift(PARCEL, "open", box.part, part=box.part.number)] if box.part.parcel == "packed" else []
    broken = _set_aside(order, share, actor, why=f"broken in box {box.number} of {order.number}")
    _note(order, box.part, broken, rows, actor, moves=moves, box=box)


@dataclass
class _Broken:
    """Units of one line that broke, and what becomes of the line: others are fetched, or it waits for some."""

    line: Line
    units: int
    again: int  # others that are reserved in their place
    elsewhere: list[Share] = field(default_factory=list)  # where all that is reserved for the line is to be fetched

    @property
    def lost(self) -> int:
        return self.units - self.again


def _set_aside(order: Order, share: Sequence[tuple[Line, int]], actor: Actor, *, why: str) -> list[_Broken]:
    """Picked -> quarantined at the places that they came from; what is free takes their place."""
    balances = lock(ln.product_id for ln, _ in share)
    held = held_by(order.number, [ln.pk for ln, _ in share])
    spare = {pk: balance.free for pk, balance in balances.items()}
    broken = []
    for line, units in share:
        again = min(units, spare[line.product_id])
        spare[line.product_id] -= again
        broken.append(_Broken(line, units, again))
    move([change for one in broken for change in _changes(order, one, held.get(one.line.pk, []), why)], actor=actor)
    for one in broken:
        one.line.picked -= one.units
        one.line.reserved += one.again
    Line.objects.bulk_update([one.line for one in broken], ["picked", "reserved"])
    lost: dict[int, int] = {}
    for one in broken:
        lost[one.line.product_id] = lost.get(one.line.product_id, 0) + one.lost
    change_waiting(lost)
    for product in sorted(product for product, units in lost.items() if units):
        jobs.enqueue("sourcing.fill", key=str(product), payload={"product": product})
    _list_others([one for one in broken if one.again])
    return broken


def _changes(order: Order, one: _Broken, held: Sequence[Held], why: str) -> list[Change]:
    line, key = one.line, f"line:{one.line.pk}:v{order.version}"
    told: dict[str, Any] = {"subject": order.number, "line": line.pk}
    changes = [
        Change(
            line.product_id, "broke_at_packing", once(f"broke:{key}", at), picked=-units, quarantined=units,
            bin=place.bin, lot=place.lot, reason=why, **told,
        )
        for at, (place, units) in enumerate(spread(one.units, held, "picked"))
    ]  # fmt: skip
    if one.again:
        changes.append(Change(line.product_id, "reserved", f"broke_again:{key}", reserved=one.again, **told))
    return changes


def _list_others(replaced: Sequence[_Broken]) -> None:
    """Choose the lots of those that are to be fetched instead, and keep them apart from other lists."""
    shelf = shelves(one.line.product_id for one in replaced)
    for one in replaced:
        one.elsewhere = shelf.plan(Wanted(one.line.pk, one.line.product_id, one.line.reserved))
    keep_plans(shelf, [one.line.pk for one in replaced])


def _note(
    order: Order, part: Part, broken: Sequence[_Broken], lines: Sequence[Line], actor: Actor,
    *, moves: Sequence[Move] = (), box: Package | None = None,
) -> None:  # fmt: skip
    moves = [*moves]
    if part.parcel == "picked" or not any(ln.picked for ln in lines):
        moves.append(shift(PARCEL, "break" if any(ln.picked for ln in lines) else "unpick", part, part=part.number))
    if part.parcel == "waiting":
        part.picked_by = ""
        part.save(update_fields=["picked_by"])
    if any(one.lost for one in broken) and part.stock in STOCK.table["fall_short"][0] and part.stock != "unchecked":
        moves.append(shift(STOCK, "fall_short", part, part=part.number))
    units = ", ".join(f"{one.units} × {one.line.sku}" for one in broken)
    if box is None:
        said = [f"Broken at packing: {units}. Set aside"]
    else:
        said = [f"Broken in box {box.number}: {units}. Set aside", f"Box {box.number} is open again"]
    for one in broken:
        if one.again:
            where = "; ".join(f"{share.units} from {share.place.where}" for share in one.elsewhere)
            said.append(f"Instead of {one.again} × {one.line.sku}: fetch {where}")
    if any(one.lost for one in broken):
        said.append(f"{', '.join(f'{one.lost} × {one.line.sku}' for one in broken if one.lost)}: open again")
    note(
        order,
        "units_broken",
        actor=actor,
        text=". ".join(said),
        part=part,
        moves=moves,
        data={"lines": [_told(one) for one in broken]} | ({"package": box.pk} if box else {}),
    )


def _told(one: _Broken) -> dict[str, Any]:
    elsewhere = [{"bin": s.place.bin, "lot": s.place.lot, "quantity": s.units} for s in one.elsewhere]
    return {
        "line": one.line.pk, "sku": one.line.sku, "quantity": one.units, "missing": one.lost, "elsewhere": elsewhere,
    }  # fmt: skip
