"""Misbehaviour by seed: the same seed, the same sequence for each sort of call, in whatever order they come."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
import stripe

from sandbox.cards import CARDS
from sandbox.chance import LONGEST_OUTAGE, Chance
from sandbox.faults import BY_SEED, EVENT_KINDS, KINDS, REQUEST_KINDS
from sandbox.tests.inside import Inside
from sandbox.tests.running import ROOT, Receiver, Sandbox, wait_for


def misbehave(processor: Sandbox, seed: Any, **more: Any) -> None:
    answer = requests.post(f"{processor.url}/_faults", json={"seed": seed, **more}, timeout=10)
    assert answer.status_code == 200, answer.text


def outcome(call: Any) -> str:
    """What a shop sees of a call."""
    try:
        call()
    except stripe.APIConnectionError:
        return "broken"
    except stripe.StripeError as error:
        return str(error.http_status)
    return "done"


def answers(processor: Sandbox, calls: int = 24) -> list[str]:
    return [outcome(lambda: processor.stripe.v1.customers.create({})) for _ in range(calls)]


def test_the_same_seed_gives_the_same_sequence_and_another_seed_another(processor: Sandbox) -> None:
    told = []
    for seed in (7, 7, 8):
        misbehave(processor, seed, rate=0.5, seconds=0)
        told.append(answers(processor))
    assert told[0] == told[1] != told[2]
    assert {"done", "broken", "429", "500"} <= set(told[0])


def test_each_sort_of_call_has_a_sequence_of_its_own_whatever_comes_between(processor: Sandbox) -> None:
    misbehave(processor, "lives", rate=0.5, seconds=0)
    alone = answers(processor)
    misbehave(processor, "lives", rate=0.5, seconds=0)
    busy = threading.Thread(target=lambda: [outcome(processor.stripe.v1.events.list) for _ in range(30)])
    busy.start()
    among_others = answers(processor)
    busy.join(timeout=30)
    assert alone == among_others


def test_ids_do_not_matter_only_the_sort_of_call() -> None:
    def told(intents: int) -> list[str]:
        shop = Inside()
        made = [shop.pay(capture_method="manual").id for _ in range(intents)]
        shop.processor.faults.misbehave({"seed": 3, "rate": 0.5, "seconds": 0, "path": "/v1/payment_intents/*/capture"})
        return [outcome(lambda name=name: shop.stripe.payment_intents.capture(name)) for name in made[-12:]]

    assert told(12) == told(15)
    assert "broken" in told(12)


def test_about_so_many_calls_are_struck_as_the_rate_says_by_every_kind() -> None:
    chance = Chance("1", 0.2, BY_SEED, 2.0, None, "*")
    drawn = [chance.next("POST /v1/refunds", REQUEST_KINDS) for _ in range(2_000)]
    struck = [found for found in drawn if found]
    assert 300 < len(struck) < 500
    assert {kind for kind, _ in struck} == set(REQUEST_KINDS)
    assert all(0 <= seconds <= 2 for _, seconds in struck)
    assert [Chance("1", 0.2, BY_SEED, 2.0, None, "*").at("POST /v1/refunds", n, REQUEST_KINDS) for n in range(9)] == (
        drawn[:9]
    )


def test_an_outage_of_the_webhooks_swallows_some_events_in_a_row() -> None:
    chance = Chance("1", 0.02, ("webhooks_off",), 2.0, None, "*")
    told = "".join("x" if chance.next("events", EVENT_KINDS) else "." for _ in range(2_000))
    runs = sorted({len(run) for run in told.split(".") if run})
    assert runs[0] == 1
    assert LONGEST_OUTAGE / 2 < runs[-1] <= 3 * LONGEST_OUTAGE


def test_webhooks_misbehave_by_the_seed_too(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    misbehave(processor, 5, rate=0.6, kinds=["webhooks_twice", "webhooks_off"])
    paid = [processor.charge(saved).id for _ in range(12)]
    processor.healthy()
    last = processor.charge(saved).id

    def came() -> list[str]:
        return [event["data"]["object"]["id"] for event in receiver.events("payment_intent.succeeded")]

    wait_for(lambda: last in came())
    counted = [came().count(identifier) for identifier in paid]
    assert {0, 2} <= set(counted)


def test_a_call_that_was_lost_on_the_way_has_done_nothing_and_its_key_is_free(processor: Sandbox) -> None:
    saved = processor.saved_card()
    before = len(processor.summary())
    processor.fault("lost_call", count=1)
    with pytest.raises(stripe.APIConnectionError):
        processor.charge(saved, key="lost-call-1")
    assert len(processor.summary()) == before
    assert processor.charge(saved, key="lost-call-1").status == "succeeded"


def test_an_error_at_the_work_is_kept_under_its_key_though_nothing_happened(processor: Sandbox) -> None:
    saved = processor.saved_card()
    before = len(processor.summary())
    processor.fault("error_500_kept", count=1)
    headers = []
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            processor.charge(saved, key="kept-1")
        assert refused.value.http_status == 500
        headers.append({name.lower(): value for name, value in (refused.value.headers or {}).items()})
    assert [found.get("idempotent-replayed") for found in headers] == [None, "true"]
    assert len(processor.summary()) == before
    assert processor.charge(saved, key="kept-2").status == "succeeded"


def test_refunds_fail_by_seed_only_where_that_is_asked_for(processor: Sandbox) -> None:
    misbehave(processor, 1, rate=1, kinds=["refund_fails"], seconds=0)
    paid = processor.charge(processor.saved_card())
    back = processor.stripe.v1.refunds.create({"payment_intent": paid.id})
    assert processor.stripe.v1.refunds.retrieve(back.id).status == "failed"
    misbehave(processor, 1)
    shown = requests.get(f"{processor.url}/_faults", timeout=5).json()["seeded"]
    assert shown["kinds"] == sorted(BY_SEED)
    processor.healthy()
    shown = requests.get(f"{processor.url}/_faults", timeout=5).json()
    assert (shown["faults"], shown["seeded"]) == ([], None)


@pytest.mark.parametrize(
    "order",
    [
        {"seed": None},
        {"seed": True},
        {"seed": 1, "rate": 2},
        {"seed": 1, "seconds": -1},
        {"seed": 1, "kinds": []},
        {"seed": 1, "kinds": ["payout_fails"]},
        {"seed": 1, "kinds": "delay"},
        {"seed": 1, "kind": "delay"},
        {"seed": 1, "method": 5},
    ],
)
def test_a_seeded_order_that_makes_no_sense_is_refused(processor: Sandbox, order: dict[str, Any]) -> None:
    assert requests.post(f"{processor.url}/_faults", json=order, timeout=5).status_code == 400


def test_the_book_names_every_fault_and_every_card() -> None:
    book = (ROOT / "docs" / "sandbox.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in book] == []
    usual = [name for name in CARDS if "chargeDeclined" not in name]
    assert [name for name in usual if f"`{name}`" not in book] == []
    variants = {name.partition("chargeDeclined")[2] for name in CARDS} - {""}
    assert [kind for kind in variants if f"{kind}`" not in book] == []
