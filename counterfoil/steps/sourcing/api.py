"""The stock check, suppliers, purchase orders and goods receipts."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core.api import Body, Code, Day, Int, Sku, actor_of, answers, reply, router
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.steps.sourcing import actions
from counterfoil.steps.sourcing.present import purchase_order_json, receipt_json

sourcing = router()


class SeenIn(Body):
    sku: Sku
    seen: Int


class StockCheckIn(Body):
    lines: Annotated[list[SeenIn], Field(max_length=500)] | None = None


class OrderedIn(Body):
    sku: Sku
    quantity: Int
    cost: Int | None = None


class PurchaseOrderIn(Body):
    supplier: Code | Int
    lines: Annotated[list[OrderedIn], Field(max_length=500)]
    expected: Day | None = None


class ConfirmedIn(Body):
    sku: Sku
    expected: Day


class ConfirmationIn(Body):
    expected: Day
    lines: Annotated[list[ConfirmedIn], Field(max_length=500)] | None = None


class ReceivedIn(Body):
    sku: Sku
    received: Int
    damaged: Int | None = None


class ReceiptIn(Body):
    purchase_order: Code
    lines: Annotated[list[ReceivedIn], Field(max_length=500)]


@sourcing.post("/orders/{number}/stock-check", response=answers(200))
def post_stock_check(request: HttpRequest, number: str, body: StockCheckIn | None = None) -> HttpResponse:
    lines = [ln.dict() for ln in body.lines] if body and body.lines is not None else None
    actions.check_stock(order=number, actor=actor_of(request), lines=lines)
    return order_reply(request, find(number))


@sourcing.post("/purchase-orders", response=answers(201))
def post_purchase_order(request: HttpRequest, body: PurchaseOrderIn) -> HttpResponse:
    made = actions.create_purchase_order(
        actor=actor_of(request),
        supplier=body.supplier,
        lines=[ln.dict(exclude_none=True) for ln in body.lines],
        expected=body.expected,
    )
    return reply(purchase_order_json(made), 201)


@sourcing.post("/purchase-orders/{number}/confirmation", response=answers(200))
def post_confirmation(request: HttpRequest, number: str, body: ConfirmationIn) -> HttpResponse:
    confirmed = actions.confirm_purchase_order(
        actor=actor_of(request),
        number=number,
        expected=body.expected,
        lines=[ln.dict() for ln in body.lines] if body.lines is not None else None,
    )
    return reply(purchase_order_json(confirmed))


@sourcing.post("/goods-receipts", response=answers(201))
def post_receipt(request: HttpRequest, body: ReceiptIn) -> HttpResponse:
    receipt = actions.receive_goods(
        actor=actor_of(request),
        purchase_order=body.purchase_order,
        lines=[ln.dict(exclude_none=True) for ln in body.lines],
    )
    return reply(receipt_json(receipt), 201)
