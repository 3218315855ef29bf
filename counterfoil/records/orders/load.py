"""Taking an order to write on it, and reading its facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q

from counterfoil.core import clock, journal
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import build, columns, in_writing, moment, read, rows
from counterfoil.core.errors import Blocker, Missing, Refused
from counterfoil.core.machine import Move
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import storable
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.declines import Standing, standing_of
from counterfoil.records.orders.facts import DisputeFacts, HoldFacts, LineFacts, NoticeFacts, OrderFacts, PartFacts
from counterfoil.records.orders.models import (
    Call,
    Hold,
    Line,
    Notice,
    Offered,
    Order,
    Part,
    PayLink,
    Promise,
    Proposal,
    Refund,
)

GONE = frozenset({"shipped", "delivered", "returned"})


def take(number: str, *, version: int | None = None) -> Order:
    """Become the order's one writer until this transaction ends, and read it as it then stands.

    With `version` (what a page was drawn from) it is a compare-and-set: Refused `someone_else` names who came first.
    Raises Missing for an unknown number.
    """
    if not in_writing():
        raise RuntimeError("an order is taken inside writing()")
    wanted = "" if version is None else " AND version = %s"
    taken = storable(number) and rows(
        f"UPDATE orders_order SET version = version + 1 WHERE number = %s{wanted} RETURNING {columns(Order)}",
        [number] if version is None else [number, version],
    )
    if not taken:
        if version is not None and Order.objects.filter(number=number).exists():
            last = JournalEvent.objects.filter(subject=number).exclude(kind="mail_sent").order_by("-id").first()
            who = last.actor if last else "somebody else"
            raise Refused([Blocker("someone_else", f"{who} has just worked on {number}; look at it again", by=who)])
        raise Missing(f"there is no order {number}")
    return build(Order, taken)[0]


def find(number: str) -> Order:
    """An order by its number, to read. Raises Missing."""
    found = read(Order, "WHERE number = %s", [number]) if storable(number) else []
    if not found:
        raise Missing(f"there is no order {number}")
    return found[0]


def check(blockers: Sequence[Blocker]) -> None:
    """Raise Refused with every reason unless the gate is open."""
    if blockers:
        raise Refused(blockers)


def note(
    order: Order,
    kind: str,
    *,
    actor: Actor,
    text: str,
    part: Part | None = None,
    moves: Iterable[Move] = (),
    data: dict[str, Any] | None = None,
    advance: bool = True,
) -> None:
    """Write the order's journal row for what the present transaction did."""
    journal.record(
        kind,
        subject=order.number,
        actor=actor,
        text=text,
        version=order.version,
        part=part.number if part else None,
        moves=moves,
        data=data,
        advance=advance,
    )


def facts_of(order: Order, lines: Sequence[Line] | None = None) -> OrderFacts:
    """The order's facts as they stand now: three reads, and more for exceptions (hold, question, refund, decline).

    `lines`: all of the order's, each with its part, where a page has read them already; two reads fewer.
    """
    return facts_of_many([order], lines)[order.pk]


