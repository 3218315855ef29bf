"""Orders that another shop took go through all our steps, like any other."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Mailbox
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.storefront.tests.feed import ORDERS, PRODUCTS
from counterfoil.records.catalogue.importing import import_products
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order
from counterfoil.steps.checkout.importing import import_orders
from tests.support import Api, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(mailbox: Mailbox) -> Api:
    """The doors of a shop that has just been taken over, its shelves filled."""
    assert import_products(PRODUCTS, lambda _: None) == 0
    assert import_orders(ORDERS, lambda _: None) == 0
    owner = Api("owner")
    for sku in Product.objects.values_list("sku", flat=True):
        owner.done("/stock", {"sku": sku, "quantity": 2000, "reason": "delivery"})
    settle()
    return owner


def _ten_pending() -> list[Order]:
    """Five cheques and five paid at the door; among them other currencies and totals with a rounding line."""
    pending = Order.objects.filter(status="pending").order_by("id")
    chosen: list[Order] = []
    for method in ("cheque", "on_delivery"):
        mine = list(pending.filter(payment_method=method))
        odd = [o for o in mine if o.rounding][:2]
        chosen += (odd + [o for o in mine if not o.rounding])[:5]
    return chosen


def _approve(api: Api, number: str) -> Any:
    day = shop().business_days_from(shop().today(), 1).isoformat()
    order = api.done(f"/orders/{number}/approval", {"ship_estimate": day})
    settle()
    assert order["axes"]["stock"] == "confirmed"
    assert order["axes"]["books"] == "sales_order"
    return api.order(number)


def _send(api: Api, number: str) -> Any:
    assert api.done(f"/orders/{number}/picks", {})["queue"] == "pack"
    api.done(f"/orders/{number}/packages", {"weight_g": 900})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{number}"})
    settle()
    return api.done(f"/orders/{number}/deliveries", {})


def test_ten_imported_pending_orders_go_through_all_steps_and_verify_is_clean(api: Api) -> None:
    chosen = _ten_pending()
    assert len(chosen) == 10
    assert any(o.rounding for o in chosen)
    assert len({o.currency for o in chosen}) > 1
    for picked in chosen:
        order = _approve(api, picked.number)
        paid = {"reference": f"CHQ-{picked.reference}", "amount": picked.total}
        if picked.payment_method == "cheque":
            # A cheque comes before the goods go: nothing is picked on a promise.
            assert (order["queue"], order["next_action"]) == ("charge", "record_payment")
            assert api.post(f"/orders/{picked.number}/picks", {}).status == 409
            assert api.done(f"/orders/{picked.number}/charge", paid)["charged"] == picked.total
            order = _send(api, picked.number)
        else:
            assert order["queue"] == "pick"
            order = _send(api, picked.number)
            order = api.done(f"/orders/{picked.number}/charge", paid)
        settle()
        order = api.order(picked.number)
        assert (order["status"], order["queue"]) == ("delivered", "done")
        assert (order["charged"], order["owed"]) == (picked.total, 0)
        assert order["axes"]["books"] == "invoiced"
    assert judge_all() == []


def test_closed_history_can_be_looked_at_and_not_worked_on(api: Api) -> None:
    number = Order.objects.filter(closed_history=True).order_by("id")[0].number
    assert api.order(number)["status"] == "delivered"
    kinds = [e["kind"] for e in api.get(f"/orders/{number}/timeline").body["events"]]
    assert kinds == ["order_imported", "history_imported", "history_imported", "history_imported"]
    refused = {
        "cancellation": {"reason": "too late"},
        "picks": {},
        "charge": {"reference": "CHQ-1", "amount": 100},
        "holds": {"reason": "?"},
        "deliveries": {},
    }
    for door, body in refused.items():
        assert api.post(f"/orders/{number}/{door}", body).status == 409, door
    assert judge_all() == []
