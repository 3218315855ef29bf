"""Orders on the way to the charge, made through the public doors, and a look into the processor's own ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests

from counterfoil.core import clock
from counterfoil.core.db import execute
from counterfoil.core.shop import shop
from counterfoil.records.orders.models import Order
from sandbox.webhooks import signature
from tests.support import Api, order_body, product, settle

CONFIRM = "/v1/payment_intents/*/confirm"
SECRET = "whsec_test"


def approved(api: Api, *, card: str | None = "pm_card_visa", saved: bool = True, **more: Any) -> str:
    """An order whose gate is open; its number."""
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=500)
    number = str(api.done("/orders", order_body(("PINOT-21", 2), card=card, **more))["number"])
    if saved:
        settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    return number


def token(number: str) -> str:
    return Order.objects.get(number=number).token[:20]


def at_the_bank(sandbox: str, number: str) -> list[tuple[int, int]]:
    """(captured, refunded) of every charge of this order that took money, as the processor has it."""
    mark = token(number)
    answer = requests.get(f"{sandbox}/_ledger", params={"summary": "1"}, timeout=10).json()
    return [
        (i["amount_captured"], i["amount_refunded"])
        for i in answer["payment_intents"]
        if mark in json.dumps(i["metadata"]) and i["amount_captured"]
    ]


def intents(sandbox: str, number: str) -> list[dict[str, Any]]:
    """Every intent of this order at the processor."""
    mark = token(number)
    answer = requests.get(f"{sandbox}/_ledger", params={"summary": "1"}, timeout=10).json()
    return [i for i in answer["payment_intents"] if mark in json.dumps(i["metadata"])]


@contextmanager
def fault(sandbox: str, kind: str, **more: Any) -> Iterator[None]:
    """The processor misbehaves so long."""
    answer = requests.post(f"{sandbox}/_faults", json={"kind": kind, **more}, timeout=10)
    assert answer.status_code == 200, answer.text
    try:
        yield
    finally:
        requests.delete(f"{sandbox}/_faults", timeout=10)


def time_passes() -> None:
    """Whatever is owed later is due now, and the leases of the dead have run out."""
    now = clock.real_now()
    execute("UPDATE core_job SET run_at = %s WHERE state = 'queued' AND run_at > %s", [now, now])
    execute("UPDATE core_job SET lease_until = %s WHERE state = 'running'", [now - timedelta(seconds=1)])


def later() -> None:
    """The next minutes of a worker."""
    for _ in range(4):
        time_passes()
        settle()


def event(kind: str, object_id: str, *, id_: str = "evt_1") -> bytes:
    """A webhook's body."""
    return json.dumps({"id": id_, "object": "event", "type": kind, "data": {"object": {"id": object_id}}}).encode()


def signed(body: bytes, secret: str = SECRET, *, age: int = 0) -> str:
    """The processor's signature of a body, made `age` real seconds ago."""
    return signature(body, secret, int(time.time()) - age)


def deliver(client: Any, body: bytes, signature_: str) -> int:
    """What the processor does with an event; the answer's status."""
    answer = client.post(
        "/api/v1/webhooks/stripe", body, content_type="application/json", headers={"Stripe-Signature": signature_}
    )
    return int(answer.status_code)
