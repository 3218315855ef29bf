"""The connection to Stripe that every part of the adapter stands on."""

from __future__ import annotations

from typing import Any

import stripe

from counterfoil.gateways.card import breaker
from counterfoil.gateways.card.protocol import Saved
from counterfoil.gateways.card.stripe.connection import READ_SECONDS, Connection
from counterfoil.gateways.card.stripe.wire import asking


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

    def saved(self, method_id: str) -> Saved:
        with asking():
            method = self._client.payment_methods.retrieve(method_id)
        card = method.card
        return Saved(method_id, str(card.brand) if card else "", str(card.last4) if card else "")
