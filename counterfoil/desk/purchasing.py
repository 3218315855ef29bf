"""Buying in: what is needed from whom, purchase orders, their confirmed dates and their receipts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_sku
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say
from counterfoil.desk.reading import date_of, indexed, maybe_amount, maybe_date, text_of, whole_of
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.orders.models import Order
from counterfoil.steps.sourcing.actions import (
    close_purchase_order,
    confirm_purchase_order,
    create_purchase_order,
    receive_goods,
)
from counterfoil.steps.sourcing.models import OPEN_STATES, PurchaseOrder
from counterfoil.steps.sourcing.queries import needs, waiting_for

STATES = {
    "sent": ("warn", "◔", "sent, no date confirmed"),
    "confirmed": ("info", "◷", "date confirmed"),
    "received": ("ok", "✓", "received"),
    "closed": ("", "✕", "closed"),
}
READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What is short, by supplier, and the purchase orders that are open; POST orders from one supplier."""
    if request.method == "POST":
        return _create(request)
    return _index(request)


def _index(
    request: HttpRequest, *, status: int = 200, trouble: str = "", errors: dict[str, str] | None = None
) -> HttpResponse:
    wanted = request.GET.getlist("sku")
    found = needs()
    found.sort(key=lambda need: not any(line.sku in wanted for line in need.lines))
    recent = PurchaseOrder.objects.select_related("supplier").order_by("-id")
    context = {
        "here": "purchase-orders",
        "needs": found,
        "wanted": wanted,
        "for_order": request.GET.get("order", ""),
        "open": list(recent.filter(state__in=OPEN_STATES)[:200]),
        "closed": list(recent.exclude(state__in=OPEN_STATES)[:20]),
        "states": STATES,
        "currency": shop().currency,
        "suppliers": list(Supplier.objects.order_by("name")),
        "trouble": trouble,
        "errors": errors or {},
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/purchase_orders.html", context, status=status)


def _create(request: HttpRequest) -> HttpResponse:
    form = request.POST.dict()
    try:
        lines: list[dict[str, Any]] = []
        for sku, count in indexed(form, "quantity").items():
            quantity = whole_of({f"quantity:{sku}": count}, f"quantity:{sku}")
            if not quantity:
                continue
            line: dict[str, Any] = {"sku": sku, "quantity": quantity}
            cost = maybe_amount(form, f"cost:{sku}", shop().currency)
            if cost is not None:
                line["cost"] = cost
            lines.append(line)
        extra = text_of(form, "sku", kind=clean_sku)
        if extra:
            lines.append({"sku": extra, "quantity": whole_of(form, "units", least=1)})
        if not lines:
            raise Invalid(("lines", "say how many of what"))
        po = create_purchase_order(
            actor=actor_of_page(request),
            supplier=whole_of(form, "supplier", least=1),
            lines=lines,
            expected=maybe_date(form, "expected"),
        )
    except Invalid as error:
        return _index(request, status=422, trouble="; ".join(m for _, m in error.errors), errors=dict(error.errors))
    except (Refused, Forbidden) as error:
        return _index(request, status=409 if isinstance(error, Refused) else 403, trouble=str(error))
    say(request, f"{po.number} goes to {po.supplier.name}.")
    return SeeOther(f"/desk/purchase-orders/{po.number}")


@staff(*READERS)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One purchase order: its lines, who waits for them, the confirmed date, what came."""
    return _one(request, number)


def _one(
    request: HttpRequest, number: str, *, status: int = 200, trouble: str = "", errors: dict[str, str] | None = None
) -> HttpResponse:
    po = get_object_or_404(PurchaseOrder.objects.select_related("supplier"), number=number)
    ready = request.session.pop("ready", [])
    context = {
        "here": "purchase-orders",
        "po": po,
        "lines": list(po.lines.select_related("product").defer("product__art").order_by("pk")),
        "waiting": waiting_for(po),
        "states": STATES,
        "ready": list(Order.objects.filter(number__in=ready).order_by("deadline", "id")) if ready else [],
        "open": po.state in OPEN_STATES,
        "trouble": trouble,
        "errors": errors or {},
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/purchase_order.html", context, status=status)


@staff(BUYER)
@require_POST
def confirm(request: HttpRequest, number: str) -> HttpResponse:
    """The supplier has named a date; a line may have its own. With `close`, the rest is struck off."""
    form = request.POST.dict()
    try:
        if form.get("close"):
            close_purchase_order(actor=actor_of_page(request), number=number, reason=text_of(form, "reason"))
            say(request, f"{number} is closed; whoever waited for it is short again.")
        else:
            own = [{"sku": sku, "expected": date_of({sku: day}, sku)} for sku, day in indexed(form, "expected").items()]
            day = date_of(form, "expected")
            confirm_purchase_order(actor=actor_of_page(request), number=number, expected=day, lines=own or None)
            say(request, f"The date of {number} is confirmed; every order that waits has been looked at.")
    except Invalid as error:
        return _one(
            request, number, status=422, trouble="; ".join(m for _, m in error.errors), errors=dict(error.errors)
        )
    except Refused as error:
        return _one(request, number, status=409, trouble=str(error))
    return SeeOther(f"/desk/purchase-orders/{number}")


@staff(BUYER)
@require_POST
def receive(request: HttpRequest, number: str) -> HttpResponse:
    """Count goods in; the next page names the orders that have just become ready."""
    form = request.POST.dict()
    try:
        damaged = indexed(form, "damaged")
        lines = []
        for sku, count in indexed(form, "received").items():
            came = whole_of({f"received:{sku}": count}, f"received:{sku}")
            broken = whole_of({f"damaged:{sku}": damaged.get(sku, "0")}, f"damaged:{sku}")
            if came:
                lines.append({"sku": sku, "received": came, "damaged": broken})
        if not lines:
            raise Invalid(("received", "say what came"))
        receipt = receive_goods(actor=actor_of_page(request), purchase_order=number, lines=lines)
    except Invalid as error:
        return _one(
            request, number, status=422, trouble="; ".join(m for _, m in error.errors), errors=dict(error.errors)
        )
    except Refused as error:
        return _one(request, number, status=409, trouble=str(error))
    request.session["ready"] = receipt.ready_orders[:50]
    say(request, f"Received for {number}.")
    return SeeOther(f"/desk/purchase-orders/{number}")


@staff(*READERS)
@require_safe
def paper(request: HttpRequest, number: str) -> HttpResponse:
    """The purchase order as it went to the supplier."""
    found = documents.newest(number, "purchase-order")
    if found is None:
        raise Missing(f"{number} has no paper yet")
    return pdf_answer(found.number, documents.pdf(found))
