"""Changing an order at the desk: drawn first, then done, undone, or its parts brought together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_sku
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import Form, maybe_amount, maybe_moment, maybe_whole, text_of
from counterfoil.desk.saying import say_date
from counterfoil.flow import amend
from counterfoil.flow.amend import Preview
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Amendment, Line, Order, Part

ADDRESS = ("name", "street", "city", "postcode", "state", "country")


@dataclass(frozen=True)
class Doing:
    """One of the three pages: its heading, what draws it and what does it (with consent and the drawn version)."""

    title: str
    button: str
    draw: Callable[[Form], Preview]
    do: Callable[[Form, dict[str, Any], int | None], Amendment]
    said: str
    ready: bool = False  # it can be drawn without a form
    extra: dict[str, Any] = field(default_factory=dict)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, number: str) -> HttpResponse:
    """A clerk changes what the customer agreed to."""
    order, actor = find(number), actor_of_page(request)
    doing = Doing(
        f"Change {number}",
        "Change the order",
        lambda form: amend.preview_amendment(order=number, actor=actor, changes=changes_of(form, order)),
        lambda form, consent, version: amend.amend_order(
            order=number, actor=actor, changes=changes_of(form, order), consent=consent, version=version
        ),
        f"{number} is changed. The customer gets it in writing.",
        extra={"editing": True},
    )
    return _page(request, order, doing)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, number: str, amendment: int) -> HttpResponse:
    """Put the order back to what it was before its newest amendment."""
    order, actor = find(number), actor_of_page(request)
    doing = Doing(
        f"Undo change {amendment} of {number}",
        "Undo it",
        lambda form: amend.preview_undo(order=number, number=amendment, actor=actor),
        lambda form, consent, version: amend.undo_amendment(
            order=number, number=amendment, actor=actor, consent=consent, version=version
        ),
        f"{number} is as it was before. The customer gets it in writing.",
        ready=True,
    )
    return _page(request, order, doing)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, number: str, part: int) -> HttpResponse:
    """Bring a part back into the first one that is in the house."""
    order, actor = find(number), actor_of_page(request)
    others = Part.objects.filter(order=order, lines__quantity__gt=0).exclude(number=part)
    into = others.order_by("number").values_list("number", flat=True).first() or 1
    doing = Doing(
        f"Ship part {part} of {number} with part {into}",
        "Bring them together",
        lambda form: amend.preview_merge(order=number, part=part, into=into, actor=actor),
        lambda form, consent, version: amend.merge_parts(
            order=number, part=part, into=into, actor=actor, consent=consent, version=version
        ),
        f"{number}: parts {into} and {part} ship together.",
        ready=True,
    )
    return _page(request, order, doing)


def _page(request: HttpRequest, order: Order, doing: Doing) -> HttpResponse:
    form: dict[str, str] = request.POST.dict() if request.method == "POST" else {}
    drawn: Preview | None = None
    errors: dict[str, str] = {}
    trouble: list[str] = []
    status = 200
    try:
        if form.get("do") == "apply":
            doing.do(form, _consent(form), maybe_whole(form, "version"))
            say(request, doing.said)
            return SeeOther(f"/desk/orders/{order.number}#changes")
        if form or doing.ready:
            drawn = doing.draw(form)
    except Invalid as error:
        errors, status = dict(error.errors), 422
        trouble = [words for _, words in error.errors]
    except Refused as error:
        trouble, status = [b.message for b in error.blockers], 409
    except (Forbidden, Missing) as error:
        trouble, status = [str(error)], 403
    if form.get("do") == "apply" and status in {409, 422}:
        # Drawn anew from the order as it stands now, with what was entered.
        drawn, redrawn = _redrawn(doing, form)
        trouble += [words for words in redrawn if words not in trouble]
    fresh = find(order.number)
    context = {
        "here": fresh.queue,
        "order": fresh,
        "doing": doing,
        "editing": bool(doing.extra.get("editing")),
        "lines": _lines(fresh) if doing.extra.get("editing") else [],
        "drawn": drawn,
        "compared": compared(drawn, fresh.currency) if drawn else [],
        "money": money_of(drawn) if drawn else {},
        "errors": errors,
        "trouble": trouble,
        "form": mask_tree(form),
        "deliveries": shop().deliveries,
    }
    return desk_page(request, "desk/amend.html", context, status=status)


def _redrawn(doing: Doing, form: Form) -> tuple[Preview | None, list[str]]:
    try:
        return doing.draw(form), []
    except (Invalid, Refused, Forbidden, Missing) as error:
        return None, [str(error)]


def _lines(order: Order) -> list[Line]:
    found = Line.objects.filter(order=order, quantity__gt=0).select_related("part").order_by("position")
    return [line for line in found if not line.shipped]


def _consent(form: Form) -> dict[str, Any]:
    return {
        "how": text_of(form, "how"),
        "who": text_of(form, "who"),
        "note": text_of(form, "note"),
        "at": maybe_moment(form, "at", shop().timezone),
    }


def changes_of(form: Form, order: Order) -> list[dict[str, Any]]:
    """What differs between the form and the order, as `flow.amend` wants it. Raises Invalid by the form's fields."""
    found: list[dict[str, Any]] = []
    for line in _lines(order):
        units = maybe_whole(form, f"quantity:{line.pk}")
        if units is not None and units != line.quantity:
            found.append(
                {"kind": "quantity", "line": line.pk, "quantity": units} if units else {"kind": "drop", "line": line.pk}
            )
        price = maybe_amount(form, f"price:{line.pk}", order.currency)
        if price is not None and price != line.unit_price and units != 0:
            found.append({"kind": "price", "line": line.pk, "price": price})
    for kind in ("substitute", "add"):
        sku = text_of(form, f"{kind}-sku", kind=clean_sku)
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
    address = {name: text_of(form, f"address.{name}") for name in ADDRESS}
    known = {name: str(order.shipping_address.get(name) or "") for name in ADDRESS}
    if any(f"address.{name}" in form for name in ADDRESS) and address != known:
        found.append({"kind": "address", "address": address})
    return found


