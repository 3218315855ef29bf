"""Stock put on or taken off the shelf by hand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from counterfoil.core.api import Body, Code, Day, Int, Sku, Text, actor_of, answers, reply, router
from counterfoil.records.orders.present import moment
from counterfoil.records.stock.actions import adjust_stock

stock = router()


class AdjustIn(Body):
    sku: Sku
    quantity: Int
    reason: Text
    lot: Code | None = None
    bin: Code | None = None
    best_before: Day | None = None


@stock.post("/stock", response=answers(201))
def post_stock(request: HttpRequest, body: AdjustIn) -> HttpResponse:
    made = adjust_stock(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(
        {"id": made.pk, "sku": body.sku, "quantity": body.quantity, "reason": made.reason, "at": moment(made.at)}, 201
    )
