"""The processor as a function behind Stripe's own SDK: no socket, a clock that stands still, nothing else going on."""

from __future__ import annotations

import sqlite3
from typing import Any

import stripe

from sandbox.inprocess import InProcess
from sandbox.processor import Processor

MORNING = 1_800_000_000  # eight o'clock in the morning, UTC
MIDNIGHT = MORNING - 8 * 3_600  # the one before it


class Inside:
    """A shop of its own for one test."""

    def __init__(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.processor = Processor(connection, clock=lambda: float(MORNING), seed="inside")
        client = stripe.StripeClient("sk_test_sandbox", http_client=InProcess(self.processor), max_network_retries=0)
        self.stripe = client.v1

    def pay(self, card: str = "pm_card_visa", amount: int = 4_200, currency: str = "usd", **more: Any) -> Any:
        """A payment with this test card, captured at once; the charge is expanded."""
        params: Any = {"amount": amount, "currency": currency, "payment_method": card, "confirm": True}
        params |= {"expand": ["latest_charge"], **more}
        return self.stripe.payment_intents.create(params)

    def later(self, seconds: int) -> None:
        """Move business time on."""
        self.processor.set_clock(self.processor.store.offset_seconds + seconds)

    def disputed(self, card: str = "pm_card_createDispute", amount: int = 4_200, currency: str = "usd") -> Any:
        """The dispute of a new payment with this card."""
        intent = self.pay(card, amount, currency)
        return self.stripe.disputes.list({"payment_intent": intent.id}).data[0]

    def told(self, identifier: str) -> list[str]:
        """The types of all events about this object, oldest first."""
        events = self.stripe.events.list({"limit": 100}).auto_paging_iter()
        return [str(event.type) for event in events if event.data.object["id"] == identifier][::-1]