def facts_of_many(orders: Sequence[Order], known: Sequence[Line] | None = None) -> dict[int, OrderFacts]:
    """Facts of many orders in as many statements as of one; `known`: all their lines, where they are at hand."""
    ids = [o.pk for o in orders]
    parts: dict[int, list[Part]] = {i: [] for i in ids}
    of = f"WHERE order_id IN ({', '.join(['%s'] * len(ids))})"
    if known:
        found = sorted({ln.part_id: ln.part for ln in known}.values(), key=lambda p: (p.order_id, p.number))
    else:
        found = read(Part, f"{of} ORDER BY order_id, number", ids) if ids else []
    for part in found:
        parts[part.order_id].append(part)
    lines: dict[int, list[Line]] = {}
    for line in known or (read(Line, f"{of} ORDER BY order_id, position", ids) if ids else ()):
        lines.setdefault(line.part_id, []).append(line)
    held, asked_of, owing, differing, disputed, paying, noticed = _exceptions(ids)
    holds: dict[int, list[Hold]] = {}
    for hold in Hold.objects.filter(order_id__in=ids, released_at=None).order_by("id") if held else ():
        holds.setdefault(hold.order_id, []).append(hold)
    questions: dict[int, list[Proposal]] = {}
    pending = Proposal.objects.filter(order_id__in=ids, state__in=["open", "accepted"], applied_at=None)
    for asked in pending.annotate(prefers=F("order__customer__prefers")) if asked_of else ():
        questions.setdefault(asked.order_id, []).append(asked)
    opened = [q.pk for mine in questions.values() for q in mine if q.state == Proposal.OPEN]
    lost = Offered.objects.filter(proposal__in=opened, given_up__gt=0).values_list("proposal_id", flat=True)
    gone = set(lost) if opened else set()
    # Failed at the processor, or to be handed back by a person: owed until somebody does it.
    stuck = Q(state="failed") | (Q(state="pending") & ~Q(charge__method__in=["card", "link"]))
    refunds = Refund.objects.filter(stuck, part__order_id__in=ids).values_list("part__order_id", flat=True)
    failed = set(refunds) if owing else set()
    differs = _differing(ids) if differing else set()
    open_pages = PayLink.objects.filter(order_id__in=ids, mode="payment", state__in=PayLink.OPEN)
    at_page = set(open_pages.values_list("part_id", flat=True)) if paying else set()
    declined = standing_of(orders, [p for mine in parts.values() for p in mine])
    settings = shop()
    wanting = [o.pk for o in orders if o.needed_by is not None or o.pk in questions]
    calls: dict[int, list[Call]] = {}
    for call in Call.objects.filter(order_id__in=wanting).order_by("id") if wanting else ():
        calls.setdefault(call.order_id, []).append(call)
    disputes = _disputes(ids, settings) if disputed else {}
    notices = _notices(ids) if noticed else {}
    return {
        o.pk: build_facts(
            o,
            parts[o.pk],
            lines,
            holds.get(o.pk, []),
            questions.get(o.pk, []),
            o.pk in failed,
            o.pk in differs,
            declined,
            settings,
            calls.get(o.pk, ()),
            disputes.get(o.pk, ()),
            at_page,
            gone,
            notices.get(o.pk, ()),
        )
        for o in orders
    }


def _exceptions(ids: Sequence[int]) -> tuple[bool, bool, bool, bool, bool, bool, bool]:
    """Whether any of the orders is held, waits for an answer, is owed a refund, the bank has it otherwise, a customer
    disputes it, a page for its payment is open, or a customer was told that a promise will not be kept.

    Mostly none, so one read asks.
    """
    if not ids:
        return False, False, False, False, False, False, False
    of = f"IN ({', '.join(['%s'] * len(ids))})"
    held, asked, owing, differing, disputed, paying, noticed = rows(
        f"SELECT EXISTS (SELECT 1 FROM orders_hold WHERE order_id {of} AND released_at IS NULL), "
        f"EXISTS (SELECT 1 FROM orders_proposal WHERE order_id {of} AND state IN ('open', 'accepted') "
        f"AND applied_at IS NULL), "
        f"EXISTS (SELECT 1 FROM orders_refund r JOIN orders_part p ON p.id = r.part_id "
        f"WHERE p.order_id {of} AND r.state IN ('failed', 'pending')), "
        # Tables of charging's, which is above: read by name, so that the fact is one of the order's like the others.
        f"EXISTS (SELECT 1 FROM charging_difference d JOIN orders_order o ON o.number = d.order_number "
        f"WHERE o.id {of} AND d.closed_at IS NULL), "
        f"EXISTS (SELECT 1 FROM charging_dispute WHERE order_id {of} AND state IN ('open', 'answered', 'lost')), "
        f"EXISTS (SELECT 1 FROM orders_paylink WHERE order_id {of} AND mode = 'payment' "
        f"AND state IN ('intended', 'open')), "
        f"EXISTS (SELECT 1 FROM orders_notice WHERE order_id {of} AND closed_at IS NULL)",
        [*ids] * 7,
    )[0]
    return bool(held), bool(asked), bool(owing), bool(differing), bool(disputed), bool(paying), bool(noticed)


def _notices(ids: Sequence[int]) -> dict[int, tuple[NoticeFacts, ...]]:
    """The notices of orders whose end is open, by order id."""
    out: dict[int, tuple[NoticeFacts, ...]] = {}
    found = Notice.objects.filter(order_id__in=ids, closed_at=None).select_related("part", "proposal")
    for notice in found.order_by("part__number"):
        facts = NoticeFacts(
            part=notice.part.number,
            version=notice.version,
            offered=notice.offered,
            answer_by=notice.answer_by,
            consents=notice.silence == Notice.CONSENTS,
            open=notice.proposal.state == Proposal.OPEN,
            declined=notice.proposal.state == Proposal.DECLINED,
            answered=notice.proposal.state == Proposal.ACCEPTED,
        )
        out[notice.order_id] = (*out.get(notice.order_id, ()), facts)
    return out


