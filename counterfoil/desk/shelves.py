"""Stock: what is on the shelf, promised, due and set aside, and why it changed."""

from __future__ import annotations

from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Refused
from counterfoil.core.text import clean_key, storable
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import text_of
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.models import Balance, Movement

PAGE = 100
READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)


@staff(*READERS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Products with their balances: all, by a piece of their name, or only those that want attention."""
    text = request.GET.get("q", "").strip()[:100]
    only = request.GET.get("only", "")
    found = Balance.objects.select_related("product__supplier").defer("product__art", "product__description")
    if text and storable(text):
        found = found.filter(Q(product__name__icontains=text) | Q(product__sku__istartswith=text))
    if only == "low":
        found = found.filter(on_hand__lte=F("reserved") + F("product__reorder_point"), product__reorder_point__gt=0)
    elif only == "short":
        found = found.filter(waiting__gt=0)
    elif only == "aside":
        found = found.filter(quarantined__gt=0)
    rows = list(found.order_by("product__name", "product__sku")[: PAGE + 1])
    context = {
        "here": "stock-room",
        "rows": rows[:PAGE],
        "more": len(rows) > PAGE,
        "text": mask_cards(text),
        "only": only,
    }
    return desk_page(request, "desk/stock.html", context)


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, sku: str) -> HttpResponse:
    """One product: its balance, its last movements, who waits for it; POST adjusts it."""
    balance = get_object_or_404(Balance.objects.select_related("product__supplier"), product__sku=sku)
    errors: dict[str, str] = {}
    trouble, status = "", 200
    if request.method == "POST":
        form = request.POST.dict()
        try:
            adjust_stock(
                actor=actor_of_page(request),
                sku=sku,
                quantity=_signed(form.get("quantity", "")),
                reason=text_of(form, "reason"),
                lot=text_of(form, "lot", kind=clean_key),
            )
        except Invalid as error:
            errors, status = dict(error.errors), 422
        except Refused as error:
            trouble, status = str(error), 409
        except Forbidden as error:
            trouble, status = str(error), 403
        else:
            say(request, f"{sku} adjusted.")
            return SeeOther(request.path)
    waiting = (
        Line.objects.filter(product=balance.product_id, order__cancelled_at=None, part__let_go_at=None)
        .filter(quantity__gt=F("picked") + F("shipped"), order__closed_history=False)
        .select_related("order", "part")
        .order_by(F("part__promise_date").asc(nulls_last=True), "order_id")[:50]
    )
    context = {
        "here": "stock-room",
        "balance": balance,
        "product": balance.product,
        "movements": list(Movement.objects.filter(product=balance.product_id).order_by("-id")[:30]),
        "waiting": list(waiting),
        "suppliers": list(Supplier.objects.order_by("name")),
        "errors": errors,
        "trouble": trouble,
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/product.html", context, status=status)


def _signed(text: str) -> int:
    try:
        return int(text.strip().replace("−", "-"))
    except ValueError:
        raise Invalid(("quantity", "a whole number, with a minus for what is missing")) from None