def compared(drawn: Preview, currency: str) -> list[tuple[str, str, str, str]]:
    """Line by line and sum by sum: what, before, after, and where the goods of it are."""
    old = {line["id"]: line for line in drawn.before["lines"]}
    found = []
    for line in drawn.after["lines"]:
        was = old.get(line["id"])
        if not line["quantity"] and not (was and was["quantity"]):
            continue
        found.append((line["name"], _units(was, currency), _units(line, currency), _goods(line)))
    parts = len(drawn.after["parts"]) > 1
    for part in drawn.after["parts"]:
        was = next((p for p in drawn.before["parts"] if p["number"] == part["number"]), None)
        label = f"Part {part['number']}, promised" if parts else "Promised"
        before = _day((was or {}).get("promise"))
        after = _day(part["promise"]) if part["live"] else "ends"
        if before != after or not parts:
            found.append((label, before, after, ""))
    for name, label in (("shipping", drawn.after["order"]["method"]), ("tax", "Tax"), ("total", "Total")):
        found.append(
            (label, show(drawn.before["order"][name], currency), show(drawn.after["order"][name], currency), "")
        )
    return found


def _day(value: str | None) -> str:
    return say_date(date.fromisoformat(value)) if value else "no date"


def _units(line: Mapping[str, Any] | None, currency: str) -> str:
    return f"{line['quantity']} × {show(line['unit_price'], currency)}" if line and line["quantity"] else "–"


def _goods(line: Mapping[str, Any]) -> str:
    if not line["quantity"]:
        return ""
    if line["reserved"] >= line["quantity"]:
        return "on the shelf"
    said = [f"{line['reserved']} on the shelf"] if line["reserved"] else []
    said += [f"{line['due']} on order"] if line["due"] else []
    said += [f"{line['short']} to be bought in"] if line["short"] else []
    return ", ".join(said)


def money_of(drawn: Preview) -> dict[str, int]:
    """What was paid, what goes back and what is still to be taken, minor units."""
    return {
        "paid": sum(int(p["paid"]) for p in drawn.before["parts"]),
        "refunded": drawn.refunded,
        "due": sum(int(p["due"]) for p in drawn.after["parts"] if p["live"]),
        "extra": drawn.due,
    }