def _differing(ids: Sequence[int]) -> set[int]:
    """Those of the orders about which the card processor and we do not agree."""
    found = rows(
        "SELECT o.id FROM charging_difference d JOIN orders_order o ON o.number = d.order_number "
        f"WHERE o.id IN ({', '.join(['%s'] * len(ids))}) AND d.closed_at IS NULL",
        ids,
    )
    return {int(pk) for (pk,) in found}


def _disputes(ids: Sequence[int], settings: Shop) -> dict[int, tuple[DisputeFacts, ...]]:
    """The disputes of orders that are undecided or lost, by order id."""
    out: dict[int, tuple[DisputeFacts, ...]] = {}
    for order, part, state, inquiry, submitted, due in rows(
        "SELECT d.order_id, p.number, d.state, d.inquiry, d.submitted_at, d.due_by FROM charging_dispute d "
        "JOIN orders_charge c ON c.id = d.charge_id JOIN orders_part p ON p.id = c.part_id "
        f"WHERE d.order_id IN ({', '.join(['%s'] * len(ids))}) AND d.state IN ('open', 'answered', 'lost') "
        "ORDER BY d.id",
        ids,
    ):
        until = moment(due)
        day = settings.day_of(until) if until is not None else None
        found = DisputeFacts(int(part), str(state), bool(inquiry), submitted is not None, day)
        out[int(order)] = (*out.get(int(order), ()), found)
    return out


def build_facts(
    order: Order,
    parts: Sequence[Part],
    lines: dict[int, list[Line]],
    holds: Sequence[Hold],
    questions: Sequence[Proposal],
    refund_failed: bool,
    bank_differs: bool,
    declined: Standing,
    settings: Shop,
    calls: Sequence[Call] = (),
    disputes: Sequence[DisputeFacts] = (),
    at_page: Collection[int | None] = (),
    gone: Collection[int] = (),
    notices: Sequence[NoticeFacts] = (),
) -> OrderFacts:
    """Facts from rows at hand; `lines` by part id, `calls` to the customer in their order, `at_page` the ids of parts
    whose page for payment is open, `gone` those of questions of which an offered unit was lost.
    """
    opened = [q for q in questions if q.state == Proposal.OPEN]
    if not _waits_for(opened, notices, parts, lines):
        opened = []
    answered = next((c for c in reversed(calls) if c.told and c.outcome in {Call.ACCEPTED, Call.DECLINED}), None)
    rung = _last_call(calls, opened)
    return OrderFacts(
        number=order.number,
        review=order.review,
        finished=order.finished,
        cancelled=order.cancelled_at is not None,
        closed_history=order.closed_history,
        payment_method=order.payment_method,
        card_state=order.card_state,
        card_consent=order.card_consent,
        card_declines=declined.declines.get(order.pk, ()),
        retry_limits=settings.limits_for(order.card_brand) if declined.declines.get(order.pk) else (),
        approved_by=order.approved_by,
        placed_on=settings.day_of(order.placed_at),
        placed_at=order.placed_at,
        needed_by=order.needed_by,
        told=answered.told if answered else None,
        told_accepted=answered is not None and answered.outcome == Call.ACCEPTED,
        call_back_at=rung.call_back_at if rung else None,
        # Who has no e-mail address is asked on the telephone, however often nobody answers.
        calls_missed=rung.tries if rung and order.email else 0,
        prefers_phone=any(not order.email or getattr(q, "prefers", "") == Customer.TELEPHONE for q in opened),
        holds=tuple(HoldFacts(h.pk, h.reason, h.placed_by, h.kind) for h in holds),
        question_open=bool(opened),
        question_expires_at=min((q.expires_at for q in opened), default=None),
        question_moot=next((why for q in opened if (why := moot(q, parts, lines, holds, gone))), ""),
        answer_unapplied=any(q.state == Proposal.ACCEPTED for q in questions),
        refund_failed=refund_failed,
        bank_differs=bank_differs,
        disputes=tuple(disputes),
        notices=tuple(notices),
        parts=tuple(
            part_facts(
                p,
                lines.get(p.pk, []),
                remind_at=declined.remind_at(p),
                page_open=p.pk in at_page,
                arrives=settings.arrives(p.promise_date, order.shipping_method)
                if order.needed_by and p.promise_date
                else None,
            )
            for p in parts
        ),
        now=clock.business_now(),
        today=settings.today(),
        day_ends_at=settings.day_ends_at(),
        zone=settings.timezone,
        notice_days=settings.notice_days,
        horizon=settings.charge_horizon(),
        charge_on=settings.charge_on,
        card_at_checkout=settings.card_at_checkout,
        warning_days=settings.authorisation_warning_days,
        sales_order_by_hand=settings.sales_order_by_hand,
        stock_check_by_hand=settings.stock_check_by_hand,
    )


