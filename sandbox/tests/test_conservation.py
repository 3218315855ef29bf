"""Whatever a shop does, in whatever order: no money appears and none is lost. In process, by Hypothesis."""

from __future__ import annotations

import sqlite3
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sandbox.processor import Answer, Processor

CARDS = st.sampled_from(
    [
        *("pm_card_visa", "pm_card_refundFail", "pm_card_pendingRefund", "pm_card_chargeCustomerFail", "pm_card_amex"),
        *("pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_bypassPending"),
    ]
)
EVIDENCE = st.sampled_from(["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "We sent it."])
AMOUNTS = st.integers(50, 5_000)


class Shop(RuleBasedStateMachine):
    """A shop at the processor. It keeps its own books of what it was told and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.processor = Processor(self.connection, clock=lambda: 1_800_000_000.0, seed="shop")
        self.intents: list[str] = []
        self.authorised: dict[str, int] = {}
        self.taken: dict[str, int] = {}

    def teardown(self) -> None:
        self.connection.close()

    def post(self, path: str, **given: Any) -> Answer:
        answer = self.processor.call("POST", f"/v1/{path}", given)
        assert answer.status in (200, 400, 402), answer.body
        return answer

    @rule(card=CARDS, amount=AMOUNTS, manual=st.booleans())
    def charge(self, card: str, amount: int, manual: bool) -> None:
        method = "manual" if manual else "automatic"
        answer = self.post(
            "payment_intents", amount=amount, currency="usd", payment_method=card, confirm=True, capture_method=method
        )
        if answer.status == 200:
            self.intents.append(answer.body["id"])
            self.authorised[answer.body["id"]] = amount
            self.taken[answer.body["id"]] = 0 if manual else amount

    @precondition(lambda self: self.intents)
    @rule(which=st.integers(0, 50), amount=AMOUNTS)
    def capture(self, which: int, amount: int) -> None:
        intent = self.intents[which % len(self.intents)]
        answer = self.post(f"payment_intents/{intent}/capture", amount_to_capture=amount)
        if answer.status == 200:
            assert self.taken[intent] == 0
            assert amount <= self.authorised[intent]
            self.taken[intent] = amount

    @precondition(lambda self: self.intents)
    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        intent = self.intents[which % len(self.intents)]
        if self.post(f"payment_intents/{intent}/cancel").status == 200:
            assert self.taken[intent] == 0

    @precondition(lambda self: self.intents)
    @rule(which=st.integers(0, 50), amount=AMOUNTS)
    def refund(self, which: int, amount: int) -> None:
        self.post("refunds", payment_intent=self.intents[which % len(self.intents)], amount=amount)

    @rule(which=st.integers(0, 50), evidence=EVIDENCE)
    def answer_a_dispute(self, which: int, evidence: str) -> None:
        if disputes := self.processor.ledger()["objects"].get("dispute"):
            path = f"disputes/{disputes[which % len(disputes)]['id']}"
            self.post(path, evidence={"uncategorized_text": evidence})

    @rule()
    def a_payout_comes_back(self) -> None:
        self.processor.faults.add({"kind": "payout_fails", "count": 1})

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        self.processor.set_clock(self.processor.store.offset_seconds + hours * 3_600)

    @invariant()
    def books_and_balance_agree(self) -> None:
        objects = self.processor.ledger()["objects"]
        entries = objects.get("balance_transaction", [])
        paid_back = sum(one["amount"] for one in objects.get("refund", []) if one["status"] == "succeeded")
        disputed = [
            one for one in objects.get("dispute", []) if one["status"] in ("needs_response", "under_review", "lost")
        ]
        gone = sum(one["amount"] for one in disputed)
        payments = sum(entry["amount"] for entry in entries if not entry["type"].startswith("payout"))
        assert payments == sum(self.taken.values()) - paid_back - gone
        paid_out = sum(one["amount"] for one in objects.get("payout", []) if one["status"] == "paid")
        fees = sum(entry["fee"] for entry in entries if entry["type"] == "charge") + 1_500 * len(disputed)
        assert sum(entry["net"] for entry in entries) == payments - fees - paid_out
        for total in self.processor.statement()["totals"].values():
            left = total["captured"] - total["refunded"] - total["disputed"] - total["fees"] - total["paid_out"]
            assert (total["balance"], total["paid_out"]) == (left, paid_out)
        lines = {line["id"]: line for line in self.processor.summary()}
        for intent, taken in self.taken.items():
            line = lines[intent]
            assert line["amount_captured"] == taken
            assert 0 <= line["amount_refunded"] <= taken <= line["amount"]


Shop.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestNoMoneyAppearsAndNoneIsLost = Shop.TestCase
