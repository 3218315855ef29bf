"""An osCommerce order, as one line of JSON, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.core.money import decimals
from counterfoil.gateways.storefront.countries import country_code, state_code
from counterfoil.gateways.storefront.fields import (
    MOST,
    MOST_PRICE,
    amount_of,
    email_of,
    key_of,
    list_of,
    moment_of,
    object_of,
    phone_of,
    rate_of,
    shown,
    text_of,
    whole_of,
)
from counterfoil.gateways.storefront.lines import parse_json
from counterfoil.gateways.storefront.protocol import (
    MAX_LINES,
    MAX_QUANTITY,
    PENDING,
    STATUSES,
    BadLine,
    FeedAddress,
    FeedEvent,
    FeedLine,
    FeedOrder,
)

NAME = "osCommerce"
METHODS = {"cash on delivery": "on_delivery", "check/money order": "cheque"}
Flags = list[tuple[str, str]]


def read_order(line: str) -> FeedOrder:
    """One line of the feed -> the order. Raises BadLine with the field and the reason."""
    given = parse_json(line)
    flags: Flags = []
    currency = _currency(given.get("currency"))
    customer = object_of(given.get("customer"), "customer")
    billing_given = given.get("billing_address") or given.get("shipping_address")
    billing = _address(billing_given, "billing_address", customer, flags)
    shipping = _address(given.get("shipping_address") or billing_given, "shipping_address", customer, flags)
    if not (shipping.street or shipping.city):
        shipping = billing  # goods that are not sent leave it empty
    if not (shipping.street and shipping.city):
        flags.append(("address", "The delivery address has no street or no town"))
    lines = _lines(given.get("lines"), currency)
    method, price = _shipping(given.get("shipping"), currency)
    taxes = [
        amount_of(row.get("amount"), f"taxes.{at}.amount", currency)
        for at, row in enumerate(list_of(given.get("taxes"), "taxes"))
    ]
    total = given.get("total")
    return FeedOrder(
        channel=key_of(given.get("channel") or "oscommerce", "channel", 40),
        reference=key_of(given.get("reference"), "reference", 100),
        placed_at=moment_of(given.get("placed_at"), "placed_at"),
        currency=currency,
        name=text_of(customer.get("name") or billing.name or shipping.name, "customer.name", 200, needed=True),
        email=email_of(customer.get("email"), "customer.email"),
        phone=phone_of(customer.get("phone"), "customer.phone"),
        shipping_address=shipping,
        billing_address=billing,
        lines=lines,
        shipping_method=method,
        shipping_price=price,
        tax=_within(sum(taxes), "taxes"),
        total=None if total is None else amount_of(total, "total", currency),
        payment_method=_payment(given.get("payment_method"), flags),
        status=_status(given.get("status"), "status"),
        history=_history(given.get("history")),
        flags=tuple(dict.fromkeys(flags)),
    )


def _currency(value: object) -> str:
    code = value if isinstance(value, str) else ""
    try:
        decimals(code)
    except ValueError:
        raise BadLine(f"currency: {shown(value)} is unknown; an ISO 4217 code such as USD is needed") from None
    return code


def _within(amount: int, field: str) -> int:
    if amount > MOST:
        raise BadLine(f"{field}: out of range")
    return amount


def _address(value: object, field: str, customer: Mapping[str, Any], flags: Flags) -> FeedAddress:
    given = object_of(value, field)
    text = {k: text_of(given.get(k), f"{field}.{k}", 200) for k in ("name", "street", "city", "postcode", "state")}
    country = text_of(given.get("country"), f"{field}.country", 200)
    code = country_code(country)
    if code is None:
        told = f"{country!r} is no country we know" if country else "No country is given"
        flags.append(("country", f"{told}: put in its two-letter code before this ships"))
    return FeedAddress(
        name=text["name"] or text_of(customer.get("name"), "customer.name", 200),
        street=text["street"],
        city=text["city"],
        postcode=text["postcode"],
        state=state_code(code, text["state"]) if code else text["state"],
        country=code or country,
        country_known=code is not None,
    )


def _lines(value: object, currency: str) -> tuple[FeedLine, ...]:
    rows = list_of(value, "lines")
    if not rows:
        raise BadLine("lines: the order has none")
    if len(rows) > MAX_LINES:
        raise BadLine(f"lines: at most {MAX_LINES}")
    found = tuple(_line(row, f"lines.{at}", currency) for at, row in enumerate(rows))
    _within(sum(ln.quantity * ln.unit_price for ln in found), "lines")
    return found


def _line(row: Mapping[str, Any], field: str, currency: str) -> FeedLine:
    sku = key_of(row.get("sku"), f"{field}.sku", 64)
    name = text_of(row.get("name"), f"{field}.name") or sku
    options = [
        f"{text_of(option.get('name'), f'{field}.options')}: {text_of(option.get('value'), f'{field}.options')}"
        for option in list_of(row.get("options"), f"{field}.options")
    ]
    if options:
        name = f"{name} ({', '.join(options)})"
    if len(name) > 400:
        raise BadLine(f"{field}.name: with its options at most 400 characters")
    return FeedLine(
        sku=sku,
        name=name,
        quantity=whole_of(row.get("quantity"), f"{field}.quantity", 1, MAX_QUANTITY),
        unit_price=amount_of(row.get("unit_price"), f"{field}.unit_price", currency, most=MOST_PRICE),
        tax_ppm=rate_of(row.get("tax_rate"), f"{field}.tax_rate"),
    )


def _shipping(value: object, currency: str) -> tuple[str, int]:
    rows = list_of(value, "shipping")
    methods = [text_of(row.get("method"), f"shipping.{at}.method") for at, row in enumerate(rows)]
    prices = [amount_of(row.get("price"), f"shipping.{at}.price", currency) for at, row in enumerate(rows)]
    method = ", ".join(m for m in methods if m) or "not said"
    if len(method) > 100:
        raise BadLine("shipping: the method has more than 100 characters")
    return method, _within(sum(prices), "shipping")


def _payment(value: object, flags: Flags) -> str:
    words = text_of(value, "payment_method", 100)
    known = METHODS.get(words.casefold())
    if known is None:
        how = f"by {words!r}" if words else "nobody knows how"
        flags.append(("payment", f"Was to be paid {how}: find out whether it was, and record it at the terminal"))
    return known or "terminal"


def _status(value: object, field: str) -> str:
    if value not in STATUSES:
        raise BadLine(f"{field}: {shown(value)} is unknown; {', '.join(STATUSES)} are known")
    return str(value)


def _history(value: object) -> tuple[FeedEvent, ...]:
    """The rows by time; rows of one second, which the shop keeps in any order, as the process goes."""
    rows = [
        FeedEvent(
            at=moment_of(row.get("at"), f"history.{at}.at"),
            status=text_of(row.get("status"), f"history.{at}.status", 100) or PENDING,
            notified=row.get("notified") is True,
            comment=text_of(row.get("comment"), f"history.{at}.comment"),
        )
        for at, row in enumerate(list_of(value, "history"))
    ]
    rank = {status: place for place, status in enumerate(STATUSES)}
    return tuple(sorted(rows, key=lambda row: (row.at, rank.get(row.status, len(rank)))))
