"""What Stripe says, in our words: its errors, its intents, its refunds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe

from counterfoil.core.cards import mask_cards
from counterfoil.core.db import in_writing
from counterfoil.gateways.card.protocol import Intent, NotDone, OutcomeUnknown, Refusal, Returned, Wrong
from counterfoil.gateways.card.stripe.connection import is_replayed

_STATUS = {
    "requires_confirmation": "waiting",
    "processing": "working",
    "succeeded": "done",
    "requires_action": "action",
    "requires_capture": "held",
    "canceled": "cancelled",
}
_NEVER_CONNECTED = ("refused", "ConnectTimeout", "NewConnectionError", "NameResolutionError")


@contextmanager
def asking() -> Iterator[None]:
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
        raise Refusal(code, mask_cards(str(detail.get("message") or "the bank refused the card")), intent) from None
    except stripe.RateLimitError as error:
        raise NotDone("the processor asks us to slow down") from error
    except stripe.APIConnectionError as error:
        text = str(error)
        if any(word in text for word in _NEVER_CONNECTED):
            raise NotDone("the processor cannot be reached") from error
        raise OutcomeUnknown("the connection broke before the processor answered") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # Our own key is wrong or lacks a right: no bank has said anything, and every call waits until it is mended.
        raise NotDone(f"the processor does not accept our key: {type(error).__name__}", seconds=60) from error
    except (stripe.IdempotencyError, stripe.InvalidRequestError) as error:
        if error.http_status == 409:
            raise OutcomeUnknown("the same call is still running at the processor") from error
        raise Wrong(mask_cards(f"{type(error).__name__}: {error.user_message or error}")) from error
    except stripe.APIError as error:
        raise OutcomeUnknown(
            "the processor failed without saying what it did", replayed=is_replayed(error.headers)
        ) from error


def id_of(value: Any) -> str:
    """An object's id, expanded or not."""
    return value if isinstance(value, str) else str(getattr(value, "id", "") or "")


def intent_of(made: Any) -> Intent:
    charge = getattr(made, "latest_charge", None)
    error = getattr(made, "last_payment_error", None)
    card = None
    if charge is not None and not isinstance(charge, str):
        details = getattr(charge, "payment_method_details", None)
        card = getattr(details, "card", None) if details else None
    before = getattr(card, "capture_before", None)
    status = _STATUS.get(str(made.status), "")
    if made.status == "requires_payment_method":
        status = "refused" if error else "waiting"
    return Intent(
        id=made.id,
        status=status,
        amount=int(made.amount),
        captured=int(getattr(made, "amount_received", 0) or 0),
        currency=str(made.currency).upper(),
        charge_id=id_of(charge),
        brand=str(getattr(card, "brand", "") or ""),
        last4=str(getattr(card, "last4", "") or ""),
        decline_code=str(getattr(error, "decline_code", "") or getattr(error, "code", "") or "") if error else "",
        message=mask_cards(str(getattr(error, "message", "") or "")) if error else "",
        method_id=id_of(getattr(made, "payment_method", None)),
        customer_id=id_of(getattr(made, "customer", None)),
        reference=reference_of(made),
        held=int(getattr(made, "amount_capturable", 0) or 0),
        expires_at=datetime.fromtimestamp(before, UTC) if before else None,
    )


def returned_of(made: Any) -> Returned:
    status = str(made.status)
    known = status if status in {"pending", "succeeded", "failed"} else "pending"
    if status == "canceled":
        known = "failed"
    return Returned(
        made.id,
        known,
        int(made.amount),
        mask_cards(str(getattr(made, "failure_reason", "") or "")),
        id_of(getattr(made, "payment_intent", None)),
        str(getattr(made, "currency", "") or "").upper(),
        reference_of(made),
    )


def reference_of(made: Any) -> dict[str, str]:
    """The metadata of an object."""
    held = getattr(made, "metadata", None)
    return {str(k): str(v) for k, v in held.to_dict().items()} if held else {}
