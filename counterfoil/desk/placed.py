"""What a clerk reads back after taking an order by telephone, and whether the customer has given the card meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import CLERK
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk import queries
from counterfoil.desk.pages import desk_page
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.availability import days_of_lines


@dataclass(frozen=True)
class Card:
    """How far the customer has come with the card: `mailed`, `opened`, then `saved`, or `refused` by the bank."""

    state: str
    since: datetime | None = None

    @property
    def waiting(self) -> bool:
        return self.state in {"asked", "mailed", "opened"}


def card_of(order: Order) -> Card:
    """One statement, from what the journal says."""
    if order.card_state in {"saved", "refused"}:
        return Card(order.card_state)
    told = JournalEvent.objects.filter(subject=order.number, kind__in=["mail_sent", "card_page_opened"])
    last = {event.kind: event for event in told.order_by("id") if event.kind != "mail_sent" or _asks(event)}
    if "card_page_opened" in last:
        return Card("opened", last["card_page_opened"].at)
    return Card("mailed", last["mail_sent"].at) if last else Card("asked")


def _asks(event: JournalEvent) -> bool:
    return event.data.get("mail") in {"confirmation", "pay_link"}


@staff(CLERK)
@require_safe
def page(request: HttpRequest, number: str) -> HttpResponse:
    """The order as it is read back; the card's part of it is asked for every few seconds while it is awaited."""
    order = find(number)
    lines = queries.lines_of(order)
    days = [found.day for found in days_of_lines(lines).values()]
    known = [day for day in days if day is not None]
    ships = max(known) if known and len(known) == len(days) else None
    settings = shop()
    context = {
        "here": "new-order",
        "order": order,
        "lines": lines,
        "ships": ships,
        "arrives": settings.arrives(ships, order.shipping_method) if ships else None,
        "card": card_of(order) if order.payment_method == "card" else None,
        "back": f"/desk/orders/{order.number}/placed",
    }
    return desk_page(request, "desk/placed.html", context)
