"""A receipt that many orders wait for: as many statements as for a few, and no long wait for whoever counts in."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, journal
from counterfoil.core.db import writing
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.stock.ledger import change_waiting
from counterfoil.steps.sourcing.actions import create_purchase_order, fill_waiting, receive_goods
from counterfoil.steps.sourcing.tests.build import BEA, a_wine, agree, an_order, balance
from tests.work import work

pytestmark = pytest.mark.django_db
SUPPLIER = "Tern Island Growers"
BOUND = 2.0  # seconds of work for a thousand lines, on a quiet machine


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(journal, "_advance_now", None)
    yield
    agree()


def many(sku: str, count: int) -> None:
    """So many orders of two bottles each, checked and short; made a thousand at a time."""
    first = an_order(f"{sku}-0", {sku: 2})
    part, line = Part.objects.get(order=first), Line.objects.get(order=first)
    orders, copies = [], range(1, count)
    for at in copies:
        made = copy.copy(first)
        made.pk, made.number, made.reference = None, f"{sku}-{at}", f"{sku}-{at}"
        made.token = made.number.ljust(43, "x")
        orders.append(made)
    Order.objects.bulk_create(orders)
    sums = {"subtotal": 0, "shipping": 0, "tax": 0, "total": 0}
    parts = [Part(order=o, books=part.books, promise_date=part.promise_date, stock="short", **sums) for o in orders]
    Part.objects.bulk_create(parts)
    Line.objects.bulk_create(
        Line(order=p.order, part=p, position=1, product=line.product, sku=sku, name=line.name, quantity=2, unit_price=1)
        for p in parts
    )
    Part.objects.filter(pk=part.pk).update(stock="short")
    with writing():
        change_waiting({line.product_id: 2 * (count - 1)})


def test_a_receipt_takes_as_many_statements_for_three_hundred_orders_as_for_ten() -> None:
    said = []
    for count in (10, 300):
        sku = f"GULL-{count}"
        a_wine(sku)
        many(sku, count)
        po = create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": sku, "quantity": 2 * count}])
        with clock.at(clock.business_now()), CaptureQueriesContext(connection) as seen:
            done = receive_goods(actor=BEA, purchase_order=po.number, lines=[{"sku": sku, "received": 2 * count}])
        assert len(done.ready_orders) == count
        # The settings and the clock are read again every other second, whoever asks.
        told = [q["sql"].split(" WHERE")[0][:70] for q in seen.captured_queries]
        said.append([t for t in told if "core_setting" not in t and "core_businessclock" not in t])
    few, lots = said
    assert len(few) == len(lots), [s for s in lots if lots.count(s) > few.count(s)]


def test_a_thousand_lines_get_their_goods_within_two_seconds() -> None:
    a_wine()
    many("GULL-19", 1000)
    po = create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 2000}])
    fill_waiting(product_ids=[balance().product_id], actor=BEA)
    with work() as it:
        done = receive_goods(actor=BEA, purchase_order=po.number, lines=[{"sku": "GULL-19", "received": 2000}])
    print(f"{it.seconds:.2f} s of work, on a machine {it.slowness:.1f} times as slow as a quiet one")
    # The receipt alone has freed them, with nothing left for a job.
    assert len(done.ready_orders) == 1000
    assert balance().reserved == 2000
    assert not fill_waiting(product_ids=[balance().product_id], actor=BEA)
    assert it.seconds < BOUND
