"""Payment intents: create, confirm, capture, cancel, and the lapse of an authorisation."""

from __future__ import annotations

from typing import Any

from sandbox import cards, money, params
from sandbox.cards import EXPAND, NO_ANSWER, Decline
from sandbox.charges import open_charge, settle
from sandbox.errors import ApiError, Json, refused_parameter, wrong_state
from sandbox.events import emit
from sandbox.store import Store, public

# Every status, and what may be done in it. `succeeded` and `canceled` are final.
MAY_CONFIRM = ("requires_payment_method", "requires_confirmation", "requires_action")
MAY_CANCEL = (*MAY_CONFIRM, "requires_capture")
CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")

_CONFIRM: dict[str, Any] = {
    "payment_method": params.STRING,
    "off_session": params.BOOLEAN,
    "return_url": params.URL,
    "setup_future_usage": ("off_session", "on_session"),
    "capture_method": ("automatic", "automatic_async", "manual"),
    "payment_method_options": params.ANYTHING,
    "use_stripe_sdk": params.BOOLEAN,
    "error_on_requires_action": params.BOOLEAN,
    **EXPAND,
}
_CREATE: dict[str, Any] = {
    "amount": params.INTEGER,
    "currency": params.STRING,
    "customer": params.STRING,
    "confirm": params.BOOLEAN,
    "description": params.STRING,
    "metadata": params.METADATA,
    "allowed_payment_method_types": [params.STRING],
    "automatic_payment_methods": params.ANYTHING,
    "confirmation_method": ("automatic", "manual"),
    "receipt_email": params.STRING,
    "shipping": params.ANYTHING,
    "statement_descriptor": params.STRING,
    "statement_descriptor_suffix": params.STRING,
    **_CONFIRM,
}
_CAPTURE: dict[str, Any] = {
    "amount_to_capture": params.INTEGER,
    "final_capture": params.BOOLEAN,
    "metadata": params.METADATA,
    **EXPAND,
}


def card_only(wanted: Json) -> None:
    """The sandbox takes cards and nothing else."""
    if wanted.get("allowed_payment_method_types", ["card"]) != ["card"]:
        raise refused_parameter("Only the payment method type card is enabled.", "allowed_payment_method_types")


