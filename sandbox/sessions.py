"""Checkout sessions: what the shop asks of the hosted page, and what the customer does there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox import cards, intents, money, params, setups
from sandbox.cards import EXPAND
from sandbox.errors import ApiError, Json, refused_parameter, wrong_state
from sandbox.events import emit
from sandbox.store import Store

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3_600
_MESSAGE = {"message": params.STRING}
_CREATE: dict[str, Any] = {
    "mode": ("payment", "setup"),
    "customer": params.STRING,
    "customer_email": params.STRING,
    "client_reference_id": params.STRING,
    "currency": params.STRING,
    "success_url": params.URL,
    "cancel_url": params.URL,
    "expires_at": params.INTEGER,
    "metadata": params.METADATA,
    "allowed_payment_method_types": [params.STRING],
    "line_items": [
        {
            "price_data": {
                "currency": params.STRING,
                "unit_amount": params.INTEGER,
                "product_data": {
                    "name": params.STRING,
                    "description": params.STRING,
                    "images": params.ANYTHING,
                    "metadata": params.METADATA,
                },
                "tax_behavior": params.STRING,
            },
            "quantity": params.INTEGER,
        }
    ],
    "payment_intent_data": {
        "metadata": params.METADATA,
        "setup_future_usage": ("off_session", "on_session"),
        "capture_method": ("automatic", "automatic_async", "manual"),
        "description": params.STRING,
        "receipt_email": params.STRING,
    },
    "setup_intent_data": {"metadata": params.METADATA, "description": params.STRING},
    "consent_collection": {"terms_of_service": ("none", "required")},
    "custom_text": {"submit": _MESSAGE, "terms_of_service_acceptance": _MESSAGE},
    "locale": params.ANYTHING,
    "submit_type": params.ANYTHING,
    **EXPAND,
}


@dataclass(frozen=True)
class Outcome:
    """The session after the customer did something, and what to tell them if it did not work."""

    session: Json
    message: str | None = None


def create(store: Store, given: Json) -> Json:
    """POST /v1/checkout/sessions."""
    wanted = params.check(given, _CREATE)
    params.require(wanted, "mode", "success_url")
    intents.card_only(wanted)
    mode = wanted["mode"]
    foreign = "setup_intent_data" if mode == "payment" else "payment_intent_data"
    if wanted.get(foreign):
        raise refused_parameter(f"You can not pass `{foreign}` in `{mode}` mode.", foreign)
    if wanted.get("customer"):
        store.get("customer", wanted["customer"], "customer")
    lines, currency, total = _lines(store, wanted)
    session = _blank(store, wanted, currency, total)
    session["_lines"] = lines
    session["_intent_data"] = wanted.get("payment_intent_data", {})
    if mode == "setup":
        data = {"customer": session["customer"], "usage": "off_session", **wanted.get("setup_intent_data", {})}
        session["setup_intent"] = store.save(setups.blank(store, data))["id"]
    return store.save(session)


def _lines(store: Store, wanted: Json) -> tuple[list[Json], str | None, int | None]:
    """Line items in Stripe's shape, the one currency, the total in minor units."""
    if wanted["mode"] == "setup":
        if wanted.get("line_items"):
            raise refused_parameter("You can not pass `line_items` in `setup` mode.", "line_items")
        if not wanted.get("currency") and "allowed_payment_method_types" not in wanted:
            raise refused_parameter("Missing required param: currency.", "currency", "parameter_missing")
        return [], money.currency_of(wanted["currency"]) if wanted.get("currency") else None, None
    params.require(wanted, "line_items")
    lines, currency, total = [], "", 0
    for place, item in enumerate(wanted["line_items"]):
        at = f"line_items[{place}]"
        price, quantity = item.get("price_data", {}), item.get("quantity", 0)
        if not price.get("currency") or "unit_amount" not in price or not price.get("product_data", {}).get("name"):
            raise refused_parameter("A line needs currency, unit_amount and product_data[name].", f"{at}[price_data]")
        own = money.currency_of(price["currency"], f"{at}[price_data][currency]")
        if currency and own != currency:
            raise refused_parameter("All lines are in one currency.", f"{at}[price_data][currency]")
        currency = own
        if price["unit_amount"] < 0 or quantity < 1:
            raise refused_parameter("Invalid positive integer", at, "parameter_invalid_integer")
        amount = price["unit_amount"] * quantity
        total += amount
        lines.append(
            {"id": store.new_id("li"), "object": "item", "description": price["product_data"]["name"]}
            | {"currency": own, "quantity": quantity, "amount_subtotal": amount, "amount_total": amount}
            | {"amount_discount": 0, "amount_tax": 0}
        )
    return lines, currency, money.chargeable(total, currency, "line_items")


