"""The connection to Stripe that every part of the adapter stands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import stripe

from counterfoil.gateways.card import breaker
from counterfoil.gateways.card.protocol import OutcomeUnknown, Saved
from counterfoil.gateways.card.stripe.connection import READ_SECONDS, Connection
from counterfoil.gateways.card.stripe.wire import asking

Made = TypeVar("Made")
KEYS = 9  # how many may be used up by errors that the processor keeps, before it is a matter for tomorrow


class StripeClient:
    """One instance serves all threads; the SDK's own retries are off."""

    def __init__(
        self, api_key: str, api_base: str = "", webhook_secret: str = "", read_seconds: float = READ_SECONDS
    ) -> None:
        self.breaker = breaker.of(api_base or "stripe")
        bases: Any = {"api": api_base} if api_base else {}
        self._client = stripe.StripeClient(
            api_key, base_addresses=bases, http_client=Connection(self.breaker, read_seconds), max_network_retries=0
        ).v1
        self._secret = webhook_secret

    @staticmethod
    def harmless(make: Callable[[str], Made], key: str) -> Made:
        """Do what takes no money however often it is done: a customer, a saved card, a page opened or closed.

        An error that the processor keeps under a key, and would repeat for a day, does not stop it: the next key is
        used, `key~2` and so on, in the same order at every try.
        """
        for n in range(1, KEYS):
            try:
                with asking():
                    return make(key if n == 1 else f"{key}~{n}")
            except OutcomeUnknown as error:
                if not error.replayed:
                    raise
        with asking():
            return make(f"{key}~{KEYS}")

    def saved(self, method_id: str) -> Saved:
        with asking():
            method = self._client.payment_methods.retrieve(method_id)
        card = method.card
        return Saved(method_id, str(card.brand) if card else "", str(card.last4) if card else "")
