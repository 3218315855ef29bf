"""Which orders of the review are on paper, and which nobody has printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from counterfoil.core.db import rows
from counterfoil.desk.narrow import Narrow
from counterfoil.desk.queries import SOONEST, list_of
from counterfoil.desk.rail_branches import IN_NO_LIST
from counterfoil.records.orders.models import Order

AT_ONCE = 200  # papers in one PDF
_PRINTED = (
    "EXISTS (SELECT 1 FROM core_document w JOIN core_printing p ON p.document_id = w.id "
    "WHERE w.subject = orders_order.number AND w.kind = 'web-order')"
)


def printed_of(orders: Sequence[Order]) -> frozenset[str]:
    """The numbers of those whose web order somebody has printed."""
    if not orders:
        return frozenset()
    marks = ", ".join(["%s"] * len(orders))
    found = rows(
        "SELECT DISTINCT w.subject FROM core_document w JOIN core_printing p ON p.document_id = w.id "
        f"WHERE w.kind = 'web-order' AND w.subject IN ({marks})",
        [o.number for o in orders],
    )
    return frozenset(str(number) for (number,) in found)


def not_printed(limit: int, narrow: Narrow | None = None) -> list[str]:
    """The numbers of orders to be reviewed that nobody has printed, in the order of their list, narrowed as it is."""
    which, params = f"queue = 'review' AND {IN_NO_LIST}", list[Any]()
    if narrow is not None and narrow.on:
        ids, params = list_of("review", narrow)
        which = f"id IN ({ids})"
    found = rows(
        f"SELECT number FROM orders_order WHERE {which} AND NOT {_PRINTED} ORDER BY {SOONEST} LIMIT %s",
        [*params, limit],
    )
    return [str(number) for (number,) in found]