def _last_call(calls: Sequence[Call], opened: Sequence[Proposal]) -> Call | None:
    """The last call about what there is to call about now; None once it was answered."""
    asked = {q.pk for q in opened}
    mine = [c for c in calls if (c.proposal_id in asked if asked else c.told is not None)]
    return mine[-1] if mine and mine[-1].outcome in {Call.NO_ANSWER, Call.CALL_BACK} else None


def _waits_for(
    opened: Sequence[Proposal], notices: Sequence[NoticeFacts], parts: Sequence[Part], lines: dict[int, list[Line]]
) -> bool:
    """Whether the order waits for the answer to its open question.

    Not where no answer is a yes, nor for what can leave while the customer thinks about another part. What the notice
    is about waits for its goods in any case.
    """
    told = {n.part for n in notices if n.open and not n.consents}
    if not any(n.open for n in notices) or not all(q.made_by == SYSTEM.name for q in opened):
        return True
    here = {p.number for p in parts if p.parcel not in GONE and any(ln.quantity for ln in lines.get(p.pk, []))}
    return bool(told) and here <= told


def moot(
    asked: Proposal,
    parts: Sequence[Part],
    lines: dict[int, list[Line]],
    holds: Sequence[Hold],
    gone: Collection[int] = (),
) -> str:
    """Why an open question has lost its reason, in words for the customer; empty while it stands."""
    if asked.pk in gone:
        return "what we offered you is no longer there"
    about = {int(pk) for pk in asked.about.get("lines", ())}
    if about:
        meant = [ln for part in parts for ln in lines.get(part.pk, []) if ln.pk in about]
        if meant and all(ln.open_units <= 0 for ln in meant):
            return "what was missing is here after all"
    stopped = {int(pk) for pk in asked.about.get("holds", ())}
    if stopped and not stopped & {h.pk for h in holds}:
        return "the reason why your order had to wait is gone"
    return ""


def part_facts(
    part: Part,
    lines: Sequence[Line],
    *,
    remind_at: datetime | None = None,
    page_open: bool = False,
    arrives: date | None = None,
) -> PartFacts:
    """One part's facts from its rows; when the customer is reminded next stands in the journal."""
    return PartFacts(
        number=part.number,
        stock=part.stock,
        money=part.money,
        parcel=part.parcel,
        books=part.books,
        total=part.total,
        charged=part.charged,
        refund_owed=part.refund_owed,
        refunded=part.refunded,
        given_back=part.given_back,
        promise_date=part.promise_date,
        promised_on=part.promised_on,
        arrives=arrives,
        agreed=part.promise_consent == Promise.EXPRESS,
        legal_deadline=part.legal_deadline,
        promise_version=part.promise_version,
        clock_over=part.clock_over,
        authorised=part.authorisation_amount or 0,
        authorisation_expires_at=part.authorisation_expires_at,
        authorisation_warned=part.authorisation_warned_at is not None,
        page_open=page_open,
        decline_class=part.decline_class,
        retry_at=part.retry_at,
        remind_at=remind_at,
        grace_until=part.grace_until,
        let_go=part.let_go_at is not None,
        cover_lost=part.cover_lost_at is not None,
        cover_asked=part.cover_asked_at is not None,
        cover_refund_on=part.cover_refund_on,
        waits_until=part.waits_until,
        charged_by=part.charged_by,
        picked_by=part.picked_by,
        packed_by=part.packed_by,
        lines=tuple(
            LineFacts(
                id=ln.pk,
                sku=ln.sku,
                name=ln.name,
                quantity=ln.quantity,
                reserved=ln.reserved,
                due=ln.due,
                due_confirmed=ln.due_confirmed,
                due_date=ln.due_date,
                picked=ln.picked,
                packed=ln.packed,
                shipped=ln.shipped,
                returned=ln.returned,
            )
            for ln in lines
        ),
    )
