"""The ship date that a review proposes: when the last line of an order can ship."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from counterfoil.core.shop import shop
from counterfoil.desk.calling import too_late
from counterfoil.desk.slips import Slip
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.stock.availability import days_of_lines, soon


class Proposed(NamedTuple):
    """A ship date, as a form shows it, and why it is not sooner."""

    day: str
    why: list[str]


def proposed_of(slip: Slip | None) -> Proposed:
    """The date for the order on the slip, and for each line that waits, why then."""
    if slip is None or slip.verb != "review":
        return Proposed(soon(shop()).isoformat(), [])
    days = days_of_lines(slip.lines)
    waits = [(ln, days[ln.pk]) for ln in slip.lines if ln.pk in days and days[ln.pk].waits]
    known = [found.day for found in days.values() if found.day is not None]
    latest = max(known, default=soon(shop()))
    late = too_late(slip.order, latest, shop())
    why = [f"{ln.name}: {found.why}" for ln, found in waits]
    return Proposed(latest.isoformat(), [f"! {late}", *why] if late else why)


def proposed_days(orders: Sequence[Order]) -> dict[int, date]:
    """The date of each of many orders, by id: three statements for all of them."""
    lines = list(Line.objects.filter(order__in=orders).order_by("order_id", "position"))
    days = days_of_lines(lines)
    out = {o.pk: soon(shop()) for o in orders}
    for line in lines:
        found = days.get(line.pk)
        if found is not None and found.day is not None:
            out[line.order_id] = max(out[line.order_id], found.day)
    return out
