"""Writing what an amendment wants into lines and parts: units through the ledger, sums as they were worked out."""

from __future__ import annotations

from counterfoil.core.machine import shift
from counterfoil.flow.amend.making import Change, next_position, open_up
from counterfoil.flow.amend.totals import lines_of, write
from counterfoil.flow.amend.units import reserve_now, take_off
from counterfoil.flow.amend.wanted import Row, Wanted
from counterfoil.flow.rules import NO_MONEY_YET
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import MONEY, Line, Part
from counterfoil.records.stock.ledger import change_waiting, lock
from counterfoil.steps.alternatives.queries import sums_of


def put(change: Change, wanted: Wanted) -> None:
    """Bring lines, parts, delivery and address to what is wanted; the order is taken, its goods are locked."""
    order = change.order
    parts = {p.number: p for p in Part.objects.filter(order=order).order_by("number")}
    lines = {line.pk: line for line in Line.objects.filter(order=order)}
    for number, part in parts.items():
        mine = [row for row in wanted.rows if row.part == number]
        moved = [row for row in mine if row.id is None or lines[row.id].quantity != row.money.quantity]
        if moved:
            open_up(change, change.part(number))
        for row in sorted(mine, key=lambda r: (r.money.quantity > 0, r.id or 0)):
            _put_row(change, part, row)
        sums = wanted.sums[number]
        if moved or sums != sums_of(part, order.currency):
            write(change.part(number), sums)
        _end(change, number)
    if (order.shipping_method, order.shipping_address) != (wanted.method, dict(wanted.address)):
        order.shipping_method, order.shipping_address = wanted.method, dict(wanted.address)
        order.save(update_fields=["shipping_method", "shipping_address"])
        for number, part in parts.items():
            if part.parcel not in {"shipped", "delivered", "returned"}:
                change.part(number)  # its sales order is made anew


def _put_row(change: Change, part: Part, row: Row) -> None:
    order, actor, money = change.order, change.actor, row.money
    if row.id is None:
        product = Product.objects.get(pk=row.product)
        line = Line.objects.create(
            order=order,
            part=part,
            position=next_position(order),
            product=product,
            sku=product.sku,
            name=product.name,
            quantity=money.quantity,
            unit_price=money.unit_price,
            tax_ppm=money.tax_ppm,
            tax=money.tax,
            replaces_id=row.replaces,
        )
        change_waiting({product.pk: money.quantity})
        _reserve(change, line)
        return
    line = change.line(row.id)
    grown = money.quantity - line.quantity
    if grown < 0:
        take_off(line, -grown, order=order, actor=actor)
    elif grown > 0:
        line.quantity += grown
        line.save(update_fields=["quantity"])
        change_waiting({line.product_id: grown})
    kept = (line.unit_price, line.tax_ppm, line.tax, line.cancelled)
    if kept != (money.unit_price, money.tax_ppm, money.tax, row.cancelled):
        line.unit_price, line.tax_ppm, line.tax, line.cancelled = (
            money.unit_price,
            money.tax_ppm,
            money.tax,
            row.cancelled,
        )
        line.save(update_fields=["unit_price", "tax_ppm", "tax", "cancelled"])
    if grown > 0:
        _reserve(change, line)


def _reserve(change: Change, line: Line) -> None:
    """What is free on the shelf is the order's in the same moment; the stock check sees to the rest."""
    free = lock([line.product_id])[line.product_id].free
    reserve_now(line, min(line.open_units, max(0, free)), order=change.order, actor=change.actor)


def _end(change: Change, number: int) -> None:
    """A part that has lost its last line is charged nothing."""
    part = change.touched.get(number)
    if part is not None and not any(line.quantity for line in lines_of(part)) and part.money in NO_MONEY_YET:
        change.moves.append(shift(MONEY, "void", part, part=number))
