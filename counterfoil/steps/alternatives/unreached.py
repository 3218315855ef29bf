"""Nobody answers the telephone: after the third call the customer is asked by mail."""

from __future__ import annotations

from datetime import date
from typing import Any

from counterfoil.core.actor import SYSTEM
from counterfoil.core.shop import Shop, shop
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.models import Order, Proposal
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.alternatives.actions import ask_again, propose_alternatives
from counterfoil.steps.alternatives.helps import faster
from counterfoil.steps.alternatives.rules import GONE, may_propose

MOST_TRIES = 3


def write_instead(taken: Order, facts: OrderFacts, asked: Proposal | None, late: date | None) -> Proposal | None:
    """Ask by mail what could not be asked on the telephone; inside `writing()`, the order taken.

    The question that is open goes out once more; else they are asked whether the late day will do. None where nothing
    may be asked at this moment: then they are rung again.
    """
    if asked is not None:
        ask_again(taken, asked)
        return asked
    if late is None or may_propose(facts):
        return None
    message = (
        f"We tried to reach you by telephone. You need your order by {say_date(facts.needed_by)}; as it is promised "
        f"now, you would have it on {say_date(late)}. What shall we do?"
    )
    return propose_alternatives(order=taken.number, actor=SYSTEM, choices=_choices(taken, facts), message=message)


def _choices(taken: Order, facts: OrderFacts) -> list[dict[str, Any]]:
    """The late day after all, a faster delivery that would be in time, or to cancel."""
    settings = shop()
    here = [p for p in facts.parts if p.live and p.parcel not in GONE]
    last = max((p for p in here if p.promise_date), key=lambda p: p.promise_date or date.min)
    found = [_later(last, settings, several=len(here) > 1)]
    if taken.currency == settings.currency and not any(p.charged for p in here):
        by = facts.needed_by or date.max
        found = [
            {"kind": "expedite", "method": method}
            for method, _, day in faster(settings, taken.shipping_method, last.promise_date or settings.today())[:1]
            if day <= by
        ] + found
    if not any(p.parcel in GONE or any(line.shipped for line in p.lines) for p in facts.parts):
        found.append({"kind": "cancel"})
    return found


def _later(part: PartFacts, settings: Shop, *, several: bool) -> dict[str, Any]:
    day = max(part.promise_date or settings.today(), settings.today())
    choice: dict[str, Any] = {"kind": "later_date", "date": day.isoformat()}
    if several:
        choice["line"] = next(line.id for line in part.lines if line.quantity)
    return choice
