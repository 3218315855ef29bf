"""What was scanned: an order by the bar code of its papers, or by what the carrier's program calls it."""

from __future__ import annotations

from collections.abc import Collection

from counterfoil.core.cards import mask_cards, says_card
from counterfoil.core.db import rows
from counterfoil.core.models import Document
from counterfoil.core.text import storable
from counterfoil.gateways.carrier.tracking import recognise
from counterfoil.records.orders.models import Order

LONGEST = 200  # characters of a bar code that are read


def scanned_text(text: str) -> str:
    """One line of what a scanner sent; empty for what nobody can have scanned."""
    one = " ".join(text.split())[:LONGEST]
    return one if storable(one) else ""


def order_of(text: str) -> Order | None:
    """The order whose number, or whose paper's number, was scanned."""
    wanted = text.upper()
    found = Order.objects.filter(number=wanted).first()
    if found is None and "-" in wanted:
        paper = Document.objects.filter(number=wanted).values_list("subject", flat=True).first()
        found = Order.objects.filter(number=paper).first() if paper else None
    return found


def orders_named(names: Collection[str]) -> dict[str, list[Order]]:
    """By name in upper case, the orders with that number or, in any channel, that reference: three statements."""
    wanted = sorted({n for n in names if n and storable(n)})
    if not wanted:
        return {}
    # Walks the distinct channels by the index (channel, reference) instead of reading the table.
    channels = rows(
        "WITH RECURSIVE known (channel) AS (SELECT MIN(channel) FROM orders_order UNION ALL SELECT (SELECT "
        "MIN(o.channel) FROM orders_order o WHERE o.channel > known.channel) FROM known WHERE known.channel IS NOT NULL"
        ") SELECT channel FROM known WHERE channel IS NOT NULL"
    )
    by_number = Order.objects.filter(number__in=[n.upper() for n in wanted])
    by_reference = Order.objects.filter(channel__in=[c for (c,) in channels], reference__in=wanted)
    found: dict[str, list[Order]] = {}
    for order in by_number:
        found[order.number] = [order]
    for order in by_reference.order_by("id"):
        mine = found.setdefault(order.reference.upper(), [])
        if order.pk not in {o.pk for o in mine} and not any(o.number == order.reference.upper() for o in mine):
            mine.append(order)
    return found


def is_no_parcel(number: str) -> bool:
    """Whether it looks like a card's number, and no carrier numbers its parcels so."""
    return says_card(number) and not recognise(number)


def shown(number: str) -> str:
    """A number as a page may repeat it: whole only when a carrier's check digit vouches for it, else without cards."""
    return number if recognise(number) else mask_cards(number)
