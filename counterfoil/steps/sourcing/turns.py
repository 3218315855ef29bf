"""Whose turn it is for units that have come free, and telling the orders what they got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F

from counterfoil.core.actor import Actor
from counterfoil.core.journal import Event, record_many
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.models import Balance
from counterfoil.steps.sourcing.allotment import Allotment, Touched
from counterfoil.steps.sourcing.models import Peg
from counterfoil.steps.sourcing.queries import WaitingLine, open_purchase_lines, waiting_lines
from counterfoil.steps.sourcing.rules import Want, cut

# As many orders get their units in one transaction, the rest in the next.
MOST_ORDERS = 500


def take_many(ids: Iterable[int]) -> dict[int, Order]:
    """Become the one writer of several orders, in id order, so that two of us cannot lock each other out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk"))
    Order.objects.filter(pk__in=wanted).update(version=F("version") + 1)
    return {order.pk: order for order in Order.objects.filter(pk__in=wanted).order_by("pk")}


def open_allotment(
    products: Iterable[int],
    *,
    also: Iterable[int] = (),
    arriving: Mapping[int, int] | None = None,
    freed: Mapping[int, int] | None = None,
) -> tuple[Allotment, bool]:
    """Take the orders `also` and those whose turn it is for what these products have to give, and lay them out.

    By product, `arriving` are units that the caller is about to put on the shelf, `freed` units on order that somebody
    is about to let go. The second value says whether orders were left for another turn (`MOST_ORDERS`).
    """
    ids = sorted(set(products))
    free = {b.product_id: b.free for b in Balance.objects.filter(product_id__in=ids, waiting__gt=0)}
    rows = waiting_lines(free) if free else []
    here = {pk: max(0, units) + (arriving or {}).get(pk, 0) for pk, units in free.items()}
    spare = _spare(free)
    later = {pk: max(0, spare.get(pk, 0)) + (freed or {}).get(pk, 0) for pk in free}
    reached = _reached(rows, here, later)
    chosen = list(dict.fromkeys(row.order for row in rows if row.line in reached))
    held = take_many([*also, *chosen[:MOST_ORDERS]])
    return Allotment(orders=held, products=ids), len(chosen) > MOST_ORDERS


def _spare(products: Iterable[int]) -> dict[int, int]:
    """By product, units on order that are meant for nobody yet."""
    out: dict[int, int] = {}
    for supply in open_purchase_lines(products):
        out[supply.product_id] = out.get(supply.product_id, 0) + supply.outstanding
    for product_id, meant in Peg.objects.filter(purchase_line__product_id__in=list(out)).values_list(
        "purchase_line__product_id", "quantity"
    ):
        out[product_id] -= meant
    return out


def _reached(rows: Sequence[WaitingLine], here: Mapping[int, int], later: Mapping[int, int]) -> set[int]:
    """The lines that units on the shelf (`here`) or to come (`later`) can reach, oldest promise first."""
    out: set[int] = set()
    for product_id, units in here.items():
        mine = [row for row in rows if row.product == product_id]
        served = {w.id for w in cut([Want(r.line, r.open_units, r.promise, r.placed_at) for r in mine], units)}
        # Units from the shelf free the pegs of whoever gets them, for somebody who is short.
        freed = sum(max(0, r.open_units - r.short) for r in mine if r.line in served)
        short = [Want(r.line, r.short, r.promise, r.placed_at) for r in mine if r.short > 0]
        out |= served | {w.id for w in cut(short, later[product_id] + freed)}
    return out


def note_touched(kind: str, touched: Iterable[Touched], *, actor: Actor, reason: str) -> None:
    """Write the journal row of every order that an allotment changed; a cancelled order's lost pegs are no event."""
    record_many(
        kind,
        actor=actor,
        events=[
            Event(
                t.order.number,
                f"{reason}: {t.words}" if t.words else reason,
                version=t.order.version,
                data={
                    "lines": [
                        {"sku": ln.sku, "reserved": ln.reserved, "due": ln.due, "short": max(0, ln.short)}
                        for ln in t.lines
                    ]
                },
                moves=t.moves,
            )
            for t in touched
            if t.order.cancelled_at is None
        ],
    )
