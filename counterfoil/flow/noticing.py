"""Promises that will not be kept: the customer is told, no answer gets its meaning, and what lapses is given back.

Each act takes the order and asks the facts again, so that whoever comes second, or again after a crash, finds it done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.promises import PromiseRule
from counterfoil.core.shop import Shop, shop
from counterfoil.flow.amend.cancel import cancel_taken
from counterfoil.flow.amend.change import make_change
from counterfoil.flow.promising import GONE, due_notice, ends_after, off, terms_of, to_tell
from counterfoil.flow.rules import may_cancel
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Line, Notice, Order, Part, Promise, Proposal
from counterfoil.records.orders.promises import keep_promise, rule_for
from counterfoil.records.orders.slip import say_date
from counterfoil.records.stock.availability import LineDay, days_of_lines
from counterfoil.steps.alternatives import notices
from counterfoil.steps.alternatives.actions import end_question, withdraw_question
from counterfoil.steps.alternatives.queries import read_order
from counterfoil.steps.alternatives.remedies import Told, cancel_parts


def send_notice(*, order: str) -> bool:
    """Tell the customer of every part whose promise will not be kept. False when there is nothing to tell."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_notice(facts) != "send_notice":
            return False
        rule = rule_for(taken)
        told = _told(taken, facts, rule)
        notices.send_notice(taken, told, rule)
    return True


def adopt_question(*, order: str) -> bool:
    """The law's date is near and a clerk's question is open: from now on it counts as the notice, which cancels."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        asked = Proposal.objects.filter(order=taken, state=Proposal.OPEN).first()
        if asked is None or due_notice(facts) != "adopt_question":
            return False
        rule = rule_for(taken)
        told = _told(taken, facts, rule, silence_counts=False)
        notices.adopt_question(taken, asked, told, rule)
    return True


def _told(order: Order, facts: OrderFacts, rule: PromiseRule, *, silence_counts: bool = True) -> list[Told]:
    settings = shop()
    risky = to_tell(facts)
    parts = {p.number: p for p in Part.objects.filter(order=order)}
    lines = list(Line.objects.filter(order=order, quantity__gt=0).order_by("position"))
    days = days_of_lines(lines)
    found = []
    for part in risky:
        row = parts[part.number]
        mine = [days[ln.pk] for ln in lines if ln.part_id == row.pk]
        offered = _offered(part, mine, settings)
        delays = Promise.objects.filter(part=row, delay=True).count()
        base = part.promise_date or part.legal_deadline
        consents = (
            silence_counts
            and bool(order.email)  # who is asked on the telephone has not agreed by not being reached
            and base is not None
            and rule.silence_consents(
                promised=base,
                offered=offered,
                delays=delays,
                in_time=part.legal_deadline is None or facts.today <= part.legal_deadline,
            )
        )
        terms = terms_of(facts, part, consents=consents)
        # Nobody is taken to have agreed to a day that is over by then.
        answer_by = min(terms.answer_by, offered) if terms.consents and offered is not None else terms.answer_by
        found.append(Told(row, offered, _reason(facts, mine), terms.consents, answer_by))
    return found


def _offered(part: PartFacts, days: list[LineDay], settings: Shop) -> date | None:
    """The earliest day on which the whole part can ship, later than what was promised; None: nobody knows."""
    known = [d.day for d in days if d.day is not None]
    if len(known) < len(days) or not known:
        return None
    base = part.promise_date or part.legal_deadline
    if base is not None and max(known) <= base:
        # The goods would be here in time; what is late is us. Some working days more must do.
        return settings.business_days_from(max(base, settings.today()), settings.notice_days)
    return max(known)


def _reason(facts: OrderFacts, days: list[LineDay]) -> str:
    if any(d.waits for d in days):
        return "Not everything that you ordered has come in yet."
    if facts.review != "approved":
        return "We have not been able to work on your order in time."
    return "Your order has to wait until we have looked into a question about it."


# --- how a notice ends ----------------------------------------------------------------------------------------------


def withdraw_notices(*, order: str) -> bool:
    """Take back what has lost its reason; the customer hears so where the goods come in time after all."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_notice(facts) != "withdraw_notice":
            return False
        by_number = {p.number: p for p in facts.parts}
        numbers = [n.part for n in facts.notices if not n.answered and off(facts, by_number.get(n.part), n)]
        for notice in _open(taken, numbers):
            _close(notice, Notice.WITHDRAWN)
            # Where goods that are paid for still do not come, the customer hears what has changed.
            Part.objects.filter(pk=notice.part_id, cover_lost_at__isnull=False).update(
                cover_asked_at=None, cover_question=None
            )
            asked = notice.proposal
            part = by_number[notice.part.number]
            others = Notice.objects.filter(proposal=asked, closed_at=None).exists()
            if others or asked.state != Proposal.OPEN:
                continue
            withdraw_question(
                taken, asked, actor=SYSTEM, because="the goods come in time after all, or the date is another"
            )
            kept = part.promise_version == notice.version and part.parcel not in GONE
            if kept and not to_tell(facts_of(taken)):
                notices.mail_good_news(taken, notice)
    return True


