"""Idempotency keys: a repeat gets the first answer, and money moves once."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

import pytest
import requests
import stripe

from sandbox.inprocess import InProcess
from sandbox.processor import Processor
from sandbox.tests.running import DAY, Sandbox, envelope, wait_for


def _charges(processor: Sandbox, saved: dict[str, Any]) -> list[dict[str, Any]]:
    return [charge for charge in processor.ledger()["objects"]["charge"] if charge["customer"] == saved["customer"]]


def test_a_repeat_with_the_same_key_gets_the_first_answer(processor: Sandbox) -> None:
    saved = processor.saved_card()
    first = processor.charge(saved, key="repeat-1")
    again = processor.charge(saved, key="repeat-1")
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(_charges(processor, saved)) == 1


def test_a_declined_charge_repeated_with_its_key_is_not_tried_again(processor: Sandbox) -> None:
    saved = processor.saved_card("pm_card_chargeCustomerFail")
    errors = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            processor.charge(saved, key="declined-1")
        errors.append(envelope(refused.value).payment_intent.id)
    assert errors[0] == errors[1]
    assert len(_charges(processor, saved)) == 1


def test_the_same_key_for_another_charge_is_an_idempotency_error(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.charge(saved, 1_000, key="other-1")
    with pytest.raises(stripe.IdempotencyError) as refused:
        processor.charge(saved, 1_001, key="other-1")
    assert refused.value.http_status == 400
    assert len(_charges(processor, saved)) == 1


def test_a_request_refused_at_the_door_does_not_use_up_its_key(processor: Sandbox) -> None:
    saved = processor.saved_card()
    with pytest.raises(stripe.InvalidRequestError):
        processor.charge(saved, 10, key="door-1")
    assert processor.charge(saved, 1_000, key="door-1").status == "succeeded"


def test_a_key_is_forgotten_after_a_day_and_a_late_repeat_charges_again(processor: Sandbox) -> None:
    saved = processor.saved_card()
    first = processor.charge(saved, key="late-1")
    processor.later(DAY - 60)
    assert processor.charge(saved, key="late-1").id == first.id
    processor.later(60)
    assert processor.charge(saved, key="late-1").id != first.id
    assert len(_charges(processor, saved)) == 2


def test_a_key_in_use_answers_409_and_charges_once(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("delay", count=1, seconds=1.5, path="/v1/payment_intents")
    slow: list[Any] = []
    thread = threading.Thread(target=lambda: slow.append(processor.charge(saved, key="busy-1")))
    thread.start()
    wait_for(lambda: not _faults_left(processor))
    with pytest.raises(stripe.StripeError) as refused:
        processor.charge(saved, key="busy-1")
    assert (refused.value.http_status, envelope(refused.value).code) == (409, "idempotency_key_in_use")
    thread.join(timeout=10)
    assert processor.charge(saved, key="busy-1").id == slow[0].id
    assert len(_charges(processor, saved)) == 1


def _faults_left(processor: Sandbox) -> list[Any]:
    return list(requests.get(f"{processor.url}/_faults", timeout=5).json()["faults"])


def test_many_at_once_with_one_key_charge_once(processor: Sandbox) -> None:
    saved = processor.saved_card()
    seen: list[str] = []

    def shop() -> None:
        try:
            seen.append(processor.charge(saved, key="race-1").id)
        except stripe.StripeError as busy:
            seen.append(str(envelope(busy).code))

    threads = [threading.Thread(target=shop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(seen) == 8
    assert len(set(seen) - {"idempotency_key_in_use"}) == 1
    assert len(_charges(processor, saved)) == 1


def test_the_same_seed_and_history_give_the_same_ids_in_process() -> None:
    def history() -> list[str]:
        processor = Processor(sqlite3.connect(":memory:", isolation_level=None), clock=lambda: 1_800_000_000, seed="7")
        client = stripe.StripeClient("sk_test_sandbox", http_client=InProcess(processor), max_network_retries=0)
        customer = client.v1.customers.create({"email": "ines.okafor@example.com"})
        paid = client.v1.payment_intents.create(
            {
                "amount": 700,
                "currency": "eur",
                "customer": customer.id,
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )
        processor.faults.add({"kind": "lost_answer", "count": 1})
        with pytest.raises(stripe.APIConnectionError):
            client.v1.refunds.create({"payment_intent": paid.id})
        assert processor.summary()[0]["amount_refunded"] == 700
        return [customer.id, paid.id, str(paid.latest_charge)]

    assert history() == history()


def test_without_a_seed_no_two_processors_give_the_same_ids() -> None:
    made = set()
    for _ in range(2):
        processor = Processor(sqlite3.connect(":memory:", isolation_level=None))
        made.add(processor.call("POST", "/v1/customers", {"email": "ines.okafor@example.com"}).body["id"])
    assert len(made) == 2
