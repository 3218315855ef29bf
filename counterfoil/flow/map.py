"""The table of contents: every queue, in the process's order, and the one function that says where an order stands.

Nothing here writes. `derive` may be asked at any time and answers the same for the same facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from counterfoil.core.errors import Blocker
from counterfoil.flow.calling import rests, to_ring
from counterfoil.flow.cover import agreed_to_wait, due_cover, uncovered
from counterfoil.flow.promising import due_notice, looks_again
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.steps.acceptance.rules import may_make_sales_order
from counterfoil.steps.charging.declines import unpaid_after_decline
from counterfoil.steps.charging.grace import checks, grace_is_over, reminder_is_due, retry_is_due
from counterfoil.steps.charging.rules import (
    covered,
    hold_ends_soon,
    hold_is_idle,
    hold_is_over,
    may_charge,
    may_deliver_soon,
    page_must_close,
    wants_charge,
    wants_hold,
)
from counterfoil.steps.fulfilment.rules import may_pack, may_pick, may_ship, money_blockers
from counterfoil.steps.review.rules import may_approve
from counterfoil.steps.sourcing.rules import may_check_stock

DATED = frozenset({"goods", "charge", "charged_waiting", "promise", "cannot_ship"})  # whose days count
CHECKOUT_LASTS = timedelta(minutes=35)  # an unfinished check-out holds its stock that long


@dataclass(frozen=True)
class Queue:
    """A place on the rail: the step of the process it belongs to (None: it needs a person out of turn)."""

    name: str
    step: int | None
    title: str
    action: str
    # Among the parts of one order the lowest rank is where the order stands: what somebody can do for one of them comes
    # before what only waits, and of what can be done the hindmost.
    rank: int


QUEUES = {
    q.name: q
    for q in (
        Queue("review", 2, "Review", "review", 20),
        Queue("sales_order", 3, "Sales order", "make_sales_order", 30),
        Queue("stock", 4, "Stock to buy", "buy_in", 40),
        Queue("goods", 4, "Waiting for goods", "wait_for_goods", 54),
        Queue("charge", 5, "Ready to charge", "charge", 42),
        Queue("charged_waiting", 5, "Charged, goods due", "wait_for_goods", 55),
        Queue("pick", 6, "Pick", "pick", 50),
        Queue("pack", 6, "Pack", "pack", 51),
        Queue("ship", 7, "Ship", "ship", 52),
        Queue("transit", 7, "On its way", "deliver", 80),
        Queue("done", 8, "Filed", "", 90),
        Queue("payment_problem", None, "Payment problem", "send_pay_link", 10),
        Queue("cannot_ship", None, "Charged, cannot ship", "offer_alternative", 5),
        Queue("question", None, "Customer's answer", "wait_for_answer", 6),
        Queue("call", None, "To call", "call", 7),
        Queue("promise", None, "Promise at risk", "renew_promise", 39),
        Queue("bank_differs", None, "Bank differs", "look_at_bank", 8),
        Queue("unfinished", 0, "Unfinished check-out", "", 1),
        Queue("cancelled", None, "Cancelled", "", 99),
    )
}


@dataclass(frozen=True)
class Derived:
    """Where an order stands. `blockers` are those of the next action, for showing only."""

    status: str
    queue: str
    next_action: str
    blockers: list[Blocker] = field(default_factory=list)
    next_check_at: datetime | None = None
    deadline: date | None = None


def derive(facts: OrderFacts) -> Derived:
    """Status, queue, next action, its blockers and when time alone may change them, from the facts."""
    status = _status(facts)
    deadline = _deadline(facts)
    whole = _whole_order(facts)
    if whole is not None:
        queue, action, blockers = whole
    else:
        queue, action, blockers = min(
            (_part(facts, p) for p in facts.parts if p.live), key=lambda found: QUEUES[found[0]].rank
        )
    return Derived(status, queue, action, blockers, _next_check(facts, queue), deadline)


def due_by_itself(facts: OrderFacts) -> str | None:
    """The act that the process does next without a person, from the facts alone; None when it waits for somebody.

    Issuing a pick list is not named: that it exists is no fact, and issuing it again changes nothing.
    """
    if facts.cancelled or facts.closed_history:
        return None
    if not facts.finished:
        over = facts.placed_at is not None and facts.now is not None and facts.placed_at + CHECKOUT_LASTS <= facts.now
        return "end_checkout" if over else None
    promises = due_notice(facts)
    if promises in {"withdraw_notice", "end_notice"}:
        return promises
    if facts.question_open and facts.now and facts.question_expires_at and facts.question_expires_at <= facts.now:
        return "expire_question"
    if facts.question_open and facts.question_moot:
        return "withdraw_question"
    if facts.answer_unapplied:
        in_flight = any(p.money in {"charging", "unknown"} for p in facts.parts)
        return None if in_flight else "apply_answer"
    lost = due_cover(facts)
    if lost is not None:
        return lost
    if any(hold_ends_soon(facts, p) for p in facts.parts):
        return "warn_of_end"
    if any(reminder_is_due(facts, p) for p in facts.parts):
        return "remind"
    return _of_the_process(facts) or promises


def _of_the_process(facts: OrderFacts) -> str | None:
    """What the steps do by themselves once a person has read the order."""
    if facts.review != "approved":
        return None
    live = [p for p in facts.parts if p.live]
    if not facts.sales_order_by_hand and not may_make_sales_order(facts) and any(p.books == "none" for p in live):
        return "make_sales_order"
    here = [p for p in live if p.parcel in {"waiting", "picking"} and not p.let_go]
    unchecked = [p for p in here if p.stock == "unchecked" and p.books != "none"]
    if unchecked and not facts.stock_check_by_hand and not may_check_stock(facts):
        return "check_stock"
    if any(p.parcel in {"shipped", "delivered", "returned"} and p.books == "sales_order" for p in facts.parts):
        return "issue_invoice"
    if any(p.parcel == "returned" and p.money == "receivable" and p.books == "invoiced" for p in facts.parts):
        return "credit_unpaid"
    return None


def jobs_due(facts: OrderFacts) -> list[str]:
    """What is to be asked of the card processor without a person: names of jobs, each safe to do at any time."""
    asked = (
        ("charging.close_pages", page_must_close),
        ("charging.release", hold_is_idle),
        ("charging.look_at_hold", hold_is_over),
        ("charging.authorise", wants_hold),
        ("charging.retry", retry_is_due),
        ("charging.let_go", grace_is_over),
    )
    return [name for name, test in asked if any(test(facts, p) for p in facts.parts)]


def _status(facts: OrderFacts) -> str:
    if not facts.finished and not facts.cancelled:
        return "unfinished"
    if facts.cancelled:
        return "cancelled"
    if facts.closed_history:
        return "delivered"  # by the shop that it came from
    live = [p for p in facts.parts if p.live]
    if live and all(p.parcel == "returned" for p in live):
        return "returned"
    if live and all(p.parcel in {"delivered", "returned"} for p in live):
        return "delivered"
    if live and all(p.parcel in {"shipped", "delivered", "returned"} for p in live):
        return "shipped"
    if facts.question_open:
        return "waiting_for_customer"
    return "pending" if facts.review == "pending" else "processing"


Place = tuple[str, str, list[Blocker]]


def _whole_order(facts: OrderFacts) -> Place | None:
    """What concerns the order as a whole and comes before any part of it."""
    if any(d.wants_answer for d in facts.disputes):
        return "bank_differs", "answer_dispute", []
    if facts.bank_differs and (facts.finished or facts.cancelled):
        return "bank_differs", "look_at_bank", []
    if facts.cancelled:
        if facts.refund_failed:
            return "payment_problem", "refund_again", []
        return "cancelled", "", []
    if not facts.finished:
        return "unfinished", "", []
    if facts.closed_history or not any(p.live for p in facts.parts):
        return "done", "", []
    if facts.refund_failed:
        return "payment_problem", "refund_again", []
    lost = [b for part in facts.parts for b in uncovered(facts, part)]
    if lost and not facts.answer_unapplied:
        asking = "call" if to_ring(facts) else "wait_for_answer"
        return "cannot_ship", asking if facts.question_open else "offer_alternative", lost
    if to_ring(facts) and not facts.answer_unapplied:
        return "call", "call", []
    if facts.question_open or facts.answer_unapplied:
        return "question", "wait_for_answer", []
    if facts.payment_method == "card" and facts.card_state == "refused":
        return "payment_problem", "send_pay_link", [Blocker("no_payment_method", "the bank refused to save the card")]
    if facts.review == "pending":
        return "review", "review", may_approve(facts)
    return _call(facts)


def _call(facts: OrderFacts) -> Place | None:
    """It comes after the day on which the customer needs it: somebody calls; a no calls for an alternative."""
    late = facts.misses
    if late is None or any(p.money in {"charging", "unknown"} for p in facts.parts):
        return None
    if facts.told is None or facts.told < late:
        return ("promise", "call_later", []) if rests(facts) else ("call", "call", [])
    return None if facts.told_accepted else ("promise", "renew_promise", [])


def _part(facts: OrderFacts, part: PartFacts) -> Place:
    """Where one part stands, once its order is approved."""
    if part.parcel in {"delivered", "returned"}:
        return "done", "", []
    if part.parcel == "shipped":
        return "transit", "deliver", []
    if unpaid_after_decline(part):
        if part.decline_class == "ours":  # no bank was asked: once it is mended, somebody charges again
            return "payment_problem", "charge", may_charge(facts, part)
        return "payment_problem", "send_pay_link", []
    if part.money in {"charging", "unknown"}:
        return "charge", "ask_bank", may_charge(facts, part)
    if part.books == "none":
        return "sales_order", "make_sales_order", may_make_sales_order(facts)
    if part.money == "charged":
        return _charged(facts, part)
    if wants_charge(facts, part):
        return _to_charge(facts, part)
    return _on_delivery(facts, part)


def _charged(facts: OrderFacts, part: PartFacts) -> Place:
    dispute = facts.charged_back(part)
    if dispute is not None:
        return "cannot_ship", "cancel" if dispute.state == "lost" else "wait_for_bank", money_blockers(facts, part)
    if all(line.open_units <= 0 for line in part.lines):
        return _parcel(facts, part)
    if part.stock == "unchecked":
        return "cannot_ship", "check_stock", may_check_stock(facts)
    if uncovered(facts, part):
        return "cannot_ship", "offer_alternative", uncovered(facts, part)
    short = agreed_to_wait(facts, part) and any(line.short > 0 for line in part.lines)
    return "charged_waiting", "buy_in" if short else "wait_for_goods", []


def _to_charge(facts: OrderFacts, part: PartFacts) -> Place:
    blockers = may_charge(facts, part, offline=facts.offline)
    if part.stock == "unchecked":
        return "stock", "check_stock", may_check_stock(facts)
    if any(line.short > 0 for line in part.lines):
        return "stock", "buy_in", blockers
    if facts.charge_on in {"packed", "shipped"} and not facts.offline:
        return _charged_later(facts, part, blockers)
    if all(covered(line, facts) for line in part.lines):
        return "charge", "record_payment" if facts.offline else "charge", blockers
    return _waiting(facts, part, blockers)


def _charged_later(facts: OrderFacts, part: PartFacts, blockers: list[Blocker]) -> Place:
    """In a shop that charges when the box is packed, or as it ships: the goods come first."""
    if any(line.open_units > 0 for line in part.lines):
        return _waiting(facts, part, blockers)
    if part.parcel == "packed" and facts.charge_on == "packed":
        return "charge", "charge", blockers
    return _parcel(facts, part)


def _waiting(facts: OrderFacts, part: PartFacts, blockers: list[Blocker]) -> Place:
    """On order, but not due soon enough: quiet until then, unless the promise cannot be kept."""
    due = [line.due_date for line in part.lines if line.open_units > 0 and line.due_date]
    late = part.promise_date is not None and (
        part.promise_date < facts.today or any(d > part.promise_date for d in due)
    )
    told = facts.notice_of(part)
    if told is not None and not told.declined:
        return "promise", "wait_for_answer", blockers
    return ("promise", "renew_promise", blockers) if late or told else ("goods", "wait_for_goods", blockers)


def _on_delivery(facts: OrderFacts, part: PartFacts) -> Place:
    """Paid at the door: no charge before picking, everything else is the same."""
    if part.stock == "unchecked":
        return "stock", "check_stock", may_check_stock(facts)
    if any(line.short > 0 for line in part.lines):
        return "stock", "buy_in", may_deliver_soon(facts, part)
    if any(line.open_units > 0 for line in part.lines):
        return _waiting(facts, part, may_deliver_soon(facts, part))
    return _parcel(facts, part)


def _parcel(facts: OrderFacts, part: PartFacts) -> Place:
    gates: dict[str, tuple[str, Callable[[OrderFacts, PartFacts], list[Blocker]]]] = {
        "picked": ("pack", may_pack),
        "packed": ("ship", lambda f, p: may_ship(f, p, charges_first=True)),
    }
    queue, gate = gates.get(part.parcel, ("pick", may_pick))
    return queue, queue, gate(facts, part)


def parts_at(facts: OrderFacts, queue: str) -> set[int]:
    """The parts that a queue's act is about, of an order that stands there."""
    return {part.number for part in facts.parts if part.live and _part(facts, part)[0] == queue}


