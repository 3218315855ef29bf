"""The slip: what the stub, the gate and the button of an order say. Pure reading of rows at hand; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from counterfoil.core import clock
from counterfoil.core.cutoffs import NO_CUT_OFF, time_words
from counterfoil.core.models import JournalEvent
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.desk.calling import CallSheet, arrival_of
from counterfoil.desk.declined import Declined, declined_of, first_declined
from counterfoil.desk.glance import Glance
from counterfoil.desk.packets import Sheet, due_now
from counterfoil.desk.queries import Asked, Brief
from counterfoil.desk.saying import moment, near_day, say_date, span, time_of_day, units
from counterfoil.desk.words import DESK_STATUS, DOCUMENTS, GATES, QUEUES, glyph
from counterfoil.flow.map import parts_at
from counterfoil.records.orders.declines import Tried
from counterfoil.records.orders.load import facts_of
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.steps.review.doubts import address_doubts, email_doubts, meant_email
from counterfoil.steps.sourcing.queries import Coming

LEAVING = frozenset({"pick", "pack", "ship"})
LEFT = frozenset({"shipped", "delivered", "returned"})


@dataclass(frozen=True)
class Pill:
    kind: str
    glyph: str
    text: str


@dataclass(frozen=True)
class Check:
    """One line of the gate: met, not met, or (None) under way; a blocker brings the link that clears it."""

    met: bool | None
    text: str | Markup
    link: str = ""
    link_text: str = ""
    first_link: str = ""  # what is usual, before what else there is
    first_text: str = ""


@dataclass(frozen=True)
class Row:
    """An order as a row of a list."""

    order: Order
    summary: str
    pill: Pill
    ships: str
    late: bool
    why: str = ""  # the bank said no
    moves: int = 0  # what an act of its queue on it would move, minor units: of a charge only what is not paid yet


@dataclass(frozen=True)
class Doubt:
    """What looks odd; with the e-mail address that was probably meant, else it is about where the goods go to."""

    text: str
    email: str = ""


@dataclass(frozen=True)
class Slip:
    """An order as the slip shows it. `verb` is the act of the button, "" when a person can only wait."""

    order: Order
    parts: list[Part]
    lines: list[Line]
    status: Pill
    step: int
    question: str
    checks: list[Check]
    verb: str
    label: str
    timeline: list[tuple[Markup, str, JournalEvent]]
    asked: Asked
    promise: str
    stopped: bool = False
    # What stands of declines, by the number of the part; and whether its card may be tried now.
    declined: dict[int, Declined] = field(default_factory=dict)
    may_try: bool = False
    by_part: dict[int, list[Line]] = field(default_factory=dict)
    # By line id, the purchase orders that it waits for.
    coming: Mapping[int, Sequence[Coming]] = field(default_factory=dict)
    glance: Glance | None = None
    sheet: CallSheet | None = None  # when they are to be called
    doubts: list[Doubt] = field(default_factory=list)  # in the review: what to look at twice

    @property
    def buy_in(self) -> str:
        """Where what is missing is bought in."""
        return buy_in_address(self.order, self.lines)

    @property
    def open(self) -> bool:
        """Whether the gate of the next action lets it through, as far as was known when it was last looked at."""
        return not self.order.blockers

    @property
    def merges(self) -> list[tuple[int, int]]:
        """Any two parts that are here, wanted and not charged: the later one may ship with the earlier."""
        free = [
            p.number
            for p in self.parts
            if p.money in {"unpaid", "saved", "authorised"} and not p.charged and p.parcel not in LEFT
            and any(ln.quantity for ln in self.by_part.get(p.number, ()))
        ]  # fmt: skip
        return [(later, earlier) for earlier, later in combinations(free, 2)]


def row_of(order: Order, lines: Sequence[Brief], tried: Mapping[int, Tried] | None = None) -> Row:
    """A row of a list: what was ordered, the pill that matters now, when it ships.

    In the queue of payment problems (`tried` by part id): why the bank said no, and until when the goods are kept.
    """
    wanted = [ln for ln in lines if ln.quantity]
    summary = " · ".join(f"{ln.quantity} × {ln.name}" for ln in wanted[:3])
    if len(wanted) > 3:
        summary += f" · {len(wanted) - 3} more"
    if order.gift_message:
        summary += " · gift note"
    dates = [ln.promise_date for ln in wanted if ln.promise_date]
    today = shop().today()
    if order.queue == "cancelled":
        ships = ""
    elif dates and order.queue in {"transit", "done"}:
        ships = f"promised {say_date(min(dates))}"
    elif dates:
        day = min(dates)
        ships = f"ships {near_day(day)}" if day >= today else f"was due {say_date(day)}"
    elif order.needed_by:
        ships = f"wanted {near_day(order.needed_by)}"
    else:
        ships = f"at the latest {near_day(order.deadline)}" if order.deadline else ""
    if (
        order.queue in LEAVING
        and order.deadline is not None
        and order.deadline == today
        and order.leave_by < NO_CUT_OFF
    ):
        ships = f"{ships}, by {time_words(order.leave_by)}"
    if order.queue == "question" and order.deadline is not None:
        ships = f"answer by {near_day(order.deadline)}"
    late = order.deadline is not None and order.deadline < today and order.queue not in {"done", "cancelled", "transit"}
    late = late or order.queue == "cannot_ship"
    declined = None
    if order.queue == "payment_problem":
        declined = first_declined(((ln.part, ln) for ln in wanted), tried or {})
    if declined is not None:
        why = " · ".join(text for text in (declined.sentence, declined.more) if text)
        pill = Pill(declined.kind, declined.glyph, declined.short)
        return Row(order, summary, pill, ships, late, why, moves=order.total)
    moves = _left(wanted) if order.queue == "charge" else order.total
    return Row(order, summary, row_pill(order, wanted), ships, late, moves=moves)


def _left(wanted: Sequence[Brief]) -> int:
    """What is still to be charged of an order that is ready for it; of several parts not where goods are waited for."""
    horizon = shop().charge_horizon()
    late = {ln.part for ln in wanted if ln.short > 0 or (ln.due and (ln.due_date is None or ln.due_date > horizon))}
    unpaid = {ln.part: ln.left for ln in wanted if ln.money != "charged"}
    return sum(left for part, left in unpaid.items() if part not in late)


def row_pill(order: Order, lines: Sequence[Brief]) -> Pill:
    """The one fact of an order that decides what its row is about."""
    expiry = min((ln.expires_at for ln in lines if ln.expires_at), default=None)
    money = {ln.money for ln in lines}
    if order.queue in {"done", "transit", "cancelled", "unfinished"}:
        return Pill(*DESK_STATUS[order.status])
    if order.next_action == "answer_dispute":
        return Pill("bad", "≠", f"disputed, answer by {near_day(order.deadline)}" if order.deadline else "disputed")
    if order.queue == "payment_problem" or money & {"declined"}:
        return Pill("bad", "✕", "the bank said no" if "declined" in money else "payment problem")
    if money & {"charging", "unknown"}:
        return Pill("warn", "◔", "asking the bank")
    if any(b.get("code") == "on_hold" for b in order.blockers):
        return Pill("warn", "‖", "on hold")
    if expiry is not None and not money & {"charged"}:
        left = (expiry - clock.business_now()).total_seconds()
        if left <= 0:
            return Pill("bad", "✕", "card approval ended")
        if ends_soon(left):
            return Pill("warn", "◔", f"approval ends {span(left)}")
    if order.queue == "cannot_ship" and order.next_action in {"offer_alternative", "wait_for_answer"}:
        return Pill("bad", "!", "paid, no goods")
    if order.queue == "question":
        return Pill("warn", "?", "waiting for the answer")
    if order.queue == "review" and order.flags:
        text = str(order.flags[0].get("text", "look closely"))
        return Pill("warn", "!", text if len(text) <= 22 else f"{text[:21].rstrip()}…")
    return stock_pill(lines)


def ends_soon(left: float) -> bool:
    """Whether what the bank holds for `left` seconds more is to be spoken of: from as many days before as are set."""
    return 0 < left <= shop().authorisation_warning_days * 86_400


def stock_pill(lines: Sequence[Brief]) -> Pill:
    """Where the goods are, in one pill."""
    short = sum(max(0, ln.short) for ln in lines)
    due = [ln for ln in lines if ln.due]
    if short:
        return Pill("bad", "!", f"{short} missing")
    if due:
        dates = [ln.due_date for ln in due]
        count = sum(ln.due for ln in due)
        known = max((d for d in dates if d), default=None)
        if None in dates or known is None:
            return Pill("warn", "◷", f"{count} on order, no date")
        charged = all(ln.money == "charged" for ln in due)
        return Pill("info", "◷", f"{'goods' if charged else count} due {near_day(known)}")
    if lines and all(ln.gone >= ln.quantity for ln in lines):
        return Pill("ok", "✓", "all picked")
    return Pill("ok", "✓", "all in stock")


def step_of(order: Order, parts: Sequence[Part]) -> int:
    """Which of the eight steps an order is at; where a person is needed, the step that is stuck."""
    if order.review != "approved":
        return 2 if order.finished else 1
    known = QUEUES.get(order.queue)
    if known is not None and order.queue in {q for q in QUEUES if q not in _STUCK}:
        return known.step
    steps = []
    for part in parts:
        if part.books == "none":
            steps.append(3)
        elif part.stock in {"unchecked", "short"} or (part.stock == "awaiting" and part.money != "charged"):
            steps.append(4)
        elif part.money not in {"charged", "receivable"}:
            steps.append(5)
        elif part.parcel in {"waiting", "picking", "picked"}:
            steps.append(6)
        else:
            steps.append(8 if part.parcel == "delivered" else 7)
    return min(steps, default=8)


_STUCK = {"payment_problem", "cannot_ship", "question", "call", "promise", "bank_differs", "cancelled"}


def slip_of(
    order: Order,
    lines: Sequence[Line],
    asked: Asked,
    events: Sequence[JournalEvent],
    tried: Mapping[int, Tried] | None = None,
    *,
    may_try: bool = False,
    coming: Mapping[int, Sequence[Coming]] | None = None,
    sheets: Sequence[Sheet] | None = None,
) -> Slip:
    """The slip from rows at hand; `tried` by part id, where declines stand; `sheets` are papers nobody has printed."""
    parts = list({ln.part_id: ln.part for ln in lines}.values())
    parts.sort(key=lambda p: p.number)
    by_part: dict[int, list[Line]] = {p.number: [ln for ln in lines if ln.part_id == p.pk] for p in parts}
    said = {p.number: declined_of(p, (tried or {}).get(p.pk)) for p in parts}
    declined = {number: words for number, words in said.items() if words is not None}
    shown = sorted(events, key=lambda e: -e.pk)
    at_hand = _at_hand(order, parts, lines)
    return Slip(
        order=order,
        parts=parts,
        lines=list(lines),
        status=Pill(*DESK_STATUS.get(order.status, ("", "○", order.status))),
        step=step_of(order, parts),
        question=GATES.get(order.next_action, ""),
        checks=[
            *checks_of(order, *at_hand, asked),
            *_ending(order, parts),
            *_declines(order, parts, declined),
            *_packet(order, lines, sheets),
        ],
        verb=order.next_action,
        label=label_of(order, *at_hand),
        timeline=[(time_of_day(e.at), glyph(e.kind), e) for e in shown],
        asked=asked,
        promise=promise_words(order, parts),
        stopped=order.queue in _STUCK,
        declined=declined,
        may_try=may_try,
        by_part=by_part,
        coming=coming or {},
        doubts=doubts_of(order) if order.next_action == "review" else [],
    )


def doubts_of(order: Order) -> list[Doubt]:
    """What a reviewer should look at twice; it blocks nothing."""
    meant = meant_email(order.email)
    odd = [Doubt(text) for text in address_doubts(order.shipping_address)]
    return odd + [Doubt(text, meant) for text in email_doubts(order.email)]


def promise_words(order: Order, parts: Sequence[Part]) -> str:
    """promised Tue 24 Nov · legal deadline 22 Dec."""
    dates = [p.promise_date for p in parts if p.promise_date]
    said = []
    if dates:
        said.append(f"promised {say_date(min(dates))}")
    elif order.needed_by:
        said.append(f"wanted by {say_date(order.needed_by)}")
    elif any(p.promise_version for p in parts):
        said.append("promised without a date")
    open_ = [p for p in parts if p.parcel not in {"shipped", "delivered", "returned"}]
    deadlines = [p.legal_deadline for p in open_ if p.legal_deadline]
    if deadlines:
        said.append(f"legal deadline {say_date(min(deadlines))}")
    return " · ".join(said)


# What clears a blocker: where, on the order page unless it is a page of its own, and what the link says.
_CLEARS = {
    "on_hold": ("#holds", "Release it"),
    "not_approved": ("#next", "Read and approve it"),
    "no_sales_order": ("#next", "Make the sales order"),
    "stock_unchecked": ("#next", "Check the stock"),
    "line_short": ("#offer", "Offer alternative"),
    "due_too_late": ("#offer", "Offer alternative"),
    "question_open": ("#question", "Enter the answer"),
    "no_payment_method": ("#money", "Send a pay link"),
    "no_consent": ("#money", "Send a pay link"),
    "not_charged": ("#money", "See the money"),
    "authorisation_expired": ("#money", "Authorise again"),
    "charge_in_flight": ("#money", "See the money"),
    "state_not_served": ("/amend", "Change the address"),
}


def checks_of(order: Order, parts: Sequence[Part], lines: Sequence[Line], asked: Asked) -> list[Check]:
    """The gate of the next action as a checklist: what is in order, then every blocker with what clears it."""
    codes = {str(b.get("code")) for b in order.blockers}
    found = _met(order, parts, lines, asked, codes)
    page = f"/desk/orders/{order.number}"
    for blocker in order.blockers:
        code = str(blocker.get("code"))
        place, words = _CLEARS.get(code, ("", ""))
        buy = ("", "")
        if code == "line_short" and any(ln.short > 0 for ln in lines):
            buy = (buy_in_address(order, [ln for ln in lines if ln.sku == blocker.get("line")] or lines), "Buy it in")
        found.append(Check(False, str(blocker.get("message", "")), f"{page}{place}" if place else "", words, *buy))
    return found


def buy_in_address(order: Order, lines: Sequence[Line]) -> str:
    """Where what is missing of these lines is bought in."""
    skus = [("sku", ln.sku) for ln in lines if ln.short > 0]
    return f"/desk/purchase-orders?{urlencode([*skus, ('order', order.number)])}"


def _declines(order: Order, parts: Sequence[Part], declined: Mapping[int, Declined]) -> list[Check]:
    """Why the bank said no, and what becomes of the goods."""
    found = []
    for number, said in declined.items():
        which = f"Part {number}: " if len(parts) > 1 else ""
        found.append(
            Check(
                False,
                f"{which}{said.why}" if which else said.sentence,
                f"/desk/orders/{order.number}#money",
                "See the money",
            )
        )
        if said.more:
            found.append(Check(None, f"{which}{said.more}"))
    return found


def _ending(order: Order, parts: Sequence[Part]) -> list[Check]:
    """What the bank soon lets go, though nothing of it is charged."""
    found = []
    for part in parts:
        ends = part.authorisation_expires_at if part.money == "authorised" else None
        left = (ends - clock.business_now()).total_seconds() if ends else 0
        if ends and ends_soon(left):
            which = f"Part {part.number}: the" if len(parts) > 1 else "The"
            amount = show(part.authorisation_amount or 0, order.currency)
            text = Markup("{} bank holds {} only until {}, {} more").format(which, amount, moment(ends), span(left))
            found.append(Check(None, text, f"/desk/orders/{order.number}#money", "See the money"))
    return found


def _packet(order: Order, lines: Sequence[Line], sheets: Sequence[Sheet] | None) -> list[Check]:
    """Where the order's packet of papers is: waiting for the goods, to be printed, or printed."""
    if order.queue == "charged_waiting":
        last = max((ln.due_date for ln in lines if ln.due and ln.due_date), default=None)
        return [Check(None, f"The packet prints when the goods arrive{f' {near_day(last)}' if last else ''}")]
    if sheets is None:
        return []
    names = ", ".join(dict.fromkeys(DOCUMENTS[s.kind].lower() for s in due_now(sheets)))
    return [Check(None, f"To print: {names}", "/desk/print", "Print queue") if names else Check(True, "Packet printed")]


