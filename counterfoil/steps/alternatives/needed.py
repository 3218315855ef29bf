"""By when the customer needs the goods: asked at check-out, and what a clerk hears later is written down here."""

from __future__ import annotations

from datetime import date, timedelta

from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.shop import shop
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Order
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.alternatives.rules import GONE

FURTHEST = timedelta(days=1830)


def need_by(*, order: str, actor: Actor, day: date | None, version: int | None = None) -> Order:
    """Keep the day by which the customer needs the goods, or that they need them by none; the same day changes nothing.

    Raises Forbidden, Missing, Invalid for a day in the past, or Refused once nothing of it is here any more.
    """
    require(actor, CLERK)
    today = shop().today()
    if day is not None and not today <= day <= today + FURTHEST:
        raise Invalid(("needed_by", "is in the past" if day < today else "is too far away"))
    with writing():
        taken = take(order, version=version)
        if taken.needed_by == day:
            return taken
        facts = facts_of(taken)
        if facts.cancelled:
            raise blocked("cancelled", "the order is cancelled")
        if not any(p.live and p.parcel not in GONE for p in facts.parts):
            raise blocked("already_shipped", "everything has been shipped")
        before, taken.needed_by = taken.needed_by, day
        taken.save(update_fields=["needed_by"])
        said = f"Needed by {say_date(day)}" if day else "Needed by no certain day"
        note(
            taken, "needed_by_changed", actor=actor, text=f"{said}, before: {say_date(before) or 'no day'}",
            data={"before": before.isoformat() if before else None, "after": day.isoformat() if day else None},
        )  # fmt: skip
    return taken
