"""The balance and the bank: what is available is paid out at midnight, to the cent, and may come back."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from sandbox.balance import fee_of
from sandbox.tests.inside import MIDNIGHT, MORNING, Inside
from sandbox.tests.running import DAY, Receiver, Sandbox, wait_for


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [(4_200, "usd", 152), (1_000, "eur", 59), (1_840, "jpy", 53), (10_000, "kwd", 590), (50, "usd", 31)],
)
def test_the_fee_is_a_share_and_thirty_cents(amount: int, currency: str, fee: int) -> None:
    intent = Inside().pay(amount=amount, currency=currency, expand=["latest_charge.balance_transaction"])
    entry = intent.latest_charge.balance_transaction
    assert (entry.amount, entry.fee, entry.net) == (amount, fee, amount - fee)
    assert (entry.type, entry.source, entry.currency) == ("charge", intent.latest_charge.id, currency)


def test_a_fee_is_never_more_than_the_money() -> None:
    assert fee_of(20, "gbp") == 20


def test_money_is_available_on_the_second_midnight_and_goes_to_the_bank_then() -> None:
    shop = Inside()
    charge = shop.pay().latest_charge
    shop.later(2 * DAY - 8 * 3_600 - 1)
    assert shop.stripe.balance_transactions.retrieve(charge.balance_transaction).status == "pending"
    assert shop.stripe.payouts.list().data == []
    shop.later(1)
    assert shop.stripe.balance_transactions.retrieve(charge.balance_transaction).status == "available"
    [payout] = shop.stripe.payouts.list({"expand": ["data.balance_transaction"]}).data
    assert (payout.amount, payout.currency, payout.status) == (4_048, "usd", "paid")
    assert payout.arrival_date == payout.created == MIDNIGHT + 2 * DAY
    own: Any = payout.balance_transaction
    assert (own.type, own.amount, own.fee) == ("payout", -4_048, 0)
    assert shop.told(payout.id) == ["payout.created", "payout.paid"]


def test_every_payout_is_the_sum_of_its_entries() -> None:
    shop = Inside()
    first, second = shop.pay(amount=9_000), shop.pay(amount=5_000)
    yen = shop.pay(amount=8_000, currency="jpy")
    shop.stripe.refunds.create({"payment_intent": first.id, "amount": 2_500})
    shop.disputed(amount=3_000)
    shop.later(DAY)
    tomorrow = shop.pay(amount=1_000)
    shop.later(4 * DAY)
    payouts = list(shop.stripe.payouts.list({"limit": 1}).auto_paging_iter())
    assert [(payout.currency, payout.created) for payout in payouts] == [
        ("usd", MIDNIGHT + 3 * DAY),
        ("usd", MIDNIGHT + 2 * DAY),
        ("jpy", MIDNIGHT + 2 * DAY),
    ]
    for payout in payouts:
        entries = shop.stripe.balance_transactions.list({"payout": payout.id, "limit": 100}).data
        assert sum(entry.net for entry in entries) == 0  # the payout itself is one of them
        assert payout.amount == sum(entry.net for entry in entries if entry.type != "payout")
        assert {entry.status for entry in entries} == {"available"}
    usd = shop.stripe.balance_transactions.list({"payout": payouts[1].id}).data
    assert [entry.type for entry in usd] == ["payout", "adjustment", "charge", "refund", "charge", "charge"]
    assert payouts[1].amount == (9_000 - 291) + (5_000 - 175) - 2_500 + (3_000 - 117) - 4_500
    sources = [
        {entry.source for entry in shop.stripe.balance_transactions.list({"payout": payout.id}).data}
        for payout in payouts
    ]
    assert tomorrow.latest_charge.id in sources[0]
    assert {first.latest_charge.id, second.latest_charge.id} < sources[1]
    assert yen.latest_charge.id in sources[2]


def test_a_debt_is_made_up_for_before_anything_is_paid_out() -> None:
    shop = Inside()
    paid = shop.pay("pm_card_bypassPending", 5_000)
    assert shop.stripe.balance_transactions.retrieve(paid.latest_charge.balance_transaction).status == "available"
    shop.later(DAY)
    assert [payout.amount for payout in shop.stripe.payouts.list().data] == [4_825]
    shop.stripe.refunds.create({"payment_intent": paid.id})
    shop.later(4 * DAY)
    assert len(shop.stripe.payouts.list().data) == 1
    shop.pay(amount=7_000)
    shop.later(4 * DAY)
    assert [payout.amount for payout in shop.stripe.payouts.list().data] == [7_000 - 233 - 5_000, 4_825]
    assert shop.processor.statement()["totals"]["usd"]["balance"] == 0


def test_a_payout_that_the_bank_sends_back_goes_out_with_the_next_one() -> None:
    shop = Inside()
    shop.processor.faults.add({"kind": "payout_fails", "count": 1, "seconds": 3_600})
    shop.pay()
    shop.later(2 * DAY)  # eight in the morning: paid at midnight, sent back an hour after we heard of it
    [payout] = shop.stripe.payouts.list().data
    assert payout.status == "paid"
    shop.later(3_600)
    [payout] = shop.stripe.payouts.list({"status": "failed", "expand": ["data.failure_balance_transaction"]}).data
    back: Any = payout.failure_balance_transaction
    assert (payout.failure_code, back.type, back.amount) == ("account_closed", "payout_failure", 4_048)
    assert shop.told(payout.id) == ["payout.created", "payout.paid", "payout.failed"]
    shop.later(DAY)
    [again] = shop.stripe.payouts.list({"status": "paid"}).data
    assert (again.amount, again.created) == (4_048, MIDNIGHT + 3 * DAY)
    assert [entry.type for entry in shop.stripe.balance_transactions.list({"payout": again.id}).data] == [
        "payout",
        "payout_failure",
    ]
    assert shop.processor.statement()["totals"]["usd"]["paid_out"] == 4_048


def test_the_statement_adds_up() -> None:
    shop = Inside()
    paid = shop.pay(amount=9_000)
    shop.stripe.refunds.create({"payment_intent": paid.id, "amount": 1_000})
    dispute = shop.disputed(amount=2_000)
    shop.later(3 * DAY)
    shop.pay(amount=1_000)
    statement = shop.processor.statement()
    [payout] = statement["payouts"]
    assert payout["amount"] == (9_000 - 291) - 1_000 + (2_000 - 88) - 3_500
    assert payout["arrival_date"] == MIDNIGHT + 2 * DAY
    assert [(line["id"], line["status"], line["due_by"]) for line in statement["disputes"]] == [
        (dispute.id, "needs_response", MIDNIGHT + 9 * DAY - 1)
    ]
    assert statement["totals"]["usd"] == {
        "captured": 12_000,
        "refunded": 1_000,
        "disputed": 2_000,
        "fees": 291 + 88 + 59 + 1_500,
        "paid_out": payout["amount"],
        "balance": 1_000 - 59,
    }


def test_a_dispute_shows_its_entries_as_the_balance_does() -> None:
    shop = Inside()
    dispute = shop.disputed()
    assert [entry.status for entry in dispute.balance_transactions] == ["pending"]
    shop.later(3 * DAY)
    assert [entry.status for entry in shop.stripe.disputes.retrieve(dispute.id).balance_transactions] == ["available"]


def test_a_refund_may_wait_at_the_bank_before_it_is_through() -> None:
    shop = Inside()
    paid = shop.pay("pm_card_pendingRefund")
    refund = shop.stripe.refunds.create({"payment_intent": paid.id, "expand": ["balance_transaction"]})
    assert refund.status == "pending"
    assert refund.balance_transaction.amount == -4_200  # type: ignore[union-attr]
    with pytest.raises(stripe.InvalidRequestError):  # it is on its way: not a second time
        shop.stripe.refunds.create({"payment_intent": paid.id})
    assert shop.stripe.refunds.retrieve(refund.id).status == "succeeded"
    assert shop.told(refund.id) == ["refund.created", "refund.updated"]
    shop.processor.faults.add({"kind": "refund_fails", "count": 1, "seconds": 5 * DAY})
    other = shop.stripe.refunds.create({"payment_intent": shop.pay().id})
    shop.later(5 * DAY - 1)
    assert shop.stripe.refunds.retrieve(other.id).status == "succeeded"
    shop.later(1)
    failed = shop.stripe.refunds.retrieve(other.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_balance_transaction.amount) == ("failed", 4_200)  # type: ignore[union-attr]


def test_payouts_can_be_had_at_once_at_the_door(processor: Sandbox, receiver: Receiver) -> None:
    def out(**order: Any) -> requests.Response:
        return requests.post(f"{processor.url}/_payouts", json=order, timeout=10)

    assert out().status_code == 200  # whatever other tests have left
    processor.charge(processor.saved_card("pm_card_bypassPending"), 2_000, currency="chf")
    assert out(currency="usd").json()["payouts"] == []
    [payout] = out(currency="chf").json()["payouts"]
    assert (payout["amount"], payout["status"]) == (2_000 - 88, "paid")
    assert out(currency="chf").json()["payouts"] == []
    assert processor.stripe.v1.payouts.retrieve(payout["id"]).amount == 1_912
    wait_for(lambda: [e for e in receiver.events("payout.paid") if e["data"]["object"]["id"] == payout["id"]])
    totals = requests.get(f"{processor.url}/_ledger?summary=1", timeout=10).json()["totals"]["chf"]
    assert (totals["captured"], totals["fees"], totals["paid_out"], totals["balance"]) == (2_000, 88, 1_912, 0)
    assert out(currency="xyz").status_code == 400
    assert out(amount=5).status_code == 400


def test_the_clock_may_jump_over_many_midnights() -> None:
    shop = Inside()
    for _ in range(3):
        shop.pay()
        shop.later(DAY)
    shop.later(400 * DAY)
    assert [payout.created for payout in shop.stripe.payouts.list().data] == [
        MIDNIGHT + days * DAY for days in (4, 3, 2)
    ]
    bounds: Any = {"arrival_date": {"gte": MIDNIGHT + 3 * DAY, "lt": MORNING + 3 * DAY}}
    assert [payout.created for payout in shop.stripe.payouts.list(bounds).data] == [MIDNIGHT + 3 * DAY]
