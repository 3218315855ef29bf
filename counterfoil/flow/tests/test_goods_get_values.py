"""A shop that has run for a while learns what its goods have cost: from then on the books say what the shelf says."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from counterfoil.core import journal
from counterfoil.core.actor import BOOKKEEPER, Actor
from counterfoil.core.db import execute, writing
from counterfoil.flow.verify import books, units
from counterfoil.records.books.ledger import post
from counterfoil.records.books.models import Entry, Posting
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Place
from counterfoil.steps.fulfilment.actions import pack_order, pick_order, return_order, ship_order
from counterfoil.steps.fulfilment.tests.build import PIA, Built, a_product, an_order
from counterfoil.steps.invoicing.actions import issue_invoice

pytestmark = pytest.mark.django_db
BEA = Actor("person", "Bea", BOOKKEEPER)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has left stays without an invoice until one is written here."""
    monkeypatch.setattr(journal, "_advance_now", None)


class _Editor:
    """What a migration writes through, in a test's transaction."""

    connection = connection

    def execute(self, sql: str) -> None:
        execute(sql)


def give_values() -> None:
    migration: Any = import_module("counterfoil.flow.migrations.0003_goods_have_values")
    migration.give_values(apps, _Editor())


def booked(cause: str, amount: int) -> None:
    """As entries of goods were made before: in at what was paid, out at the catalogue's cost."""
    amounts = {"inventory": amount, "goods_received": -amount}
    post(cause=cause, kind="before", subject="QUILL", text="before", currency="USD", amounts=amounts)


def ship(units_: int, label: str) -> Built:
    built = an_order(("QUILL", units_))
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number=label)
    return built


def take_back(built: Built) -> None:
    lines = [{"sku": "QUILL", "quantity": 1}]
    return_order(order=built.number, actor=PIA, lines=lines, condition="sellable", reason="not liked")


def cost_of_goods() -> int:
    return sum(Posting.objects.filter(account="cost_of_goods").values_list("amount", flat=True))


def test_what_is_there_and_what_has_left_gets_the_catalogues_cost_and_the_rest_is_booked_once() -> None:
    quill = a_product("QUILL", on_hand=0, cost=0)
    with writing():
        ledger.lock([quill.pk])
        ledger.move([Change(quill.pk, "received", "before", on_hand=10, bin="A-1", lot="L1")], actor=BEA)
        booked("bought at 12.00", 12_000)
    done, away = ship(2, "A"), ship(3, "B")
    issue_invoice(order=done.number, part=1, actor=BEA)
    with writing():
        booked("left at 11.00", -2_200)
    Product.objects.filter(pk=quill.pk).update(cost=1100)
    assert books.goods() == ["inventory holds 9800 USD; the shelf is worth 0, what has left without an invoice 0"]

    give_values()

    assert {p.lot: p.value for p in Place.objects.filter(product=quill) if p.value} == {"L1": 5 * 1100}
    assert books.goods() + units.places() + books.balanced() == []
    entry = Entry.objects.get(cause="valued")
    assert dict(entry.postings.values_list("account", "amount")) == {"inventory": -1000, "stock_losses": 1000}

    # From here on everything leaves and comes back at what it cost.
    take_back(away)
    issue_invoice(order=away.number, part=1, actor=BEA)
    assert cost_of_goods() == 2 * 1100
    take_back(done)
    assert cost_of_goods() == 1100
    assert books.goods() + units.places() == []


def test_a_shop_that_has_nothing_yet_books_nothing() -> None:
    give_values()
    assert not Entry.objects.exists()
