"""Products and suppliers."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.api import Body, Bool, Code, Email, Int, Sku, Text, actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.records.catalogue.actions import create_product, create_supplier, product_json
from counterfoil.records.catalogue.models import Product

catalogue = router()


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
    lead_time_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None
    sell_when_out: Literal["backorder", "stop"] | None = None
    age_restricted: Bool | None = None
    family: FamilyIn | None = None
    bin: Code | None = None
    description: Text | None = None


class SupplierIn(Body):
    name: Text
    email: Email | None = None
    lead_time_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None


@catalogue.post("/products", response=answers(201))
def post_product(request: HttpRequest, body: ProductIn) -> HttpResponse:
    made = create_product(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(product_json(made), 201)


@catalogue.get("/products/{sku}", response=answers(200))
def get_product(request: HttpRequest, sku: str) -> HttpResponse:
    require(actor_of(request), CLERK, PICKER, BUYER, BOOKKEEPER)
    found = Product.objects.filter(sku=sku).first() if storable(sku) else None
    if found is None:
        raise Missing(f"there is no product {sku}")
    return reply(product_json(found))


@catalogue.post("/suppliers", response=answers(201))
def post_supplier(request: HttpRequest, body: SupplierIn) -> HttpResponse:
    made = create_supplier(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply({"id": made.pk, "name": made.name, "email": made.email, "lead_time_days": made.lead_time_days}, 201)
