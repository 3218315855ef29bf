"""What a clerk agreed with the customer, from a form into a change of the order; and the acts that carry it out."""

from __future__ import annotations

from typing import Any

from counterfoil.core.actor import Actor
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.desk.naming import sku_of
from counterfoil.desk.reading import Form, maybe_amount, maybe_moment, maybe_whole, text_of, whole_of
from counterfoil.flow import amend
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Line, Order
from counterfoil.steps.checkout.forms import ADDRESS, address_of


def open_lines(order: Order) -> list[Line]:
    """Lines of which nothing has left."""
    found = Line.objects.filter(order=order, quantity__gt=0).select_related("part").order_by("position")
    return [line for line in found if not line.shipped]


def consent_of(form: Form) -> dict[str, Any]:
    """Who agreed, how and when."""
    return {
        "how": text_of(form, "how"),
        "who": text_of(form, "who"),
        "note": text_of(form, "note"),
        "at": maybe_moment(form, "at", shop().timezone),
    }


def changes_of(form: Form, order: Order) -> list[dict[str, Any]]:
    """What differs between the form and the order, as `flow.amend` wants it. Raises Invalid by the form's fields."""
    found: list[dict[str, Any]] = []
    for line in open_lines(order):
        units = maybe_whole(form, f"quantity:{line.pk}")
        if units is not None and units != line.quantity:
            found.append(
                {"kind": "quantity", "line": line.pk, "quantity": units} if units else {"kind": "drop", "line": line.pk}
            )
        price = maybe_amount(form, f"price:{line.pk}", order.currency)
        if price is not None and price != line.unit_price and units != 0:
            found.append({"kind": "price", "line": line.pk, "price": price})
    for kind in ("substitute", "add"):
        sku = sku_of(form, f"{kind}-sku")
        if sku:
            wanted: dict[str, Any] = {"kind": kind, "sku": sku}
            if kind == "substitute":
                wanted["line"] = text_of(form, "substitute-line", needed="say which wine it replaces")
            wanted["quantity"] = maybe_whole(form, f"{kind}-quantity", least=1) or (1 if kind == "add" else None)
            wanted["price"] = maybe_amount(form, f"{kind}-price", order.currency)
            found.append({name: value for name, value in wanted.items() if value is not None})
    method = text_of(form, "method")
    shipping = maybe_amount(form, "shipping", order.currency)
    if (method and method != order.shipping_method) or (shipping is not None and shipping != order.shipping):
        delivery: dict[str, Any] = {"kind": "delivery"}
        if method:
            delivery["method"] = method
        if shipping is not None and shipping != order.shipping:
            delivery["price"] = shipping
        found.append(delivery)
    return found + _moved(form, order)


def _moved(form: Form, order: Order) -> list[dict[str, Any]]:
    """Another address, as its country writes it; as it was it stays, however a channel wrote it."""
    given = {name: text_of(form, f"address.{name}") for name in ADDRESS}
    known = {name: str(order.shipping_address.get(name) or "") for name in ADDRESS}
    if given == known or not any(f"address.{name}" in form for name in ADDRESS):
        return []
    errors: dict[str, str] = {}
    address = address_of(form, "address", errors)
    if errors:
        raise Invalid(*errors.items())
    return [{"kind": "address", "address": address}]


def amend_by_form(order: str, form: Form, actor: Actor) -> str:
    """A clerk changes what the customer agreed to."""
    amend.amend_order(
        order=order, actor=actor, changes=changes_of(form, find(order)), consent=consent_of(form),
        version=maybe_whole(form, "version"),
    )  # fmt: skip
    return f"{order} is changed. The customer gets it in writing."


def change_back_by_form(order: str, form: Form, actor: Actor) -> str:
    """The order becomes what it was before its newest amendment."""
    amend.undo_amendment(
        order=order, number=whole_of(form, "amendment", least=1), actor=actor, consent=consent_of(form),
        version=maybe_whole(form, "version"),
    )  # fmt: skip
    return f"{order} is as it was before. The customer gets it in writing."


def merge_by_form(order: str, form: Form, actor: Actor) -> str:
    """A part comes back into another one."""
    part, into = whole_of(form, "part", least=1), whole_of(form, "into", least=1)
    amend.merge_parts(
        order=order, part=part, into=into, actor=actor, consent=consent_of(form), version=maybe_whole(form, "version")
    )
    return f"{order}: parts {into} and {part} ship together."
