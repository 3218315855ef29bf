"""Stripe through its own SDK; the sandbox processor speaks the same, so a key and a base URL make the difference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import stripe

from counterfoil.gateways.card.protocol import Intent, Refusal, Returned, Saved
from counterfoil.gateways.card.stripe.lists import Lists
from counterfoil.gateways.card.stripe.pages import HostedPages
from counterfoil.gateways.card.stripe.settlement import Settlement
from counterfoil.gateways.card.stripe.wire import asking, id_of, intent_of, returned_of


class StripeGateway(HostedPages, Lists, Settlement):
    """See `protocol.CardGateway`."""

    def create_customer(self, *, name: str, email: str, reference: str, key: str) -> str:
        made = self.harmless(
            lambda key: self._client.customers.create(
                {"name": name, "email": email, "metadata": {"customer": reference}}, {"idempotency_key": key}
            ),
            key,
        )
        return str(made.id)

    def save_card(self, *, customer: str, source: str, reference: str, key: str) -> Saved:
        made = self.harmless(
            lambda key: self._client.setup_intents.create(
                {
                    "customer": customer,
                    "payment_method": source,
                    "confirm": True,
                    "usage": "off_session",
                    "allowed_payment_method_types": ["card"],
                    "metadata": {"order": reference},
                },
                {"idempotency_key": key},
            ),
            key,
        )
        if made.status != "succeeded":
            raise Refusal("authentication_required", "the bank wants the customer to confirm the card")
        return self.saved(id_of(made.payment_method))

    def create_intent(
        self,
        *,
        amount: int,
        currency: str,
        customer: str,
        method: str,
        reference: Mapping[str, str],
        key: str,
        hold: bool = False,
    ) -> Intent:
        with asking():
            made = self._client.payment_intents.create(
                {
                    "amount": amount,
                    "currency": currency.lower(),
                    "customer": customer,
                    "payment_method": method,
                    "allowed_payment_method_types": ["card"],
                    "capture_method": "manual" if hold else "automatic",
                    "metadata": dict(reference),
                },
                {"idempotency_key": key},
            )
        return intent_of(made)

    def confirm_intent(self, intent_id: str, *, key: str) -> Intent:
        with asking():
            made = self._client.payment_intents.confirm(
                intent_id, {"off_session": True, "expand": ["latest_charge"]}, {"idempotency_key": key}
            )
        return intent_of(made)

    def capture_intent(self, intent_id: str, *, amount: int, key: str) -> Intent:
        with asking():
            made = self._client.payment_intents.capture(
                intent_id, {"amount_to_capture": amount, "expand": ["latest_charge"]}, {"idempotency_key": key}
            )
        return intent_of(made)

    def get_intent(self, intent_id: str) -> Intent:
        with asking():
            return intent_of(self._client.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))

    def cancel_intent(self, intent_id: str, *, key: str) -> Intent:
        return intent_of(
            self.harmless(lambda key: self._client.payment_intents.cancel(intent_id, {}, {"idempotency_key": key}), key)
        )

    def refund(self, *, intent_id: str, amount: int, reference: Mapping[str, str], key: str) -> Returned:
        with asking():
            made = self._client.refunds.create(
                {"payment_intent": intent_id, "amount": amount, "metadata": dict(reference)}, {"idempotency_key": key}
            )
        return returned_of(made)

    def find_refund(self, *, intent_id: str, reference: Mapping[str, str]) -> Returned | None:
        with asking():
            listed = self._client.refunds.list({"payment_intent": intent_id, "limit": 100})
            for made in listed.auto_paging_iter():
                held = made.metadata.to_dict() if made.metadata else {}
                if all(held.get(k) == v for k, v in reference.items()):
                    return returned_of(made)
        return None

    def get_refund(self, refund_id: str) -> Returned:
        with asking():
            return returned_of(self._client.refunds.retrieve(refund_id))

    def read_event(self, body: bytes, signature: str) -> dict[str, Any]:
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._secret, tolerance=300)
            event = json.loads(body)
        except (
            stripe.SignatureVerificationError,
            TypeError,
            ValueError,
        ) as error:  # TypeError: a signature not in ASCII
            raise ValueError(f"the event is not signed by the processor: {error}") from None
        if not isinstance(event, dict) or not event.get("id") or not self._secret:
            raise ValueError("this is no event")
        return event
