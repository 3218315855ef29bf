"""Taking a parcel apart again before it has left: for a cancelled or changed order."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.errors import blocked
from counterfoil.core.machine import Move, shift
from counterfoil.records.orders.models import PARCEL, Line, Order, Package, Part
from counterfoil.records.stock.ledger import Change, lock, move, once
from counterfoil.records.stock.places import held_by, spread


def put_back_parcel(*, taken_order: Order, part: Part, actor: Actor) -> list[Move]:
    """Empty the part's boxes and put its picked units back on the shelf, still reserved for their lines.

    Stands inside the `writing()` of the act that wants it, on an order that was taken; the moves that it returns belong
    into that act's journal row. Changes nothing, and returns no move, when nothing has been picked. Lines and part are
    written in the database: a caller that holds `Line` rows reads them anew. Raises Refused `already_shipped` when a
    unit of the part has left.
    """
    lines = list(Line.objects.filter(part=part).order_by("position"))
    if any(line.shipped for line in lines):
        raise blocked("already_shipped", "part of it has been shipped already")
    picked = [line for line in lines if line.picked]
    lock(line.product_id for line in picked)
    held = held_by(taken_order.number, [line.pk for line in picked])
    move(
        [
            Change(
                line.product_id,
                "put_back",
                once(f"put_back:line:{line.pk}:v{taken_order.version}", at),
                on_hand=units,
                reserved=units,
                picked=-units,
                subject=taken_order.number,
                line=line.pk,
                reason="taken back before shipping",
                bin=place.bin,
                lot=place.lot,
            )
            for line in picked
            for at, (place, units) in enumerate(spread(line.picked, held.get(line.pk, []), "picked"))
        ],
        actor=actor,
    )
    for line in picked:
        line.reserved += line.picked
        line.picked = line.packed = 0
    Line.objects.bulk_update(picked, ["reserved", "picked", "packed"])
    Package.objects.filter(part=part, shipment=None, unpacked_at=None).update(unpacked_at=clock.business_now())
    if part.parcel not in {"picking", "picked", "packed"}:
        return []
    part.picked_by = part.packed_by = ""
    part.save(update_fields=["picked_by", "packed_by"])
    return [shift(PARCEL, "unpick", part, part=part.number)]
