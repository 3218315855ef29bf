"""A new product by hand: empty, or as another one is, such as the next vintage of a wine."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import BUYER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid
from counterfoil.core.money import plain
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_barcode, clean_key, clean_new_sku, storable
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import Form, amount_of, maybe_amount, maybe_whole, text_of
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.changing import said_of
from counterfoil.records.catalogue.models import Product, Supplier

WINE = ("producer", "wine", "vintage", "size", "region", "grape")
# What the catalogue's door calls a field, in the form's word.
_FIELDS = {"family.name": "wine"} | {f"family.{name}": name for name in WINE}


@staff(BUYER)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form; `like` is the SKU of a product that it begins as. POST puts the product into the catalogue."""
    if request.method != "POST":
        like = request.GET.get("like", "")
        found = Product.objects.select_related("family").filter(sku=like).first() if storable(like) else None
        return _page(request, _as(found) if found else {"age_restricted": "1"})
    form: Form = request.POST.dict()
    try:
        made = create_product(actor=actor_of_page(request), **_said(form))
    except Invalid as error:
        errors = {_FIELDS.get(field, field): words for field, words in error.errors}
        return _page(request, mask_tree(dict(form)), errors, status=422)
    except Forbidden as error:
        return _page(request, mask_tree(dict(form)), trouble=str(error), status=403)
    say(request, f"{made.name} is in the catalogue. Nothing of it is on the shelf yet.")
    return SeeOther(reverse("desk-product", args=[made.sku]))


def _said(form: Form) -> dict[str, Any]:
    currency = shop().currency
    wine: dict[str, Any] = {name: text_of(form, name) for name in WINE if name != "vintage"}
    wine["vintage"] = maybe_whole(form, "vintage", least=1000)
    if not wine["producer"] and not wine["wine"]:
        lone = [name for name in ("vintage", "region", "grape") if wine[name]]
        if lone:
            why = "only a wine with its maker has one: give both, or leave this out"
            raise Invalid(*[(name, why) for name in lone])
    family = {**wine, "name": wine["wine"]} if wine["producer"] or wine["wine"] else None
    return {
        "sku": text_of(form, "sku", kind=clean_new_sku), "name": text_of(form, "name"),
        "price": amount_of(form, "price", currency), "currency": currency,
        "tax_class": text_of(form, "tax_class"), "weight_g": maybe_whole(form, "weight_g") or 0,
        "supplier": maybe_whole(form, "supplier") or None, "cost": maybe_amount(form, "cost", currency) or 0,
        "sell_when_out": text_of(form, "sell_when_out", kind=clean_key),
        "age_restricted": bool(text_of(form, "age_restricted")), "family": family,
        "bin": text_of(form, "bin", kind=clean_key), "description": text_of(form, "description"),
        "barcode": text_of(form, "barcode", kind=clean_barcode),
    }  # fmt: skip


def _as(product: Product) -> dict[str, str]:
    """What another product has in common with its next vintage: all but what tells the two apart."""
    own = {"vintage", "barcode", "listed", "lead_time_days", "price", "cost", "age_restricted"}
    form = {name: str(value or "") for name, value in said_of(product).items() if name not in own}
    if product.vintage:
        form["name"] = " ".join(product.name.replace(str(product.vintage), "").split())
    form["price"] = plain(product.price, product.currency) if product.currency == shop().currency else ""
    form["cost"] = plain(product.cost, shop().currency) if product.cost else ""
    return {**form, "supplier": str(product.supplier_id or ""), "age_restricted": "1" if product.age_restricted else ""}


def _page(
    request: HttpRequest, form: Form, errors: dict[str, str] | None = None, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "here": "stock-room",
        "form": form,
        "errors": errors or {},
        "trouble": trouble,
        "suppliers": list(Supplier.objects.order_by("name")),
        "currency": shop().currency,
    }
    return desk_page(request, "desk/new_product.html", context, status=status)
