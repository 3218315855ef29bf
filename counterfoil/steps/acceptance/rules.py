"""When an order may be entered in the books as a sales order."""

from __future__ import annotations

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts


def may_make_sales_order(facts: OrderFacts) -> list[Blocker]:
    """An approved, living order without a hold or an open question."""
    found: list[Blocker] = []
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.closed_history:
        return [Blocker("delivered", "delivered by another system before this one")]
    if facts.review != "approved":
        found.append(Blocker("not_approved", "nobody has approved the order"))
    found += [Blocker("on_hold", f"on hold: {h.reason}", by=h.by) for h in facts.holds]
    if facts.question_open or facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer has not answered our question yet"))
    return found


def has_sales_order(facts: OrderFacts) -> bool:
    """Whether every part that is still wanted stands in the books."""
    return all(p.books != "none" for p in facts.parts if p.live)
