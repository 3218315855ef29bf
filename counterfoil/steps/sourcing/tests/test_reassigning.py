"""A reservation that goes from one order to another, because somebody says why."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core import journal
from counterfoil.core.errors import Forbidden, Invalid, Refused
from counterfoil.core.models import JournalEvent
from counterfoil.records.orders.models import Order
from counterfoil.steps.sourcing.actions import check_stock, create_purchase_order, fill_waiting, move_reservation
from counterfoil.steps.sourcing.tests.build import (
    BEA,
    CAROL,
    PETE,
    a_wine,
    agree,
    an_order,
    balance,
    stock_of,
    the_line,
)

pytestmark = pytest.mark.django_db
SKU = "GULL-19"


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)


@pytest.fixture
def two_orders() -> None:
    """CF-1 has all three bottles, CF-2 waits for two."""
    a_wine(on_hand=3)
    an_order("CF-1", {SKU: 3}, ships_in=2)
    an_order("CF-2", {SKU: 2}, ships_in=5)
    for number in ("CF-1", "CF-2"):
        check_stock(order=number, actor=CAROL)


def moved(**said: Any) -> None:
    move_reservation(
        **{
            "actor": CAROL,
            "order": "CF-2",
            "from_order": "CF-1",
            "sku": SKU,
            "quantity": 2,
            "reason": "a wedding",
            **said,
        }
    )


def test_units_go_to_the_other_order_and_both_journals_say_why(two_orders: None) -> None:
    moved()
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved) == (1, 2)
    assert (stock_of("CF-1"), stock_of("CF-2")) == ("short", "confirmed")
    told = [JournalEvent.objects.get(subject=n, kind="reservation_moved").text for n in ("CF-1", "CF-2")]
    assert "2 × GULL-19 given to CF-2, because: a wedding" in told[0]
    assert "2 × GULL-19 from CF-1, because: a wedding" in told[1]
    agree()
    # What comes next goes by turn again, and nobody's units are taken from them.
    fill_waiting(product_ids=[balance().product_id], actor=BEA)
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved) == (1, 2)


def test_the_giver_is_covered_by_what_is_on_order(two_orders: None) -> None:
    create_purchase_order(actor=BEA, supplier="Tern Island Growers", lines=[{"sku": SKU, "quantity": 2}])
    assert the_line("CF-2").due == 2
    moved(actor=BEA)
    assert (the_line("CF-1").due, the_line("CF-2").due, stock_of("CF-1")) == (2, 0, "awaiting")
    agree()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 4}, "quantity"),
        ({"quantity": 3}, "quantity"),
        ({"from_order": "CF-2"}, "from_order"),
        ({"order": "CF-1", "from_order": "CF-2"}, "quantity"),
    ],
)
def test_what_cannot_be_moved_is_told_at_its_field(two_orders: None, said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        moved(**said)
    assert [f for f, _ in caught.value.errors] == [field]
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved) == (3, 0)


def test_nothing_is_moved_to_or_from_what_is_cancelled_or_fetched_nor_by_a_picker(two_orders: None) -> None:
    with pytest.raises(Forbidden):
        moved(actor=PETE)
    found = Order.objects.get(number="CF-2")
    Order.objects.filter(pk=found.pk).update(cancelled_at=found.placed_at)
    with pytest.raises(Refused, match="CF-2 is cancelled"):
        moved()
    assert the_line("CF-1").reserved == 3
