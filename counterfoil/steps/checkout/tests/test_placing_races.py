"""Many carts at once: what is not there is sold to nobody, and nobody locks anybody out."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.models import IdempotencyKey
from counterfoil.flow.verify import states, units
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.stock.models import Balance
from counterfoil.steps.checkout import queries
from tests.crowd import together, worked
from tests.support import Answer, Api, order_body, product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One for each placement that came as far as writing; the database's own checks stop nobody who locked first."""
    done: list[bool] = []
    write = queries.write

    def counting(placement: queries.Placement) -> bool:
        done.append(True)
        return write(placement)

    monkeypatch.setattr(queries, "write", counting)
    return done


def place_all(api: Api, bodies: list[dict[str, Any]], **headers: str) -> list[Answer]:
    return worked(together(len(bodies), lambda n: api.post("/orders", bodies[n], **headers)))


def all_is_well() -> None:
    for check in (units.balances, units.lines, states.replay, states.queues):
        assert check() == [], check.__doc__


def test_the_last_bottle_is_sold_once(written: list[bool]) -> None:
    api = Api()
    product(api, "RARE-61", stock=1, sell_when_out="stop")
    found = place_all(api, [order_body(("RARE-61", 1)) for _ in range(20)])
    assert sorted(a.status for a in found) == [201] + [409] * 19
    assert all(a.codes == {"sold_out"} for a in found if a.status == 409)
    held = Balance.objects.get()
    assert (held.on_hand, held.reserved, held.waiting) == (1, 1, 0)
    assert len(written) == 1
    all_is_well()


def test_never_more_is_reserved_than_there_is(written: list[bool]) -> None:
    api = Api()
    product(api, stock=10)
    found = place_all(api, [order_body(("PINOT-21", 1 + n % 3)) for n in range(18)])
    assert {a.status for a in found} == {201}
    held = Balance.objects.get()
    assert (held.on_hand, held.reserved, held.waiting) == (10, 10, 36 - 10)
    assert len(written) == 18
    assert sum(Line.objects.values_list("reserved", flat=True)) == 10
    all_is_well()


def test_carts_that_want_the_same_two_wines_in_opposite_order_lock_nobody_out() -> None:
    api = Api()
    product(api, "A-1", stock=15)
    product(api, "B-1", stock=15)
    carts = [(("A-1", 1), ("B-1", 1)) if n % 2 else (("B-1", 1), ("A-1", 1)) for n in range(24)]
    found = place_all(api, [order_body(*cart) for cart in carts])
    assert {a.status for a in found} == {201}
    assert [b.reserved for b in Balance.objects.all()] == [15, 15]
    all_is_well()


def test_one_reference_sent_by_many_at_once_is_one_order() -> None:
    api = Api()
    product(api, stock=10)
    found = place_all(api, [order_body(("PINOT-21", 2), reference="R")] * 8)
    assert sorted(a.status for a in found) == [200] * 7 + [201]
    assert len({a.body["number"] for a in found}) == 1
    assert (Order.objects.count(), Balance.objects.get().reserved) == (1, 2)
    all_is_well()


def test_one_key_sent_by_many_at_once_is_one_order_and_one_answer() -> None:
    api = Api()
    product(api, stock=10)
    body = order_body(("PINOT-21", 2))
    found = place_all(api, [body] * 8, Idempotency_Key="click-1")
    assert {a.status for a in found} == {201}
    assert len({str(a.body) for a in found}) == 1
    assert (Order.objects.count(), IdempotencyKey.objects.count()) == (1, 1)


def test_one_new_customer_with_many_orders_at_once_is_one_customer() -> None:
    api = Api()
    product(api, stock=10)
    customer = {"name": "Zoë Brontë", "email": "zoe@example.com"}
    found = place_all(api, [order_body(("PINOT-21", 1), customer=customer) for _ in range(8)])
    assert {a.status for a in found} == {201}
    assert Customer.objects.count() == 1
    assert len({a.body["number"] for a in found}) == 8
