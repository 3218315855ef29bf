"""When a promise will not be kept: who must be told, what no answer means, and when it is over. Pure.

A notice goes out as soon as a confirmed date is later than the promise, and some days (`notice_days`) before a promised
or legal date when nothing says that the goods will be here. The legal clock runs through holds and open questions; what
is here and may leave today is the desk's to send, late or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from counterfoil.core.clock import start_of_day
from counterfoil.flow.cover import uncovered
from counterfoil.records.orders.facts import NoticeFacts, OrderFacts, PartFacts
from counterfoil.steps.charging.declines import unpaid_after_decline
from counterfoil.steps.charging.rules import covered

GONE = frozenset({"shipped", "delivered", "returned"})
IN_FLIGHT = frozenset({"charging", "unknown"})
DAY = timedelta(days=1)


def watched(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether the part's promise is ours to look after.

    Not while its card is declined or its money is with the customer's bank: the order is not complete then, and those
    have clocks of their own. Nor where the law's time was over before it came here: a person writes to them.
    """
    if not facts.finished or facts.cancelled or facts.closed_history:
        return False
    if not part.live or part.parcel in GONE or any(line.shipped for line in part.lines):
        return False
    unpaid = facts.payment_method == "card" and facts.card_state == "refused"
    return not (unpaid or unpaid_after_decline(part) or facts.charged_back(part) or part.clock_over)


def may_leave(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether nothing but our own hands stands between the goods and the carrier: all here, or as good as here."""
    if facts.review != "approved" or facts.holds:
        return False
    return all(covered(line, facts) for line in part.lines)


def comes_by(facts: OrderFacts, part: PartFacts, day: date) -> bool:
    """Whether the suppliers have confirmed that everything is here by that day."""
    if facts.review != "approved" or facts.holds:
        return False
    for line in part.lines:
        if line.open_units <= 0:
            continue
        due = line.due_date
        if line.due_confirmed < line.open_units or due is None or not facts.today <= due <= day:
            return False
    return True


def slips(part: PartFacts) -> bool:
    """Whether a date that a supplier has confirmed is later than the promise."""
    promised = part.promise_date
    return promised is not None and any(
        line.open_units > 0 and line.due_date is not None and line.due_date > promised for line in part.lines
    )


def asked_from(facts: OrderFacts, part: PartFacts) -> Iterator[tuple[date, date]]:
    """From which day on the customer is asked about which date, if the goods are not here by then.

    A date that was given only just now is not put off on the same day. Where the goods are here and only a hold or an
    unread order stands in the way, our own date is waited for: that may be over tomorrow.
    """
    before = timedelta(days=facts.notice_days)
    if part.legal_deadline is not None:
        yield part.legal_deadline - before, part.legal_deadline
    if part.promise_date is not None:
        here = all(covered(line, facts) for line in part.lines)
        first = part.promise_date - (timedelta() if here else before)
        yield max(first, (part.promised_on or date.min) + DAY), part.promise_date


def at_risk(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether the part's customer must be told that its promise will not be kept."""
    if not watched(facts, part) or may_leave(facts, part):
        return False
    if slips(part):
        return True
    return any(facts.today >= first and not comes_by(facts, part, day) for first, day in asked_from(facts, part))


def legal_near(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether it is the law's date that is near, and not only the one that we gave."""
    legal = part.legal_deadline
    return legal is not None and facts.today >= legal - timedelta(days=facts.notice_days)


def off(facts: OrderFacts, part: PartFacts | None, notice: NoticeFacts) -> bool:
    """Whether a notice has lost its reason: the goods come in time after all, or what it says is not so any more."""
    if part is None or not part.live or part.parcel in GONE or part.promise_version != notice.version:
        return True
    if may_leave(facts, part):
        return True
    if uncovered(facts, part):
        # Paid for, and not here within the shop's days: told of even where the promise could still be kept.
        return notice.open and _other_date(part, notice)
    by = part.promise_date or part.legal_deadline
    if by is not None and comes_by(facts, part, by) and facts.today <= by:
        return True
    return notice.open and _other_date(part, notice)


def _other_date(part: PartFacts, notice: NoticeFacts) -> bool:
    """Whether the suppliers have confirmed what the customer was not told: a later day, or a day at all."""
    missing = [line for line in part.lines if line.open_units > 0]
    known = [line.due_date for line in missing if line.due_date and line.due_confirmed >= line.open_units]
    if notice.offered is None:
        return bool(missing) and len(known) == len(missing)
    return any(line.due_date is not None and line.due_date > notice.offered for line in missing)


def ends_after(part: PartFacts | None, notice: NoticeFacts) -> date:
    """The last day before no answer has its meaning. Who wants none of what was offered has until the law's date."""
    if notice.declined and part is not None and part.legal_deadline is not None:
        return max(notice.answer_by, part.legal_deadline)
    return notice.answer_by


def due_notice(facts: OrderFacts) -> str | None:
    """What is due by itself about promises: `withdraw_notice`, `end_notice`, `adopt_question`, `send_notice`."""
    if any(p.money in IN_FLIGHT for p in facts.parts) or facts.answer_unapplied:
        return None  # what the bank or the customer has just said is worked in first
    by_number = {p.number: p for p in facts.parts}
    for notice in facts.notices:
        part = by_number.get(notice.part)
        if notice.answered:
            continue
        if off(facts, part, notice):
            return "withdraw_notice"
        if facts.today > ends_after(part, notice):
            return "end_notice"
    if any(n.open for n in facts.notices):
        return None  # one question at a time
    risky = to_tell(facts)
    if not risky:
        return None
    if facts.question_open:
        return "adopt_question" if any(legal_near(facts, p) for p in risky) else None
    return "send_notice"


def to_tell(facts: OrderFacts) -> list[PartFacts]:
    """The parts whose customer must be told and has not been."""
    return [p for p in facts.parts if facts.notice_of(p) is None and at_risk(facts, p)]


@dataclass(frozen=True)
class Terms:
    """What the customer is told no answer means, and the last day for it."""

    consents: bool
    answer_by: date


def terms_of(facts: OrderFacts, part: PartFacts, *, consents: bool) -> Terms:
    """Until when the answer counts. `consents`: the rule takes no answer for a yes.

    A yes is taken for given when the old promise is over, and not before they had some days to answer; the law's date
    is the last one for it. Else the order ends on the law's date, or some days from now where that is over already.
    """
    soon = facts.today + timedelta(days=facts.notice_days)
    legal = part.legal_deadline or soon
    if not consents:
        return Terms(False, legal if legal >= facts.today else soon)
    promised = part.promise_date
    answer_by = promised if promised is not None and promised > facts.today else soon
    return Terms(True, min(legal, answer_by) if promised is not None else legal)


def looks_again(facts: OrderFacts) -> list[datetime]:
    """When time alone may call for a notice, or end one: beginnings of days at the shop, all in the future."""
    days: list[date] = []
    by_number = {p.number: p for p in facts.parts}
    for notice in facts.notices:
        last = ends_after(by_number.get(notice.part), notice)
        if last < date.max:
            days.append(last + DAY)
    for part in facts.parts:
        if watched(facts, part) and facts.notice_of(part) is None:
            for first, day in asked_from(facts, part):
                days += [first, day + DAY]
    return [start_of_day(day, facts.zone) for day in days if day > facts.today]