def _met(order: Order, parts: Sequence[Part], lines: Sequence[Line], asked: Asked, codes: set[str]) -> list[Check]:
    found = []
    if order.next_action == "review" and not doubts_of(order):
        found.append(Check(True, "Address and e-mail look right" if order.email else "The address looks right"))
    if order.review == "approved":
        found.append(Check(True, Markup("Reviewed by {}, {}").format(order.approved_by, moment(order.approved_at))))
    numbers = [p.sales_order_number for p in parts if p.sales_order_number]
    if numbers:
        found.append(Check(True, f"Sales order {', '.join(numbers)} in two copies"))
    wanted = [ln for ln in lines if ln.quantity]
    held = sum(ln.reserved + ln.picked + ln.shipped for ln in wanted)
    units_wanted = sum(ln.quantity for ln in wanted)
    unpaid = any(p.decline_class for p in parts)
    given_back = any(p.let_go_at for p in parts)
    if wanted and not given_back and not codes & {"line_short", "stock_unchecked", "due_too_late"}:
        bins = ", ".join(dict.fromkeys(ln.product.bin for ln in wanted if ln.reserved and ln.product.bin))
        due = sum(ln.due for ln in wanted)
        text = f"{held} of {units(units_wanted, 'unit')} reserved" + (
            f", {'bins' if ', ' in bins else 'bin'} {bins}" if bins else ""
        )
        if due:
            last = max((ln.due_date for ln in wanted if ln.due_date), default=None)
            text += f"; {due} due {near_day(last)}" if last else f"; {due} on order"
        if held + due < units_wanted:
            text += f"; {units_wanted - held - due} to be bought in"
        found.append(Check(True if held >= units_wanted else None, text))
    if order.next_action in {"call", "call_later"} and order.needed_by and not asked.question:
        there = arrival_of(order, lines, shop())
        text = f"Needed by {say_date(order.needed_by)}, {promise_words(order, parts)}"
        found.append(Check(False, f"{text}; there {say_date(there)}"))
    for part in parts:
        if part.cover_refund_on is not None and part.money == "charged":
            when = "The customer was asked" if part.cover_asked_at else "The customer is to be asked"
            until = say_date(part.cover_refund_on)
            found.append(Check(None, f"{when}; without an answer by {until} all of it is refunded by itself"))
    if not asked.holds and asked.question is None and not codes & {"on_hold", "question_open"}:
        found.append(Check(True, "No hold, no open question"))
    if parts and all(p.money == "charged" for p in parts):
        by = next((p.charged_by for p in parts if p.charged_by), "")
        paid = show(sum(p.charged for p in parts), order.currency)
        found.append(Check(True, f"{paid} paid" + (f", charged by {by}" if by else "")))
    elif (
        order.payment_method == "card"
        and order.card_state == "saved"
        and "no_payment_method" not in codes
        and not unpaid
    ):
        consent = ", consent at check-out" if order.card_consent else ""
        found.append(Check(True, f"{order.card_brand.title() or 'Card'} ···· {order.card_last4} saved{consent}"))
    return found


