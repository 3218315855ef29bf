"""Webhooks: signed, told again until taken, and not lost with the process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import requests
import stripe

from sandbox.processor import Processor
from sandbox.tests.running import DAY, SECRET, Receiver, Sandbox, envelope, wait_for
from sandbox.webhooks import claim, finish


def _told(receiver: Receiver, kind: str, identifier: str) -> list[dict[str, object]]:
    return [event for event in receiver.events(kind) if event["data"]["object"]["id"] == identifier]


def test_the_shop_is_told_of_a_payment_under_a_signature_that_stripes_sdk_accepts(
    processor: Sandbox, receiver: Receiver
) -> None:
    paid = processor.charge(processor.saved_card(), metadata={"order": "CF-9"}, key="told-1")
    event = wait_for(lambda: _told(receiver, "payment_intent.succeeded", paid.id))[0]
    kept = processor.stripe.v1.events.retrieve(str(event["id"]))
    assert kept.data.object["metadata"]["order"] == "CF-9"
    assert kept.request is not None
    assert kept.request.idempotency_key == "told-1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.bodies[0] + b" ", receiver.signatures[0], SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], "whsec_other")
    wait_for(lambda: processor.stripe.v1.events.retrieve(kept.id).pending_webhooks == 0)


def test_everything_that_happens_to_money_is_told(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    held = processor.charge(saved, capture_method="manual")
    processor.stripe.v1.payment_intents.cancel(held.id)
    lapsing = processor.charge(saved, capture_method="manual")
    processor.later(8 * DAY)
    paid = processor.charge(saved)
    refund = processor.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    processor.fault("refund_fails", count=1)
    failing = processor.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 200})
    with pytest.raises(stripe.CardError) as refused:
        processor.charge(processor.saved_card("pm_card_chargeCustomerFail"))
    for kind, identifier in (
        ("payment_intent.amount_capturable_updated", held.id),
        ("payment_intent.canceled", held.id),
        ("payment_intent.canceled", lapsing.id),
        ("payment_intent.payment_failed", envelope(refused.value).payment_intent.id),
        ("charge.refunded", str(paid.latest_charge)),
        ("refund.created", refund.id),
        ("refund.updated", failing.id),
        ("refund.failed", failing.id),
    ):
        assert wait_for(lambda kind=kind, identifier=identifier: _told(receiver, kind, identifier))  # type: ignore[misc]


def test_the_shop_is_told_of_cards_saved_and_refused(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    with pytest.raises(stripe.CardError) as refused:
        processor.saved_card("pm_card_visa_chargeDeclined")
    told = wait_for(lambda: _told(receiver, "setup_intent.setup_failed", envelope(refused.value).setup_intent.id))
    assert len(told) == 1
    wait_for(
        lambda: [
            event
            for event in receiver.events("setup_intent.succeeded")
            if event["data"]["object"]["payment_method"] == saved["payment_method"]
        ]
    )


def test_a_webhook_that_the_shop_refuses_is_sent_again(processor: Sandbox, receiver: Receiver) -> None:
    wait_for(lambda: all(row["next_at"] is None for row in processor.ledger()["deliveries"]))
    receiver.answers[:] = [500, 302]
    paid = processor.charge({"payment_method": "pm_card_visa"}, off_session=False)
    assert len(wait_for(lambda: _told(receiver, "payment_intent.succeeded", paid.id))) == 1
    rows = wait_for(lambda: [row for row in processor.ledger()["deliveries"] if row["delivered_at"]][-1:])
    assert (rows[0]["attempts"], rows[0]["last_status"]) == (3, "200")


def test_webhooks_can_be_lost_doubled_or_late(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    processor.fault("webhooks_off", count=1, path="payment_intent.*")
    lost = processor.charge(saved)
    processor.fault("webhooks_twice", count=1)
    twice = processor.charge(saved)
    processor.fault("webhooks_late", count=1, seconds=0.6)
    late = processor.charge(saved)
    assert _told(receiver, "payment_intent.succeeded", late.id) == []
    told = wait_for(lambda: _told(receiver, "payment_intent.succeeded", twice.id)[1:])
    assert len(told) == 1
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", late.id))
    assert _told(receiver, "payment_intent.succeeded", lost.id) == []
    listed = processor.stripe.v1.events.list({"type": "payment_intent.succeeded", "limit": 3})
    assert [event.data.object["id"] for event in listed.data] == [late.id, twice.id, lost.id]


def test_what_was_not_delivered_before_a_crash_is_delivered_after_it(tmp_path: Path) -> None:
    door = Receiver()
    options = ("--webhook-url", door.url, "--webhook-secret", SECRET)
    door.close()  # the shop is down
    before = Sandbox(tmp_path, *options)
    paid = before.charge(before.saved_card())
    before.kill()
    door = Receiver(door.port)  # and comes back
    after = Sandbox(tmp_path, *options)
    try:
        told = wait_for(lambda: _told(door, "payment_intent.succeeded", paid.id), 40)
        assert len(told) == 1
    finally:
        assert after.stop() == 0
        door.close()


def _settled(processor: Sandbox) -> bool:
    return all(row["next_at"] is None for row in processor.ledger()["deliveries"])


def test_an_event_may_arrive_after_the_one_that_followed_it(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    wait_for(lambda: _settled(processor))
    processor.fault("webhooks_out_of_order", path="payment_intent.*", seconds=20)
    paid = [processor.charge(saved).id for _ in range(4)]
    wait_for(lambda: all(_told(receiver, "payment_intent.succeeded", one) for one in paid), 10)
    came = [event["data"]["object"]["id"] for event in receiver.events("payment_intent.succeeded")]
    assert came.index(paid[1]) < came.index(paid[0])
    assert came.index(paid[3]) < came.index(paid[2])


def test_an_event_that_nothing_follows_is_late_only(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    wait_for(lambda: _settled(processor))
    processor.fault("webhooks_out_of_order", count=1, path="payment_intent.*", seconds=0.5)
    paid = processor.charge(saved)
    assert _told(receiver, "payment_intent.succeeded", paid.id) == []
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", paid.id))


def test_after_an_outage_by_the_clock_the_webhooks_come_in_their_order(processor: Sandbox, receiver: Receiver) -> None:
    saved = processor.saved_card()
    processor.fault("webhooks_off", seconds=3_600, then="delivered")
    held = processor.charge(saved)
    refund = processor.stripe.v1.refunds.create({"payment_intent": held.id})
    waiting = processor.ledger()["held_webhooks"]
    assert len(waiting) == 3
    assert processor.stripe.v1.events.retrieve(waiting[0]["event"]).pending_webhooks == 1
    assert _told(receiver, "payment_intent.succeeded", held.id) == []
    processor.later(3_600)
    wait_for(lambda: _told(receiver, "refund.created", refund.id))
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", held.id))
    assert processor.ledger()["held_webhooks"] == []
    after = processor.charge(saved)  # and the outage is over
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", after.id))


def test_an_outage_that_is_called_off_lets_go_of_what_it_held(processor: Sandbox, receiver: Receiver) -> None:
    processor.fault("webhooks_off", seconds=86_400, then="delivered", path="payment_intent.*")
    held = processor.charge(processor.saved_card())
    processor.healthy()
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", held.id))


def test_what_was_lost_in_an_outage_can_be_sent_again(processor: Sandbox, receiver: Receiver) -> None:
    def resend(**order: str) -> requests.Response:
        return requests.post(f"{processor.url}/_webhooks/resend", json=order, timeout=10)

    saved = processor.saved_card()
    wait_for(lambda: _settled(processor))
    resend()  # whatever other tests have lost
    wait_for(lambda: _settled(processor))
    processor.fault("webhooks_off", seconds=60, path="payment_intent.*")
    lost = [processor.charge(saved).id for _ in range(2)]
    processor.later(61)
    came = processor.charge(saved)
    wait_for(lambda: _told(receiver, "payment_intent.succeeded", came.id))
    wait_for(lambda: _settled(processor))
    assert not any(_told(receiver, "payment_intent.succeeded", one) for one in lost)
    assert resend().json() == {"queued": 2}
    wait_for(lambda: all(_told(receiver, "payment_intent.succeeded", one) for one in lost))
    wait_for(lambda: _settled(processor))
    assert resend().json() == {"queued": 0}
    event = str(_told(receiver, "payment_intent.succeeded", came.id)[0]["id"])
    assert resend(event=event).json() == {"queued": 1}
    wait_for(lambda: len(_told(receiver, "payment_intent.succeeded", came.id)) == 2)
    assert resend(event="evt_nobody").status_code == 400


def test_what_an_outage_holds_back_is_not_lost_in_a_crash(tmp_path: Path) -> None:
    door = Receiver()
    options = ("--webhook-url", door.url, "--webhook-secret", SECRET)
    before = Sandbox(tmp_path, *options)
    before.fault("webhooks_off", seconds=3_600, then="delivered")
    paid = before.charge(before.saved_card())
    before.kill()
    after = Sandbox(tmp_path, *options)
    try:
        assert _told(door, "payment_intent.succeeded", paid.id) == []
        after.later(3_600)
        wait_for(lambda: _told(door, "payment_intent.succeeded", paid.id))
    finally:
        assert after.stop() == 0
        door.close()


def test_the_wait_between_attempts_doubles_up_to_a_minute_and_ends_after_three_days() -> None:
    now = [1_800_000_000.0]
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    processor = Processor(connection, clock=lambda: now[0], webhooks=True)
    processor.call("POST", "/v1/payment_intents", {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa",
                                                   "confirm": "true"})  # fmt: skip
    waits: list[float] = []
    while (delivery := claim(processor.store)) is not None:
        finish(processor.store, delivery, taken=False, result="500")
        (due,) = connection.execute("SELECT next_at FROM deliveries").fetchone()
        if due is None:
            break
        waits.append(due - now[0])
        now[0] = due
    assert waits[:9] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert 3 * DAY - 60 <= sum(waits) <= 3 * DAY + 60
