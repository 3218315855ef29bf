"""Picks, packages, shipments, deliveries, returns."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core.api import Body, Bool, Code, Id, Int, Moment, Parcel, Sku, Text, actor_of, answers, reply, router
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.records.orders.present import package_json, shipment_json
from counterfoil.steps.fulfilment import actions

fulfilment = router()
Part = Annotated[int, Field(strict=True, ge=1, le=32_000)]


class PickLineIn(Body):
    sku: Sku
    quantity: Int
    short: Int | Bool | None = None
    bin: Code | None = None
    lot: Code | None = None


class PickIn(Body):
    lines: Annotated[list[PickLineIn], Field(max_length=500)] | None = None
    part: Part | None = None


class PackLineIn(Body):
    sku: Sku
    quantity: Int


class PackIn(Body):
    lines: Annotated[list[PackLineIn], Field(max_length=500)] | None = None
    weight_g: Int | None = None
    part: Part | None = None


class BreakIn(Body):
    lines: Annotated[list[PackLineIn], Field(max_length=500)]
    part: Part | None = None
    package: Id | None = None


class ShipIn(Body):
    carrier: Text
    tracking_number: Parcel
    packages: Annotated[list[Id], Field(max_length=500)] | None = None


class DeliverIn(Body):
    shipment: Id | None = None
    at: Moment | None = None
    signed_by: Text | None = None


class ReturnIn(Body):
    lines: Annotated[list[PackLineIn], Field(max_length=500)]
    condition: Literal["sellable", "damaged"]
    reason: Text


@fulfilment.post("/orders/{number}/picks", response=answers(200))
def post_pick(request: HttpRequest, number: str, body: PickIn | None = None) -> HttpResponse:
    body = body or PickIn()
    lines = None if body.lines is None else [ln.dict(exclude_none=True) for ln in body.lines]
    actions.pick_order(order=number, actor=actor_of(request), lines=lines, part=body.part)
    return order_reply(request, find(number))


@fulfilment.post("/orders/{number}/packages", response=answers(201))
def post_package(request: HttpRequest, number: str, body: PackIn | None = None) -> HttpResponse:
    body = body or PackIn()
    lines = None if body.lines is None else [ln.dict() for ln in body.lines]
    box = actions.pack_order(order=number, actor=actor_of(request), lines=lines, weight_g=body.weight_g, part=body.part)
    return reply(package_json(box), 201)


@fulfilment.post("/orders/{number}/breakages", response=answers(201))
def post_breakage(request: HttpRequest, number: str, body: BreakIn) -> HttpResponse:
    """Units broke on the packing table, or in the `package` named: a closed box is open again then."""
    lines = [ln.dict() for ln in body.lines]
    actions.break_units(order=number, actor=actor_of(request), lines=lines, part=body.part, package=body.package)
    return order_reply(request, find(number), 201)


@fulfilment.post("/orders/{number}/shipments", response=answers(201))
def post_shipment(request: HttpRequest, number: str, body: ShipIn) -> HttpResponse:
    shipment = actions.ship_order(
        order=number,
        actor=actor_of(request),
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        packages=body.packages,
    )
    return reply(shipment_json(shipment), 201)


@fulfilment.post("/orders/{number}/deliveries", response=answers(200))
def post_delivery(request: HttpRequest, number: str, body: DeliverIn | None = None) -> HttpResponse:
    body = body or DeliverIn()
    actions.deliver_order(
        order=number, actor=actor_of(request), shipment=body.shipment, at=body.at, signed_by=body.signed_by or ""
    )
    return order_reply(request, find(number))


@fulfilment.post("/orders/{number}/returns", response=answers(201))
def post_return(request: HttpRequest, number: str, body: ReturnIn) -> HttpResponse:
    actions.return_order(
        order=number,
        actor=actor_of(request),
        lines=[ln.dict() for ln in body.lines],
        condition=body.condition,
        reason=body.reason,
    )
    return order_reply(request, find(number), 201)
