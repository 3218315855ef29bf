"""Who is rung up, and when: about a day that cannot be met, or our question where they prefer the telephone. Pure.

Nobody is rung up again before the moment that was agreed, or the next working morning when nobody answered. After so
many calls without an answer we have written to them, and the question waits for its answer like every other.
"""

from __future__ import annotations

from counterfoil.records.orders.facts import OrderFacts

MOST_TRIES = 3


def rests(facts: OrderFacts) -> bool:
    """Whether the next call is for later."""
    return facts.call_back_at is not None and facts.now is not None and facts.now < facts.call_back_at


def to_ring(facts: OrderFacts) -> bool:
    """Whether our open question is to be asked on the telephone now: they prefer it, or a call about it was begun."""
    if not facts.question_open or facts.calls_missed >= MOST_TRIES or rests(facts):
        return False
    return facts.prefers_phone or facts.call_back_at is not None
