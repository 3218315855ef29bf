"""Cancellation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from counterfoil.core.api import Body, Text, actor_of, answers, router
from counterfoil.flow.amend import cancel_order
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find

flow = router()


class CancelIn(Body):
    reason: Text


@flow.post("/orders/{number}/cancellation", response=answers(200))
def post_cancellation(request: HttpRequest, number: str, body: CancelIn) -> HttpResponse:
    """Cancel an order; what was charged goes back by itself."""
    cancel_order(order=number, reason=body.reason, actor=actor_of(request))
    return order_reply(request, find(number))
