"""Setup intents: saving a card without charging it."""

from __future__ import annotations

from typing import Any

from sandbox import cards, params
from sandbox.cards import EXPAND, Decline
from sandbox.errors import ApiError, Json, refused_parameter, wrong_state
from sandbox.events import emit
from sandbox.intents import card_only, next_action
from sandbox.store import Store, public

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CONFIRM: dict[str, Any] = {
    "payment_method": params.STRING,
    "return_url": params.URL,
    "payment_method_options": params.ANYTHING,
    "mandate_data": params.ANYTHING,
    "use_stripe_sdk": params.BOOLEAN,
    **EXPAND,
}
_CREATE: dict[str, Any] = {
    "customer": params.STRING,
    "confirm": params.BOOLEAN,
    "usage": ("off_session", "on_session"),
    "description": params.STRING,
    "metadata": params.METADATA,
    "allowed_payment_method_types": [params.STRING],
    "automatic_payment_methods": params.ANYTHING,
    **_CONFIRM,
}


def create(store: Store, given: Json) -> Json:
    """POST /v1/setup_intents."""
    wanted = params.check(given, _CREATE)
    card_only(wanted)
    if wanted.get("customer"):
        store.get("customer", wanted["customer"], "customer")
    intent = blank(store, wanted)
    if wanted.get("payment_method"):
        method = cards.payment_method(store, wanted["payment_method"])
        cards.usable_for(method, intent["customer"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    store.save(intent)
    return _confirm(store, intent, wanted) if wanted.get("confirm") else intent


def blank(store: Store, wanted: Json) -> Json:
    """A new setup intent, not yet saved."""
    identifier = store.new_id("seti")
    return {
        "id": identifier,
        "object": "setup_intent",
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{identifier}_{store.new_id('secret')}",
        "created": store.now(),
        "customer": wanted.get("customer") or None,
        "description": wanted.get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": wanted.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": wanted.get("usage", "off_session"),
    }


def confirm(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/setup_intents/{id}/confirm."""
    wanted = params.check(given, _CONFIRM)
    intent = store.get("setup_intent", identifier, in_path=True)
    if intent["status"] not in OPEN:
        raise _not_now(intent, "confirmed")
    return _confirm(store, intent, wanted)


def _not_now(intent: Json, verb: str) -> ApiError:
    return wrong_state(
        f"This SetupIntent could not be {verb} because it has a status of {intent['status']}.",
        "setup_intent_unexpected_state",
        setup_intent=public(intent),
    )


def _confirm(store: Store, intent: Json, wanted: Json) -> Json:
    name = wanted.get("payment_method") or intent["payment_method"]
    if not name:
        raise refused_parameter("A payment method is needed to confirm this SetupIntent.", "payment_method")
    method = cards.payment_method(store, name)
    cards.usable_for(method, intent["customer"])
    intent |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    if cards.behaviour(method).authentication in ("always", "unless_set_up"):
        intent |= {"status": "requires_action", "next_action": next_action(store, intent["id"], wanted)}
        intent["_return_url"] = wanted.get("return_url")
        return store.save(intent)
    return attempt(store, intent, method)


def authenticate(store: Store, intent: Json, passed: bool) -> Json:
    """The customer's answer to 3-D Secure. Raises the 402 when it failed."""
    if intent["status"] != "requires_action":
        raise _not_now(intent, "authenticated")
    method = store.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if passed:
        return attempt(store, intent, method)
    why = Decline(
        "setup_intent_authentication_failure", "authentication_not_handled", "Your card could not be authenticated."
    )
    raise _fail(store, intent, method, why)


def attempt(store: Store, intent: Json, method: Json) -> Json:
    """Save the card for later charges; raises the 402 if the bank refuses it already now."""
    card = cards.behaviour(method)
    if card.refused_when_saved and card.decline:
        raise _fail(store, intent, method, card.decline)
    method["_set_up"] = True
    if intent["customer"]:
        cards.save_to(store, method, intent["customer"])
    else:
        store.save(method)
    intent |= {"status": "succeeded", "latest_attempt": store.new_id("setatt")}
    store.save(intent)
    emit(store, "setup_intent.succeeded", intent)
    return intent


def _fail(store: Store, intent: Json, method: Json, why: Decline) -> ApiError:
    error = cards.refusal(why, method)
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent |= {"latest_attempt": store.new_id("setatt"), "last_setup_error": dict(error.error)}
    store.save(intent)
    emit(store, "setup_intent.setup_failed", intent)
    error.error["setup_intent"] = public(intent)
    return error


def cancel(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/setup_intents/{id}/cancel."""
    wanted = params.check(given, {"cancellation_reason": ("abandoned", "duplicate", "requested_by_customer"), **EXPAND})
    intent = store.get("setup_intent", identifier, in_path=True)
    if intent["status"] not in OPEN:
        raise _not_now(intent, "canceled")
    intent |= {"status": "canceled", "cancellation_reason": wanted.get("cancellation_reason"), "next_action": None}
    return store.save(intent)