def end_notices(*, order: str) -> bool:
    """The last day for an answer is over: the new date stands, or what was not answered is cancelled and refunded."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_notice(facts) != "end_notice":
            return False
        by_number = {p.number: p for p in facts.parts}
        due = [n for n in facts.notices if not n.answered and facts.today > ends_after(by_number.get(n.part), n)]
        over = {n.part for n in due}
        agreed = {n.part for n in due if n.consents and not n.declined}
        for notice in _open(taken, over & agreed):
            _agree(taken, notice)
        lapsed = _open(taken, over - agreed)
        if lapsed:
            _lapse(taken, facts, lapsed)
        elif not Notice.objects.filter(order=taken, closed_at=None).exists():
            _end_questions(taken, over)
    return True


def _open(order: Order, numbers: set[int] | list[int]) -> list[Notice]:
    found = Notice.objects.filter(order=order, closed_at=None, part__number__in=list(numbers))
    return list(found.select_related("part", "proposal").order_by("part__number"))


def _close(notice: Notice, outcome: str) -> None:
    notice.outcome, notice.closed_at = outcome, clock.business_now()
    notice.save(update_fields=["outcome", "closed_at"])


def _agree(order: Order, notice: Notice) -> None:
    """Silence is a yes here: the new date is the promise, and says on what it rests."""
    _close(notice, Notice.IMPLIED)
    keep_promise(
        order,
        notice.part,
        notice.offered,
        basis="delay, not objected to",
        actor=SYSTEM,
        consent=Promise.IMPLIED,
        delay=True,
        notice=notice,
    )
    note(
        order,
        "delay_consent_implied",
        actor=SYSTEM,
        part=notice.part,
        text=f"No answer to our notice: {say_date(notice.offered)} stands, with the customer's implied consent "
        f"({notice.rule})",
        data={"notice": notice.pk, "date": notice.offered.isoformat() if notice.offered else None},
    )


def _end_questions(order: Order, numbers: set[int]) -> None:
    """Close the questions whose notices are all over: nobody has to answer any more."""
    ended = Notice.objects.filter(order=order, part__number__in=numbers, closed_at__isnull=False)
    for asked in Proposal.objects.filter(order=order, state=Proposal.OPEN, notices__in=ended).distinct():
        end_question(order, asked)


def _lapse(order: Order, facts: OrderFacts, lapsed: list[Notice]) -> None:
    """No yes by the last day: it is cancelled unasked, and what was paid goes back."""
    for notice in lapsed:
        _close(notice, Notice.LAPSED)
    numbers = {n.part.number for n in lapsed}
    rule = lapsed[0].rule
    reason = f"We could not ship it in time, and you had not agreed to wait longer ({rule})"
    if any(p.cover_lost for p in facts.parts if p.number in numbers):
        reason = "We could not ship what you have paid for, and had no answer to our question"
    note(
        order,
        "promise_lapsed",
        actor=SYSTEM,
        text=f"No consent to a delay by {say_date(lapsed[0].answer_by)}: cancelled unasked ({rule})",
        data={"notices": [n.pk for n in lapsed], "parts": sorted(numbers)},
    )
    rest = [p for p in facts.parts if p.live and p.number not in numbers]
    if not rest and not may_cancel(facts):
        cancel_taken(order, facts, reason, actor=SYSTEM)
        return
    for notice in lapsed:
        choice = cancel_parts(read_order(order), [notice.part.number])
        if notice.proposal.state == Proposal.OPEN:
            withdraw_question(order, notice.proposal, actor=SYSTEM, because="its time is over")
            notice.proposal.refresh_from_db()
        change = make_change(order, notice.proposal, choice, actor=SYSTEM, silence=True)
        notices.mail_lapsed(order, notice, change.refunded)


# What `promising.due_notice` names, by an order's number.
NOTICES: dict[str, Callable[[str], bool]] = {
    "send_notice": lambda number: send_notice(order=number),
    "adopt_question": lambda number: adopt_question(order=number),
    "withdraw_notice": lambda number: withdraw_notices(order=number),
    "end_notice": lambda number: end_notices(order=number),
}
