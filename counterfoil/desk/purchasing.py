"""Buying in: what is needed from whom, purchase orders, their confirmed dates and their receipts."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.naming import sku_of
from counterfoil.desk.ordering import at_form, draft_context, lines_of_form, own_field
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say
from counterfoil.desk.reading import Form, date_of, indexed, maybe_date, maybe_whole, text_of, whole_of
from counterfoil.desk.saying import moment, units
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.catalogue.suppliers import currency_of
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.promise import ENOUGH
from counterfoil.steps.sourcing.actions import (
    close_purchase_order,
    confirm_purchase_order,
    create_purchase_order,
    gather_needs,
    receive_goods,
)
from counterfoil.steps.sourcing.models import OPEN_STATES, GoodsReceipt, PurchaseOrder
from counterfoil.steps.sourcing.queries import find_purchase_order, needs, slipped_by, waiting_for

STATES = {
    "draft": ("", "✎", "draft"),
    "discarded": ("", "✕", "discarded"),
    "sent": ("warn", "◔", "sent, no date confirmed"),
    "confirmed": ("info", "◷", "date confirmed"),
    "received": ("ok", "✓", "received"),
    "closed": ("", "✕", "closed"),
}


def lead_words(supplier: Supplier) -> str:
    """How long they take, and who says so: 9 business days (80 % of 12 deliveries), or their word."""
    if supplier.learnt_days is not None and supplier.learnt_from >= ENOUGH:
        return f"{units(supplier.learnt_days, 'business day')} in 8 of 10 cases, from {supplier.learnt_from} deliveries"
    said = f"{units(supplier.lead_time_days, 'business day')} by their word"
    return f"{said}, {units(supplier.learnt_from, 'delivery', 'deliveries')} so far" if supplier.learnt_from else said


READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What is missing, by supplier, and the purchase orders that are open; POST gathers a draft or orders at once."""
    if request.method != "POST":
        return _index(request)
    return _act(request, lambda: _gather(request) if request.POST.get("do") == "gather" else _create(request))


def _act(request: HttpRequest, doing: Any) -> HttpResponse:
    try:
        number = doing()
    except Invalid as error:
        return _index(request, status=422, trouble="; ".join(m for _, m in error.errors), errors=dict(error.errors))
    except (Refused, Forbidden) as error:
        return _index(request, status=409 if isinstance(error, Refused) else 403, trouble=str(error))
    return SeeOther(f"/desk/purchase-orders/{number}")


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
        "for_order": _named(request.GET.get("order", "")),
        "drafts": list(recent.filter(state="draft")[:100]),
        "open": list(recent.filter(state__in=OPEN_STATES)[:200]),
        "closed": list(recent.filter(state__in=("received", "closed"))[:20]),
        "states": STATES,
        "currency": shop().currency,
        "currency_of": currency_of,
        "lead_words": lead_words,
        "suppliers": list(Supplier.objects.order_by("name")),
        "trouble": trouble,
        "errors": errors or {},
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/purchase_orders.html", context, status=status)


def _named(order: str) -> str:
    """An order's number as an address may name it; empty for what is none."""
    return order if re.fullmatch(r"[\w-]{1,40}", order) else ""


def _gather(request: HttpRequest) -> str:
    form = request.POST.dict()
    po = gather_needs(actor=actor_of_page(request), supplier=whole_of(form, "supplier", least=1))
    say(
        request, f"Everything that is missing from {po.supplier.name} stands on {po.number}. Nothing has been sent yet."
    )
    return po.number


def _create(request: HttpRequest) -> str:
    form = request.POST.dict()
    supplier = maybe_whole(form, "supplier", least=1) or _own_supplier(form)
    whom = Supplier.objects.filter(pk=supplier).first()
    lines, skus = lines_of_form(form, currency_of(whom) if whom else shop().currency)
    extra = sku_of(form, "sku")
    if extra:
        lines.append({"sku": extra, "quantity": whole_of(form, "units", least=1)})
        skus.append("")
    if not lines:
        raise Invalid(("sku", "say how many of what"))
    try:
        po = create_purchase_order(
            actor=actor_of_page(request),
            supplier=supplier,
            lines=lines,
            expected=maybe_date(form, "expected"),
        )
    except Invalid as error:
        raise Invalid(*[(own_field(at_form(field, skus)), words) for field, words in error.errors]) from None
    say(request, f"{po.number} goes to {po.supplier.name}.")
    return po.number


def _own_supplier(form: Form) -> int:
    """From whom the product named is bought. Raises Invalid where nobody is known."""
    sku = sku_of(form, "sku")
    if not sku:
        raise Invalid(("sku", "which product?"))
    found = Product.objects.filter(sku=sku).values_list("supplier", flat=True).first()
    if found is None:
        raise Invalid(("supplier", "say from whom: nobody is known to supply it"))
    return int(found)


