"""A card processor of one shop's own, so that its balance is ours to the cent; and what people do there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests
from django.db.models import Sum

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Charge, Order
from counterfoil.shell.moving import tell_sandbox
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.models import Dispute
from counterfoil.steps.charging.tests.build import approved, later
from tests.support import Api, settle

TOTAL, FEE, DISPUTE_FEE = 6500, 219, 1500
SENT_AWAY = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}


def ledger(sandbox: str) -> dict[str, Any]:
    """Intents, disputes, payouts and totals as the processor has them."""
    found: dict[str, Any] = requests.get(f"{sandbox}/_ledger", params={"summary": "1"}, timeout=10).json()
    return found


def balance(sandbox: str, currency: str = "usd") -> int:
    """What the processor has of the shop's and has not paid out, minor units."""
    return int(ledger(sandbox)["totals"].get(currency, {"balance": 0})["balance"])


def charged(api: Api, *, card: str = "pm_card_visa", **more: Any) -> str:
    """An order whose card was charged; its number."""
    number = approved(api, card=card, **more)
    api.done(f"/orders/{number}/charge", {})
    settle()
    return number


def ship(api: Api, number: str, tracking: str = "1Z999AA10123456784") -> None:
    """Picked, packed and handed to the carrier."""
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/packages", {})
    api.done(f"/orders/{number}/shipments", {**SENT_AWAY, "tracking_number": tracking})
    settle()


def disputed(sandbox: str, number: str, *, reason: str = "product_not_received", inquiry: bool = False) -> str:
    """The customer of this order goes to their bank; the dispute's id. Nobody has told us yet."""
    intent = Charge.objects.get(part__order__number=number, state="succeeded").intent_id
    told = {"payment_intent": intent, "reason": reason, "inquiry": inquiry}
    answer = requests.post(f"{sandbox}/_disputes", json=told, timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def verdict(sandbox: str, dispute: str, what: str) -> None:
    """The bank decides."""
    answer = requests.post(f"{sandbox}/_disputes", json={"dispute": dispute, "verdict": what}, timeout=10)
    assert answer.status_code == 200, answer.text


def days_pass(days: int) -> None:
    """Business time moves, here and at the processor."""
    with writing():
        offset = clock.advance_business_time(timedelta(days=days))
    tell_sandbox(offset)


def books() -> dict[str, int]:
    """What every account of the books holds, minor units; empty ones are left out."""
    held = Posting.objects.values_list("account").annotate(Sum("amount"))
    return {str(account): int(total) for account, total in held if total}


def place(number: str) -> tuple[str, str]:
    """Where an order stands, and what is next."""
    order = Order.objects.get(number=number)
    return order.queue, order.next_action


def only() -> Dispute:
    return Dispute.objects.select_related("order", "charge").get()


def compared() -> None:
    """A comparison, after which the two sides have the same."""
    later()
    reconcile()
    later()
    assert judge_all() == []
