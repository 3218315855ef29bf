"""An order as it stood after one of its events, and both screens drawn from that: the desk's slip, the customer's page.

What has happened since is taken back in copies of the rows, by what the journal and the amendments say; where it stood
is then derived from those facts as it always is. Nothing here is stored. For the demo's one order in one part whose
card never was declined (`followed.chosen`): of any other order more would have to be taken back.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from markupsafe import Markup

from counterfoil.core import clock
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.desk.customer import ahead, money_lines, not_charged, offered
from counterfoil.desk.queries import Asked
from counterfoil.desk.slips import slip_of, step_of
from counterfoil.desk.words import QUEUES, STATUS
from counterfoil.flow import map as process
from counterfoil.records.orders.declines import Standing
from counterfoil.records.orders.load import build_facts
from counterfoil.records.orders.models import AXES, REVIEW, Amendment, Line, Order, Part, Proposal, Shipment

NOTHING_CHANGES = "Nothing changes until you choose."


@dataclass(frozen=True)
class File:
    """Everything that is kept of the order; `lines` with their part and product, the rest oldest first.

    `kept` is what was reserved when it was placed: units by the id of the line.
    """

    order: Order
    lines: Sequence[Line]
    events: Sequence[JournalEvent]
    amendments: Sequence[Amendment]
    proposals: Sequence[Proposal]
    shipments: Sequence[Shipment]
    kept: Mapping[int, int]


@dataclass(frozen=True)
class Then:
    """The order after one of its events."""

    at: datetime
    order: Order
    part: Part
    lines: list[Line]
    events: list[JournalEvent]
    question: Proposal | None
    shipments: list[Shipment]


@dataclass(frozen=True)
class Screens:
    """What both sides looked at: HTML that leads nowhere and sends nothing."""

    at: datetime
    queue: str  # where it stood at the desk, in the shop's words
    status: tuple[str, str, str]  # what their page said: colour, glyph, word
    slip: Markup
    theirs: Markup


def screens(file: File, event: int) -> Screens:
    """Both screens as they stood once the journal's row of that id was written."""
    then = rewound(file, event)
    order, parts = then.order, [then.part]
    # "Tomorrow" on a screen was the day after that moment.
    with clock.at(then.at):
        asked = Asked([], (then.question.token, then.question.expires_at) if then.question else None)
        said = {
            "o": order,
            "slip": slip_of(order, then.lines, asked, then.events),
            "status": STATUS[order.status],
            "step": step_of(order, parts),
            "ahead": ahead(order, parts, then.lines, then.question, NOTHING_CHANGES if then.question else ""),
            "not_charged": not_charged(order, parts),
            "money": money_lines(order, parts),
            "promise": then.part.promise_date,
            "choices": [offered(c, order.currency, {}) for c in then.question.choices] if then.question else [],
            "shipments": then.shipments,
        }
        slip = render_to_string("how/slip_then.html", said)
        theirs = render_to_string("how/theirs_then.html", said)
    queue = QUEUES[order.queue].name if order.queue in QUEUES else ""
    # Drawn by our own templates, which escape.
    return Screens(then.at, queue, STATUS[order.status], Markup(slip), Markup(theirs))  # noqa: S704


def rewound(file: File, event: int) -> Then:
    """Copies of the rows, as they were once that event was written."""
    before = [e for e in file.events if e.pk <= event]
    at = max(e.at for e in before)
    axes = _axes(before)
    undone = _first_undone(file, event)
    order, part = copy.copy(file.order), copy.copy(file.lines[0].part)
    _rewind_order(order, before, axes, undone)
    _rewind_part(part, before, axes, undone)
    lines = _rewind_lines(file, part, before, undone)
    question = next((copy.copy(p) for p in file.proposals if _open(p, at)), None)
    if question is not None:
        question.state, question.answered_at, question.choice = Proposal.OPEN, None, None
    sent = [copy.copy(s) for s in file.shipments if s.shipped_at <= at]
    for parcel in sent:
        if parcel.delivered_at and parcel.delivered_at > at:
            parcel.delivered_at = None
    then = Then(at, order, part, lines, before, question, sent)
    _place(then)
    return then


def _open(asked: Proposal, at: datetime) -> bool:
    return asked.made_at <= at and (asked.answered_at is None or asked.answered_at > at)


