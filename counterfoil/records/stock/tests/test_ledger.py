"""Movements, balances and places go together, in a number of statements that does not grow."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock
from counterfoil.core.actor import BUYER, Actor
from counterfoil.core.db import execute, writing
from counterfoil.core.errors import Invalid, Refused
from counterfoil.flow.verify import units
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.ledger import Change, move
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.tests.build import at

pytestmark = pytest.mark.django_db
BEA = Actor("person", "Bea", BUYER)


def a_wine(sku: str = "GULL-19") -> Product:
    return create_product(actor=BEA, sku=sku, name=sku, price=1800, currency="USD", cost=900, bin="A-1")


def moved(*changes: Change) -> None:
    with writing():
        ledger.lock([c.product_id for c in changes])
        move(changes, actor=BEA)


def clean() -> bool:
    return not (units.balances() or units.places())


def test_units_come_to_the_products_bin_and_a_named_lot_to_its_own_place() -> None:
    wine = a_wine()
    adjust_stock(actor=BEA, sku="GULL-19", quantity=6, reason="opening stock")
    adjust_stock(actor=BEA, sku="GULL-19", quantity=4, reason="found", lot="L7", best_before=date(2027, 5, 1))
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="found", bin="C-9", lot="L7")
    assert at(wine) == {("A-1", ""): (6, 0, 0), ("A-1", "L7"): (4, 0, 0), ("C-9", "L7"): (2, 0, 0)}
    assert clean()


def test_what_is_taken_away_comes_from_where_it_is_said_to_lie_and_else_by_the_shops_rule() -> None:
    wine = a_wine()
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="came", lot="LATE", best_before=date(2028, 5, 1))
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="came", lot="SOON", best_before=date(2027, 5, 1))
    adjust_stock(actor=BEA, sku="GULL-19", quantity=-3, reason="broken")
    assert at(wine) == {("A-1", "LATE"): (1, 0, 0)}
    assert [m.on_hand for m in Movement.objects.filter(reason="broken").order_by("id")] == [-2, -1]
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="came", bin="B-2")
    adjust_stock(actor=BEA, sku="GULL-19", quantity=-1, reason="broken", bin="B-2")
    with pytest.raises(Invalid, match="only 1 are on the shelf in bin B-2"):
        adjust_stock(actor=BEA, sku="GULL-19", quantity=-2, reason="broken", bin="B-2")
    assert at(wine) == {("A-1", "LATE"): (1, 0, 0), ("B-2", ""): (1, 0, 0)}
    assert clean()


def test_a_lot_has_one_date() -> None:
    a_wine()
    adjust_stock(actor=BEA, sku="GULL-19", quantity=2, reason="came", lot="L7", best_before=date(2027, 5, 1))
    with pytest.raises(Invalid, match="lot L7 is good until 2027-05-01") as caught:
        adjust_stock(
            actor=BEA, sku="GULL-19", quantity=2, reason="came", bin="B-2", lot="L7", best_before=date(2027, 6, 1)
        )
    assert [field for field, _ in caught.value.errors] == ["best_before"]


def test_a_form_sent_twice_adjusts_once() -> None:
    wine = a_wine()
    form = str(uuid4())
    first = adjust_stock(actor=BEA, sku="GULL-19", quantity=6, reason="found", once=form)
    again = adjust_stock(actor=BEA, sku="GULL-19", quantity=6, reason="found", once=form)
    assert first.pk == again.pk
    assert at(wine) == {("A-1", ""): (6, 0, 0)}


def test_a_movement_happens_once_for_its_cause() -> None:
    wine = a_wine()
    moved(Change(wine.pk, "adjusted", "count:7", on_hand=2))
    with pytest.raises(IntegrityError), transaction.atomic():
        moved(Change(wine.pk, "adjusted", "count:7", on_hand=2))
    assert at(wine) == {("", ""): (2, 0, 0)}


def test_no_place_falls_below_nothing_though_the_product_has_enough() -> None:
    wine = a_wine()
    moved(
        Change(wine.pk, "adjusted", "one", on_hand=2, bin="A-1"),
        Change(wine.pk, "adjusted", "two", on_hand=5, bin="B-2"),
    )
    with pytest.raises(Refused, match="not that many in that place"), transaction.atomic():
        moved(Change(wine.pk, "adjusted", "three", on_hand=-3, bin="A-1"))
    with pytest.raises(Refused, match="not that many in that place"), transaction.atomic():
        moved(Change(wine.pk, "adjusted", "four", on_hand=-3, bin="NEVER-SEEN"))
    assert clean()


@pytest.mark.parametrize("products", [1, 25])
def test_three_statements_whatever_the_number_of_products_and_places(products: int) -> None:
    wines = [a_wine(f"W-{n}") for n in range(products)]

    def everywhere(name: str) -> list[Change]:
        return [
            Change(w.pk, "adjusted", f"{name}:{w.pk}:{bin_}", on_hand=1, bin=bin_) for w in wines for bin_ in ("A", "B")
        ]

    moved(*everywhere("new"))
    fetched = [Change(w.pk, "picked", f"fetch:{w.pk}", on_hand=-1, picked=1, bin="A") for w in wines]
    # What comes without a price is first asked for what it costs.
    for changes, statements in ((everywhere("more"), 4), (fetched, 3)):
        with writing():
            ledger.lock([w.pk for w in wines])
            with CaptureQueriesContext(connection) as asked:
                move(changes, actor=BEA)
        assert len(asked) == statements, [q["sql"] for q in asked.captured_queries]
    assert at(wines[-1]) == {("A", ""): (1, 1, 0), ("B", ""): (2, 0, 0)}


def test_a_place_that_was_empty_begins_anew_and_one_that_was_not_stays_as_old_as_it_is() -> None:
    wine = a_wine()
    with clock.at(clock.business_now() - timedelta(days=9)):
        moved(Change(wine.pk, "adjusted", "old", on_hand=1, bin="A", best_before=date(2027, 1, 1)))
    old = Place.objects.get(product=wine).first_at
    assert old == Movement.objects.get(cause="old").at
    moved(Change(wine.pk, "adjusted", "more", on_hand=1, bin="A"))
    assert Place.objects.get(product=wine).first_at == old
    moved(Change(wine.pk, "picked", "all", on_hand=-2, picked=2, bin="A"))
    moved(Change(wine.pk, "put_back", "back", on_hand=2, picked=-2, bin="A"))
    assert Place.objects.get(product=wine).first_at == old
    moved(Change(wine.pk, "adjusted", "gone", on_hand=-2, bin="A"))
    moved(Change(wine.pk, "adjusted", "new", on_hand=2, bin="A"))
    fresh = Place.objects.get(product=wine)
    assert (fresh.first_at - old > timedelta(days=8), fresh.best_before) == (True, None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("UPDATE stock_place SET on_hand = on_hand + 1 WHERE bin = 'A-1'", "its movements sum to 6"),
        ("UPDATE stock_place SET quarantined = 2 WHERE bin = 'A-1'", "its places sum to 2"),
        ("UPDATE stock_place SET lot = 'OTHER' WHERE bin = 'A-1'", "lot OTHER: on_hand is 6"),
        ("DELETE FROM stock_place", "on_hand is 0, its movements sum to 6"),
    ],
)
def test_verify_finds_a_place_that_is_not_the_sum_of_its_movements(wrong: str, words: str) -> None:
    a_wine()
    adjust_stock(actor=BEA, sku="GULL-19", quantity=6, reason="opening stock")
    assert units.places() == []
    execute(wrong)
    assert any(words in finding for finding in units.places()), units.places()
