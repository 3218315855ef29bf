"""Products and suppliers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.api import (
    Barcode,
    Body,
    Bool,
    Code,
    Email,
    Int,
    Phone,
    Sku,
    Text,
    actor_of,
    answers,
    reply,
    router,
)
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.text import storable
from counterfoil.records.catalogue.actions import create_product, product_json, set_reordering
from counterfoil.records.catalogue.changing import change_product
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.catalogue.suppliers import change_supplier, create_supplier, supplier_json

catalogue = router()
Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
RowId = Annotated[int, Field(ge=1, le=2**62)]
_MAY_BE_NONE = {"vintage", "lead_time_days"}
_PATHS = {"wine": "family.name"} | {f: f"family.{f}" for f in ("producer", "vintage", "size", "region", "grape")}
READERS = (CLERK, PICKER, BUYER, BOOKKEEPER)


class FamilyIn(Body):
    producer: Text
    name: Text
    vintage: Annotated[int, Field(strict=True, ge=0, le=9999)] | None = None
    size: Text | None = None
    region: Text | None = None
    grape: Text | None = None


class ProductIn(Body):
    sku: Sku
    name: Text
    price: Int
    currency: Text
    tax_class: Text | None = None
    weight_g: Int | None = None
    supplier: Code | Int | None = None
    cost: Int | None = None
    lead_time_days: Days | None = None
    sell_when_out: Literal["backorder", "stop"] | None = None
    age_restricted: Bool | None = None
    family: FamilyIn | None = None
    bin: Code | None = None
    description: Text | None = None
    reorder_point: Int | None = None
    reorder_up_to: Int | None = None
    barcode: Barcode | None = None


class FamilyChangeIn(Body):
    producer: Text | None = None
    name: Text | None = None
    vintage: Annotated[int, Field(strict=True, ge=1000, le=9999)] | None = None
    size: Text | None = None
    region: Text | None = None
    grape: Text | None = None
    all_vintages: Bool | None = None


class ProductChangeIn(Body):
    name: Text | None = None
    price: Int | None = None
    tax_class: Text | None = None
    weight_g: Int | None = None
    cost: Int | None = None
    lead_time_days: Days | None = None
    sell_when_out: Literal["backorder", "stop"] | None = None
    age_restricted: Bool | None = None
    listed: Bool | None = None
    family: FamilyChangeIn | None = None
    bin: Code | None = None
    description: Text | None = None
    barcode: Barcode | None = None
    reason: Text | None = None


class SupplierIn(Body):
    name: Text
    email: Email | None = None
    lead_time_days: Days | None = None
    contact: Text | None = None
    phone: Phone | None = None
    currency: Text | None = None
    minimum: Int | None = None
    cut_off: Text | None = None
    order_days: Annotated[list[Int], Field(max_length=7)] | None = None


class SupplierChangeIn(Body):
    name: Text | None = None
    email: Email | None = None
    lead_time_days: Days | None = None
    contact: Text | None = None
    phone: Phone | None = None
    currency: Text | None = None
    minimum: Int | None = None
    cut_off: Text | None = None
    order_days: Annotated[list[Int], Field(max_length=7)] | None = None


class ReorderingIn(Body):
    reorder_point: Int
    reorder_up_to: Int | None = None
    supplier: Code | Int | None = None


@catalogue.post("/products", response=answers(201))
def post_product(request: HttpRequest, body: ProductIn) -> HttpResponse:
    made = create_product(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(product_json(made), 201)


# A SKU may hold slashes: the address with more after it stands first, or it would be taken for a SKU.
@catalogue.put("/products/{path:sku}/reordering", response=answers(200))
def put_reordering(request: HttpRequest, sku: str, body: ReorderingIn) -> HttpResponse:
    """When the product is bought again, and up to how many."""
    if not storable(sku):
        raise Missing("there is no such product")
    changed = set_reordering(
        actor=actor_of(request), sku=sku, reorder_point=body.reorder_point, reorder_up_to=body.reorder_up_to or 0,
        supplier=body.supplier,
    )  # fmt: skip
    return reply(product_json(changed))


@catalogue.get("/products/{path:sku}", response=answers(200))
def get_product(request: HttpRequest, sku: str) -> HttpResponse:
    require(actor_of(request), *READERS)
    found = Product.objects.filter(sku=sku).first() if storable(sku) else None
    if found is None:
        raise Missing(f"there is no product {sku}")
    return reply(product_json(found))


@catalogue.patch("/products/{path:sku}", response=answers(200))
def patch_product(request: HttpRequest, sku: str, body: ProductChangeIn) -> HttpResponse:
    """What is named is changed, the rest stays. `family` null: it is no wine; `vintage` or `lead_time_days` null: none.

    `region` and `grape` are those of all vintages of the wine; `producer` and `name` too with `all_vintages`. The
    vintage of a product that has been ordered is corrected with a `reason`.
    """
    if not storable(sku):
        raise Missing("there is no such product")
    given = body.dict(exclude_unset=True)
    wine = given.pop("family", {})
    if wine is None:
        flat: dict[str, Any] = {**dict.fromkeys(("producer", "wine", "region", "grape", "size"), ""), "vintage": None}
    else:
        flat = {"wine" if field == "name" else field: value for field, value in wine.items()}
    all_vintages, reason = bool(flat.pop("all_vintages", False)), given.pop("reason", None) or ""
    flat |= given
    changes = {name: value for name, value in flat.items() if value is not None or name in _MAY_BE_NONE}
    try:
        change_product(actor=actor_of(request), sku=sku, changes=changes, reason=reason, all_vintages=all_vintages)
    except Invalid as error:
        raise Invalid(*[(_PATHS.get(field, field), words) for field, words in error.errors]) from None
    return reply(product_json(Product.objects.get(sku=sku)))


@catalogue.post("/suppliers", response=answers(201))
def post_supplier(request: HttpRequest, body: SupplierIn) -> HttpResponse:
    made = create_supplier(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(supplier_json(made), 201)


@catalogue.get("/suppliers", response=answers(200))
def get_suppliers(request: HttpRequest) -> HttpResponse:
    require(actor_of(request), *READERS)
    return reply({"suppliers": [supplier_json(s) for s in Supplier.objects.order_by("name")]})


@catalogue.get("/suppliers/{id}", response=answers(200))
def get_supplier(request: HttpRequest, id: RowId) -> HttpResponse:  # noqa: A002  the contract's word
    require(actor_of(request), *READERS)
    found = Supplier.objects.filter(pk=id).first()
    if found is None:
        raise Missing("there is no such supplier")
    return reply(supplier_json(found))


@catalogue.put("/suppliers/{id}", response=answers(200))
def put_supplier(request: HttpRequest, id: RowId, body: SupplierChangeIn) -> HttpResponse:  # noqa: A002
    """What is named is changed, the rest stays; `cut_off` null takes it away."""
    given = body.dict(exclude_unset=True)
    changed = {name: value for name, value in given.items() if value is not None or name == "cut_off"}
    return reply(supplier_json(change_supplier(actor=actor_of(request), supplier=id, **changed)))
