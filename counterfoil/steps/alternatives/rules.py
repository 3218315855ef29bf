"""When the customer may be asked, how long an answer counts, and what an answer must say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts

KINDS = ("substitute", "expedite", "split", "later_date", "cancel", "as_is")
PRICE_RULES = ("own", "lower", "ordered")
MAX_CHOICES = 10
GONE = frozenset({"shipped", "delivered", "returned"})


def may_propose(facts: OrderFacts) -> list[Blocker]:
    """A finished, living order of which something is still here, with no other question and no charge under way."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.closed_history:
        return [Blocker("delivered", "the order was delivered before it came here")]
    found: list[Blocker] = []
    if not facts.finished:
        found.append(Blocker("not_approved", "the customer has not finished the check-out"))
    live = [p for p in facts.parts if p.live]
    if not any(p.parcel not in GONE for p in live):
        found.append(Blocker("already_shipped", "everything has been shipped"))
    if facts.question_open:
        found.append(Blocker("question_open", "the customer has not answered our last question yet"))
    elif facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer's answer is still being worked in"))
    if any(p.money in {"charging", "unknown"} for p in live):
        found.append(Blocker("charge_in_flight", "a charge is under way; ask when the bank has answered"))
    return found


def singles(choice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a choice is made of: of several changes at once each of them, else itself."""
    return list(choice.get("changes") or [choice])


def check_answer(choice: int | None, decline: bool, offered: int) -> list[tuple[str, str]]:
    """An answer is one of the choices (counted from 0) or a refusal of all of them, never both."""
    if decline and choice is not None:
        return [("choice", "either choose or decline, not both")]
    if choice is None:
        return [] if decline else [("choice", "choose one, or decline")]
    if isinstance(choice, bool) or not 0 <= choice < offered:
        return [("choice", f"choose a number from 0 to {offered - 1}")]
    return []


def same_answer(*, state: str, chosen: int | None, choice: int | None, decline: bool) -> bool:
    """Whether this answer has been given already, word for word."""
    if decline:
        return state == "declined"
    return state == "accepted" and chosen == choice


def has_expired(expires_at: datetime, now: datetime) -> bool:
    """From the moment it expires, a question can no longer be answered."""
    return now >= expires_at


def substitute_price(rule: str, *, own: int | None, ordered: int) -> int | None:
    """What a unit of a substitute costs by the shop's rule; minor units.

    `own`: the substitute's own price (None: it is not sold in the order's currency) · `lower`: the lower of both ·
    `ordered`: what the unit that it replaces costs.
    """
    if rule == "ordered":
        return ordered
    if rule == "lower":
        return ordered if own is None else min(own, ordered)
    return own
