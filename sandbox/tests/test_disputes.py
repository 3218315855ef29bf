"""Customers who go to their bank: the money is taken, and comes back only if the bank says so."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from sandbox.tests.inside import MIDNIGHT, MORNING, Inside
from sandbox.tests.running import DAY, Sandbox

LONG = (
    *("access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal"),
    *("customer_name", "product_description", "refund_policy_disclosure", "uncategorized_text"),
)


def _answer(shop: Inside, dispute: Any, text: str = "We sent it.") -> Any:
    params: Any = {"evidence": {"uncategorized_text": text}}
    return shop.stripe.disputes.update(dispute.id, params)


@pytest.mark.parametrize(
    ("card", "reason", "code"),
    [
        ("pm_card_createDispute", "fraudulent", "10.4"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "13.1"),
    ],
)
def test_a_chargeback_takes_the_money_and_a_fee(card: str, reason: str, code: str) -> None:
    shop = Inside()
    intent = shop.pay(card)
    assert (intent.status, intent.latest_charge.disputed) == ("succeeded", False)
    dispute = shop.stripe.disputes.list({"charge": intent.latest_charge.id, "expand": ["data.charge"]}).data[0]
    assert (dispute.object, dispute.reason, dispute.status) == ("dispute", reason, "needs_response")
    assert (dispute.amount, dispute.currency, dispute.payment_intent) == (4_200, "usd", intent.id)
    assert (dispute.network_reason_code, dispute.is_charge_refundable) == (code, False)
    assert dispute.charge.disputed  # type: ignore[union-attr]
    [entry] = dispute.balance_transactions
    assert (entry.type, entry.reporting_category, entry.source) == ("adjustment", "dispute", dispute.id)
    assert (entry.amount, entry.fee, entry.net) == (-4_200, 1_500, -5_700)
    assert dispute.evidence_details.due_by == MIDNIGHT + 9 * DAY - 1
    assert shop.told(dispute.id) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert shop.stripe.disputes.retrieve(dispute.id).created == MORNING


def test_an_inquiry_takes_nothing_yet() -> None:
    shop = Inside()
    dispute = shop.disputed("pm_card_createDisputeInquiry")
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert dispute.is_charge_refundable
    assert dispute.payment_method_details.card.case_type == "inquiry"
    assert shop.told(dispute.id) == ["charge.dispute.created"]
    shop.stripe.refunds.create({"payment_intent": dispute.payment_intent, "amount": 200})
    assert shop.stripe.disputes.retrieve(dispute.id).status == "warning_needs_response"
    shop.stripe.refunds.create({"payment_intent": dispute.payment_intent})  # the customer has everything back
    assert shop.stripe.disputes.retrieve(dispute.id).status == "warning_closed"


def test_winning_evidence_brings_the_money_and_the_fee_back() -> None:
    shop = Inside()
    dispute = shop.disputed()
    sent = _answer(shop, dispute, "winning_evidence")
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    won = shop.stripe.disputes.retrieve(dispute.id)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    assert [entry.net for entry in won.balance_transactions] == [-5_700, 5_700]
    assert shop.told(dispute.id)[2:] == [
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert shop.stripe.refunds.create({"charge": str(dispute.charge)}).amount == 4_200


def test_losing_evidence_loses_the_money_for_good() -> None:
    shop = Inside()
    dispute = shop.disputed()
    _answer(shop, dispute, "losing_evidence")
    lost = shop.stripe.disputes.retrieve(dispute.id)
    assert (lost.status, len(lost.balance_transactions)) == ("lost", 1)
    assert shop.told(dispute.id)[2:] == ["charge.dispute.updated", "charge.dispute.closed"]
    for act in (_answer, lambda s, d: s.stripe.disputes.close(d.id)):
        with pytest.raises(stripe.InvalidRequestError, match="already closed"):
            act(shop, dispute)


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "warning_closed"), ("We sent it.", "open")])
def test_an_answered_inquiry_costs_nothing(text: str, status: str) -> None:
    shop = Inside()
    dispute = shop.disputed("pm_card_createDisputeInquiry")
    assert _answer(shop, dispute, text).status == "warning_under_review"
    after = shop.stripe.disputes.retrieve(dispute.id)
    assert after.status == (status if status == "warning_closed" else "warning_under_review")
    shop.later(121 * DAY)  # an inquiry that the bank does not come back to is over
    over = shop.stripe.disputes.retrieve(dispute.id)
    assert (over.status, over.balance_transactions) == ("warning_closed", [])


def test_an_inquiry_may_become_a_chargeback_which_is_answered_anew() -> None:
    shop = Inside()
    dispute = shop.disputed("pm_card_createDisputeInquiry")
    shop.stripe.refunds.create({"payment_intent": dispute.payment_intent, "amount": 1_200})
    _answer(shop, dispute, "escalate_inquiry_evidence")
    now = shop.stripe.disputes.retrieve(dispute.id)
    assert (now.status, now.amount, now.is_charge_refundable) == ("needs_response", 3_000, False)
    assert [entry.amount for entry in now.balance_transactions] == [-3_000]
    assert shop.told(dispute.id)[-2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    _answer(shop, dispute, "winning_evidence")
    assert shop.stripe.disputes.retrieve(dispute.id).status == "won"


def test_money_that_the_bank_has_taken_cannot_be_refunded_too() -> None:
    shop = Inside()
    dispute = shop.disputed()
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.stripe.refunds.create({"payment_intent": dispute.payment_intent})
        assert refused.value.code == "charge_disputed"
        closed = shop.stripe.disputes.retrieve(dispute.id).status == "lost"
        if not closed:
            assert shop.stripe.disputes.close(dispute.id).status == "lost"
    charge = shop.stripe.charges.retrieve(str(dispute.charge))
    assert (charge.amount_captured, charge.amount_refunded) == (4_200, 0)


def test_who_does_not_answer_in_time_has_lost() -> None:
    shop = Inside()
    dispute = shop.disputed()
    shop.later(dispute.evidence_details.due_by - MORNING)
    assert shop.stripe.disputes.retrieve(dispute.id).status == "needs_response"
    shop.later(1)
    assert shop.stripe.disputes.retrieve(dispute.id).status == "lost"
    answered = shop.disputed("pm_card_createDisputeProductNotReceived")
    _answer(shop, answered)
    shop.later(60 * DAY)  # ordinary evidence stays with the bank until it decides
    assert shop.stripe.disputes.retrieve(answered.id).status == "under_review"


def test_evidence_can_be_kept_before_it_is_sent_once() -> None:
    shop = Inside()
    dispute = shop.disputed()
    kept = shop.stripe.disputes.update(
        dispute.id, {"evidence": {"shipping_carrier": "Post", "customer_name": "Mara"}, "submit": False}
    )
    assert (kept.status, kept.evidence_details.has_evidence) == ("needs_response", True)
    kept = shop.stripe.disputes.update(dispute.id, {"evidence": {"customer_name": ""}, "submit": False})
    assert (kept.evidence.shipping_carrier, kept.evidence.customer_name) == ("Post", None)
    noted = shop.stripe.disputes.update(dispute.id, {"metadata": {"order": "CF-1", "desk": "Ida"}})
    assert (noted.status, noted.metadata["order"]) == ("needs_response", "CF-1")
    noted = shop.stripe.disputes.update(dispute.id, {"metadata": {"desk": ""}})
    assert noted.metadata.to_dict() == {"order": "CF-1"}
    sent = shop.stripe.disputes.update(dispute.id, {"submit": True})
    assert (sent.status, sent.evidence.shipping_carrier) == ("under_review", "Post")
    with pytest.raises(stripe.InvalidRequestError, match="submitted already"):
        _answer(shop, dispute)


@pytest.mark.parametrize(
    "evidence",
    [
        {"uncategorized_text": "x" * 20_001},
        dict.fromkeys(LONG, "x" * 19_000),  # each is short enough, but not all together
        {"receipt": "file_123"},  # there is no door for files
        {"colour": "red"},
    ],
)
def test_evidence_that_the_bank_could_not_read_is_refused(evidence: Any) -> None:
    shop = Inside()
    dispute = shop.disputed()
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.disputes.update(dispute.id, {"evidence": evidence})
    assert shop.stripe.disputes.retrieve(dispute.id).evidence_details.submission_count == 0


def test_the_fee_of_a_dispute_in_a_currency_without_decimals() -> None:
    entry = Inside().disputed(currency="jpy").balance_transactions[0]
    assert (entry.amount, entry.fee) == (-4_200, 1_500)


def _door(processor: Sandbox, **order: Any) -> requests.Response:
    return requests.post(f"{processor.url}/_disputes", json=order, timeout=10)


def test_any_captured_payment_can_be_disputed_at_the_door(processor: Sandbox) -> None:
    paid = processor.charge(processor.saved_card(), 3_000)
    processor.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 1_000})
    raised = _door(processor, payment_intent=paid.id, reason="product_not_received")
    assert raised.status_code == 200
    dispute = processor.stripe.v1.disputes.retrieve(raised.json()["id"])
    assert (dispute.amount, dispute.reason, dispute.status) == (2_000, "product_not_received", "needs_response")
    assert _door(processor, payment_intent=paid.id).status_code == 400  # one at a time
    assert _door(processor, dispute=dispute.id, verdict="escalated").status_code == 400
    assert _door(processor, dispute=dispute.id, verdict="won").json()["status"] == "won"
    again = _door(processor, payment_intent=paid.id, reason="duplicate", inquiry=True).json()
    assert (again["status"], again["amount"]) == ("warning_needs_response", 2_000)
    line = next(line for line in processor.summary() if line["id"] == paid.id)
    assert (line["disputed"], line["amount_refunded"]) == (True, 1_000)


def test_a_dispute_that_makes_no_sense_is_refused_at_the_door(processor: Sandbox) -> None:
    saved = processor.saved_card()
    held = processor.charge(saved, capture_method="manual")
    paid = processor.charge(saved)
    for order in (
        {"payment_intent": held.id},
        {"payment_intent": "pi_nobody"},
        {"payment_intent": paid.id, "reason": "boredom"},
        {"payment_intent": paid.id, "inquiry": "yes"},
        {"payment_intent": paid.id, "colour": "red"},
        {"dispute": "du_nobody", "verdict": "won"},
        {},
    ):
        assert _door(processor, **order).status_code == 400, order
    processor.stripe.v1.refunds.create({"payment_intent": paid.id})
    assert _door(processor, payment_intent=paid.id).status_code == 400
    assert processor.stripe.v1.disputes.list({"payment_intent": paid.id}).data == []