def create(store: Store, given: Json) -> Json:
    """POST /v1/payment_intents."""
    wanted = params.check(given, _CREATE)
    params.require(wanted, "amount", "currency")
    card_only(wanted)
    currency = money.currency_of(wanted["currency"])
    amount = money.chargeable(wanted["amount"], currency)
    if wanted.get("off_session") is not None and not wanted.get("confirm"):
        raise refused_parameter("off_session may only be given with confirm=true.", "off_session")
    if wanted.get("customer"):
        store.get("customer", wanted["customer"], "customer")
    intent = blank(store, amount, currency, wanted)
    if wanted.get("payment_method"):
        method = cards.payment_method(store, wanted["payment_method"])
        cards.usable_for(method, intent["customer"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    store.save(intent)
    return _confirm(store, intent, wanted) if wanted.get("confirm") else intent


def blank(store: Store, amount: int, currency: str, wanted: Json) -> Json:
    """A new intent, not yet saved, in `requires_payment_method`."""
    identifier = store.new_id("pi")
    return {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": wanted.get("capture_method", "automatic"),
        "client_secret": f"{identifier}_{store.new_id('secret')}",
        "confirmation_method": wanted.get("confirmation_method", "automatic"),
        "created": store.now(),
        "currency": currency,
        "customer": wanted.get("customer") or None,
        "description": wanted.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": wanted.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "receipt_email": wanted.get("receipt_email"),
        "setup_future_usage": wanted.get("setup_future_usage"),
        "shipping": wanted.get("shipping"),
        "statement_descriptor": wanted.get("statement_descriptor"),
        "status": "requires_payment_method",
    }


def confirm(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/payment_intents/{id}/confirm."""
    wanted = params.check(given, _CONFIRM)
    intent = store.get("payment_intent", identifier, in_path=True)
    if intent["status"] not in MAY_CONFIRM:
        raise _not_now(intent, "confirmed")
    for name in ("setup_future_usage", "capture_method"):
        if wanted.get(name):
            intent[name] = wanted[name]
    return _confirm(store, intent, wanted)


def _not_now(intent: Json, verb: str) -> ApiError:
    return wrong_state(
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}.",
        "payment_intent_unexpected_state",
        payment_intent=public(intent),
    )


def _confirm(store: Store, intent: Json, wanted: Json) -> Json:
    name = wanted.get("payment_method") or intent["payment_method"]
    if not name:
        raise wrong_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_intent_unexpected_state",
            payment_intent=public(intent),
        )
    method = cards.payment_method(store, name)
    cards.usable_for(method, intent["customer"])
    off_session = bool(wanted.get("off_session"))
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    if not _must_authenticate(method, off_session):
        return attempt(store, intent, method, off_session=off_session)
    if off_session or wanted.get("error_on_requires_action"):
        raise _fail(store, intent, method, NO_ANSWER, off_session)
    intent |= {"status": "requires_action", "next_action": next_action(store, intent["id"], wanted)}
    intent["_return_url"] = wanted.get("return_url")
    return store.save(intent)


def _must_authenticate(method: Json, off_session: bool) -> bool:
    kind = cards.behaviour(method).authentication
    if kind == "always":
        return True
    if kind == "unless_set_up":
        return not (off_session and method["_set_up"])
    return kind == "on_session" and not off_session


def next_action(store: Store, identifier: str, wanted: Json) -> Json:
    """Where the customer authenticates."""
    if wanted.get("return_url"):
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": wanted["return_url"],
                "url": f"{store.public_url}/authenticate/{identifier}",
            },
        }
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}


def authenticate(store: Store, intent: Json, passed: bool) -> Json:
    """The customer's answer to 3-D Secure. Raises the 402 when it failed or the bank then declines."""
    if intent["status"] != "requires_action":
        raise _not_now(intent, "authenticated")
    method = store.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if passed:
        return attempt(store, intent, method, off_session=False)
    why = Decline(
        "payment_intent_authentication_failure", "authentication_not_handled", "Your card could not be authenticated."
    )
    raise _fail(store, intent, method, why, off_session=False)


def attempt(store: Store, intent: Json, method: Json, *, off_session: bool) -> Json:
    """Ask the bank. The money is taken at once (automatic) or held (manual); raises the 402 if it declines."""
    card = cards.behaviour(method)
    if card.decline:
        raise _fail(store, intent, method, card.decline, off_session)
    charge = open_charge(store, intent, method, why=None, off_session=off_session)
    intent["latest_charge"] = charge["id"]
    if intent["setup_future_usage"] and intent["customer"]:
        cards.save_to(store, method | {"_set_up": True}, intent["customer"])
    elif not method["customer"]:
        store.save(method | {"_spent": True})
    if intent["capture_method"] == "manual":
        held_until = charge["payment_method_details"]["card"]["capture_before"]
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"], "_due_at": held_until}
        store.save(intent)
        emit(store, "payment_intent.amount_capturable_updated", intent)
        return intent
    return _take(store, intent, charge, intent["amount"])


def _take(store: Store, intent: Json, charge: Json, amount: int) -> Json:
    settle(store, charge, amount)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0, "_due_at": None}
    store.save(intent)
    emit(store, "payment_intent.succeeded", intent)
    return intent


def _fail(store: Store, intent: Json, method: Json, why: Decline, off_session: bool) -> ApiError:
    """Write the failed attempt down and return the 402 for the caller to raise."""
    charge = open_charge(store, intent, method, why=why, off_session=off_session)
    error = cards.refusal(why, method, charge=charge["id"])
    intent |= {"status": "requires_payment_method", "payment_method": None, "latest_charge": charge["id"]}
    intent["last_payment_error"] = dict(error.error)
    store.save(intent)
    emit(store, "payment_intent.payment_failed", intent)
    error.error["payment_intent"] = public(intent)
    return error


def capture(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/payment_intents/{id}/capture. Once; what is not captured is released."""
    wanted = params.check(given, _CAPTURE)
    if wanted.get("final_capture") is False:
        raise refused_parameter("Capturing in several parts is not enabled.", "final_capture")
    intent = store.get("payment_intent", identifier, in_path=True)
    if intent["status"] != "requires_capture":
        raise _not_now(intent, "captured")
    amount: int = wanted["amount_to_capture"] if "amount_to_capture" in wanted else intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise wrong_state(
            "The amount to capture is greater than the amount that was authorised.",
            "amount_too_large",
            param="amount_to_capture",
            payment_intent=public(intent),
        )
    money.chargeable(amount, intent["currency"], "amount_to_capture")
    intent["metadata"] = intent["metadata"] | wanted.get("metadata", {})
    return _take(store, intent, store.get("charge", intent["latest_charge"]), amount)


def cancel(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/payment_intents/{id}/cancel. Releases what is held; captured money is refunded, not cancelled."""
    wanted = params.check(given, {"cancellation_reason": CANCEL_REASONS, **EXPAND})
    intent = store.get("payment_intent", identifier, in_path=True)
    if intent["status"] not in MAY_CANCEL:
        raise _not_now(intent, "canceled")
    return release(store, intent, wanted.get("cancellation_reason"))


def release(store: Store, intent: Json, reason: str | None) -> Json:
    """Cancel: by the shop, by the end of its session (`expired`), or by the lapse of the hold (`automatic`)."""
    intent |= {"status": "canceled", "canceled_at": store.now(), "cancellation_reason": reason}
    intent |= {"amount_capturable": 0, "next_action": None, "_due_at": None}
    store.save(intent)
    emit(store, "payment_intent.canceled", intent)
    return intent
