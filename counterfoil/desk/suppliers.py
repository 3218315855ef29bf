"""Whom we buy from: the list, one supplier with how long they take, and the form that changes them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid
from counterfoil.core.money import plain
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_email, clean_phone
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.purchasing import STATES, lead_words
from counterfoil.desk.reading import Form, maybe_amount, maybe_whole, text_of
from counterfoil.records.catalogue.actions import set_reordering
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.catalogue.suppliers import change_supplier, create_supplier, currency_of, goes_on
from counterfoil.steps.sourcing.models import OPEN_STATES, PurchaseOrder
from counterfoil.steps.sourcing.queries import lead_times

READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Every supplier with their terms; POST enters a new one."""
    if request.method == "POST":
        try:
            made = create_supplier(actor=actor_of_page(request), **_read(request))
        except Invalid as error:
            return _list(request, dict(error.errors), status=422)
        except Forbidden as error:
            return _list(request, {"name": str(error)}, status=403)
        say(request, f"{made.name} is a supplier.")
        return SeeOther(f"/desk/suppliers/{made.pk}")
    return _list(request)


def _list(request: HttpRequest, errors: dict[str, str] | None = None, *, status: int = 200) -> HttpResponse:
    open_ = PurchaseOrder.objects.filter(state__in=OPEN_STATES).values_list("supplier_id", flat=True)
    counts: dict[int, int] = {}
    for pk in open_:
        counts[pk] = counts.get(pk, 0) + 1
    context = {
        "here": "suppliers",
        "suppliers": list(Supplier.objects.order_by("name")),
        "counts": counts,
        "lead_words": lead_words,
        "currency_of": currency_of,
        "form": _form(request) or {"lead_time_days": "7"},
        "errors": errors or {},
        "days": DAYS,
        "own": shop().currency,
    }
    return desk_page(request, "desk/suppliers.html", context, status=status)


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, supplier: int) -> HttpResponse:
    """One supplier: terms, purchase orders, how long their goods took; POST changes the terms."""
    found = Supplier.objects.filter(pk=supplier).first()
    if found is None:
        raise Http404("there is no such supplier")
    if request.method != "POST":
        return _one(request, found, _shown(found))
    try:
        changed = change_supplier(actor=actor_of_page(request), supplier=supplier, **_read(request))
    except Invalid as error:
        return _one(request, found, _form(request), dict(error.errors), status=422)
    except Forbidden as error:
        return _one(request, found, _form(request), {"name": str(error)}, status=403)
    say(request, f"{changed.name}: kept.")
    return SeeOther(f"/desk/suppliers/{supplier}")


def _one(
    request: HttpRequest,
    supplier: Supplier,
    form: dict[str, Any],
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    settings = shop()
    context = {
        "here": "suppliers",
        "supplier": supplier,
        "lead": lead_words(supplier),
        "form": form,
        "errors": errors or {},
        "days": DAYS,
        "own": settings.currency,
        "goes_on": goes_on(supplier, settings),
        "orders": list(PurchaseOrder.objects.filter(supplier=supplier).exclude(state="discarded").order_by("-pk")[:20]),
        "states": STATES,
        "times": [(t, (settings.day_of(t.received_at) - settings.day_of(t.ordered_at)).days)
                  for t in lead_times(supplier.pk, limit=20)],
    }  # fmt: skip
    return desk_page(request, "desk/supplier.html", context, status=status)


@staff(BUYER)
@require_POST
def reordering(request: HttpRequest, sku: str) -> HttpResponse:
    """When a product is bought again, up to how many, and from whom; the form stands on the product's page."""
    form: Form = request.POST.dict()
    try:
        whom = maybe_whole(form, "supplier")
        changed = set_reordering(
            actor=actor_of_page(request),
            sku=sku,
            reorder_point=maybe_whole(form, "reorder_point") or 0,
            reorder_up_to=maybe_whole(form, "reorder_up_to") or 0,
            supplier=whom or None,
        )
    except Invalid as error:
        say(request, f"Not kept: {error}")
    else:
        say(request, f"{changed.name}: kept.")
    return SeeOther(reverse("desk-product", args=[sku]))


def _read(request: HttpRequest) -> dict[str, Any]:
    """The form as the action wants it. Raises Invalid."""
    form: Form = request.POST.dict()
    currency = text_of(form, "currency").upper() or shop().currency
    return {
        "name": text_of(form, "name"),
        "email": text_of(form, "email", kind=clean_email),
        "contact": text_of(form, "contact"),
        "phone": text_of(form, "phone", kind=clean_phone),
        "currency": text_of(form, "currency"),
        "lead_time_days": maybe_whole(form, "lead_time_days") or 0,
        "minimum": _amount(form, currency),
        "cut_off": text_of(form, "cut_off") or None,
        "order_days": [n for n in range(7) if str(n) in request.POST.getlist("order_days")],
    }


def _amount(form: Form, currency: str) -> int:
    try:
        return maybe_amount(form, "minimum", currency) or 0
    except ValueError as error:
        raise Invalid(("currency", str(error))) from None


def _form(request: HttpRequest) -> dict[str, Any]:
    sent = mask_tree(request.POST.dict())
    return {**sent, "order_days": request.POST.getlist("order_days")} if sent else {}


def _shown(supplier: Supplier) -> dict[str, Any]:
    return {
        "name": supplier.name,
        "email": supplier.email,
        "contact": supplier.contact,
        "phone": supplier.phone,
        "currency": supplier.currency,
        "lead_time_days": str(supplier.lead_time_days),
        "minimum": plain(supplier.minimum, currency_of(supplier)) if supplier.minimum else "",
        "cut_off": supplier.cut_off.strftime("%H:%M") if supplier.cut_off else "",
        "order_days": [str(day) for day in supplier.order_days],
    }
