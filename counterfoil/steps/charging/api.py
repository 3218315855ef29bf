"""Charges, refunds, and the processor's webhooks."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from counterfoil.core.api import Anything, Body, Code, Id, Int, Sku, Text, actor_of, answers, reply, router
from counterfoil.core.errors import Invalid, StillAsking
from counterfoil.core.web import problem
from counterfoil.gateways.card.protocol import CardError
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.records.orders.present import refund_json
from counterfoil.steps.charging import actions, webhooks

charging = router()
hooks = Router()  # no key: the signature is the right


class ChargeIn(Body):
    part: Id | None = None
    reference: Code | None = None
    amount: Int | None = None
    kind: Text | None = None  # of the slip: card, cheque, transfer, cash
    brand: Text | None = None
    last4: Text | None = None


class AuthoriseIn(Body):
    part: Id | None = None


class RefundLineIn(Body):
    sku: Sku
    quantity: Int


class RefundIn(Body):
    amount: Int | None = None
    lines: Annotated[list[RefundLineIn], Field(max_length=500)] | None = None
    reason: Text


def _part(body: ChargeIn | AuthoriseIn | None) -> int | None:
    part = body.part if body is not None else None
    if part is not None and part > 32_000:
        raise Invalid(("part", "there is no such part"))
    return part


@charging.post("/orders/{number}/charge", response=answers(200, 202, s402=Anything))
def post_charge(request: HttpRequest, number: str, body: ChargeIn | None = None) -> HttpResponse:
    """Charge what may be charged; 202 while the bank has not answered, also about the card: the charge then follows."""
    body = body or ChargeIn()
    given = {k: v for k, v in body.dict(exclude={"part"}).items() if v is not None}
    try:
        actions.charge_order(order=number, actor=actor_of(request), part=_part(body), offline=given or None)
    except StillAsking:
        return order_reply(request, find(number), 202)
    return order_reply(request, find(number))


@charging.post("/orders/{number}/authorisation", response=answers(200, 202, s402=Anything))
def post_authorisation(request: HttpRequest, number: str, body: AuthoriseIn | None = None) -> HttpResponse:
    """Have the bank hold what the order costs, to be charged later; 202 while the bank has not answered to that."""
    try:
        actions.authorise_order(order=number, actor=actor_of(request), part=_part(body))
    except StillAsking:
        return order_reply(request, find(number), 202)
    return order_reply(request, find(number))


@charging.post("/orders/{number}/refunds", response=answers(201))
def post_refund(request: HttpRequest, number: str, body: RefundIn) -> HttpResponse:
    refund = actions.refund_order(
        order=number,
        actor=actor_of(request),
        reason=body.reason,
        amount=body.amount,
        lines=[ln.dict() for ln in body.lines] if body.lines is not None else None,
    )
    return reply(refund_json(refund), 201)


@hooks.post("/webhooks/stripe", response=answers(200), auth=None)
def post_webhook(request: HttpRequest) -> HttpResponse:
    """Stripe's event: verified, stored, answered; looked into afterwards."""
    try:
        webhooks.receive(request.body, request.headers.get("Stripe-Signature", ""))
    except (ValueError, CardError):
        return problem(400, "the event is not signed by our processor")
    return reply({"received": True})
