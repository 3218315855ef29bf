"""Charged, and the goods do not come: when a paid part has lost its cover, who is asked, when all goes back. Pure.

A part is covered while every unit of it is here, or due within the shop's days on a date that the supplier has
confirmed: what the charge gate asked. When that is no longer so (the date slips or passes, a bottle breaks, a count
finds less, a purchase order is closed short) the customer is asked the same day, and what they do not answer by the
last day is refunded in full. Who agrees to wait until a day has cover until then.
"""

from __future__ import annotations

from dataclasses import replace

from counterfoil.core.errors import Blocker
from counterfoil.flow.rules import GONE, IN_FLIGHT, may_cancel
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.steps.alternatives.rules import may_propose
from counterfoil.steps.charging.rules import may_deliver_soon


def uncovered(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Why a charged part cannot be shipped for want of goods. Empty also while its stock is still to be looked at."""
    if facts.cancelled or not facts.finished or facts.closed_history:
        return []
    if part.money != "charged" or not part.live or part.parcel in GONE or part.stock == "unchecked":
        return []
    if facts.charged_back(part) is not None or all(line.open_units <= 0 for line in part.lines):
        return []
    return [] if agreed_to_wait(facts, part) else may_deliver_soon(facts, part)


def agreed_to_wait(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether the customer said that they wait until a day which is not over, and no supplier has named a later one."""
    until = part.waits_until
    if until is None or facts.today > until:
        return False
    return not any(ln.open_units > 0 and ln.due_date is not None and ln.due_date > until for ln in part.lines)


def uncovered_parts(facts: OrderFacts) -> list[PartFacts]:
    return [part for part in facts.parts if uncovered(facts, part)]


def regained(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether a part that was noted as without goods has them again, or nothing of it is to be shipped any more."""
    if not part.cover_lost or facts.charged_back(part) is not None:
        return False
    looked_at = part.stock != "unchecked" or part.money != "charged" or not part.live
    return looked_at and not uncovered(facts, part)


def to_refund(facts: OrderFacts) -> list[PartFacts]:
    """The parts whose last day is over, once nothing that was said or is on its way to the bank comes before.

    While any question is open its customer has the day that they were told.
    """
    if facts.question_open or facts.answer_unapplied or any(p.money in IN_FLIGHT for p in facts.parts):
        return []
    over = [p for p in uncovered_parts(facts) if p.cover_refund_on is not None and facts.today > p.cover_refund_on]
    return [p for p in over if p.cover_asked and not any(line.shipped for line in p.lines)]


def ends_the_order(facts: OrderFacts) -> bool:
    """Whether nothing else of the order is to be kept: then it is cancelled as a whole."""
    over = {p.number for p in to_refund(facts)}
    return not may_cancel(facts) and all(p.number in over for p in facts.parts if p.live)


def due_cover(facts: OrderFacts) -> str | None:
    """What is due by itself: `note_cover_lost`, `note_cover_back`, `ask_uncovered`, `refund_uncovered`."""
    lost = uncovered_parts(facts)
    if any(not part.cover_lost for part in lost):
        return "note_cover_lost"
    if any(regained(facts, part) for part in facts.parts):
        return "note_cover_back"
    if to_refund(facts):
        return "refund_uncovered"
    if any(not part.cover_asked for part in lost) and not may_tell(facts):
        return "ask_uncovered"
    return None


def may_tell(facts: OrderFacts) -> list[Blocker]:
    """An open question is no reason for silence: ours takes its place, with what of it still stands."""
    return may_propose(replace(facts, question_open=False))
