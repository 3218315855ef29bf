"""The only ways back: when an order may be cancelled, what becomes of its money, when an answer can be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts, PartFacts

GONE = frozenset({"shipped", "delivered", "returned"})
IN_FLIGHT = frozenset({"charging", "unknown"})
NO_MONEY_YET = frozenset({"unpaid", "saved", "authorised", "declined"})


def has_left(part: PartFacts) -> bool:
    """Whether any unit of the part has been handed to a carrier."""
    return part.parcel in GONE or any(line.shipped for line in part.lines)


def may_cancel(facts: OrderFacts) -> list[Blocker]:
    """Until the first unit has left. A charge in flight is no reason to refuse: what it takes will be given back."""
    if facts.closed_history:
        return [Blocker("not_cancellable", "the order was delivered before it came here")]
    return [
        Blocker("not_cancellable", f"part {part.number} has been shipped: take it back as a return, or refund it")
        for part in facts.parts
        if has_left(part)
    ]


def money_of_cancelled(part: PartFacts) -> str:
    """What a cancellation does to a part's money: `void`, `refund`, `ask` (a charge is in flight) or `leave`.

    What was taken of a part that is not paid in full is refunded all the same.
    """
    if part.money in NO_MONEY_YET:
        return "void"
    if part.money in IN_FLIGHT:
        return "ask"
    return "refund" if part.charged - part.refunded - part.refund_owed > 0 else "leave"


def may_amend(facts: OrderFacts) -> list[Blocker]:
    """A living order of which something is still in the house, with no question open and no charge under way."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.closed_history:
        return [Blocker("delivered", "the order was delivered before it came here")]
    found: list[Blocker] = []
    if not facts.finished:
        found.append(Blocker("not_approved", "the customer has not finished the check-out"))
    live = [p for p in facts.parts if p.live]
    if all(has_left(p) for p in live):
        found.append(Blocker("already_shipped", "everything has been shipped: take it back as a return, or refund it"))
    if facts.question_open:
        found.append(
            Blocker("question_open", "the customer is being asked: note their answer, or withdraw the question")
        )
    elif facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer's answer is still being worked in"))
    if any(p.money in IN_FLIGHT for p in live):
        found.append(Blocker("charge_in_flight", "a charge is under way; amend it when the bank has answered"))
    return found


def may_merge(facts: OrderFacts, numbers: tuple[int, int]) -> list[Blocker]:
    """Two parts that are both in the house and not charged: what an accepted split divided comes together again."""
    found = may_amend(facts)
    for part in (p for p in facts.parts if p.number in numbers):
        if not part.live or part.money == "voided":
            found.append(Blocker("cancelled", f"nothing of part {part.number} is wanted any more"))
        elif has_left(part):
            found.append(Blocker("already_shipped", f"part {part.number} has been shipped"))
        elif part.charged or part.money in {"charged", "receivable"}:
            found.append(Blocker("already_charged", f"part {part.number} is charged", by=part.charged_by or None))
        elif part.money == "declined" or part.decline_class:
            words = f"the bank said no to part {part.number}: get it paid first, or cancel it"
            found.append(Blocker("no_payment_method", words))
        elif part.page_open:
            found.append(Blocker("charge_in_flight", f"the customer may be paying part {part.number} at a page"))
    return found


def must_wait(facts: OrderFacts) -> bool:
    """An answer is not worked in while a charge is in flight: the bank's answer decides what is owed."""
    return not facts.cancelled and any(p.money in IN_FLIGHT for p in facts.parts)


def obstacle(facts: OrderFacts, choice: Mapping[str, Any]) -> str | None:
    """Why an accepted choice can no longer be carried out as it was offered, in words; None when it can."""
    if facts.cancelled:
        return "the order has been cancelled meanwhile"
    kind = choice["kind"]
    if kind == "cancel" and choice.get("line") is None:
        return "a part has been shipped meanwhile" if any(has_left(p) for p in facts.parts) else None
    wanted = choice.get("parts") or [choice["part"]]
    parts = [p for p in facts.parts if p.number in wanted]
    if any(has_left(p) for p in parts):
        return "it has been shipped meanwhile"
    if kind == "split" and any(p.money in {"charged", "receivable"} for p in parts):
        return "it has been paid meanwhile, in one sum"
    units = {line.id: line.quantity for p in parts for line in p.lines}
    for line, quantity in touched(choice):
        if units.get(line, 0) < quantity:
            return "the order has fewer units of that line now"
    if choice["difference"] > 0 and any(p.money == "charged" for p in parts):
        return "the old total has been paid meanwhile, and this costs more"
    return None


def touched(choice: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The lines that a choice takes units off, with how many."""
    if choice["kind"] == "change":
        return [(int(one["line"]), int(one["quantity"])) for one in choice["changes"]]
    if choice["kind"] == "split":
        return [(int(row["line"]), int(row["quantity"])) for row in choice["lines"]]
    if choice.get("line") is not None and choice.get("quantity"):
        return [(int(choice["line"]), int(choice["quantity"]))]
    return []
