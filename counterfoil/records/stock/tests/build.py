"""Shelves for tests that write their rows by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Balance, Place


def shelve(product: Product, on_hand: int, *, days_ago: int = 0, **where: Any) -> Place:
    """Units that the balance has already, put into a place of their own."""
    return Place.objects.create(
        product=product, on_hand=on_hand, first_at=clock.business_now() - timedelta(days=days_ago),
        **{"bin": product.bin, "value": on_hand * product.cost, **where},
    )  # fmt: skip


def hold(line: Line, units: int) -> None:
    """Units of a line are in the picker's hands: written in ledger and balance, not on the line."""
    with writing():
        ledger.lock([line.product_id])
        told: dict[str, Any] = {"subject": line.order.number, "line": line.pk}
        ledger.move(
            [
                Change(line.product_id, "adjusted", f"test:here:{line.pk}", on_hand=units),
                Change(line.product_id, "picked", f"test:pick:{line.pk}", on_hand=-units, picked=units, **told),
            ],
            actor=SYSTEM,
        )


def at(product: Product) -> dict[tuple[str, str], tuple[int, int, int]]:
    """By bin and lot: on hand, picked, quarantined. Empty places are left out."""
    return {
        (p.bin, p.lot): (p.on_hand, p.picked, p.quarantined)
        for p in Place.objects.filter(product=product)
        if p.on_hand or p.picked or p.quarantined
    }


def agree(product: Product) -> None:
    """The places of a product sum up to its balance."""
    balance = Balance.objects.get(product=product)
    places = list(Place.objects.filter(product=product))
    for column in ("on_hand", "picked", "quarantined"):
        assert sum(getattr(p, column) for p in places) == getattr(balance, column), column
