"""Orders at every stop of the way, and a picture of the database to see that nothing changed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Model

from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.steps.alternatives import api as questions
from tests.support import Answer, Api, order_body, product

MEMBERS = {"type", "title", "status", "detail", "blockers", "errors"}
# Reading an order does not count as a change, and neither do these: who is known, what is cached.
ASIDE = {"ApiKey", "Rendering", "IdempotencyKey"}


def soon(days: int = 1) -> str:
    """A working day of the shop, as the API wants it."""
    return shop().business_days_from(shop().today(), days).isoformat()


def picture() -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    tables: list[type[Model]] = [
        m for m in apps.get_models() if m.__module__.startswith("counterfoil.") and m.__name__ not in ASIDE
    ]
    return {m.__name__: sorted(m._default_manager.values_list(), key=str) for m in tables}


def refused(answer: Answer, *statuses: int) -> None:
    """It is a clear no, in the shape that the contract promises."""
    assert answer.status in statuses, (answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json", answer.headers
    assert set(answer.body) >= MEMBERS, answer.body
    assert answer.body["status"] == answer.status
    assert "" not in {answer.body["title"], answer.body["detail"]}
    assert all(set(b) >= {"code", "message"} and b["message"] for b in answer.body["blockers"])
    assert all(set(e) == {"field", "message"} and e["message"] for e in answer.body["errors"])
    if answer.status == 409:
        assert answer.body["blockers"], answer.body
    if answer.status == 422:
        assert answer.body["errors"], answer.body


def unchanged(before: dict[str, list[Any]]) -> None:
    """Nothing was written, not even half of something."""
    after = picture()
    assert {k: v for k, v in after.items() if v != before[k]} == {}
    assert judge_all() == []


class Desk:
    """A shop with a product on the shelf and one at the supplier's; its orders are paid offline: no bank is needed."""

    def __init__(self) -> None:
        questions._tries.clear()  # every test is another caller
        self.api = Api("owner", "Olga")
        self.api.done("/suppliers", {"name": "Northfold", "lead_time_days": 5})
        product(self.api, "PINOT-21", stock=50, supplier="Northfold")
        product(self.api, "SYRAH-19", supplier="Northfold")

    def placed(self, sku: str = "PINOT-21", quantity: int = 2, **more: Any) -> str:
        """An order that waits for its review."""
        body = order_body((sku, quantity), card=None, **more)
        number: str = self.api.done("/orders", body)["number"]
        return number

    def approved(self, **more: Any) -> str:
        """An order that may be charged and, since it is paid on delivery, picked."""
        number = self.placed(**more)
        self.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
        return number

    def amended(self) -> str:
        """An order that was made cheaper by a clerk."""
        number = self.approved()
        change = {"kind": "quantity", "line": "PINOT-21", "quantity": 1}
        consent = {"how": "telephone", "who": "June Harper"}
        self.api.done(f"/orders/{number}/amendments", {"changes": [change], "consent": consent})
        return number

    def divided(self) -> str:
        """An order that its customer wanted in two parcels; neither is charged."""
        number = self.approved()
        choice = {"kind": "split", "line": "PINOT-21", "quantity": 1, "date": soon(4)}
        token = self.api.done(f"/orders/{number}/proposals", {"choices": [choice]})["token"]
        self.api.done(f"/proposals/{token}/answer", {"choice": 0})
        return number

    def late(self) -> str:
        """An order that is promised for a day after the one on which it is needed."""
        number = self.placed(needed_by=soon(1))
        self.api.done(f"/orders/{number}/approval", {"ship_estimate": soon(4)})
        return number

    def picked(self) -> str:
        number = self.approved()
        self.api.done(f"/orders/{number}/picks")
        return number

    def packed(self) -> str:
        number = self.picked()
        self.api.done(f"/orders/{number}/packages", {"weight_g": 3000})
        return number

    def shipped(self) -> str:
        number = self.packed()
        self.api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{number}"})
        return number

    def paid(self) -> str:
        """An order whose money a person holds already."""
        number = self.placed(payment={"method": "cheque"})
        self.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
        total = self.api.order(number)["total"]
        self.api.done(f"/orders/{number}/charge", {"reference": f"cheque of {number}", "amount": total})
        return number

    def purchase(self) -> str:
        """A purchase order that the supplier has not confirmed."""
        body = {"supplier": "Northfold", "lines": [{"sku": "SYRAH-19", "quantity": 6}]}
        number: str = self.api.done("/purchase-orders", body)["number"]
        return number

    def count_sheet(self, counted: int | None = None) -> str:
        """A sheet for the product on the shelf, counted or not."""
        number: str = self.api.done("/counts", {"skus": ["PINOT-21"]})["number"]
        if counted is not None:
            self.api.done(f"/counts/{number}/lines", {"lines": [{"sku": "PINOT-21", "counted": counted}]})
        return number

    def draft(self) -> str:
        """A purchase order that has not been sent; a supplier has one at a time."""
        name = f"Northfold {len(self.api.get('/suppliers').body['suppliers'])}"
        self.api.done("/suppliers", {"name": name})
        body = {"supplier": name, "lines": [{"sku": "SYRAH-19", "quantity": 6}], "draft": True}
        number: str = self.api.done("/purchase-orders", body)["number"]
        return number

    def asked(self) -> tuple[str, str]:
        """An order with an open question: its number and the question's token."""
        number = self.placed("SYRAH-19", 1)
        token: str = self.api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})["token"]
        return number, token
