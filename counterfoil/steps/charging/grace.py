"""What time brings while a declined part waits for its money: the card tried again, a reminder, the goods let go."""

from __future__ import annotations

from datetime import datetime, timedelta

from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.steps.charging.declines import unpaid_after_decline
from counterfoil.steps.charging.rules import hold_was_refused, may_charge, may_hold

LOOK_AGAIN = timedelta(minutes=1)  # what is due and not done yet is being done by a job


def retry_is_due(facts: OrderFacts, part: PartFacts) -> bool:
    """The card is to be tried again now, by ourselves, and the gate is open."""
    return _waits(facts, part) and _past(facts, part.retry_at) and not grace_is_over(facts, part) and _open(facts, part)


def reminder_is_due(facts: OrderFacts, part: PartFacts) -> bool:
    """The customer is to be told once more; not while the card is about to be tried."""
    due = _waits(facts, part) and _past(facts, part.remind_at) and not _past(facts, part.grace_until)
    return due and not retry_is_due(facts, part)


def grace_is_over(facts: OrderFacts, part: PartFacts) -> bool:
    """The goods have been kept as long as was said, and nothing of them is paid."""
    return _waits(facts, part) and _past(facts, part.grace_until) and not part.charged


def checks(facts: OrderFacts, part: PartFacts) -> list[datetime]:
    """When to look at this part again for any of the three; what is due already, in a minute."""
    if facts.now is None or not _waits(facts, part):
        return []
    found = [
        None if part.charged and _past(facts, part.grace_until) else part.grace_until,
        None if _past(facts, part.grace_until) else part.remind_at,
        part.retry_at if _open(facts, part) else None,
        facts.day_ends_at if part.retry_at is not None else None,  # goods that come may open the gate
    ]
    return [max(at, facts.now + LOOK_AGAIN) if at <= facts.now else at for at in found if at is not None]


def _waits(facts: OrderFacts, part: PartFacts) -> bool:
    """Nothing moves on an order that is held, cancelled, or about which the customer has been asked."""
    still = facts.cancelled or facts.closed_history or not facts.finished or bool(facts.holds)
    asked = facts.question_open or facts.answer_unapplied
    return unpaid_after_decline(part) and not part.let_go and not still and not asked


def _past(facts: OrderFacts, at: datetime | None) -> bool:
    return at is not None and facts.now is not None and at <= facts.now


def _open(facts: OrderFacts, part: PartFacts) -> bool:
    if hold_was_refused(facts, part):
        return part.decline_class == "later" and not may_hold(facts, part)
    return part.decline_class == "later" and not may_charge(facts, part)
