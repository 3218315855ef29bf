"""Approval and holds."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse

from counterfoil.core.actor import CLERK, require
from counterfoil.core.api import Body, Day, Email, Int, Phone, Text, actor_of, answers, reply, router
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.steps.review import actions
from counterfoil.steps.review.details import change_details

review = router()


class ApprovalIn(Body):
    ship_estimate: Day


class DetailsIn(Body):
    """What is left out stays as it is. `version`: of the order as it was read; another one by now is refused."""

    name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    gift_message: Text | None = None
    version: Int | None = None


class HoldIn(Body):
    reason: Text
    kind: Literal["", "weather"] | None = None


@review.post("/orders/{number}/approval", response=answers(200))
def post_approval(request: HttpRequest, number: str, body: ApprovalIn) -> HttpResponse:
    actions.approve_order(order=number, ship_estimate=body.ship_estimate, actor=actor_of(request))
    return order_reply(request, find(number))


@review.post("/orders/{number}/customer", response=answers(200))
def post_customer(request: HttpRequest, number: str, body: DetailsIn) -> HttpResponse:
    changes = {name: value for name, value in body.dict(exclude={"version"}).items() if value is not None}
    change_details(order=number, changes=changes, version=body.version, actor=actor_of(request))
    return order_reply(request, find(number))


@review.post("/orders/{number}/holds", response=answers(201))
def post_hold(request: HttpRequest, number: str, body: HoldIn) -> HttpResponse:
    hold = actions.hold_order(order=number, reason=body.reason, kind=body.kind or "", actor=actor_of(request))
    return reply({"id": hold.pk, "reason": hold.reason, "kind": hold.kind, "by": hold.placed_by}, 201)


@review.delete("/orders/{number}/holds/{hold}", response={**answers(), 204: None})
def delete_hold(request: HttpRequest, number: str, hold: int) -> HttpResponse:
    require(actor_of(request), CLERK)
    actions.release_hold(order=number, hold=min(max(hold, 0), 2**62), actor=actor_of(request))
    return HttpResponse(status=204)
