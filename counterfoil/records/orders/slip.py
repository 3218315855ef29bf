"""The order's slip in words: what mails and papers of every step have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from counterfoil.core.money import PPM, show
from counterfoil.core.shop import Shop, shop
from counterfoil.records.orders.models import Line, Order, Part


def say_date(value: date | None) -> str:
    """Tue 24 Nov 2026."""
    return f"{value:%a} {value.day} {value:%b %Y}" if value else ""


def say_moment(value: datetime) -> str:
    """24 Nov 2026, 16:05, where the shop stands."""
    local = value.astimezone(ZoneInfo(shop().timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def order_url(order: Order) -> str:
    """The customer's page of this order."""
    return f"{settings.BASE_URL}/orders/{order.token}"


def address_lines(address: dict[str, Any]) -> list[str]:
    """An address as it stands on an envelope, without the name."""
    town = " ".join(p for p in (address.get("city", ""), address.get("state", ""), address.get("postcode", "")) if p)
    return [line for line in (address.get("street", ""), town, address.get("country", "")) if line]


def party(address: dict[str, Any], *, email: str = "", phone: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"name": address.get("name", ""), "lines": address_lines(address)}
    if email:
        found["email"] = email
    if phone:
        found["phone"] = phone
    return found


def paper_shop(settings_: Shop) -> dict[str, Any]:
    """The shop as it heads a paper."""
    return {
        "name": settings_.name,
        "logo": settings_.logo.get("name"),
        "address_lines": list(settings_.address),
        "tax_number": settings_.tax_number or None,
        "email": settings_.email or None,
        "phone": settings_.phone or None,
    }


def rate_text(ppm: int) -> str:
    """72500 -> '7.25 %'."""
    return f"{ppm * 100 / PPM:g} %" if ppm else ""


def priced_lines(lines: Sequence[Line], currency: str) -> list[dict[str, Any]]:
    """Lines with money, as papers show them; what is no longer wanted is left out."""
    return [
        {
            "sku": ln.sku,
            "name": ln.name,
            "quantity": ln.quantity,
            "unit_price": show(ln.unit_price, currency),
            "amount": show(ln.net, currency),
            "tax_rate": rate_text(ln.tax_ppm) or None,
            "status": _status(ln),
        }
        for ln in lines
        if ln.quantity
    ]


def _status(line: Line) -> str | None:
    if line.due and line.due_date:
        return f"{line.due} due {say_date(line.due_date)}"
    return f"{line.short} to be bought in" if line.short > 0 else None


def totals(part: Part | Order, currency: str) -> list[dict[str, Any]]:
    """Subtotal, shipping, tax, rounding and total; zero rows are left out except the total."""
    found = [{"label": "Subtotal", "amount": show(part.subtotal, currency)}]
    for label, amount in (("Shipping", part.shipping), ("Tax", part.tax), ("Rounding as agreed", part.rounding)):
        if amount:
            found.append({"label": label, "amount": show(amount, currency)})
    strong: dict[str, Any] = {"label": "Total", "amount": show(part.total, currency), "strong": True}
    return [*found, strong]


def order_paper(order: Order, *, at: datetime) -> dict[str, Any]:
    """What stands on every paper of an order."""
    settings_ = shop()
    return {
        "shop": paper_shop(settings_),
        "order_number": order.number,
        "date_text": say_date(at.astimezone(ZoneInfo(settings_.timezone)).date()),
        "bill_to": party(order.billing_address, email=order.email, phone=order.phone),
        "ship_to": party(order.shipping_address),
        "channel": order.channel,
        "reference": order.reference,
        "terms": settings_.terms or None,
        "delivery_method": order.shipping_method,
        "gift_note": order.gift_message or None,
    }


def payment_words(order: Order) -> str:
    """How this order is paid, in words."""
    if order.payment_method == "card":
        if order.card_last4:
            return f"Card: {order.card_brand} ending in {order.card_last4}; charged {shop().charged_when()}"
        return f"Card; charged {shop().charged_when()}"
    return {
        "terminal": "By card at the shop's terminal",
        "cheque": "By cheque",
        "on_delivery": "Paid on delivery",
    }.get(order.payment_method, order.payment_method)


def mail_slip(order: Order, lines: Sequence[Line]) -> dict[str, Any]:
    """The slip as every mail carries it: plain values only, frozen when the mail is owed."""
    settings_ = shop()
    return {
        "shop": settings_.name,
        "shop_email": settings_.email,
        "number": order.number,
        "name": order.name,
        "total": show(order.total, order.currency),
        "lines": [
            {"quantity": ln.quantity, "name": ln.name, "amount": show(ln.net, order.currency)}
            for ln in lines
            if ln.quantity
        ],
        "totals": totals(order, order.currency),
        "url": order_url(order),
        "gift": bool(order.gift_message),
        "charged_when": settings_.charged_when(),
    }
