"""What goods cost goes with them: in at what was paid, out at the average of what lies there, to the cent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.actor import BUYER, Actor
from counterfoil.core.db import writing
from counterfoil.flow.verify import books, units
from counterfoil.records.books.models import Posting
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.handling import transfer_stock
from counterfoil.records.stock.ledger import Change, move
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.worth import Pile

BEA = Actor("person", "Bea", BUYER)


def a_wine(sku: str = "GULL-19", cost: int = 900) -> Product:
    return create_product(actor=BEA, sku=sku, name=sku, price=1800, currency="USD", cost=cost, bin="A-1")


def moved(*changes: Change) -> dict[str, int]:
    with writing():
        ledger.lock([c.product_id for c in changes])
        return move(changes, actor=BEA)


def worth(wine: Product) -> dict[tuple[str, str], int]:
    return {(p.bin, p.lot): p.value for p in Place.objects.filter(product=wine) if p.value}


@given(st.integers(1, 50), st.integers(0, 10**9), st.lists(st.integers(1, 20), max_size=30))
def test_the_last_unit_takes_what_is_left_and_nothing_is_lost_to_rounding(
    units_: int, value: int, taken: list[int]
) -> None:
    pile, out = Pile(units_, value), 0
    for some in [*taken, units_]:
        out += pile.take(min(some, pile.units)) if pile.units else 0
        assert 0 <= pile.value <= value
    assert (pile.units, pile.value, out) == (0, 0, value)


@pytest.mark.django_db
def test_what_is_fetched_set_aside_or_carried_stays_worth_what_it_cost() -> None:
    wine = a_wine()
    moved(Change(wine.pk, "received", "in", on_hand=3, bin="A-1", lot="L1", value=1000))
    assert moved(Change(wine.pk, "picked", "fetch", on_hand=-2, picked=2, bin="A-1", lot="L1")) == {}
    assert moved(Change(wine.pk, "damaged", "broke", on_hand=-1, quarantined=1, bin="A-1", lot="L1")) == {}
    moved(Change(wine.pk, "put_back", "back", on_hand=2, picked=-2, bin="A-1", lot="L1"))
    transfer_stock(actor=BEA, sku="GULL-19", quantity=2, bin="A-1", to_bin="C-2", lot="L1")
    assert worth(wine) == {("C-2", "L1"): 666, ("A-1", "L1"): 334}
    transfer_stock(actor=BEA, sku="GULL-19", quantity=2, bin="C-2", to_bin="A-1", lot="L1")
    assert worth(wine) == {("A-1", "L1"): 1000}
    assert units.places() == []


@pytest.mark.django_db
def test_each_lot_leaves_at_what_it_cost_and_one_without_a_price_at_the_products() -> None:
    wine = a_wine()
    moved(
        Change(wine.pk, "received", "dear", on_hand=2, bin="A-1", lot="DEAR", value=2400),
        Change(wine.pk, "received", "cheap", on_hand=2, bin="A-1", lot="CHEAP", value=1000),
    )
    adjust_stock(actor=BEA, sku="GULL-19", quantity=1, reason="found behind the shelf", lot="DEAR")
    assert worth(wine) == {("A-1", "DEAR"): 3300, ("A-1", "CHEAP"): 1000}
    assert moved(
        Change(wine.pk, "shipped", "one", on_hand=-1, shipped=1, bin="A-1", lot="CHEAP"),
        Change(wine.pk, "shipped", "two", on_hand=-1, shipped=1, bin="A-1", lot="DEAR"),
    ) == {"one": -500, "two": -1100}
    assert [m.value for m in Movement.objects.filter(kind="shipped").order_by("id")] == [-500, -1100]
    assert units.places() == []


@pytest.mark.django_db
def test_a_product_without_a_cost_is_worth_what_lies_there() -> None:
    wine = a_wine(cost=0)
    adjust_stock(actor=BEA, sku="GULL-19", quantity=4, reason="opening stock")
    assert worth(wine) == {}
    moved(Change(wine.pk, "received", "in", on_hand=4, bin="A-1", value=4000))
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="found")
    assert worth(wine) == {("A-1", ""): 5000}
    adjust_stock(actor=BEA, sku="GULL-19", quantity=-10, reason="stolen")
    assert worth(wine) == {}


@pytest.mark.django_db
def test_the_account_of_goods_in_stock_is_judged_against_the_shelf() -> None:
    wine = a_wine()
    adjust_stock(actor=BEA, sku="GULL-19", quantity=4, reason="opening stock")
    adjust_stock(actor=BEA, sku="GULL-19", quantity=-1, reason="broken")
    assert books.goods() == units.places() == []
    assert sum(Posting.objects.filter(account="inventory").values_list("amount", flat=True)) == 2700
    Place.objects.filter(product=wine).update(value=2699)
    assert books.goods() == ["inventory holds 2700 USD; the shelf is worth 2699, what has left without an invoice 0"]
    assert units.places() == ["GULL-19 in bin A-1, lot -: value is 2699, its movements sum to 2700"]
