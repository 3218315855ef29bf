"""Ordered faults: what the shop sees, and what really happened to the money."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from sandbox.tests.running import ROOT, Sandbox


def _taken(processor: Sandbox, saved: dict[str, Any]) -> int:
    return sum(line["amount_captured"] for line in processor.summary() if line["customer"] == saved["customer"])


def test_a_lost_answer_has_done_its_work_and_the_repeat_learns_of_it(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("lost_answer", count=1)
    with pytest.raises(stripe.APIConnectionError):
        processor.charge(saved, 1_000, key="lost-1")
    assert _taken(processor, saved) == 1_000
    assert processor.charge(saved, 1_000, key="lost-1").status == "succeeded"
    assert _taken(processor, saved) == 1_000
    assert [call["note"] for call in processor.ledger()["calls"] if call["idempotency_key"] == "lost-1"] == [
        "lost answer",
        "replayed",
    ]


def test_an_error_before_the_work_leaves_nothing_and_the_key_free(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("error_500", count=1, path="/v1/payment_intents")
    with pytest.raises(stripe.APIError) as refused:
        processor.charge(saved, key="e500-1")
    assert refused.value.http_status == 500
    assert _taken(processor, saved) == 0
    assert processor.charge(saved, key="e500-1").status == "succeeded"


def test_an_error_after_the_work_is_kept_under_its_key_though_the_money_moved(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("error_500_after", count=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            processor.charge(saved, 1_000, key="after-1")
        assert refused.value.http_status == 500
    assert _taken(processor, saved) == 1_000
    found = processor.stripe.v1.payment_intents.list({"customer": saved["customer"]})  # how a shop finds out
    assert [intent.status for intent in found.data] == ["succeeded"]


def test_too_many_requests_and_slow_answers(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("rate_limit", count=1)
    with pytest.raises(stripe.RateLimitError):
        processor.charge(saved)
    processor.fault("delay", count=1, seconds=0.4)
    began = time.monotonic()
    assert processor.charge(saved).status == "succeeded"
    assert time.monotonic() - began >= 0.4


def test_a_fault_strikes_only_the_path_it_names(processor: Sandbox) -> None:
    saved = processor.saved_card()
    processor.fault("error_500", path="/v1/payment_intents/*/capture")
    held = processor.charge(saved, capture_method="manual")
    with pytest.raises(stripe.APIError):
        processor.stripe.v1.payment_intents.capture(held.id)
    processor.healthy()
    assert processor.stripe.v1.payment_intents.capture(held.id).status == "succeeded"


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "webhooks_off", "then": "delivered"},
        {"kind": "webhooks_off", "seconds": 5, "then": "perhaps"},
        {"kind": "webhooks_late", "seconds": 5, "then": "delivered"},
        {"kind": "payout_fails", "seconds": 31 * 86_400},
        {"kind": "fire"},
        {"kind": "delay", "seconds": -1},
        {"kind": "delay", "count": 0},
        {"rate": 2},
        {"x": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(processor: Sandbox, order: dict[str, Any]) -> None:
    assert requests.post(f"{processor.url}/_faults", json=order, timeout=5).status_code == 400
    assert requests.post(f"{processor.url}/_faults", data="no json", timeout=5).status_code == 400


def test_a_rate_is_chance_from_the_seed(processor: Sandbox) -> None:
    def pattern() -> list[bool]:
        processor.healthy()
        processor.fault("rate_limit", rate=0.5)
        struck = []
        for _ in range(16):
            try:
                processor.stripe.v1.customers.create({})
                struck.append(False)
            except stripe.RateLimitError:
                struck.append(True)
        return struck

    first = pattern()
    assert 0 < sum(first) < 16
    assert first == pattern()


def test_a_wrong_key_is_told_nothing(processor: Sandbox) -> None:
    stranger = stripe.StripeClient("sk_test_wrong", base_addresses={"api": processor.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.payment_intents.list()
    basic = requests.get(f"{processor.url}/v1/events", auth=("sk_test_sandbox", ""), timeout=5)
    assert basic.status_code == 200
    assert basic.headers["Request-Id"].startswith("req_")


def test_an_unknown_object_or_path_is_not_found(processor: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        processor.stripe.v1.payment_intents.retrieve("pi_nobody")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        processor.stripe.v1.coupons.list()
    assert unknown.value.http_status == 404


def test_lists_come_newest_first_in_pages(processor: Sandbox) -> None:
    saved = processor.saved_card()
    made = [processor.charge(saved, amount).id for amount in (100, 200, 300)]
    page = processor.stripe.v1.payment_intents.list({"customer": saved["customer"], "limit": 2})
    assert ([intent.id for intent in page.data], page.has_more) == (made[:0:-1], True)
    assert [intent.id for intent in page.auto_paging_iter()] == made[::-1]
    full = processor.stripe.v1.payment_intents.list(
        {"customer": saved["customer"], "created": {"gte": 1}, "expand": ["data.latest_charge"]}
    )
    assert [intent.latest_charge.amount for intent in full.data] == [300, 200, 100]  # type: ignore[union-attr]
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.payment_intents.list({"expand": ["data.secret"], "customer": saved["customer"]})


def test_what_was_done_survives_a_crash(tmp_path: Path) -> None:
    before = Sandbox(tmp_path)
    saved = before.saved_card()
    paid = before.charge(saved, 1_000, key="crash-1")
    before.later(3_600)
    before.kill()
    after = Sandbox(tmp_path)
    assert after.charge(saved, 1_000, key="crash-1").id == paid.id
    assert [line["id"] for line in after.summary()] == [paid.id]
    assert after.ledger()["offset_seconds"] == 3_600
    assert after.charge(saved, 2_000).id != paid.id
    assert after.stop() == 0


def test_a_taken_port_is_named_and_nothing_is_started(processor: Sandbox, tmp_path: Path) -> None:
    port = processor.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "sandbox.processor", "--port", port, "--data", str(tmp_path)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"Port {port} is taken" in second.stderr


def test_how_often_each_kind_of_fault_has_struck_is_counted(processor: Sandbox) -> None:
    def struck() -> Counter[str]:
        return Counter(requests.get(f"{processor.url}/_faults", timeout=5).json()["struck"])

    saved, before = processor.saved_card(), struck()
    processor.fault("error_500", count=1)
    with pytest.raises(stripe.APIError):
        processor.charge(saved, key="counted-1")
    order = {"seed": 1, "rate": 1, "kinds": ["rate_limit"], "method": "POST"}
    assert requests.post(f"{processor.url}/_faults", json=order, timeout=5).status_code == 200
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            processor.charge(saved, key="counted-2")
    requests.delete(f"{processor.url}/_faults", timeout=5)
    processor.charge(saved, key="counted-2")
    assert struck() - before == {"error_500": 1, "rate_limit": 2}


def test_the_ledger_shows_every_object_and_the_last_calls_without_what_is_ours(processor: Sandbox) -> None:
    paid = processor.charge(processor.saved_card(), key="shown-1")
    ledger = processor.ledger()
    assert paid.id in [intent["id"] for intent in ledger["objects"]["payment_intent"]]
    assert not [key for things in ledger["objects"].values() for thing in things for key in thing if key[0] == "_"]
    call = ledger["calls"][-1]
    assert (call["method"], call["path"], call["idempotency_key"], call["status"]) == (
        "POST",
        "/v1/payment_intents",
        "shown-1",
        200,
    )
    assert requests.get(f"{processor.url}/healthz", timeout=5).json()["status"] == "ok"


@pytest.mark.parametrize(
    "form",
    [
        {"name" + "[a]" * 5_000: "x"},
        {"name[": "x"},
        {"name": "x", "name[a]": "y"},
        {"name": "nul \x00"},
        {"name": "x" * 5_001},
        {"expand": "email"},
        {"expand[]": "email"},
        {"metadata": "text"},
        {"metadata[key]": "x" * 501},
        {"address[planet]": "earth"},
    ],
)
def test_a_malformed_form_is_refused_and_makes_nothing(processor: Sandbox, form: dict[str, str]) -> None:
    before = len(processor.ledger()["objects"].get("customer", []))
    key = {"Authorization": "Bearer sk_test_sandbox"}
    answer = requests.post(f"{processor.url}/v1/customers", data=form, headers=key, timeout=5)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert len(processor.ledger()["objects"].get("customer", [])) == before
