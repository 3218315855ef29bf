"""A shop that has run for a while gets places: what it has lies at its products' bins, and nothing is lost."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.flow.verify import units
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change, move
from counterfoil.records.stock.models import COLUMNS, Balance, Movement, Place
from counterfoil.records.stock.places import held_by
from counterfoil.records.stock.tests.build import at

pytestmark = pytest.mark.django_db
HOME = "A-1"


def before(product: Product, *moves: dict[str, Any]) -> None:
    """Movements as they were written then: some named a bin or a lot, some did not, and no place was kept."""
    balance, _ = Balance.objects.get_or_create(product=product)
    for number, made in enumerate(moves):
        Movement.objects.create(
            product=product, kind="before", cause=f"before:{product.pk}:{number}", actor="Pia", at=clock.business_now(),
            **made,
        )  # fmt: skip
        for column in COLUMNS:
            setattr(balance, column, getattr(balance, column) + made.get(column, 0))
    balance.save()


@pytest.fixture
def shop() -> tuple[Product, Product]:
    first, second = (
        Product.objects.create(sku=sku, name=sku, price=100, currency="USD", bin=HOME) for sku in ("ONE", "TWO")
    )
    before(
        first,
        {"on_hand": 10, "lot": "L1", "bin": HOME},
        {"on_hand": 5, "bin": "OLD-BIN"},
        {"reserved": 8},
        {"on_hand": -6, "reserved": -6, "picked": 6, "bin": "OLD-BIN", "line": 7, "subject": "CF-7"},
        {"picked": -2, "shipped": 2, "line": 7, "subject": "CF-7"},
        {"on_hand": -2, "reserved": -2, "picked": 2, "bin": HOME, "line": 8, "subject": "CF-8"},
        {"picked": -2, "shipped": 2, "line": 8, "subject": "CF-8"},
        {"on_hand": -1, "quarantined": 1},
    )
    before(second, {"on_hand": 3, "bin": HOME})
    return first, second


def give_places() -> None:
    migration = import_module("counterfoil.records.stock.migrations.0003_units_get_places")
    with connection.schema_editor() if connection.vendor == "postgresql" else connection.cursor() as editor:
        migration.give_places(None, editor)


def test_what_it_has_lies_at_its_products_bins_and_every_sum_is_right(shop: tuple[Product, Product]) -> None:
    first, second = shop
    assert units.places() != []
    give_places()
    assert at(first) == {(HOME, ""): (6, 4, 1)}
    assert at(second) == {(HOME, ""): (3, 0, 0)}
    assert units.balances() + units.places() == []


def test_what_is_in_a_pickers_hands_can_be_shipped_from_where_it_is_now(shop: tuple[Product, Product]) -> None:
    first, _ = shop
    give_places()
    (held,) = [h for h in held_by("CF-7", [7])[7] if h.picked]
    assert (held.bin, held.lot, held.picked) == (HOME, "", 4)
    with writing():
        ledger.lock([first.pk])
        told: dict[str, Any] = {"bin": held.bin, "lot": held.lot, "subject": "CF-7", "line": 7}
        move([Change(first.pk, "shipped", "ship:7", picked=-4, shipped=4, **told)], actor=SYSTEM)
    assert at(first) == {(HOME, ""): (6, 0, 1)}
    assert Place.objects.filter(product=first).count() == 1
    assert units.balances() + units.places() == []