def _blank(store: Store, wanted: Json, currency: str | None, total: int | None) -> Json:
    identifier, now = store.new_id("cs_test", 56), store.now()
    expires_at = wanted.get("expires_at", now + LONGEST_SECONDS)
    if not now + SHORTEST_SECONDS <= expires_at <= now + LONGEST_SECONDS:
        raise refused_parameter("`expires_at` is between 30 minutes and 24 hours from now.", "expires_at")
    return {
        "id": identifier,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": wanted.get("cancel_url"),
        "client_reference_id": wanted.get("client_reference_id"),
        "consent": None,
        "consent_collection": wanted.get("consent_collection"),
        "created": now,
        "currency": currency,
        "custom_text": wanted.get("custom_text", {}),
        "customer": wanted.get("customer") or None,
        "customer_email": wanted.get("customer_email"),
        "expires_at": expires_at,
        "livemode": False,
        "metadata": wanted.get("metadata", {}),
        "mode": wanted["mode"],
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid" if wanted["mode"] == "payment" else "no_payment_required",
        "setup_intent": None,
        "status": "open",
        "success_url": wanted["success_url"],
        "url": f"{store.public_url}/pay/{identifier}",
        "_due_at": expires_at,
    }


def expire(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/checkout/sessions/{id}/expire. Only an open one: a complete one has happened."""
    params.check(given, EXPAND)
    session = store.get("checkout.session", identifier, in_path=True)
    if session["status"] != "open":
        raise wrong_state(
            f"Only Checkout Sessions that are open can be expired; this one has a status of {session['status']}.",
        )
    return lapse(store, session)


def lapse(store: Store, session: Json) -> Json:
    """End an open session, and the intent it had begun."""
    session |= {"status": "expired", "url": None, "_due_at": None}
    store.save(session)
    intent = intent_of(store, session)
    if intent and session["mode"] == "payment" and intent["status"] in intents.MAY_CANCEL:
        intents.release(store, intent, "expired")
    elif intent and session["mode"] == "setup" and intent["status"] in setups.OPEN:
        store.save(intent | {"status": "canceled", "cancellation_reason": "abandoned", "next_action": None})
    emit(store, "checkout.session.expired", session)
    return session


def intent_of(store: Store, session: Json) -> Json | None:
    """The payment or setup intent behind the session, if there is one yet."""
    identifier = session["payment_intent"] or session["setup_intent"]
    return store.find(identifier) if identifier else None


def success_address(session: Json) -> str:
    """Where the customer goes on: the shop's own success_url."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def wants_terms(session: Json) -> bool:
    """Whether the customer must tick the shop's terms."""
    return (session["consent_collection"] or {}).get("terms_of_service") == "required"


def pay(store: Store, session: Json, card: str, *, terms_accepted: bool) -> Outcome:
    """The customer pressed the button. A session that is not open is left as it is."""
    if session["status"] != "open":
        return Outcome(session)
    if card not in cards.CARDS:
        return Outcome(session, "Choose one of the test cards.")
    if wants_terms(session) and not terms_accepted:
        return Outcome(session, "Please accept the shop's terms first.")
    if wants_terms(session):
        session["consent"] = {"promotions": None, "terms_of_service": "accepted"}
    intent = intent_of(store, session) or _begin_payment(store, session)
    with_card = {"payment_method": card, "return_url": success_address(session)}
    act = intents.confirm if session["mode"] == "payment" else setups.confirm
    return _settle(store, session, lambda: act(store, intent["id"], with_card))


def authenticate(store: Store, session: Json, passed: bool) -> Outcome:
    """The customer answered the bank's question on the second page."""
    intent = intent_of(store, session)
    if session["status"] != "open" or intent is None or intent["status"] != "requires_action":
        return Outcome(session)
    act = intents.authenticate if session["mode"] == "payment" else setups.authenticate
    return _settle(store, session, lambda: act(store, intent, passed))


def _begin_payment(store: Store, session: Json) -> Json:
    """The payment intent is made when the customer first pays, as Stripe does."""
    data = {"customer": session["customer"], **session["_intent_data"]}
    intent = store.save(intents.blank(store, session["amount_total"], session["currency"], data))
    session["payment_intent"] = intent["id"]
    store.save(session)
    return intent


def _settle(store: Store, session: Json, act: Any) -> Outcome:
    try:
        intent = act()
    except ApiError as refused:
        if not refused.commits:
            raise
        return Outcome(store.save(session), f"{refused.error['message']} Nothing was charged: try another card.")
    if intent["status"] == "requires_action":
        return Outcome(store.save(session))
    session |= {"status": "complete", "url": None, "_due_at": None}
    if intent["status"] == "succeeded" and session["mode"] == "payment":
        session["payment_status"] = "paid"
    store.save(session)
    emit(store, "checkout.session.completed", session)
    return Outcome(session)
