"""Who works and buys in a simulated shop. All of it goes through the public doors; who is refused goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db.models import F
from django.test import Client

from counterfoil.core.access.keys import make_key
from counterfoil.core.actor import Actor
from counterfoil.core.shop import shop
from counterfoil.records.orders.models import Order, PayLink, Proposal, Refund
from counterfoil.steps.charging.actions import resolve_difference, retry_refund
from counterfoil.steps.charging.differences import REMEDIES
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.sourcing.models import OPEN_STATES, PurchaseLine
from counterfoil.steps.sourcing.queries import needs
from simulation.bank import Bank
from simulation.world import World

CLERK = Actor("person", "Simulated clerk", "clerk")
SKUS = ("PINOT-21", "RIESLING-22", "MALBEC-20", "RARE-61")
CARDS = (
    *["pm_card_visa"] * 8, "pm_card_mastercard", "pm_card_chargeCustomerFail", "pm_card_visa_chargeDeclined",
    "pm_card_authenticationRequired", "pm_card_refundFail", "pm_card_pendingRefund",
)  # fmt: skip
ANSWERS = frozenset({200, 201, 202, 204, 402, 404, 409, 422})  # an answer; anything else is a mistake of ours
ADDRESS = {"name": "Ada Quill", "street": "1 Cork Lane", "city": "Napa", "postcode": "94558", "state": "CA",
           "country": "US"}  # fmt: skip


class People:
    """Their keys are made once; `client` has no memory, like any of their programs."""

    def __init__(self, world: World, bank: Bank) -> None:
        self.world, self.bank = world, bank
        self.client = Client()
        self.keys = {role: make_key(f"{role} of the simulation", role) for role in ("owner", "clerk", "picker")}
        self.heard: Counter[int] = Counter()
        self.placed = self.parcels = self.bought = 0

    def ask(self, method: str, path: str, body: Any = None, *, role: str = "owner") -> Any:
        """One request; its answer, or None when it was refused. Raises RuntimeError for what no door may answer."""
        found = self.client.generic(
            method, f"/api/v1{path}", json.dumps(body or {}), content_type="application/json",
            headers={"Authorization": f"Bearer {self.keys[role]}"},
        )  # fmt: skip
        self.heard[found.status_code] += 1
        if found.status_code not in ANSWERS:
            raise RuntimeError(f"{method} {path}: {found.status_code} {found.content[:500]!r}")
        if found.status_code >= 300:
            return None
        return found.json() if found.content else {}

    def open_shop(self) -> None:
        """Suppliers, wines and bottles."""
        self.ask("POST", "/suppliers", {"name": "Northfold", "email": "cellar@example.com", "lead_time_days": 5})
        for sku in SKUS:
            self.ask("POST", "/products", {
                "sku": sku, "name": f"Wine {sku}", "price": 1850, "currency": "USD", "supplier": "Northfold",
                "cost": 900, "sell_when_out": "stop" if sku.startswith("RARE") else "backorder",
            })  # fmt: skip
            self.ask("POST", "/stock", {"sku": sku, "quantity": 12, "reason": "opening stock"})

    def place(self) -> None:
        """An order by somebody. One that was cut off is sent again under its reference, as programs do."""
        chance = self.world.chance
        self.placed = Order.objects.count() + 1
        skus = chance.sample(SKUS, chance.randint(1, 3))
        payment: dict[str, Any] = {"method": chance.choice(("card",) * 8 + ("cheque", "on_delivery"))}
        if payment["method"] == "card":
            payment["payment_method"] = chance.choice(CARDS)
        body = {
            "channel": "web", "reference": f"S-{self.placed}", "currency": "USD",
            "customer": {"name": "Ada Quill", "email": f"ada{self.placed}@example.com"},
            "shipping_address": ADDRESS,
            "lines": [{"sku": sku, "quantity": chance.randint(1, 3)} for sku in skus],
            "shipping": {"method": "Ground", "price": 1500}, "payment": payment,
        }  # fmt: skip
        if self.ask("POST", "/orders", body) is None:
            self.placed -= 1

    # --- what is next ------------------------------------------------------------------------------------------------

    def go_on(self, order: Order) -> None:
        """Do what the desk would do next with an order; nothing where time must pass."""
        known: dict[str, Callable[[Order], object]] = {
            "review": self._approve,
            "make_sales_order": lambda o: self._post(o, "sales-order"),
            "check_stock": lambda o: self._post(o, "stock-check"),
            "buy_in": lambda _: self.buy_in(),
            "wait_for_goods": lambda _: self.receive(),
            "charge": lambda o: self._post(o, "charge"),
            "record_payment": self._record,
            "send_pay_link": self._pay,
            "pick": lambda o: self._post(o, "picks", role="picker"),
            "pack": lambda o: self._post(o, "packages", role="picker"),
            "ship": self._ship,
            "deliver": lambda o: self._post(o, "deliveries", role="picker"),
            "wait_for_answer": self._answer,
            "call": lambda o: self._post(o, "calls", {"outcome": "accepted"}),
            "renew_promise": self._later,
            "offer_alternative": self._later,
            "look_at_bank": self._look_at_bank,
            "refund_again": self._refund_again,
        }
        act = known.get(order.next_action)
        if act is not None:
            act(order)

    def _post(self, order: Order, what: str, body: Any = None, *, role: str = "clerk") -> Any:
        return self.ask("POST", f"/orders/{order.number}/{what}", body, role=role)

    def _approve(self, order: Order) -> None:
        settings = shop()
        day = settings.business_days_from(settings.today(), self.world.chance.randint(0, 8))
        self._post(order, "approval", {"ship_estimate": day.isoformat()})

    def _record(self, order: Order) -> None:
        due = self.ask("GET", f"/orders/{order.number}") or {"total": 0, "charged": 0}
        self._post(order, "charge", {"reference": f"slip {order.pk}", "amount": due["total"] - due["charged"]})

    def _pay(self, order: Order) -> None:
        """The customer follows their link and pays with a card that works."""
        self.client.get(f"/orders/{order.token}/pay")
        link = PayLink.objects.filter(order=order, state="open").exclude(url="").order_by("-id").first()
        if link is not None:
            self.bank.give_card(link.url, self.world.chance.choice(("pm_card_visa", "pm_card_authenticationRequired")))

    def _ship(self, order: Order) -> None:
        self.parcels += 1
        self._post(order, "shipments", {"carrier": "UPS", "tracking_number": f"1Z{self.parcels:06}"})

    def _answer(self, order: Order) -> None:
        asked = Proposal.objects.filter(order=order, state="open").first()
        if asked is not None:
            said: dict[str, Any] = {"choice": 0} if self.world.chance.random() < 0.7 else {"decline": True}
            self.ask("POST", f"/proposals/{asked.token}/answer", said)

    def _later(self, order: Order) -> None:
        day = shop().business_days_from(shop().today(), 7)
        choices: list[dict[str, Any]] = [{"kind": "later_date", "date": day.isoformat()}, {"kind": "cancel"}]
        self._post(order, "proposals", {"choices": choices})

    def _look_at_bank(self, order: Order) -> None:
        for row in Difference.objects.filter(order_number=order.number, closed_at=None):
            resolve_difference(
                difference=row.pk, actor=CLERK, remedy=REMEDIES[row.kind][0],
                reason="as the bank has it",
            )  # fmt: skip

    def _refund_again(self, order: Order) -> None:
        """Tried once more; where the card takes nothing back, the clerk hands the money over."""
        for refund in Refund.objects.filter(part__order=order, state__in=["failed", "pending"]).order_by("id"):
            if refund.state == "failed" or refund.charge.method not in {"card", "link"}:
                by_hand = self.world.chance.random() < 0.5
                retry_refund(order=order.number, refund_id=refund.pk, actor=CLERK, by_hand=by_hand)

    # --- what comes between ------------------------------------------------------------------------------------------

    def disturb(self, order: Order) -> None:
        """Somebody changes their mind, or something breaks."""
        chance = self.world.chance
        wanted: tuple[tuple[str, Any], ...] = (
            ("cancellation", {"reason": "changed their mind"}),
            ("refunds", {"amount": chance.choice((100, 1850)), "reason": "a label came off"}),
            ("holds", {"reason": "odd address"}),
            ("stock-check", {}),
            ("charge", {}),
            ("charge", {}),
            ("authorisation", {}),
            ("proposals", {"choices": [{"kind": "expedite", "method": "Express", "price": 3500}, {"kind": "split"}]}),
            ("proposals", {"choices": [{"kind": "cancel"}]}),
        )  # fmt: skip
        what, body = chance.choice(wanted)
        self._post(order, what, body)

    def let_go_on(self, order: Order) -> None:
        """Nobody forgets a hold for ever."""
        for hold in (self.ask("GET", f"/orders/{order.number}") or {"holds": []})["holds"]:
            self.ask("DELETE", f"/orders/{order.number}/holds/{hold['id']}")

    def buy_in(self) -> None:
        """Two dozen of whatever is wanted most, on a date that the supplier confirms at once."""
        wanted = [{"sku": line.sku, "quantity": max(12, line.quantity)} for need in needs() for line in need.lines]
        if not wanted:
            return
        day = shop().business_days_from(shop().today(), self.world.chance.randint(1, 6)).isoformat()
        made = self.ask("POST", "/purchase-orders", {"supplier": "Northfold", "lines": wanted})
        if made:
            self.ask("POST", f"/purchase-orders/{made['number']}/confirmation", {"expected": day})
            self.bought += 1

    def receive(self) -> None:
        """The goods of an open purchase order, sometimes not all of them, sometimes one broken."""
        coming = PurchaseLine.objects.filter(po__state__in=OPEN_STATES, quantity__gt=F("received"))
        line = coming.select_related("po", "product").order_by("pk").first()
        if line is None:
            return
        units = line.outstanding if self.world.chance.random() < 0.7 else 1
        if units:
            broken = int(self.world.chance.random() < 0.1)
            counted = {"sku": line.product.sku, "received": units, "damaged": broken}
            self.ask("POST", "/goods-receipts", {"purchase_order": line.po.number, "lines": [counted]})
