"""A parcel that was refused at the door is owed no more: no door takes money for it."""

from __future__ import annotations

import pytest

from counterfoil.core.shop import shop
from counterfoil.records.orders.models import Charge
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


def test_money_for_what_came_back_unpaid_is_refused_with_the_reason(card: str) -> None:
    api = Api()
    product(api, stock=5)
    number = api.done("/orders", order_body(card=None))["number"]
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1Z1"})):
        api.done(f"/orders/{number}/{act}", body)
    settle()
    back = {"lines": [{"sku": "PINOT-21", "quantity": 2}], "condition": "sellable", "reason": "not accepted"}
    api.done(f"/orders/{number}/returns", back)
    settle()
    order = api.order(number)
    assert order["axes"]["money"] == "voided"
    answer = api.post(f"/orders/{number}/charge", {"reference": "slip 1", "amount": order["total"]})
    assert (answer.status, answer.codes) == (409, {"cancelled"})
    assert not Charge.objects.exists()
