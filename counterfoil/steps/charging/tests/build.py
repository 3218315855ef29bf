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
from counterfoil.core.actor import customer
from counterfoil.core.db import execute
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.gateways.card import gateway
from counterfoil.records.orders.models import Order
from counterfoil.steps.checkout.actions import Wanted, place_order
from sandbox.webhooks import signature
from tests.support import ADDRESS, Api, order_body, product, settle

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


def pays(address: str, card: str = "pm_card_visa") -> None:
    """The customer gives a card at the hosted page; nobody tells us, and their browser never comes back."""
    answer = requests.post(address, data={"card": card, "terms": "accepted"}, allow_redirects=False, timeout=10)
    assert answer.status_code == 303, answer.text


def declined(api: Api, **more: Any) -> str:
    """An order whose charge was declined, so that the customer may pay at a page; its number."""
    number = approved(api, card="pm_card_chargeCustomerFail", **more)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    return number


def the_bank_changes_its_mind(number: str) -> None:
    """The saved card would work now: as a customer's does who has been paid their wages."""
    known = Order.objects.get(number=number)
    good = gateway().save_card(
        customer=known.customer.processor_id, source="pm_card_visa", reference=number, key=f"good-{known.token[:20]}"
    )
    Order.objects.filter(pk=known.pk).update(card_method=good.method_id)


def the_bank_thinks(sandbox: str, number: str, card: str) -> None:
    """From now on the saved card of this order behaves as the test card of that name."""
    known = Order.objects.get(number=number)
    told = {"payment_method": known.card_method, "behaves_as": card}
    answer = requests.post(f"{sandbox}/_cards", json=told, timeout=10)
    assert answer.status_code == 200, answer.text


@contextmanager
def after(**time: float) -> Iterator[None]:
    """So much later in business time; what is due then has been looked at, and what is owed been done."""
    with clock.at(clock.business_now() + timedelta(**time)):
        sweep()
        settle()
        yield


def in_two_parts(api: Api, *, card: str = "pm_card_visa") -> str:
    """An approved order of two wines that the customer wanted in two parcels; its number."""
    for sku in ("PINOT-21", "SYRAH-19"):
        if api.get(f"/products/{sku}").status == 404:
            product(api, sku, stock=50)
    number = str(api.done("/orders", order_body(("PINOT-21", 1), ("SYRAH-19", 1), card=card))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    date = (shop().today() + timedelta(days=1)).isoformat()
    accepted(api, number, {"kind": "split", "line": "SYRAH-19", "quantity": 1, "date": date})
    return number


def accepted(api: Api, number: str, choice: dict[str, Any]) -> None:
    """The customer is offered this and says yes. Jobs stay owed."""
    asked = api.done(f"/orders/{number}/proposals", {"choices": [choice]})
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})


def unfinished(*lines: tuple[str, int]) -> Order:
    """A check-out whose customer is still to give a card at the hosted page."""
    placed = place_order(
        wanted=Wanted(
            channel="web",
            reference=f"cart-{Order.objects.count() + 1:08}",
            currency="USD",
            name="Zoë Brontë",
            email="zoe@example.com",
            shipping_address=ADDRESS,
            lines=[(sku, quantity, None) for sku, quantity in lines or (("PINOT-21", 2),)],
            shipping_method="Ground",
            shipping_price=1500,
            payment_method="card",
            finished=False,
        ),
        actor=customer("Zoë Brontë"),
    )
    return Order.objects.get(number=placed.number)
