"""Scenario 37: of twelve bottles eight come, two of them broken; what arrives together stays exact."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.stock.models import Balance
from counterfoil.steps.sourcing.models import GoodsReceipt, PurchaseOrder
from tests.support import Answer, Api, order_body, product, settle

pytestmark = pytest.mark.django_db
WINE = "SYRAH-19"


@pytest.fixture
def api() -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 4})
    product(owner, WINE, supplier="Northfold")
    return owner


def promised(api: Api, days: int, bottles: int) -> str:
    """An approved order, to be paid at the door, promised in so many working days; its number."""
    number = str(api.done("/orders", order_body((WINE, bottles), card=None))["number"])
    day = shop().business_days_from(shop().today(), days).isoformat()
    api.done(f"/orders/{number}/approval", {"ship_estimate": day})
    return number


def bought(api: Api, bottles: int) -> str:
    body = {"supplier": "Northfold", "lines": [{"sku": WINE, "quantity": bottles}]}
    return str(api.done("/purchase-orders", body)["number"])


def came(api: Api, po: str, received: int, damaged: int = 0) -> Answer:
    line = {"sku": WINE, "received": received, "damaged": damaged}
    return api.post("/goods-receipts", {"purchase_order": po, "lines": [line]})


def shelf() -> tuple[int, int, int, int]:
    held = Balance.objects.get(product__sku=WINE)
    return held.on_hand, held.reserved, held.quarantined, held.due_in


def well() -> None:
    settle()
    assert judge_all() == []


def test_scenario_37_eight_of_twelve_come_and_two_are_broken(api: Api) -> None:
    late, early, middle = promised(api, 9, 4), promised(api, 4, 4), promised(api, 6, 4)
    po = bought(api, 12)
    assert api.get(f"/purchase-orders/{po}").body["waiting"] == [early, middle, late]
    receipt = came(api, po, 8, damaged=2).body
    assert (receipt["state"], receipt["ready_orders"]) == ("sent", [early])
    settle()
    assert shelf() == (6, 6, 2, 4), "six are sellable, and promised already"
    lines = {n: api.order(n)["lines"][0] for n in (early, middle, late)}
    assert [(lines[n]["reserved"], lines[n]["due"], lines[n]["short"]) for n in (early, middle, late)] == [
        (4, 0, 0), (2, 2, 0), (0, 2, 2),
    ]  # fmt: skip
    assert api.order(early)["queue"] == "pick"
    rest = came(api, po, 4).body
    assert (rest["state"], rest["ready_orders"]) == ("received", [middle])
    settle()
    assert [ln["short"] for ln in api.get("/needs").body["needs"][0]["lines"]] == [2], "the two broken are missing"
    well()


# --- at the same moment ---------------------------------------------------------------------------------------------


def together(*acts: Callable[[], object]) -> list[Any]:
    """Every act in a thread of its own, all let go at once; their answers."""
    start, found = threading.Barrier(len(acts)), list[Any]()

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            found.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == len(acts), "somebody's act broke"
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_form_sent_four_times_at_once_is_one_delivery(api: Api) -> None:
    po = bought(api, 12)
    body = {"purchase_order": po, "token": "one-form-of-the-page", "lines": [{"sku": WINE, "received": 5}]}
    answers = together(*[lambda: api.post("/goods-receipts", body)] * 4)
    assert {a.status for a in answers} == {201}
    assert len({a.body["id"] for a in answers}) == 1
    assert [a.body["repeated"] for a in answers].count(False) == 1
    assert (shelf(), GoodsReceipt.objects.count()) == ((5, 0, 0, 7), 1)
    well()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
@pytest.mark.parametrize("time", range(3))
def test_two_deliveries_a_date_and_a_closing_at_once_leave_an_exact_ledger(api: Api, time: int) -> None:
    number = promised(api, 5, 4)
    po = bought(api, 4)
    day = shop().business_days_from(shop().today(), 3 + time).isoformat()
    answers = together(
        lambda: came(api, po, 3),
        lambda: came(api, po, 3),
        lambda: api.post(f"/purchase-orders/{po}/confirmation", {"expected": day}),
        lambda: api.post(f"/purchase-orders/{po}/closure", {"reason": "no more of it"}),
        lambda: api.post(f"/orders/{number}/cancellation", {"reason": "changed their mind"}),
    )
    assert {a.status for a in answers} <= {200, 201, 409}, [(a.status, a.body) for a in answers]
    assert PurchaseOrder.objects.get(number=po).state in {"received", "closed"}
    assert api.order(number)["status"] == "cancelled"
    assert shelf()[1] == 0
    assert shelf()[3] == 0
    well()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_draft_that_two_send_at_once_goes_out_once(api: Api) -> None:
    draft = str(
        api.done(
            "/purchase-orders",
            {"supplier": "Northfold", "lines": [{"sku": WINE, "quantity": 6, "cost": 900}], "draft": True},
        )["number"]
    )
    answers = together(*[lambda: api.post(f"/purchase-orders/{draft}/dispatch")] * 3)
    assert sorted(a.status for a in answers) == [200, 409, 409]
    assert shelf()[3] == 6
    well()