@staff(*READERS)
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One purchase order: its lines, who waits for them, the confirmed date, what came."""
    po = find_purchase_order(number)
    if po.number != number:  # by its name as a draft: it has been sent since
        return SeeOther(f"/desk/purchase-orders/{po.number}")
    return show_one(request, po)


def show_one(
    request: HttpRequest,
    po: PurchaseOrder,
    *,
    status: int = 200,
    trouble: str = "",
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """The page of a draft, or of a purchase order that was sent."""
    context: dict[str, Any] = {
        "here": "purchase-orders",
        "po": po,
        "lines": list(po.lines.select_related("product").defer("product__art").order_by("pk")),
        "states": STATES,
        "currency": shop().currency,
        "trouble": trouble,
        "errors": errors or {},
        "form": mask_tree(request.POST.dict()),
    }
    if po.state in {"draft", "discarded"}:
        return desk_page(request, "desk/draft.html", context | draft_context(po, context["lines"]), status=status)
    ready = request.session.pop("ready", [])
    context |= {
        "waiting": waiting_for(po),
        # Before the supplier has named a date, only what is charged already cannot wait for it.
        "slipped": [s for s in slipped_by(po) if s.charged or po.state != "sent"],
        "ready": list(Order.objects.filter(number__in=ready).order_by("deadline", "id")) if ready else [],
        "receipts": list(GoodsReceipt.objects.filter(po=po).prefetch_related("lines__purchase_line__product")),
        "open": po.state in OPEN_STATES,
        # Of the form, not of the moment: sent twice, or back and sent again, it is one delivery.
        "token": context["form"].get("token") or secrets.token_urlsafe(24),
    }
    return desk_page(request, "desk/purchase_order.html", context, status=status)


def refused(request: HttpRequest, number: str, error: Exception, errors: dict[str, str] | None = None) -> HttpResponse:
    """The page again, with what is wrong on top and at the fields."""
    po = find_purchase_order(number)
    if isinstance(error, Invalid):
        said = list(dict.fromkeys(m for _, m in error.errors))
        named = dict(error.errors) if errors is None else errors
        return show_one(request, po, status=422, trouble="; ".join(said), errors=named)
    return show_one(request, po, status=409, trouble=str(error))


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
            own = [
                {"sku": sku, "expected": date_of({f"expected:{sku}": day}, f"expected:{sku}")}
                for sku, day in indexed(form, "expected").items()
            ]
            day = date_of(form, "expected")
            po = confirm_purchase_order(actor=actor_of_page(request), number=number, expected=day, lines=own or None)
            late = slipped_by(po)
            if late:
                orders = f"{units(len(late), 'order')} {'ships' if len(late) == 1 else 'ship'} later than promised"
                told = (
                    "their customers have been asked" if all(s.told for s in late) else "who has to be told, see below"
                )
                say(request, f"The date of {number} is confirmed. {orders}; {told}.")
            else:
                say(request, f"The date of {number} is confirmed; every order that waits for it keeps its promise.")
    except Invalid as error:
        skus = list(indexed(form, "expected"))
        named = {at_form(field, skus): words for field, words in error.errors}
        return refused(request, number, error, named)
    except Refused as error:
        return refused(request, number, error)
    return SeeOther(f"/desk/purchase-orders/{number}")


@staff(BUYER)
@require_POST
def receive(request: HttpRequest, number: str) -> HttpResponse:
    """Count goods in; the next page names the orders that have just become ready."""
    form = request.POST.dict()
    skus: list[str] = []
    try:
        damaged, notes = indexed(form, "damaged"), indexed(form, "note")
        lots, bins = indexed(form, "lot"), indexed(form, "bin")
        lines: list[dict[str, Any]] = []
        for sku, count in indexed(form, "received").items():
            came = whole_of({f"received:{sku}": count}, f"received:{sku}")
            broken = whole_of({f"damaged:{sku}": damaged.get(sku, "0")}, f"damaged:{sku}")
            if came or broken:
                skus.append(sku)
                line: dict[str, Any] = {"sku": sku, "received": came, "damaged": broken, "note": notes.get(sku, "")}
                line |= {"lot": lots.get(sku, ""), "best_before": maybe_date(form, f"best_before:{sku}")}
                if bins.get(sku, "").strip():
                    line["bin"] = bins[sku]
                lines.append(line)
        if not lines:
            raise Invalid(("received", "say what came"))
        receipt = receive_goods(
            actor=actor_of_page(request),
            purchase_order=number,
            lines=lines,
            token=form.get("token") or None,
            explain_surplus=True,
        )
    except Invalid as error:
        return refused(request, number, error, {at_form(field, skus): words for field, words in error.errors})
    except Refused as error:
        return refused(request, number, error)
    request.session["ready"] = receipt.ready_orders[:50]
    if receipt.repeated:
        say(request, f"This delivery was counted in already, by {receipt.actor} {moment(receipt.at)}: nothing changed.")
    else:
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
