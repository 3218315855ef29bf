"""Scenario 3. One bottle left, 50 buyers at once: one gets it, 49 are told or backordered; stock is never negative.

In processes of their own, and a hundred times over: `tests/faults/buyers.py`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from counterfoil.flow.verify import states, units
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.stock.models import Balance
from tests.crowd import together, worked
from tests.support import Answer, Api, order_body, product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
BUYERS = 50


def all_buy_the_last(api: Api, sku: str) -> list[Answer]:
    bodies = [order_body((sku, 1)) for _ in range(BUYERS)]
    return worked(together(BUYERS, lambda n: api.post("/orders", bodies[n])))


def test_one_gets_the_last_bottle_and_forty_nine_are_told_that_it_is_sold() -> None:
    api = Api()
    product(api, "LAST-61", stock=1, sell_when_out="stop")
    found = all_buy_the_last(api, "LAST-61")
    assert Counter(a.status for a in found) == {201: 1, 409: BUYERS - 1}
    refused = [a for a in found if a.status == 409]
    assert all(b["code"] == "sold_out" and b["line"] == "LAST-61" for a in refused for b in a.body["blockers"])
    assert api.get("/products/LAST-61").body["available_to_promise"] == 0
    assert Order.objects.count() == 1
    never_negative()


def test_one_gets_the_last_bottle_and_forty_nine_wait_for_the_next_in_the_order_of_their_coming() -> None:
    api = Api()
    product(api, "LAST-62", stock=1)
    found = all_buy_the_last(api, "LAST-62")
    assert Counter(a.status for a in found) == {201: BUYERS}
    assert Counter(a.body["lines"][0]["reserved"] for a in found) == {1: 1, 0: BUYERS - 1}
    assert api.get("/products/LAST-62").body["available_to_promise"] == 1 - BUYERS
    never_negative()


def never_negative() -> None:
    held = Balance.objects.get()
    assert (held.on_hand, held.reserved) == (1, 1)
    assert sum(Line.objects.values_list("reserved", flat=True)) == 1
    for check in (units.balances, units.lines, states.replay, states.queues):
        assert check() == [], check.__doc__