def _deadline(facts: OrderFacts) -> date | None:
    """The next date that matters on this order; queues sort by it."""
    answers = [d.due_on for d in facts.disputes if d.wants_answer and d.due_on is not None]
    if answers:
        return min(answers)
    if facts.cancelled or facts.closed_history:
        return None
    lost = [p.cover_refund_on for p in facts.parts if uncovered(facts, p)]
    dates = [
        p.promise_date or p.legal_deadline
        for p in facts.parts
        if p.live and p.parcel not in {"shipped", "delivered", "returned"}
    ]
    asked = [n.answer_by for n in facts.notices]
    return min((d for d in [*dates, *asked, *lost, facts.needed_by] if d is not None), default=None)


def _next_check(facts: OrderFacts, queue: str) -> datetime | None:
    """When time alone may move this order: a question that ends, a new day in the shop, what follows a decline."""
    if queue in {"done", "cancelled", "transit"}:
        return None
    after_declines = (at for part in facts.parts for at in checks(facts, part))
    moments = [facts.question_expires_at, *_ends_of_holds(facts), *after_declines, *looks_again(facts)]
    if queue in DATED or (queue in {"pick", "pack", "ship"} and _another_waits(facts)) or _being_paid(facts):
        moments.append(facts.day_ends_at)  # due dates and promises are judged by the shop's date
    if rests(facts):
        moments.append(facts.call_back_at)
    if queue == "unfinished" and facts.placed_at is not None:
        over = facts.placed_at + CHECKOUT_LASTS
        # Over already: the processor is being asked; look again now and then.
        moments.append(max(over, facts.now + timedelta(minutes=1)) if facts.now and over <= facts.now else over)
    return min((m for m in moments if m is not None), default=None)


def _another_waits(facts: OrderFacts) -> bool:
    """Beside what is picked, packed or sent, another part waits for its goods: its dates pass by themselves."""
    return any(line.open_units > 0 for part in facts.parts if part.live for line in part.lines)


def _being_paid(facts: OrderFacts) -> bool:
    return any(p.page_open for p in facts.parts)


def _ends_of_holds(facts: OrderFacts) -> list[datetime]:
    """When the desk is warned that the bank lets an amount go, and when it does; then now and then until it has."""
    found = []
    for part in facts.parts:
        if part.authorised and part.authorisation_expires_at is not None:
            warned = part.authorisation_warned or part.money != "authorised"
            at = part.authorisation_expires_at - timedelta(days=0 if warned else facts.warning_days)
            found.append(max(at, facts.now + timedelta(minutes=1)) if facts.now and at <= facts.now else at)
    return found