def _at_hand(order: Order, parts: Sequence[Part], lines: Sequence[Line]) -> tuple[Sequence[Part], Sequence[Line]]:
    """Of an order in several parts, those that its next act is about; all where it concerns the whole order."""
    if sum(any(ln.quantity for ln in lines if ln.part_id == p.pk) for p in parts) < 2:
        return parts, lines
    numbers = parts_at(facts_of(order, lines), order.queue)
    if not numbers:
        return parts, lines
    return [p for p in parts if p.number in numbers], [ln for ln in lines if ln.part.number in numbers]


def label_of(order: Order, parts: Sequence[Part], lines: Sequence[Line]) -> str:
    """What the button will do, in full."""
    wanted = [ln for ln in lines if ln.quantity]
    count = units(sum(ln.quantity - ln.shipped for ln in wanted), "unit")
    owed = show(sum(p.total - p.paid for p in parts if p.money != "charged"), order.currency)
    short = sum(max(0, ln.short) for ln in wanted)
    due = sum(ln.due for ln in wanted)
    failed = show(sum(p.refund_owed for p in parts), order.currency)
    match order.next_action:
        case "send_pay_link" if parts and all(p.let_go_at for p in parts if p.money != "charged"):
            return "Mail a link to give a card"
        case "charge" if due:
            return f"Charge {owed}; packet prints when the goods arrive"
        case "ship" if shop().charge_on == "shipped" and any(p.money in {"saved", "authorised"} for p in parts):
            return f"Charge {owed}, then ship and mail the tracking number"
        case "charge" if any(p.parcel == "packed" for p in parts):
            return f"Charge {owed}; the box is packed"
        case "charge" if shop().print_at == "packing":
            return f"Charge {owed}; papers print when it is packed"
        case "wait_for_goods":
            last = max((ln.due_date for ln in wanted if ln.due_date), default=None)
            return (
                f"{due} on order, due {near_day(last)}" if last else f"{due} on order; the supplier has named no date"
            )
    return {
        "review": "Approve and mail the date" if order.email else "Approve; they are told the date by telephone",
        "make_sales_order": "Make the sales order, in two copies",
        "check_stock": f"Check the stock and reserve {count}",
        "buy_in": f"Buy in the {units(short, 'unit')} that is missing"
        if short == 1
        else f"Buy in the {short} missing units",
        "charge": f"Charge {owed} and print packet",
        "record_payment": f"Record that {owed} was paid",
        "send_pay_link": f"Mail a link to pay {owed}",
        "ask_bank": "Ask the bank what happened",
        "pick": f"Picked: {units(sum(ln.quantity - ln.shipped - ln.picked for ln in wanted), 'unit')} off the shelf",
        "pack": f"Packed: {units(sum(ln.quantity - ln.shipped - ln.packed for ln in wanted), 'unit')}, papers enclosed",
        "ship": "Shipped: mail the tracking number" if order.email else "Shipped; they are told by telephone",
        "deliver": "Delivered",
        "wait_for_answer": "Waiting for the customer's answer",
        "call": "Call the customer",
        "call_later": "Call the customer again",
        "renew_promise": "Offer a new date",
        "look_at_bank": "See what the bank has otherwise",
        "answer_dispute": f"Answer the bank by {say_date(order.deadline)}" if order.deadline else "Answer the bank",
        "wait_for_bank": "The bank is deciding the dispute; nothing ships until the money is ours again",
        "cancel": "Cancel the order",
        "refund_again": f"Try the refund of {failed} once more",
    }.get(order.next_action, "")


