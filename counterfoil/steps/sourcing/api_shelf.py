"""Count sheets, damage on the shelf, and a reservation that goes to another order."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from pydantic import Field

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.api import Body, Bool, Code, Day, Int, Moment, Sku, Text, actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.records.stock.api import movement_json
from counterfoil.steps.sourcing import actions
from counterfoil.steps.sourcing.models import CountSheet
from counterfoil.steps.sourcing.present import count_sheet_json
from counterfoil.steps.sourcing.sheets import find_sheet

shelf = router()
READERS = (CLERK, PICKER, BUYER, BOOKKEEPER)


class DamageIn(Body):
    sku: Sku
    quantity: Int
    reason: Text
    lot: Code | None = None
    bin: Code | None = None
    write_off: Bool | None = None


class ReservationIn(Body):
    from_order: Code
    sku: Sku
    quantity: Int
    reason: Text


class SheetIn(Body):
    bins: Annotated[list[Code], Field(max_length=100)] | None = None
    skus: Annotated[list[Sku], Field(max_length=500)] | None = None
    blind: Bool | None = None


class CountedIn(Body):
    sku: Sku
    counted: Int
    bin: Code | None = None
    lot: Code | None = None
    best_before: Day | None = None
    take_in: Bool | None = None


class CountIn(Body):
    lines: Annotated[list[CountedIn], Field(max_length=500)]
    counted_at: Moment | None = None


class ApplyIn(Body):
    reason: Text


@shelf.post("/stock/damages", response=answers(201))
def post_damage(request: HttpRequest, body: DamageIn) -> HttpResponse:
    made = actions.damage_stock(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply({"sku": body.sku, "quantity": body.quantity, "movements": [movement_json(made)]}, 201)


@shelf.post("/orders/{number}/reservations", response=answers(200))
def post_reservation(request: HttpRequest, number: str, body: ReservationIn) -> HttpResponse:
    """Units that another order has reserved become this one's."""
    actions.move_reservation(actor=actor_of(request), order=number, **body.dict())
    return order_reply(request, find(number))


@shelf.get("/counts", response=answers(200))
def get_counts(request: HttpRequest) -> HttpResponse:
    """The open sheets, then the newest closed ones."""
    require(actor_of(request), *READERS)
    known = CountSheet.objects.order_by("-id")
    found = [*known.filter(state="open")[:200], *known.exclude(state="open")[:50]]
    return reply({"counts": [{"number": s.number, "state": s.state, "scope": s.scope} for s in found]})


@shelf.post("/counts", response=answers(201))
def post_count_sheet(request: HttpRequest, body: SheetIn) -> HttpResponse:
    made = actions.make_count_sheet(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(count_sheet_json(made), 201)


@shelf.get("/counts/{number}", response=answers(200))
def get_count_sheet(request: HttpRequest, number: str) -> HttpResponse:
    require(actor_of(request), *READERS)
    return reply(count_sheet_json(_sheet(number)))


@shelf.get("/counts/{number}/sheet.pdf", response=answers(200))
def get_count_paper(request: HttpRequest, number: str) -> HttpResponse:
    require(actor_of(request), *READERS)
    made = documents.pdf(documents.find(_sheet(number).number))
    return HttpResponse(made, content_type="application/pdf")


@shelf.post("/counts/{number}/lines", response=answers(200))
def post_counted(request: HttpRequest, number: str, body: CountIn) -> HttpResponse:
    """What was counted; nothing changes on the shelf before it is applied."""
    done = actions.enter_count(
        actor=actor_of(request),
        sheet=_sheet(number).number,
        counted=[line.dict(exclude_none=True) for line in body.lines],
        counted_at=body.counted_at,
    )
    return reply(count_sheet_json(done))


@shelf.post("/counts/{number}/application", response=answers(200))
def post_applied(request: HttpRequest, number: str, body: ApplyIn) -> HttpResponse:
    done = actions.apply_count(actor=actor_of(request), sheet=_sheet(number).number, reason=body.reason)
    return reply(count_sheet_json(done))


@shelf.delete("/counts/{number}", response={**answers(), 204: None})
def delete_count(request: HttpRequest, number: str) -> HttpResponse:
    """Nobody will count it after all."""
    actions.drop_count(actor=actor_of(request), sheet=_sheet(number).number)
    return HttpResponse(status=204)


def _sheet(number: str) -> CountSheet:
    if not storable(number):
        raise Missing("there is no such count sheet")
    return find_sheet(number)
