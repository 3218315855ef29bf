"""Stripe through its own SDK; the sandbox processor speaks the same, so a key and a base URL make the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe

from counterfoil.core.db import in_writing
from counterfoil.gateways.card.protocol import (
    Intent,
    NotDone,
    OutcomeUnknown,
    Refusal,
    Returned,
    Saved,
    Session,
    Wrong,
)

CONNECT_SECONDS, READ_SECONDS = 3, 8
_STATUS = {
    "requires_confirmation": "waiting",
    "processing": "working",
    "succeeded": "done",
    "requires_action": "action",
    "requires_capture": "held",
    "canceled": "cancelled",
}


@contextmanager
def _asking() -> Iterator[None]:
    """Translate the SDK's errors; refuse to call out of a transaction."""
    if in_writing():
        raise RuntimeError("the network is never called inside a transaction")
    try:
        yield
    except stripe.CardError as error:
        body: Any = error.json_body or {}
        detail = body.get("error", {})
        intent = (detail.get("payment_intent") or {}).get("id", "")
        code = str(detail.get("decline_code") or detail.get("code") or "card_declined")
        raise Refusal(code, str(detail.get("message") or "the bank refused the card"), intent) from None
    except stripe.RateLimitError as error:
        raise NotDone("the processor asks us to slow down") from error
    except stripe.APIConnectionError as error:
        text = str(error)
        if "refused" in text or "ConnectTimeout" in text or "NewConnectionError" in text:
            raise NotDone("the processor cannot be reached") from error
        raise OutcomeUnknown("the connection broke before the processor answered") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # Our own key is wrong or lacks a right: no bank has said anything, and every call waits until it is mended.
        raise NotDone(f"the processor does not accept our key: {type(error).__name__}") from error
    except (stripe.IdempotencyError, stripe.InvalidRequestError) as error:
        if error.http_status == 409:
            raise OutcomeUnknown("the same call is still running at the processor") from error
        raise Wrong(f"{type(error).__name__}: {error.user_message or error}") from error
    except stripe.APIError as error:
        raise OutcomeUnknown("the processor failed without saying what it did") from error