def money_words(order: Order, parts: Sequence[Part], disputed: int = 0) -> dict[str, Any]:
    """The money panel's figures in minor units; what is `disputed` is with the customer's bank."""
    charged = sum(p.charged for p in parts)
    refunded = sum(p.refunded for p in parts)
    back = sum(p.refund_owed for p in parts)
    expiry: datetime | None = min(
        (p.authorisation_expires_at for p in parts if p.authorisation_expires_at), default=None
    )
    left = (expiry - clock.business_now()).total_seconds() if expiry else 0
    closed = order.cancelled_at is not None or order.closed_history
    ends_in = f"in {span(left)}" if left > 0 else "which is over" if expiry else ""
    may_hold = (
        order.payment_method == "card"
        and order.card_state == "saved"
        and order.finished
        and order.cancelled_at is None
        and any(p.money in {"saved", "declined"} or (p.money == "authorised" and left <= 0) for p in parts)
        and (shop().card_at_checkout == "authorise" or shop().charge_on != "confirmed")
    )
    return {"charged": charged, "refunded": refunded, "refund_owed": back, "disputed": disputed,
            "refundable": max(0, charged - refunded - back - disputed), "expiry": expiry,
            "held": sum(p.authorisation_amount or 0 for p in parts), "ends_in": ends_in,
            "over": bool(expiry) and left <= 0, "ends_soon": ends_soon(left),
            "owed": 0 if closed else sum(max(0, p.total - p.paid) for p in parts), "may_hold": may_hold}  # fmt: skip
