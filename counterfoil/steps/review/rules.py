"""When an order may be approved, and when it may be held."""

from __future__ import annotations

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts


def may_approve(facts: OrderFacts) -> list[Blocker]:
    """A pending, finished, living order without a hold may be approved, once."""
    found: list[Blocker] = []
    if not facts.finished:
        found.append(Blocker("not_approved", "the customer has not finished the check-out"))
    if facts.cancelled:
        found.append(Blocker("cancelled", "the order is cancelled"))
    if facts.review == "approved":
        found.append(Blocker("someone_else", f"already approved by {facts.approved_by}", by=facts.approved_by or None))
    found += [Blocker("on_hold", f"on hold: {h.reason}", by=h.by) for h in facts.holds]
    if facts.question_open:
        found.append(Blocker("question_open", "the customer has not answered our question yet"))
    elif facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer has said yes, and the order is just being changed"))
    return found


def may_change_gift_note(facts: OrderFacts) -> list[Blocker]:
    """As long as a box of it is open: its slip is not printed yet."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.parts and all(p.parcel in {"packed", "shipped", "delivered", "returned"} for p in facts.parts):
        return [Blocker("already_shipped", "everything is packed: the gift note is in the box")]
    return []


def may_hold(facts: OrderFacts) -> list[Blocker]:
    """Anything that has not left the house can be held."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.parts and all(p.parcel in {"shipped", "delivered", "returned"} for p in facts.parts):
        return [Blocker("already_shipped", "everything has been shipped")]
    return []
