"""Stripe's hosted pages, at which a customer saves a card or pays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from counterfoil.gateways.card.protocol import Session, Wrong
from counterfoil.gateways.card.stripe.client import StripeClient
from counterfoil.gateways.card.stripe.wire import asking, id_of


class HostedPages(StripeClient):
    """Check-out sessions, for set-up and for payment."""

    def open_session(
        self,
        *,
        mode: str,
        customer: str,
        amount: int,
        currency: str,
        title: str,
        success_url: str,
        cancel_url: str,
        reference: Mapping[str, str],
        key: str,
    ) -> Session:
        wanted: dict[str, Any] = {
            "mode": mode,
            "customer": customer,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "allowed_payment_method_types": ["card"],
            "metadata": dict(reference),
        }
        if mode == "payment":
            product = {"currency": currency.lower(), "unit_amount": amount, "product_data": {"name": title}}
            wanted["line_items"] = [{"quantity": 1, "price_data": product}]
            wanted["payment_intent_data"] = {"metadata": dict(reference), "setup_future_usage": "off_session"}
        else:
            wanted["currency"] = currency.lower()
            wanted["setup_intent_data"] = {"metadata": dict(reference)}
        made = self.harmless(
            lambda key: self._client.checkout.sessions.create(wanted, {"idempotency_key": key}),  # type: ignore[arg-type]
            key,
        )
        return self._session(made)

    def get_session(self, session_id: str) -> Session:
        with asking():
            made = self._client.checkout.sessions.retrieve(session_id)
        return self._session(made)

    def expire_session(self, session_id: str, *, key: str) -> Session:
        try:
            made = self.harmless(
                lambda key: self._client.checkout.sessions.expire(session_id, {}, {"idempotency_key": key}), key
            )
        except Wrong:
            # No longer open: it was completed or had expired; which of the two decides what happens now.
            return self.get_session(session_id)
        return self._session(made)

    def _session(self, made: Any) -> Session:
        saved = None
        setup, payment = getattr(made, "setup_intent", None), getattr(made, "payment_intent", None)
        if made.status == "complete" and setup:
            with asking():
                intent = self._client.setup_intents.retrieve(id_of(setup))
            saved = self.saved(id_of(intent.payment_method))
        expires = getattr(made, "expires_at", None)
        return Session(
            id=made.id,
            status=str(made.status),
            url=str(getattr(made, "url", None) or ""),
            expires_at=datetime.fromtimestamp(expires, UTC) if expires else None,
            intent_id=id_of(payment),
            saved=saved,
            reference=made.metadata.to_dict() if getattr(made, "metadata", None) else {},
        )
