"""One finished order of the demo, taken apart by the steps of the process: what its journal, mails and papers say, and
the two screens as they stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Q

from counterfoil.core.models import Document, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.desk import how, queries
from counterfoil.desk.how import Told
from counterfoil.desk.rewound import File, Screens, screens
from counterfoil.desk.words import STATUS, glyph
from counterfoil.records.orders.models import Amendment, Charge, Line, Order, Proposal, Shipment
from counterfoil.records.stock.models import Movement
from counterfoil.steps.charging.models import BalanceEntry

# What tells of a step without moving an axis of the order.
STEP_OF = {
    "order_placed": "arrives",
    "checkout_started": "checkout",
    "order_approved": "review",
    "proposal_made": "stock",
    "proposal_accepted": "stock",
    "order_amended": "stock",
    "goods_ordered": "stock",
    "goods_confirmed": "stock",
    "sales_order_reissued": "books",
    "pick_list_issued": "pack",
    "shipment_delivered": "way",
}


@dataclass(frozen=True)
class Moment:
    """A row of the journal as it was written."""

    event: int
    kind: str
    at: datetime
    glyph: str
    text: str
    who: str


@dataclass
class Seen:
    """What is known of the order at one step. `taken` minor units so far."""

    told: Told
    status: tuple[str, str, str]
    moments: list[Moment] = field(default_factory=list)
    mails: list[tuple[int, str, str]] = field(default_factory=list)  # the journal's row, subject, kind
    papers: list[Document] = field(default_factory=list)
    taken: int = 0
    last: int = 0  # the last row of the journal by the end of it
    screens: list[Screens] = field(default_factory=list)


@dataclass(frozen=True)
class Paid:
    """Where the money went in the end: fee and net of the processor, and the day of the payout."""

    fee: int
    net: int
    currency: str
    arrives: date | None


@dataclass(frozen=True)
class Story:
    order: Order
    lines: list[Line]
    steps: list[Seen]
    paid: Paid | None


def chosen() -> Order | None:
    """The order to follow: delivered, paid by card at the first try, in one part, never on hold, nothing taken back;
    the one with most to tell.

    Only orders that the demo itself has told: what a visitor orders in it is theirs.
    """
    return (
        Order.objects.filter(
            status="delivered", channel="web", payment_method="card", closed_history=False, cancelled_at=None,
            reference__startswith="demo-",
        )
        .annotate(
            parts_=Count("parts", distinct=True),
            back=Count("parts", filter=Q(parts__refunded__gt=0) | Q(parts__refund_owed__gt=0), distinct=True),
            asked=Count("proposals", distinct=True),
            disputed=Count("disputes", distinct=True),
            held=Count("holds", distinct=True),
            declined=Count("parts__charges", filter=~Q(parts__charges__state="succeeded"), distinct=True),
        )
        .filter(parts_=1, back=0, disputed=0, held=0, declined=0)
        .order_by("-asked", "id")
        .first()
    )  # fmt: skip


def story() -> Story | None:
    """That order, step by step; None when there is none."""
    order = chosen()
    if order is None:
        return None
    events = list(JournalEvent.objects.filter(subject=order.number).order_by("id"))
    papers = list(Document.objects.filter(subject=order.number).defer("content").order_by("id"))
    charges = list(Charge.objects.filter(part__order=order, state="succeeded").order_by("id"))
    steps = arranged(how.steps(shop()), events, papers, charges)
    lines = queries.lines_of(order)
    file = File(
        order, lines, events,
        list(Amendment.objects.filter(order=order).order_by("number")),
        list(Proposal.objects.filter(order=order).order_by("id")),
        list(Shipment.objects.filter(order=order).order_by("id")),
        _kept(order),
    )  # fmt: skip
    for one in steps:
        one.screens = [screens(file, event) for event in looks(one)]
    return Story(order, lines, steps, _paid(charges))


def _kept(order: Order) -> dict[int, int]:
    """Units that were reserved as the order was placed, by line."""
    made = Movement.objects.filter(subject=order.number, cause__startswith=f"place:{order.number}:")
    return {line: reserved for line, reserved in made.values_list("line", "reserved") if line is not None}


def looks(seen: Seen) -> list[int]:
    """After which rows of the journal both screens are shown at a step: when we had asked, and at the end of it.

    Nothing at the check-out: until the card is saved there is no order to look at.
    """
    if seen.told.code == "checkout":
        return []
    asked = [m.event for m in seen.moments if m.kind == "proposal_made"]
    return [*asked, seen.last] if seen.last not in asked else asked


def _paid(charges: Sequence[Charge]) -> Paid | None:
    rows = list(BalanceEntry.objects.filter(charge__in=charges, kind="charge").select_related("payout"))
    if not rows:
        return None
    days = [r.payout.arrives_on for r in rows if r.payout is not None and r.payout.status == "paid"]
    return Paid(
        sum(r.fee for r in rows), sum(r.net for r in rows), rows[0].currency,
        max(days) if len(days) == len(rows) else None,
    )  # fmt: skip


def arranged(
    way: Sequence[Told], events: Sequence[JournalEvent], papers: Sequence[Document], charges: Sequence[Charge]
) -> list[Seen]:
    """Each event, mail and paper at its step: by the state entered, by its kind, else where the last was."""
    seen = {one.code: Seen(one, one.status or STATUS["processing"]) for one in way}
    of_mail = {kind: one.code for one in (*way, *_asked(way)) for kind in one.mails}
    of_paper = {kind: one.code for one in way for kind in one.papers}
    here = way[0].code
    for event in events:
        if event.kind == "mail_sent":
            kind = str(event.data.get("mail", ""))
            at = of_mail.get(kind)
            if at is not None:
                seen[at].mails.append((event.pk, str(event.data.get("subject", "")), kind))
            continue
        here = _step(event, way, here)
        seen[here].moments.append(Moment(event.pk, event.kind, event.at, glyph(event.kind), event.text, event.actor))
    for paper in papers:
        if paper.kind in of_paper:
            seen[of_paper[paper.kind]].papers.append(paper)
    _sum(list(seen.values()), charges)
    return list(seen.values())


def _asked(way: Sequence[Told]) -> list[Told]:
    """Mails of our question belong to the step at which the goods are made sure of."""
    stock = next(one for one in way if one.code == "stock")
    return [Told(stock.code, None, "", "", mails=("question", "amended"))]


def _step(event: JournalEvent, way: Sequence[Told], here: str) -> str:
    known = STEP_OF.get(event.kind)
    if known is not None:
        return known
    for move in event.moves:
        if move["axis"] == "review":
            return "review"
        for one in way:
            if move["to"] in one.states.get(move["axis"], ()):
                return one.code
    return here


def _sum(steps: Sequence[Seen], charges: Sequence[Charge]) -> None:
    """What has been written and taken by the end of each step."""
    until: datetime | None = None
    row = 0
    for one in steps:
        row = one.last = max([row, *(m.event for m in one.moments)])
        last = max((m.at for m in one.moments), default=None)
        until = max(until, last) if until and last else until or last
        one.taken = sum(c.amount for c in charges if until and c.settled_at and c.settled_at <= until)
