"""An order as somebody wants to place it, and what can be judged of it without the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.money import MAX_AMOUNT, decimals
from counterfoil.core.shop import shop
from counterfoil.core.text import clean, clean_email, clean_key, clean_phone, is_email
from counterfoil.gateways.storefront.countries import state_code
from counterfoil.records.customers.keys import phone_key
from counterfoil.steps.checkout.rules import MAX_LINES, MAX_QUANTITY, METHODS, check_address


@dataclass(frozen=True)
class Wanted:
    """An order as somebody wants to place it. Amounts in minor units; texts as they came."""

    channel: str
    reference: str
    currency: str
    name: str
    email: str
    shipping_address: Mapping[str, str]
    lines: Sequence[tuple[str, int, int | None]]  # sku, quantity, unit price or None for the product's
    shipping_method: str
    shipping_price: int
    payment_method: str
    phone: str = ""
    billing_address: Mapping[str, str] | None = None
    payment_source: str = ""
    placed_at: datetime | None = None
    tax: int | None = None
    total: int | None = None
    needed_by: date | None = None
    gift_message: str = ""
    comment: str = ""
    consent: bool = True  # an API channel vouches for it; the check-out asks
    age_declared: bool = True
    finished: bool = True
    asks_card: bool = False  # the confirmation asks for a card: nobody has given one yet
    reserve: bool = True
    flags: Sequence[Mapping[str, str]] = ()
    by_telephone: bool = False  # a clerk took it: who has no e-mail address is told everything on the telephone
    account: int | None = None  # of who was logged in when they placed it
    own: bool = False  # and the order's e-mail address is the one that the account has proven


@dataclass(frozen=True)
class Key:
    """The caller's Idempotency-Key, kept in the order's own transaction."""

    scope: str
    path: str
    key: str
    digest: str


@dataclass(frozen=True)
class Placed:
    """`created` is False when this channel had placed this reference before; then the order stands as it is."""

    number: str
    token: str
    created: bool
    answer: dict[str, Any] = field(default_factory=dict)


def checked(wanted: Wanted) -> Wanted:
    """Everything that can be judged without the database; texts come back cleaned."""
    wrong: list[tuple[str, str]] = []

    def text(value: str, name: str, limit: int, *, needed: bool = False, kind: Callable[[str], str] = clean) -> str:
        try:
            cleaned = kind(value)
        except ValueError as error:
            wrong.append((name, str(error)))
            return ""
        if needed and not cleaned:
            wrong.append((name, "must not be empty"))
        if len(cleaned) > limit:
            wrong.append((name, f"at most {limit} characters"))
        return cleaned

    def address(given: Mapping[str, str], name: str) -> dict[str, str]:
        known = ("name", "street", "city", "postcode", "state", "country")
        cleaned = {k: text(str(given.get(k) or ""), f"{name}.{k}", 200) for k in known}
        # Taxes and the places that we do not serve go by the code: a channel's "Utah" is no other state.
        cleaned["state"] = state_code(cleaned["country"], cleaned["state"])
        wrong.extend(_stateless(cleaned, name))
        wrong.extend(check_address(cleaned, name))
        return cleaned

    try:
        decimals(wanted.currency)
    except ValueError as error:
        wrong.append(("currency", str(error)))
    if wanted.payment_method not in METHODS:
        wrong.append(("payment.method", f"use one of {', '.join(METHODS)}"))
    email = text(wanted.email, "customer.email", 254, needed=not wanted.by_telephone, kind=clean_email)
    if email and not is_email(email):
        wrong.append(("customer.email", "this is no e-mail address"))
    wrong += _mailless(wanted)
    wrong += wrong_lines(wanted.lines)
    if not 0 <= wanted.shipping_price <= MAX_AMOUNT // 100:
        wrong.append(("shipping.price", "must be zero or more, in minor units, and within reason"))
    if wanted.tax is not None and not 0 <= wanted.tax <= MAX_AMOUNT // 100:
        wrong.append(("tax", "must be zero or more, in minor units, and within reason"))
    now = clock.business_now()
    if wanted.placed_at is not None and wanted.placed_at > now + timedelta(days=1):
        wrong.append(("placed_at", "is in the future"))
    placed_today = wanted.finished and wanted.placed_at is None
    if wanted.needed_by is not None and placed_today and wanted.needed_by < shop().today():
        wrong.append(("needed_by", "is in the past"))
    shipping_address = address(wanted.shipping_address, "shipping_address")
    billing = address(wanted.billing_address, "billing_address") if wanted.billing_address else shipping_address
    changed = Wanted(
        **{
            **wanted.__dict__,
            "channel": text(wanted.channel, "channel", 40, needed=True, kind=clean_key),
            "reference": text(wanted.reference, "reference", 100, needed=True, kind=clean_key),
            "name": text(wanted.name, "customer.name", 200, needed=True),
            "email": email,
            "phone": text(wanted.phone, "customer.phone", 40, kind=clean_phone),
            "shipping_method": text(wanted.shipping_method, "shipping.method", 100, needed=True),
            "gift_message": text(wanted.gift_message, "gift_message", 2000),
            "comment": text(wanted.comment, "comment", 5000),
            "payment_source": text(wanted.payment_source, "payment.payment_method", 120, kind=clean_key),
            "shipping_address": shipping_address,
            "billing_address": billing,
        }
    )
    if wrong:
        raise Invalid(*wrong)
    refused = shop().refuses(country=shipping_address["country"], state=shipping_address["state"])
    if refused:
        raise Refused([Blocker("state_not_served", refused)])
    return changed


def _mailless(wanted: Wanted) -> list[tuple[str, str]]:
    """Who has no e-mail address must be reached otherwise, and cannot be sent a link."""
    wrong: list[tuple[str, str]] = []
    if not wanted.by_telephone or wanted.email.strip():
        return wrong
    if not phone_key(wanted.phone, wanted.shipping_address.get("country", "")):
        wrong.append(("customer.phone", "without an e-mail address we need a number at which to tell them"))
    if wanted.payment_method == "card":
        wrong.append(("payment.method", "the link to the card page goes by mail: another way, or an e-mail address"))
    return wrong


def _stateless(address: Mapping[str, str], name: str) -> list[tuple[str, str]]:
    """Where we may ship to some states only, the parcel's address names its own."""
    if name != "shipping_address" or address["state"] or not shop().tells_states_apart(address["country"]):
        return []
    return [(f"{name}.state", "is needed: we do not ship to every state of that country")]


def wrong_lines(lines: Sequence[tuple[str, int, int | None]]) -> list[tuple[str, str]]:
    if not lines:
        return [("lines", "an order needs at least one line")]
    if len(lines) > MAX_LINES:
        return [("lines", f"at most {MAX_LINES} lines")]
    wrong = []
    for i, (sku, quantity, price) in enumerate(lines):
        if not sku or not sku.isprintable() or len(sku) > 64:
            wrong.append((f"lines.{i}.sku", "name a product's SKU"))
        if not 1 <= quantity <= MAX_QUANTITY:
            wrong.append((f"lines.{i}.quantity", f"must be between 1 and {MAX_QUANTITY}"))
        if price is not None and not 0 <= price <= MAX_AMOUNT // 1_000_000:
            wrong.append((f"lines.{i}.unit_price", "must be zero or more, in minor units, and within reason"))
    return wrong
