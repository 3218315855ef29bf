"""What lies beside the telephone when a customer is called: why, what to offer, what they said the last time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from counterfoil.core.shop import Shop, shop
from counterfoil.desk.saying import near_moment, say_date
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.similar import Similar, similar_products
from counterfoil.records.orders.models import Call, Line, Order, Proposal
from counterfoil.records.stock.availability import soon
from counterfoil.steps.alternatives.actions import price_words
from counterfoil.steps.alternatives.helps import GONE, Help, helps
from counterfoil.steps.alternatives.late import words_on

SAID = {
    Call.ACCEPTED: "said yes",
    Call.DECLINED: "said no",
    Call.NO_ANSWER: "no answer",
    Call.CALL_BACK: "asked to be called back",
}


@dataclass(frozen=True)
class CallSheet:
    """`choices` of our open question with their price, else `offers`, what could be offered. `again`: when we ring."""

    why: str
    choices: list[tuple[str, str]] = field(default_factory=list)
    offers: list[Help] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    again: datetime | None = None
    question: bool = False


def arrival_of(order: Order, lines: Sequence[Line], settings: Shop) -> date | None:
    """When the customer has the last of what is promised and has not left."""
    days = [ln.part.promise_date for ln in lines if ln.quantity and ln.part.parcel not in GONE and ln.part.promise_date]
    return settings.arrives(max(days), order.shipping_method) if days else None


def call_sheet(
    order: Order,
    lines: Sequence[Line],
    question: str,
    calls: Sequence[Call] | None = None,
    proposals: Sequence[Proposal] = (),
) -> CallSheet | None:
    """The sheet of an order whose next action is a call, else None. `question`: the token of the one that is open.

    `calls` (the oldest first) and `proposals` where they are at hand. At most four statements without them, else two.
    """
    if order.next_action not in {"call", "call_later"}:
        return None
    calls = list(Call.objects.filter(order=order).order_by("-id")[:4]) if calls is None else list(reversed(calls))[:4]
    before = [_said(call) for call in calls]
    again = calls[0].call_back_at if calls and order.next_action == "call_later" else None
    if question:
        asked = next((p for p in proposals if p.token == question), None) or Proposal.objects.get(token=question)
        choices = [
            (words_on(c, shop().today()), price_words(int(c.get("difference") or 0), int(c["total"]), order.currency))
            for c in asked.choices
        ]
        return CallSheet(
            f"We asked: {asked.message or 'how shall we go on?'}", choices, [], before, again, question=True
        )
    settings = shop()
    arrival = arrival_of(order, lines, settings)
    why = f"They need it by {say_date(order.needed_by)}; as promised, they have it {say_date(arrival)}."
    offers = helps(order, lines, settings, soon=soon(settings), similar=_similar(lines))
    return CallSheet(why, [], offers, before, again)


def _similar(lines: Sequence[Line]) -> list[Similar]:
    lacking = next((ln for ln in lines if ln.quantity and ln.open_units > 0), None)
    if lacking is None:
        return []
    product = Product.objects.select_related("family").defer("art", "description").get(pk=lacking.product_id)
    return similar_products(product, quantity=lacking.open_units, limit=1)


def _said(call: Call) -> str:
    words = f"{near_moment(call.at)}, {call.actor}: {SAID[call.outcome]}"
    return f"{words}: {call.note}" if call.note else words


def too_late(order: Order, proposed: date, settings: Shop) -> str:
    """Before it is promised: that the proposed day misses the one of need, and what would be in time. Else empty."""
    if order.needed_by is None:
        return ""
    there = settings.arrives(proposed, order.shipping_method)
    if there <= order.needed_by:
        return ""
    names = [str(d["method"]) for d in settings.deliveries if str(d["method"]) != order.shipping_method]
    quick = [m for m in names if settings.arrives(proposed, m) <= order.needed_by]
    said = f"Needed by {say_date(order.needed_by)}: shipped {say_date(proposed)}, it is there {say_date(there)}"
    return f"{said}. {quick[0]} would be in time" if quick else said
