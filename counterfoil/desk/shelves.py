"""Stock: what is on the shelf, promised, due and set aside, and why it changed."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.money import plain
from counterfoil.core.shop import shop
from counterfoil.core.text import new_name, storable
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.handling import VERBS
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import text_of
from counterfoil.desk.saying import units
from counterfoil.gateways.storefront.lines import read_lines
from counterfoil.records.catalogue.changing import said_of, stamp_of
from counterfoil.records.catalogue.families import others_of
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.orders.models import Line
from counterfoil.records.orders.offers import offered_of
from counterfoil.records.stock.models import Balance, Movement
from counterfoil.records.stock.places import places_of
from counterfoil.steps.sourcing.stock_file import digest, stock_csv, take_stock_file

PAGE = 100
MOST_BYTES = 2_000_000
READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)
# Fields of the product page's forms that show what is wrong with them.
SHOWN = {
    "quantity", "reason", "place", "bin", "to_bin", "lot", "best_before", "order", "from_order", "barcode", "name",
    "price", "tax_class", "weight_g", "description", "producer", "wine", "vintage", "size", "region", "grape", "cost",
    "lead_time_days", "why",
}  # fmt: skip


@staff(*READERS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Products with their balances: all, by a piece of their name, or only those that want attention."""
    return _stock(request)


def _stock(request: HttpRequest, trouble: list[str] | None = None, *, status: int = 200) -> HttpResponse:
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
        "trouble": trouble or [],
    }
    return desk_page(request, "desk/stock.html", context, status=status)


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def stock_file(request: HttpRequest) -> HttpResponse:
    """What is on hand as a CSV file; POST takes such a file in, as opening stock or as a count."""
    if request.method != "POST":
        answer = HttpResponse("".join(stock_csv()), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="stock-{shop().today().isoformat()}.csv"'
        return answer
    given = request.FILES.get("file")
    rejected: list[str] = []
    try:
        if not isinstance(given, UploadedFile) or given.size is None:
            raise Invalid(("file", "choose a file"))
        if given.size > MOST_BYTES:
            raise Invalid(("file", "at most 2 MB; a larger one goes in with `counterfoil import-stock`"))
        content = given.read()
        told = take_stock_file(
            actor=actor_of_page(request),
            name=text_of({"name": given.name or "stock.csv"}, "name"),
            content=read_lines(BytesIO(content)),
            sha256=digest(content),
            mode=text_of(request.POST.dict(), "mode"),
            reject=lambda number, why, _: rejected.append(f"line {number}: {mask_cards(why)}"),
        )
    except (Invalid, ValueError) as error:
        words = [message for _, message in error.errors] if isinstance(error, Invalid) else [str(error)]
        return _stock(request, words, status=422)
    except Forbidden as error:
        return _stock(request, [str(error)], status=403)
    if rejected:
        done = f"{units(told.changed, 'place')} changed; {units(told.rejected, 'line')} could not be taken:"
        return _stock(request, [done, *rejected[:50]], status=422)
    say(request, "This file has been taken in before." if told.again else f"{units(told.changed, 'place')} changed.")
    return SeeOther("/desk/stock")


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, sku: str) -> HttpResponse:
    """One product: where its units lie, its last movements, who waits for it; POST does one thing with them."""
    balance = get_object_or_404(
        Balance.objects.select_related("product__supplier", "product__family"), product__sku=sku
    )
    errors: dict[str, str] = {}
    form = request.POST.dict()
    verb = form.get("do", "adjust")
    trouble, status = "", 200
    if request.method == "POST":
        try:
            if verb not in VERBS:
                raise Invalid(("do", "there is no such act"))
            said = VERBS[verb](sku, form, actor_of_page(request))
        except Invalid as error:
            errors, status = dict(error.errors), 422
            trouble = "; ".join(words for field, words in error.errors if field not in SHOWN)
        except (Refused, Missing) as error:
            trouble, status = str(error), 409
        except Forbidden as error:
            trouble, status = str(error), 403
        else:
            say(request, said)
            return SeeOther(reverse("desk-product", args=[sku]))
        balance.refresh_from_db()
    return desk_page(request, "desk/product.html", _of_product(balance, form, verb, errors, trouble), status=status)


def _of_product(
    balance: Balance, form: dict[str, str], verb: str, errors: dict[str, str], trouble: str
) -> dict[str, Any]:
    waiting = list(
        Line.objects.filter(product=balance.product_id, order__cancelled_at=None, part__let_go_at=None)
        .filter(quantity__gt=F("picked") + F("shipped"), order__closed_history=False)
        .select_related("order", "part")
        .order_by(F("part__promise_date").asc(nulls_last=True), "order_id")[:50]
    )
    return {
        "here": "stock-room",
        "balance": balance,
        "product": balance.product,
        "seen": stamp_of(balance.product),
        "about": said_of(balance.product),
        "vintages": others_of(balance.product).count(),
        "price": plain(balance.product.price, balance.product.currency),
        "cost": plain(balance.product.cost, shop().currency),
        "places": places_of([balance.product_id]).get(balance.product_id, []),
        "today_": shop().today(),
        "lots_by": shop().lots_by,
        "movements": list(Movement.objects.filter(product=balance.product_id).order_by("-id")[:30]),
        "waiting": waiting,
        "givers": [ln for ln in waiting if ln.reserved],
        "takers": [ln for ln in waiting if ln.open_units > 0],
        "offered": offered_of([balance.product_id]),
        "suppliers": list(Supplier.objects.order_by("name")),
        "errors": errors,
        "trouble": trouble,
        "verb": verb,
        "once": new_name(),
        "form": mask_tree(form),
    }
