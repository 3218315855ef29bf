"""Reading orders."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from counterfoil.core.actor import BOOKKEEPER, BUYER, CHANNEL, CLERK, OWNER, PICKER, Actor, require
from counterfoil.core.api import actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Line, Order, Shipment
from counterfoil.records.orders.present import present, present_many, timeline

orders = router()
READERS = (CLERK, PICKER, BUYER, BOOKKEEPER, CHANNEL)


def order_reply(request: HttpRequest, order: Order, status: int = 200) -> HttpResponse:
    """The order as it stands now, for the eyes of whoever asks."""
    return reply(for_eyes(actor_of(request), present(order)), status)


def for_eyes(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Without the customer's own right to answer, unless the one who asks may answer for them on the telephone."""
    if actor.role not in {OWNER, CLERK}:
        body["proposals"] = [{k: v for k, v in asked.items() if k != "token"} for asked in body["proposals"]]
    return body


def readable(number: str, actor: Actor) -> Order:
    """An order that this actor may read: a channel sees its own orders only. Raises Missing else."""
    require(actor, *READERS)
    order = find(number) if storable(number) else None
    if order is None or (actor.role == CHANNEL and order.channel != actor.name):
        raise Missing(f"there is no order {number}")
    return order


class Wish(Schema):
    queue: str = ""
    channel: str = ""
    q: Annotated[str, Field(max_length=200)] = ""
    after: Annotated[str, Field(max_length=40)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def search(wanted: str) -> Q:
    """What `q` looks through: number, reference, name, e-mail, SKU, tracking number."""
    by_line = Line.objects.filter(sku__iexact=wanted).values("order_id")
    by_parcel = Shipment.objects.filter(tracking_number__iexact=wanted).values("order_id")
    return (
        Q(number__iexact=wanted)
        | Q(reference__iexact=wanted)
        | Q(name__icontains=wanted)
        | Q(email__icontains=wanted)
        | Q(pk__in=by_line)
        | Q(pk__in=by_parcel)
    )


@orders.get("/orders", response=answers(200))
def list_orders(request: HttpRequest, wish: Query[Wish]) -> HttpResponse:
    """Orders, oldest first; `next` is what `after` wants for the next page."""
    actor = actor_of(request)
    require(actor, *READERS)
    found = Order.objects.all()
    if actor.role == CHANNEL:
        found = found.filter(channel=actor.name)
    if not all(storable(t) for t in (wish.q, wish.queue, wish.channel, wish.after)):
        return reply({"orders": [], "next": None})
    if wish.queue:
        found = found.filter(queue=wish.queue)
    if wish.channel:
        found = found.filter(channel=wish.channel)
    if wish.q:
        found = found.filter(search(wish.q))
    if wish.after:
        found = found.filter(pk__gt=_id_of(wish.after))
    page = list(found.order_by("pk")[: wish.limit + 1])
    more = len(page) > wish.limit
    page = page[: wish.limit]
    return reply(
        {"orders": [for_eyes(actor, o) for o in present_many(page)], "next": page[-1].number if more else None}
    )


def _id_of(number: str) -> int:
    known = Order.objects.filter(number=number).values_list("pk", flat=True).first()
    return known or 0


@orders.get("/orders/{number}", response=answers(200))
def get_order(request: HttpRequest, number: str) -> HttpResponse:
    return order_reply(request, readable(number, actor_of(request)))


@orders.get("/orders/{number}/timeline", response=answers(200))
def get_timeline(request: HttpRequest, number: str) -> HttpResponse:
    return reply({"events": timeline(readable(number, actor_of(request)))})