class StripeGateway:
    """See `protocol.CardGateway`. One instance serves all threads; the SDK's own retries are off."""

    def __init__(self, api_key: str, api_base: str = "", webhook_secret: str = "") -> None:
        client = stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS))
        bases: Any = {"api": api_base} if api_base else {}
        self._client = stripe.StripeClient(api_key, base_addresses=bases, http_client=client, max_network_retries=0).v1
        self._secret = webhook_secret

    def create_customer(self, *, name: str, email: str, reference: str, key: str) -> str:
        with _asking():
            made = self._client.customers.create(
                {"name": name, "email": email, "metadata": {"customer": reference}}, {"idempotency_key": key}
            )
        return str(made.id)

    def save_card(self, *, customer: str, source: str, reference: str, key: str) -> Saved:
        with _asking():
            made = self._client.setup_intents.create(
                {
                    "customer": customer,
                    "payment_method": source,
                    "confirm": True,
                    "usage": "off_session",
                    "allowed_payment_method_types": ["card"],
                    "metadata": {"order": reference},
                },
                {"idempotency_key": key},
            )
        if made.status != "succeeded":
            raise Refusal("authentication_required", "the bank wants the customer to confirm the card")
        return self._saved(_id(made.payment_method))

    def _saved(self, method_id: str) -> Saved:
        with _asking():
            method = self._client.payment_methods.retrieve(method_id)
        card = method.card
        return Saved(method_id, str(card.brand) if card else "", str(card.last4) if card else "")

    def create_intent(
        self, *, amount: int, currency: str, customer: str, method: str, reference: Mapping[str, str], key: str
    ) -> Intent:
        with _asking():
            made = self._client.payment_intents.create(
                {
                    "amount": amount,
                    "currency": currency.lower(),
                    "customer": customer,
                    "payment_method": method,
                    "allowed_payment_method_types": ["card"],
                    "metadata": dict(reference),
                },
                {"idempotency_key": key},
            )
        return _intent(made)

    def confirm_intent(self, intent_id: str, *, key: str) -> Intent:
        with _asking():
            made = self._client.payment_intents.confirm(
                intent_id, {"off_session": True, "expand": ["latest_charge"]}, {"idempotency_key": key}
            )
        return _intent(made)

    def get_intent(self, intent_id: str) -> Intent:
        with _asking():
            return _intent(self._client.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))

    def cancel_intent(self, intent_id: str, *, key: str) -> Intent:
        with _asking():
            return _intent(self._client.payment_intents.cancel(intent_id, {}, {"idempotency_key": key}))

    def refund(self, *, intent_id: str, amount: int, reference: Mapping[str, str], key: str) -> Returned:
        with _asking():
            made = self._client.refunds.create(
                {"payment_intent": intent_id, "amount": amount, "metadata": dict(reference)}, {"idempotency_key": key}
            )
        return _returned(made)

    def find_refund(self, *, intent_id: str, reference: Mapping[str, str]) -> Returned | None:
        with _asking():
            listed = self._client.refunds.list({"payment_intent": intent_id, "limit": 100})
            for made in listed.auto_paging_iter():
                held = made.metadata.to_dict() if made.metadata else {}
                if all(held.get(k) == v for k, v in reference.items()):
                    return _returned(made)
        return None

    def get_refund(self, refund_id: str) -> Returned:
        with _asking():
            return _returned(self._client.refunds.retrieve(refund_id))

    def list_intents(self, since: datetime) -> Iterator[Intent]:
        with _asking():
            listed = self._client.payment_intents.list(
                {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.latest_charge"]}
            )
            found = [_intent(made) for made in listed.auto_paging_iter()]
        yield from found

    def list_refunds(self, since: datetime) -> Iterator[Returned]:
        with _asking():
            listed = self._client.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [_returned(made) for made in listed.auto_paging_iter()]
        yield from found

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
        with _asking():
            made = self._client.checkout.sessions.create(wanted, {"idempotency_key": key})  # type: ignore[arg-type]
        return self._session(made)

    def get_session(self, session_id: str) -> Session:
        with _asking():
            made = self._client.checkout.sessions.retrieve(session_id)
        return self._session(made)

    def expire_session(self, session_id: str, *, key: str) -> Session:
        try:
            with _asking():
                made = self._client.checkout.sessions.expire(session_id, {}, {"idempotency_key": key})
        except Wrong:
            # No longer open: it was completed or had expired; which of the two decides what happens now.
            return self.get_session(session_id)
        return self._session(made)

    def _session(self, made: Any) -> Session:
        saved = None
        setup, payment = getattr(made, "setup_intent", None), getattr(made, "payment_intent", None)
        if made.status == "complete" and setup:
            with _asking():
                intent = self._client.setup_intents.retrieve(_id(setup))
            saved = self._saved(_id(intent.payment_method))
        expires = getattr(made, "expires_at", None)
        return Session(
            id=made.id,
            status=str(made.status),
            url=str(getattr(made, "url", None) or ""),
            expires_at=datetime.fromtimestamp(expires, UTC) if expires else None,
            intent_id=_id(payment),
            saved=saved,
            reference=made.metadata.to_dict() if getattr(made, "metadata", None) else {},
        )

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


def _id(value: Any) -> str:
    """An object's id, expanded or not."""
    return value if isinstance(value, str) else str(getattr(value, "id", "") or "")


def _intent(made: Any) -> Intent:
    charge = getattr(made, "latest_charge", None)
    error = getattr(made, "last_payment_error", None)
    card = None
    if charge is not None and not isinstance(charge, str):
        details = getattr(charge, "payment_method_details", None)
        card = getattr(details, "card", None) if details else None
    status = _STATUS.get(str(made.status), "")
    if made.status == "requires_payment_method":
        status = "refused" if error else "waiting"
    return Intent(
        id=made.id,
        status=status,
        amount=int(made.amount),
        captured=int(getattr(made, "amount_received", 0) or 0),
        currency=str(made.currency).upper(),
        charge_id=_id(charge),
        brand=str(getattr(card, "brand", "") or ""),
        last4=str(getattr(card, "last4", "") or ""),
        decline_code=str(getattr(error, "decline_code", "") or getattr(error, "code", "") or "") if error else "",
        message=str(getattr(error, "message", "") or "") if error else "",
        method_id=_id(getattr(made, "payment_method", None)),
        customer_id=_id(getattr(made, "customer", None)),
        reference=_reference(made),
    )


def _returned(made: Any) -> Returned:
    status = str(made.status)
    known = status if status in {"pending", "succeeded", "failed"} else "pending"
    if status == "canceled":
        known = "failed"
    return Returned(
        made.id,
        known,
        int(made.amount),
        str(getattr(made, "failure_reason", "") or ""),
        _id(getattr(made, "payment_intent", None)),
        str(getattr(made, "currency", "") or "").upper(),
        _reference(made),
    )


def _reference(made: Any) -> dict[str, str]:
    """The metadata of an object."""
    held = getattr(made, "metadata", None)
    return {str(k): str(v) for k, v in held.to_dict().items()} if held else {}
