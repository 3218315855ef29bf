"""Stock has come free: the oldest promise gets it."""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.core import jobs
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.records.orders.models import Line
from counterfoil.steps.sourcing.turns import note_touched, open_allotment


def fill_waiting(*, product_ids: Iterable[int], actor: Actor) -> list[str]:
    """Give free units of these products to the lines that wait, oldest promise first; then cover who is still short.

    Orders that nobody has approved yet get theirs too: shop orders come reserved. Returns the numbers of the orders
    that have just become complete. Does nothing when nobody waits or nothing is free.
    """
    ids = sorted(set(product_ids))
    with writing():
        laid, more = open_allotment(ids)
        if not laid.orders:
            return []
        laid.settle()
        touched = laid.save(actor=actor)
        note_touched("stock_filled", touched, actor=actor, reason="Stock came free")
        if more and touched:
            for product_id in ids:
                jobs.enqueue("sourcing.fill", key=str(product_id), payload={"product": product_id})
    return [t.order.number for t in touched if t.ready]


def unpeg_line(*, line: int, actor: Actor) -> None:
    """A line wants fewer units than are on order for it: others get the rest. Doing it twice changes nothing."""
    with writing():
        found = Line.objects.filter(pk=line).values_list("order_id", "product_id", "due").first()
        if found is None:
            return
        order_id, product_id, due = found
        laid, _ = open_allotment([product_id], also=[order_id], freed={product_id: due})
        laid.settle()
        touched = laid.save(actor=actor)
        note_touched("stock_reassigned", touched, actor=actor, reason="Goods on order were freed")
