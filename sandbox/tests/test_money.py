"""What may happen to money: charges, holds, refunds, and the sum of it all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import stripe

from sandbox.tests.running import DAY, Sandbox, envelope


def test_a_saved_card_is_charged_in_full_at_once(processor: Sandbox) -> None:
    intent = processor.charge(processor.saved_card(), 4_200, metadata={"order": "CF-1047"}, expand=["latest_charge"])
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 4_200, "CF-1047")
    charge = intent.latest_charge
    assert (charge.object, charge.captured, charge.amount_captured, charge.amount_refunded) == (
        "charge",
        True,
        4_200,
        0,
    )
    assert (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4) == ("visa", "4242")
    entry = processor.stripe.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (entry.amount, entry.fee, entry.net) == (4_200, 152, 4_048)


def test_an_intent_that_was_not_confirmed_takes_no_money(processor: Sandbox) -> None:
    saved = processor.saved_card()
    intent = processor.stripe.v1.payment_intents.create({"amount": 900, "currency": "usd", **saved})  # type: ignore[typeddict-item]
    assert (intent.status, intent.latest_charge) == ("requires_confirmation", None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        processor.stripe.v1.payment_intents.capture(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    confirmed = processor.stripe.v1.payment_intents.confirm(intent.id, {"off_session": True})
    assert (confirmed.status, confirmed.amount_received) == ("succeeded", 900)
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.payment_intents.confirm(intent.id)


def test_a_capture_never_exceeds_what_was_authorised(processor: Sandbox) -> None:
    intent = processor.charge(processor.saved_card(), 5_000, capture_method="manual", expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 5_000, 0)
    assert not intent.latest_charge.captured
    with pytest.raises(stripe.InvalidRequestError) as refused:
        processor.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 5_001})
    assert refused.value.code == "amount_too_large"
    taken = processor.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 3_000})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 3_000, 0)
    with pytest.raises(stripe.InvalidRequestError):  # what was not captured is released, not kept for later
        processor.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2_000})


def test_a_cancelled_hold_cannot_be_captured_and_captured_money_cannot_be_cancelled(processor: Sandbox) -> None:
    saved = processor.saved_card()
    held = processor.charge(saved, capture_method="manual")
    cancelled = processor.stripe.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (cancelled.status, cancelled.amount_capturable) == ("canceled", 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        processor.stripe.v1.payment_intents.capture(held.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert envelope(refused.value).payment_intent.status == "canceled"
    paid = processor.charge(saved)
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.payment_intents.cancel(paid.id)


@pytest.mark.parametrize(("off_session", "seconds"), [(True, 5 * DAY - 6 * 3_600), (False, 7 * DAY)])
def test_a_hold_lapses_by_the_business_clock(processor: Sandbox, off_session: bool, seconds: int) -> None:
    saved = processor.saved_card()
    intent = processor.charge(saved, capture_method="manual", off_session=off_session, expand=["latest_charge"])
    charge = intent.latest_charge
    assert charge.payment_method_details.card.capture_before - charge.created == seconds
    processor.later(seconds - 60)
    assert processor.stripe.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    processor.later(60)
    lapsed = processor.stripe.v1.payment_intents.retrieve(intent.id)
    assert (lapsed.status, lapsed.cancellation_reason, lapsed.amount_capturable) == ("canceled", "automatic", 0)
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.payment_intents.capture(intent.id)


def test_business_time_never_goes_back(processor: Sandbox) -> None:
    processor.later(10)
    offset = processor.ledger()["offset_seconds"]
    assert processor.clock(offset - 1).status_code == 400
    assert processor.clock("soon").status_code == 400
    assert processor.ledger()["offset_seconds"] == offset


def test_a_refund_never_exceeds_what_was_captured(processor: Sandbox) -> None:
    intent = processor.charge(processor.saved_card(), 3_000)
    refunds = processor.stripe.v1.refunds
    refunds.create({"payment_intent": intent.id, "amount": 1_000, "reason": "requested_by_customer"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refunds.create({"payment_intent": intent.id, "amount": 2_001})
    assert refused.value.code == "amount_too_large"
    rest = refunds.create({"charge": intent.latest_charge})
    assert (rest.amount, rest.status) == (2_000, "succeeded")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"
    listed = refunds.list({"payment_intent": intent.id})
    assert [refund.amount for refund in listed.data] == [2_000, 1_000]
    charge = processor.stripe.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (3_000, True)


def test_money_that_is_only_held_cannot_be_refunded(processor: Sandbox) -> None:
    held = processor.charge(processor.saved_card(), capture_method="manual")
    for which in ({"payment_intent": held.id}, {"charge": held.latest_charge}):
        with pytest.raises(stripe.InvalidRequestError):
            processor.stripe.v1.refunds.create(which)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["fault", "card"])
def test_a_refund_may_fail_later_and_its_money_counts_as_captured_again(processor: Sandbox, by: str) -> None:
    if by == "fault":
        processor.fault("refund_fails", count=1)
    intent = processor.charge(processor.saved_card("pm_card_refundFail" if by == "card" else "pm_card_visa"), 2_000)
    refund = processor.stripe.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    failed = processor.stripe.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = processor.stripe.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (2_000, 0, False)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": 10.5}, "parameter_invalid_integer"),
        ({"amount": -500}, "parameter_invalid_integer"),
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"amount": 49}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"currency": "xyz"}, None),
        ({"currency": ""}, "parameter_missing"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"allowed_payment_method_types": ["sepa_debit"]}, None),
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"confirm": False}, None),  # off_session without confirm
    ],
)
def test_a_charge_that_makes_no_sense_is_refused(processor: Sandbox, wrong: dict[str, Any], code: str | None) -> None:
    saved = processor.saved_card()
    before = len(processor.summary())
    with pytest.raises(stripe.InvalidRequestError) as refused:
        processor.charge(saved | wrong)
    assert (refused.value.http_status, refused.value.code) == (400, code)
    assert len(processor.summary()) == before


def test_what_the_balance_says_is_what_was_captured_less_what_was_refunded(processor: Sandbox) -> None:
    """Runs over everything that the other tests of this file did, and its own mixture."""
    saved = processor.saved_card()
    for amount in (700, 1_300, 9_900):
        intent = processor.charge(saved, amount, capture_method="manual")
        processor.stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": amount - 100})
        processor.stripe.v1.refunds.create({"payment_intent": intent.id, "amount": amount // 2})
    ledger = processor.ledger()["objects"]
    balance: Counter[str] = Counter()
    for entry in ledger["balance_transaction"]:
        if entry["type"] in ("charge", "refund", "refund_failure"):  # the rest: payouts, and what the banks took
            balance[entry["currency"]] += entry["amount"]
    charged: Counter[str] = Counter()
    paid_back: Counter[str] = Counter()
    for refund in ledger["refund"]:
        paid_back[refund["charge"]] += refund["amount"] if refund["status"] == "succeeded" else 0
    for charge in ledger["charge"]:
        assert 0 <= charge["amount_refunded"] <= charge["amount_captured"] <= charge["amount"]
        assert charge["amount_refunded"] == paid_back[charge["id"]]
        assert charge["status"] == "succeeded" or charge["amount_captured"] == 0
        charged[charge["currency"]] += charge["amount_captured"] - charge["amount_refunded"]
    assert charged["usd"] > 0
    assert balance == charged
    captured: Counter[str] = Counter()
    for charge in ledger["charge"]:
        captured[charge["payment_intent"]] += charge["amount_captured"]
    for line in processor.summary():
        assert line["amount_captured"] == captured[line["id"]] <= line["amount"]
    for intent in ledger["payment_intent"]:
        assert intent["amount_received"] == captured[intent["id"]]
