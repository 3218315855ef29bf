"""POST /orders."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from counterfoil.core.actor import CHANNEL
from counterfoil.core.api import Body, Code, Day, Email, Int, Moment, Phone, Sku, Text, Word, actor_of, answers, reply
from counterfoil.core.errors import Forbidden
from counterfoil.core.idempotency import PLACEMENT, body_hash, replay, unfit_key
from counterfoil.core.web import problem
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.models import Order
from counterfoil.steps.checkout.actions import Key, KeyTaken, Wanted, place_order


class CustomerIn(Body):
    name: Text
    email: Email
    phone: Phone = ""


class AddressIn(Body):
    name: Text
    street: Text
    city: Text
    postcode: Text = ""
    state: Text | None = None
    country: Text


class LineIn(Body):
    sku: Sku
    quantity: Int
    unit_price: Int | None = None


class ShippingIn(Body):
    method: Text
    price: Int


class PaymentIn(Body):
    method: Literal["card", "terminal", "cheque", "on_delivery"]
    payment_method: Code | None = None


class OrderIn(Body):
    channel: Word
    reference: Word
    placed_at: Moment | None = None
    currency: Text
    customer: CustomerIn
    shipping_address: AddressIn
    billing_address: AddressIn | None = None
    lines: Annotated[list[LineIn], Field(max_length=2000)]
    shipping: ShippingIn
    tax: Int | None = None
    total: Int | None = None
    payment: PaymentIn
    needed_by: Day | None = None
    gift_message: Text | None = None
    comment: Text | None = None


def _address(given: AddressIn) -> dict[str, str]:
    return {k: v or "" for k, v in given.dict().items()}


def _wanted(body: OrderIn) -> Wanted:
    return Wanted(
        channel=body.channel,
        reference=body.reference,
        placed_at=body.placed_at,
        currency=body.currency,
        name=body.customer.name,
        email=body.customer.email,
        phone=body.customer.phone,
        shipping_address=_address(body.shipping_address),
        billing_address=_address(body.billing_address) if body.billing_address else None,
        lines=[(ln.sku, ln.quantity, ln.unit_price) for ln in body.lines],
        shipping_method=body.shipping.method,
        shipping_price=body.shipping.price,
        tax=body.tax,
        total=body.total,
        payment_method=body.payment.method,
        payment_source=body.payment.payment_method or "",
        needed_by=body.needed_by,
        gift_message=body.gift_message or "",
        comment=body.comment or "",
    )


def post_order(request: HttpRequest, body: OrderIn) -> HttpResponse:
    """Place an order; the processor is told afterwards."""
    actor = actor_of(request)
    if actor.role == CHANNEL and body.channel != actor.name:
        raise Forbidden(f"this key places orders of the channel {actor.name} only")
    given = request.headers.get("Idempotency-Key", "")
    key = None
    if given:
        unfit = unfit_key(given)
        if unfit is not None:
            return unfit
        key = Key(actor.id, PLACEMENT, given, body_hash(request.body))
    wanted = _wanted(body)
    try:
        placed = place_order(wanted=wanted, actor=actor, key=key)
    except KeyTaken:
        stored = replay(actor.id, PLACEMENT, given, key.digest if key else "")
        if stored is not None:
            return stored
        # It was yesterday's key, and looking has freed it.
        try:
            placed = place_order(wanted=wanted, actor=actor, key=key)
        except KeyTaken:
            return problem(409, "the first request with this Idempotency-Key is still running; ask again")
    if placed.created:
        return reply(placed.answer, 201)
    if key is not None:
        stored = replay(key.scope, key.path, key.key, key.digest)
        if stored is not None:
            return stored
    return order_reply(request, Order.objects.get(number=placed.number))


def join(orders: Router) -> None:
    """Add `POST /orders` to the router that has `GET /orders`: of two routers on one address only one is asked."""
    orders.post("/orders", response=answers(200, 201))(post_order)