def _axes(events: Sequence[JournalEvent]) -> dict[str, str]:
    """The state of each axis, replayed from where every order begins."""
    found = {"review": REVIEW.first, **{axis: machine.first for axis, machine in AXES.items()}}
    for event in events:
        for move in event.moves:
            found[move["axis"]] = move["to"]
    return found


def _first_undone(file: File, event: int) -> Mapping[str, Any] | None:
    """What stood before the first amendment that had not been made yet; None when all had."""
    made = {e.data.get("amendment") for e in file.events if e.pk <= event}
    return next((a.before for a in file.amendments if a.number not in made), None)


def _rewind_order(
    order: Order, events: Sequence[JournalEvent], axes: Mapping[str, str], undone: Mapping[str, Any] | None
) -> None:
    order.version = max(e.version for e in events)
    order.review = axes["review"]
    if order.review != "approved":
        order.approved_by, order.approved_at = "", None
    if not any(e.kind == "card_saved" for e in events):
        order.card_state = "to_save"
    if undone is not None:
        for name in ("subtotal", "shipping", "tax", "rounding", "total"):
            setattr(order, name, undone["order"][name])


def _rewind_part(
    part: Part, events: Sequence[JournalEvent], axes: Mapping[str, str], undone: Mapping[str, Any] | None
) -> None:
    part.stock, part.money, part.parcel, part.books = (axes[name] for name in ("stock", "money", "parcel", "books"))
    was = undone["parts"][0] if undone is not None else None
    if was is not None:
        for name in ("subtotal", "shipping", "tax", "rounding", "total"):
            setattr(part, name, was[name])
        part.promise_date = date.fromisoformat(was["promise"]) if was["promise"] else None
    if axes["review"] != "approved":
        part.promise_date, part.promise_version, part.legal_deadline = None, 0, None
    if part.money != "charged":
        part.charged, part.charged_at, part.charged_by = 0, None, ""
    if part.money != "authorised":
        part.authorisation_amount, part.authorisation_expires_at = None, None
    papers = [e.data["document"] for e in events if e.kind in {"sales_order_made", "sales_order_reissued"}]
    part.sales_order_number = papers[-1] if papers else ""
    if part.parcel not in {"shipped", "delivered"}:
        part.shipped_at = None
    if part.parcel != "delivered":
        part.delivered_at = None


def _rewind_lines(
    file: File, part: Part, events: Sequence[JournalEvent], undone: Mapping[str, Any] | None
) -> list[Line]:
    """The lines that there were, with their units where they were."""
    were = {row["id"]: row for row in undone["lines"]} if undone is not None else None
    checked = [e.data["lines"] for e in events if e.kind == "stock_checked"]
    found = {str(row["sku"]): row for row in checked[-1]} if checked else None
    lines = []
    for now in file.lines:
        if were is not None and now.pk not in were:
            continue
        line = copy.copy(now)
        line.part = part
        if were is not None:
            for name in ("quantity", "cancelled", "unit_price", "tax"):
                setattr(line, name, were[line.pk][name])
        seen = found.get(line.sku, {}) if found is not None else {"reserved": file.kept.get(line.pk, 0)}
        _put_units(line, part, seen)
        lines.append(line)
    return lines


def _put_units(line: Line, part: Part, checked: Mapping[str, Any]) -> None:
    """Where a line's units were: by the parcel once they were fetched; before, as last checked, or kept at placing."""
    line.reserved = line.due = line.due_confirmed = line.picked = line.packed = line.shipped = 0
    line.due_date = None
    if part.parcel in {"picked", "packed"}:
        line.picked = line.quantity
        line.packed = line.quantity if part.parcel == "packed" else 0
    elif part.parcel in {"shipped", "delivered"}:
        line.shipped = line.quantity
    elif part.stock == "confirmed":
        line.reserved = line.quantity
    else:
        line.reserved = min(line.quantity, int(checked.get("reserved", 0)))
        line.due = min(line.quantity - line.reserved, int(checked.get("due", 0)))


def _place(then: Then) -> None:
    """Status, queue, next action and its blockers, derived from the facts of that moment."""
    order = then.order
    asked = [then.question] if then.question else []
    with clock.at(then.at + timedelta(microseconds=1)):
        settings = shop()
        facts = build_facts(
            order, [then.part], {then.part.pk: then.lines}, [], asked, False, False, Standing(), settings
        )
        derived = process.derive(facts)
    order.status, order.queue, order.next_action = derived.status, derived.queue, derived.next_action
    order.blockers = [b.as_json() for b in derived.blockers]
