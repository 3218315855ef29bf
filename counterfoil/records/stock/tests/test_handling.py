"""Carrying units to another bin, letting them out of quarantine, writing them off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, PICKER, Actor
from counterfoil.core.errors import Forbidden, Invalid, Missing
from counterfoil.core.models import Job
from counterfoil.flow.verify import units
from counterfoil.records.books.models import Posting
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.handling import release_stock, transfer_stock, write_off_stock
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.tests.build import at
from counterfoil.records.stock.tests.test_ledger import BEA, a_wine, moved

pytestmark = pytest.mark.django_db
PETE = Actor("person", "Pete", PICKER)
SKU = "GULL-19"


def lot_came(units_: int, lot: str, bin_: str = "A-1", until: date | None = None) -> None:
    adjust_stock(actor=BEA, sku=SKU, quantity=units_, reason="came", lot=lot, bin=bin_, best_before=until)


def clean() -> None:
    assert units.balances() + units.places() == []


def test_units_carried_to_another_bin_stay_their_lot_with_its_date_and_age() -> None:
    wine = a_wine()
    with clock.at(clock.business_now() - timedelta(days=30)):
        lot_came(4, "L7", until=date(2027, 5, 1))
    transfer_stock(actor=PETE, sku=SKU, quantity=3, bin="A-1", to_bin="C-3", lot="L7")
    assert at(wine) == {("A-1", "L7"): (1, 0, 0), ("C-3", "L7"): (3, 0, 0)}
    old, new = Place.objects.filter(product=wine).order_by("bin")
    assert (new.best_before, new.first_at) == (old.best_before, old.first_at)
    clean()


def test_without_a_lot_whatever_lies_in_the_bin_is_carried_lot_by_lot() -> None:
    wine = a_wine()
    lot_came(2, "SOON", until=date(2027, 1, 1))
    lot_came(2, "LATE", until=date(2028, 1, 1))
    made = transfer_stock(actor=PETE, sku=SKU, quantity=3, bin="A-1", to_bin="C-3")
    assert at(wine) == {("A-1", "LATE"): (1, 0, 0), ("C-3", "SOON"): (2, 0, 0), ("C-3", "LATE"): (1, 0, 0)}
    assert [m.on_hand for m in made] == [-2, 2, -1, 1]
    clean()


def test_what_is_set_aside_can_be_carried_and_stays_set_aside() -> None:
    wine = a_wine()
    moved(Change(wine.pk, "received", "t", quarantined=2, bin="A-1"))
    transfer_stock(actor=PETE, sku=SKU, quantity=2, bin="A-1", to_bin="Q-1", set_aside=True)
    assert at(wine) == {("Q-1", ""): (0, 0, 2)}
    clean()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 9}, "quantity"),
        ({"to_bin": ""}, "to_bin"),
        ({"to_bin": "A-1"}, "to_bin"),
        ({"to_bin": "x" * 21}, "to_bin"),
        ({"lot": "L8"}, "lot"),
        ({"once": "not-ours"}, "once"),
    ],
)
def test_a_transfer_that_cannot_be_names_its_field_and_carries_nothing(said: dict[str, Any], field: str) -> None:
    wine = a_wine()
    lot_came(4, "L7")
    with pytest.raises(Invalid) as caught:
        transfer_stock(**{"actor": PETE, "sku": SKU, "quantity": 1, "bin": "A-1", "to_bin": "B-1", **said})
    assert [f for f, _ in caught.value.errors] == [field]
    assert at(wine) == {("A-1", "L7"): (4, 0, 0)}


def test_a_form_sent_twice_carries_once() -> None:
    wine = a_wine()
    lot_came(4, "L7")
    form = str(uuid4())
    for _ in range(2):
        transfer_stock(actor=PETE, sku=SKU, quantity=2, bin="A-1", to_bin="B-1", once=form)
    assert at(wine) == {("A-1", "L7"): (2, 0, 0), ("B-1", "L7"): (2, 0, 0)}


def test_what_is_good_after_all_is_sellable_where_it_lies_and_goes_to_whoever_waits() -> None:
    wine = a_wine()
    moved(Change(wine.pk, "received", "t", quarantined=3, bin="A-1", lot="L7"))
    with pytest.raises(Forbidden):
        release_stock(actor=PETE, sku=SKU, quantity=1, reason="looks fine")
    release_stock(actor=BEA, sku=SKU, quantity=2, reason="only the label was torn")
    assert at(wine) == {("A-1", "L7"): (2, 0, 1)}
    assert Job.objects.filter(name="sourcing.fill").exists()
    with pytest.raises(Invalid, match="only 1 are set aside"):
        release_stock(actor=BEA, sku=SKU, quantity=2, reason="and the rest")
    clean()


def test_what_is_written_off_is_booked_as_lost_at_cost() -> None:
    wine = a_wine()
    moved(Change(wine.pk, "received", "t", quarantined=3, bin="A-1"))
    form = str(uuid4())
    for _ in range(2):
        write_off_stock(actor=BEA, sku=SKU, quantity=2, reason="corked", once=form)
    assert at(wine) == {("A-1", ""): (0, 0, 1)}
    assert list(Posting.objects.filter(account="stock_losses").values_list("amount", flat=True)) == [1800]
    assert Movement.objects.filter(kind="written_off").count() == 1
    with pytest.raises(Invalid, match="say why"):
        write_off_stock(actor=BEA, sku=SKU, quantity=1, reason="")
    with pytest.raises(Missing):
        write_off_stock(actor=BEA, sku="NEVER", quantity=1, reason="gone")
    with pytest.raises(Forbidden):
        write_off_stock(actor=Actor("person", "Cleo", CLERK), sku=SKU, quantity=1, reason="gone")
    clean()
