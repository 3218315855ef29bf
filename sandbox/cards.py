"""Named test cards, payment methods and customers. No card number is ever taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox import params
from sandbox.errors import ApiError, Json, declined, refused_parameter, wrong_state
from sandbox.store import Store, public


@dataclass(frozen=True)
class Decline:
    """Why the bank says no, in Stripe's words."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class NamedCard:
    """How one test card behaves. `authentication`: `never`; `always`; `unless_set_up` (a saved card may then be
    charged off session); `on_session` (off-session charges pass as if it had been set up elsewhere).
    `refunds`: what becomes of them, `succeed`, `fail` (afterwards) or `wait` (pending, then good).
    `disputed_as`: the reason with which its holder disputes every charge (`inquiry`: only asks, at first)."""

    brand: str
    last4: str
    decline: Decline | None = None
    refused_when_saved: bool = False
    authentication: str = "never"
    refunds: str = "succeed"
    disputed_as: str | None = None
    inquiry: bool = False
    available_at_once: bool = False


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
FRAUD = Decline("card_declined", "fraudulent", "Your card was declined.")
VELOCITY = Decline("card_declined", "card_velocity_exceeded", "Your card was declined: too many charges.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline("processing_error", "processing_error", "The card could not be processed just now. Try again.")
NO_ANSWER = Decline("authentication_required", "authentication_required", "Your card requires authentication.")

_REFUSED = {
    "Declined": ("0002", GENERIC),
    "DeclinedInsufficientFunds": ("9995", FUNDS),
    "DeclinedLostCard": ("9987", LOST),
    "DeclinedStolenCard": ("9979", STOLEN),
    "DeclinedFraudulent": ("0019", FRAUD),
    "DeclinedVelocityLimitExceeded": ("6975", VELOCITY),
    "DeclinedExpiredCard": ("0069", EXPIRED),
    "DeclinedIncorrectCvc": ("0127", CVC),
    "DeclinedProcessingError": ("0119", PROCESSING),
}
CARDS: dict[str, NamedCard] = {
    "pm_card_visa": NamedCard("visa", "4242"),
    "pm_card_visa_debit": NamedCard("visa", "5556"),
    "pm_card_mastercard": NamedCard("mastercard", "4444"),
    "pm_card_amex": NamedCard("amex", "8431"),
    "pm_card_discover": NamedCard("discover", "1117"),
    "pm_card_chargeCustomerFail": NamedCard("visa", "0341", GENERIC),
    "pm_card_radarBlock": NamedCard("visa", "0019", FRAUD, True),
    "pm_card_refundFail": NamedCard("visa", "5126", refunds="fail"),
    "pm_card_pendingRefund": NamedCard("visa", "7726", refunds="wait"),
    "pm_card_createDispute": NamedCard("visa", "0259", disputed_as="fraudulent"),
    "pm_card_createDisputeProductNotReceived": NamedCard("visa", "2685", disputed_as="product_not_received"),
    "pm_card_createDisputeInquiry": NamedCard("visa", "1976", disputed_as="fraudulent", inquiry=True),
    "pm_card_bypassPending": NamedCard("visa", "0077", available_at_once=True),
    "pm_card_authenticationRequired": NamedCard("visa", "3184", authentication="always"),
    "pm_card_authenticationRequiredOnSetup": NamedCard("visa", "3155", authentication="unless_set_up"),
    "pm_card_authenticationRequiredSetupForOffSession": NamedCard("visa", "0446", authentication="on_session"),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": NamedCard(
        "visa", "3178", FUNDS, authentication="unless_set_up"
    ),
}
for _suffix, (_last4, _why) in _REFUSED.items():  # Stripe names some with "visa_" and some without: both are taken
    CARDS[f"pm_card_charge{_suffix}"] = CARDS[f"pm_card_visa_charge{_suffix}"] = NamedCard("visa", _last4, _why, True)

_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), params.STRING)
_CONTACT: dict[str, Any] = {
    "name": params.STRING,
    "email": params.STRING,
    "phone": params.STRING,
    "description": params.STRING,
    "address": _ADDRESS,
    "shipping": {"name": params.STRING, "phone": params.STRING, "address": _ADDRESS},
    "metadata": params.METADATA,
    "preferred_locales": params.ANYTHING,
}
EXPAND = {"expand": [params.STRING]}


