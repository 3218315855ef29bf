"""Amounts after an amendment: of each part from its lines, of the order from its parts."""

from __future__ import annotations

from typing import Any

from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums, resum
from counterfoil.steps.alternatives.queries import line_money, sums_of

AMOUNTS = ("subtotal", "shipping", "tax", "rounding", "total")


def lines_of(part: Part) -> list[Line]:
    return list(Line.objects.filter(part=part).order_by("position"))


def money_of(part: Part) -> list[LineMoney]:
    """What the part's lines cost as they stand."""
    return [line_money(line) for line in lines_of(part)]


def write(row: Part | Order, sums: Sums) -> None:
    """Keep these sums on a part or an order."""
    row.subtotal, row.shipping, row.tax = sums.subtotal, sums.shipping, sums.tax
    row.rounding, row.total = sums.rounding, sums.total
    row.save(update_fields=list(AMOUNTS))


def retotal(part: Part, before: list[LineMoney], currency: str, *, shipping: int | None = None) -> None:
    """Sum the part up again; `before` is what its lines were when its present sums were made."""
    write(part, resum(sums_of(part, currency), before, money_of(part), shipping=shipping))


def retotal_order(order: Order) -> None:
    """The order is the sum of its parts."""
    whole = Sums(0, 0, 0)
    for part in Part.objects.filter(order=order):
        whole = whole.plus(sums_of(part, order.currency))
    write(order, whole)


def picture(order: Order) -> dict[str, Any]:
    """The order's amounts for the journal, minor units."""
    return {name: int(getattr(order, name)) for name in AMOUNTS}
