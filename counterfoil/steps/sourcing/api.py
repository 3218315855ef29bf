"""The stock check, suppliers, purchase orders and goods receipts."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.api import Body, Bool, Code, Day, Int, Sku, Text, Word, actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.steps.sourcing import actions
from counterfoil.steps.sourcing.models import PURCHASE, PurchaseOrder
from counterfoil.steps.sourcing.present import need_json, purchase_order_brief, purchase_order_json, receipt_json
from counterfoil.steps.sourcing.queries import find_purchase_order, needs

sourcing = router()
RowId = Annotated[int, Field(ge=1, le=2**62)]
READERS = (CLERK, PICKER, BUYER, BOOKKEEPER)


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
    note: Text | None = None
    rate: Text | None = None
    draft: Bool | None = None


class DraftIn(Body):
    lines: Annotated[list[OrderedIn], Field(max_length=500)]
    expected: Day | None = None
    note: Text | None = None
    rate: Text | None = None


class ClosureIn(Body):
    reason: Text


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
    note: Text | None = None
    lot: Code | None = None
    bin: Code | None = None
    best_before: Day | None = None


class ReceiptIn(Body):
    purchase_order: Code
    lines: Annotated[list[ReceivedIn], Field(max_length=500)]
    token: Word | None = None


@sourcing.post("/orders/{number}/stock-check", response=answers(200))
def post_stock_check(request: HttpRequest, number: str, body: StockCheckIn | None = None) -> HttpResponse:
    lines = [ln.dict() for ln in body.lines] if body and body.lines is not None else None
    actions.check_stock(order=number, actor=actor_of(request), lines=lines)
    return order_reply(request, find(number))


@sourcing.get("/needs", response=answers(200))
def get_needs(request: HttpRequest) -> HttpResponse:
    """What is to be bought, by supplier: for orders that are short, and for the shelf."""
    require(actor_of(request), *READERS)
    return reply({"needs": [need_json(need) for need in needs()]})


@sourcing.post("/suppliers/{id}/draft", response=answers(200))
def post_gathered(request: HttpRequest, id: RowId) -> HttpResponse:  # noqa: A002  the contract's word
    """Everything that is missing from a supplier goes on their one draft."""
    return reply(purchase_order_json(actions.gather_needs(actor=actor_of(request), supplier=id)))


@sourcing.get("/purchase-orders", response=answers(200))
def get_purchase_orders(
    request: HttpRequest, state: str = "", after: int = 0, limit: Annotated[int, Field(ge=1, le=200)] = 50
) -> HttpResponse:
    """The newest first; `after` is what `next` of the page before says."""
    require(actor_of(request), *READERS)
    found = PurchaseOrder.objects.select_related("supplier").order_by("-pk")
    if state:
        found = found.filter(state=state) if state in PURCHASE.states else found.none()
    if after:
        found = found.filter(pk__lt=min(max(after, 0), 2**62))
    page = list(found[: limit + 1])
    more = page[limit - 1].pk if len(page) > limit else None
    return reply({"purchase_orders": [purchase_order_brief(po) for po in page[:limit]], "next": more})


@sourcing.get("/purchase-orders/{number}", response=answers(200))
def get_purchase_order(request: HttpRequest, number: str) -> HttpResponse:
    require(actor_of(request), *READERS)
    return reply(purchase_order_json(find_purchase_order(number)))


@sourcing.post("/purchase-orders", response=answers(201))
def post_purchase_order(request: HttpRequest, body: PurchaseOrderIn) -> HttpResponse:
    """Made and sent in one call; with `draft`, made only."""
    make = actions.draft_purchase_order if body.draft else actions.create_purchase_order
    made = make(
        actor=actor_of(request),
        supplier=body.supplier,
        lines=[ln.dict(exclude_none=True) for ln in body.lines],
        expected=body.expected,
        note=body.note or "",
        rate=body.rate or "",
    )
    return reply(purchase_order_json(made), 201)


@sourcing.put("/purchase-orders/{number}", response=answers(200))
def put_draft(request: HttpRequest, number: str, body: DraftIn) -> HttpResponse:
    """A draft written anew: what is not among the lines is dropped."""
    changed = actions.change_draft(
        actor=actor_of(request),
        number=_storable(number),
        lines=[ln.dict(exclude_none=True) for ln in body.lines],
        expected=body.expected,
        note=body.note or "",
        rate=body.rate or "",
    )
    return reply(purchase_order_json(changed))


@sourcing.delete("/purchase-orders/{number}", response={**answers(), 204: None})
def delete_draft(request: HttpRequest, number: str) -> HttpResponse:
    actions.discard_draft(actor=actor_of(request), number=_storable(number))
    return HttpResponse(status=204)


@sourcing.post("/purchase-orders/{number}/dispatch", response=answers(200))
def post_dispatch(request: HttpRequest, number: str) -> HttpResponse:
    """The draft goes to its supplier."""
    return reply(purchase_order_json(actions.send_purchase_order(actor=actor_of(request), number=_storable(number))))


@sourcing.post("/purchase-orders/{number}/closure", response=answers(200))
def post_closure(request: HttpRequest, number: str, body: ClosureIn) -> HttpResponse:
    """What is outstanding will never come."""
    closed = actions.close_purchase_order(actor=actor_of(request), number=_storable(number), reason=body.reason)
    return reply(purchase_order_json(closed))


@sourcing.post("/purchase-orders/{number}/confirmation", response=answers(200))
def post_confirmation(request: HttpRequest, number: str, body: ConfirmationIn) -> HttpResponse:
    confirmed = actions.confirm_purchase_order(
        actor=actor_of(request),
        number=_storable(number),
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
        token=body.token,
    )
    return reply(receipt_json(receipt), 201)


def _storable(number: str) -> str:
    if not storable(number):
        raise Missing("there is no such purchase order")
    return number