def create_customer(store: Store, given: Json) -> Json:
    """POST /v1/customers."""
    wanted = params.check(given, {**_CONTACT, **EXPAND})
    blank: Json = dict.fromkeys(("name", "email", "phone", "description", "address", "shipping"))
    return store.save(
        {"id": store.new_id("cus", 14), "object": "customer", "created": store.now(), "livemode": False}
        | {"balance": 0, "currency": None, "delinquent": False, "invoice_settings": {"default_payment_method": None}}
        | blank
        | {"metadata": {}, "preferred_locales": []}
        | {key: value for key, value in wanted.items() if key != "expand"}
    )


def behaviour(method: Json) -> NamedCard:
    """How the card behind this payment method behaves."""
    return CARDS[method["_card"]]


def behave_as(store: Store, identifier: str, name: str) -> Json:
    """The bank of a stored card changes its mind; the card keeps its brand and digits. 400 for an unknown name."""
    if name not in CARDS:
        raise refused_parameter("behaves_as is the name of a test card", "behaves_as")
    method = store.get("payment_method", identifier, "payment_method")
    method["_card"] = name
    return store.save(method)


def payment_method(store: Store, name: str, param: str = "payment_method") -> Json:
    """The stored payment method, or a new one (not yet attached) if `name` is a test card's name."""
    if name not in CARDS:
        return store.get("payment_method", name, param)
    card = CARDS[name]
    return store.save(
        {
            "id": store.new_id("pm"),
            "object": "payment_method",
            "created": store.now(),
            "livemode": False,
            "type": "card",
            "customer": None,
            "allow_redisplay": "unspecified",
            "metadata": {},
            "billing_details": {"address": dict.fromkeys(_ADDRESS), "email": None, "name": None, "phone": None},
            "card": {
                "brand": card.brand,
                "display_brand": card.brand,
                "last4": card.last4,
                "exp_month": 12,
                "exp_year": 2034,
                "funding": "debit" if name.endswith("_debit") else "credit",
                "country": "US",
                "fingerprint": f"sandbox{card.brand}{card.last4}",
                "networks": {"available": [card.brand], "preferred": None},
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "_card": name,
            "_set_up": False,  # a setup intent of it has succeeded
            "_spent": False,  # used without a customer, or detached: never usable again
        }
    )


def usable_for(method: Json, customer: str | None) -> None:
    """400 unless this customer (or nobody) may use the payment method now."""
    if method["_spent"]:
        raise wrong_state(
            "This PaymentMethod was used without a customer or was detached, and may not be used again.",
            "payment_method_unexpected_state",
        )
    owner = method["customer"]
    if owner and customer is None:
        raise refused_parameter(
            "The payment method is attached to a customer: name that customer in the request.", "customer"
        )
    if owner and owner != customer:
        raise refused_parameter("The payment method belongs to another customer.", "payment_method")


def save_to(store: Store, method: Json, customer: str) -> Json:
    """Attach without asking the bank (the caller has)."""
    method["customer"] = customer
    return store.save(method)


def refusal(why: Decline, method: Json, **more: Any) -> ApiError:
    """The 402 for a declined card."""
    return declined(why.code, why.decline_code, why.message, payment_method=public(method), **more)


def attach(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/payment_methods/{id}/attach. A card that is refused when saved answers 402."""
    wanted = params.check(given, {"customer": params.STRING, **EXPAND})
    params.require(wanted, "customer")
    store.get("customer", wanted["customer"], "customer")
    method = payment_method(store, identifier)
    if method["customer"] == wanted["customer"]:
        return method
    if method["customer"]:
        raise wrong_state("The payment method is already attached to a customer.", "payment_method_unexpected_state")
    usable_for(method, wanted["customer"])
    card = behaviour(method)
    if card.refused_when_saved and card.decline:
        raise refusal(card.decline, method)
    return save_to(store, method, wanted["customer"])


def detach(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/payment_methods/{id}/detach. For good: a detached card is not used again."""
    params.check(given, EXPAND)
    method = store.get("payment_method", identifier, in_path=True)
    if not method["customer"]:
        raise wrong_state("The payment method is not attached to a customer.", "payment_method_unexpected_state")
    method |= {"customer": None, "_spent": True}
    return store.save(method)


def retrieve_payment_method(store: Store, identifier: str, given: Json) -> Json:
    """GET /v1/payment_methods/{id}. A test name makes a payment method, as it does everywhere."""
    params.check(given, EXPAND)
    if identifier in CARDS:
        return payment_method(store, identifier)
    return store.get("payment_method", identifier, in_path=True)
