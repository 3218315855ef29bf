"""What is known of declined cards: read only for orders on which a decline stands, so that the others cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import moment, rows
from counterfoil.core.models import JournalEvent
from counterfoil.core.retries import MOST_DAYS
from counterfoil.records.orders.models import Charge, Order, Part

AWAITED, REMINDED = "payment_awaited", "payment_reminded"
SYSTEMS_OWN = "ours"  # the class of a refusal that no bank has seen


@dataclass(frozen=True)
class Standing:
    """By order id, when banks declined its card; by order id and part, the reminders that are still to come."""

    declines: dict[int, tuple[datetime, ...]] = field(default_factory=dict)
    reminders: dict[tuple[int, int], list[datetime]] = field(default_factory=dict)

    def remind_at(self, part: Part) -> datetime | None:
        return min(self.reminders.get((part.order_id, part.number), []), default=None)


@dataclass(frozen=True)
class Tried:
    """How often a part's card was declined, and the last word of its bank."""

    attempts: int
    code: str
    message: str


def standing_of(orders: Sequence[Order], parts: Iterable[Part]) -> Standing:
    """What stands of declines on these orders: nothing is read where no part has one."""
    declined = [p for p in parts if p.decline_class]
    if not declined:
        return Standing()
    wanted = {p.order_id for p in declined}
    mine = [o for o in orders if o.pk in wanted]
    waiting = [p for p in declined if p.grace_until is not None and p.let_go_at is None]
    return Standing(declines_of(mine), _reminders(mine, waiting) if waiting else {})


def declines_of(orders: Sequence[Order]) -> dict[int, tuple[datetime, ...]]:
    """When the saved card of each order was declined by a bank, on any order of that customer, oldest first."""
    marks = ", ".join(["%s"] * len(orders))
    since = clock.business_now() - timedelta(days=MOST_DAYS)
    found: dict[int, list[datetime]] = {o.pk: [] for o in orders}
    for pk, at in rows(
        "SELECT w.id, c.settled_at FROM orders_order w JOIN orders_order o ON o.customer_id = w.customer_id "
        "JOIN orders_part p ON p.order_id = o.id JOIN orders_charge c ON c.part_id = p.id "
        f"WHERE w.id IN ({marks}) AND w.card_last4 <> '' AND c.brand = w.card_brand AND c.last4 = w.card_last4 "
        "AND c.state = 'declined' AND c.decline_class <> %s AND c.settled_at > %s ORDER BY c.settled_at",
        [*[o.pk for o in orders], SYSTEMS_OWN, since],
    ):
        when = moment(at)
        if when is not None:
            found[int(pk)].append(when)
    return {pk: tuple(moments) for pk, moments in found.items()}


def _reminders(orders: Sequence[Order], parts: Sequence[Part]) -> dict[tuple[int, int], list[datetime]]:
    """The plan that the last decline made, less what has been sent."""
    ids = {o.number: o.pk for o in orders}
    wanted = {(p.order_id, p.number) for p in parts}
    plan: dict[tuple[int, int], list[datetime]] = {}
    told = JournalEvent.objects.filter(subject__in=sorted(ids), kind__in=[AWAITED, REMINDED]).order_by("id")
    for subject, part, kind, data in told.values_list("subject", "part", "kind", "data"):
        key = (ids[subject], part or 0)
        if key not in wanted:
            continue
        if kind == AWAITED:
            plan[key] = [datetime.fromisoformat(at) for at in data.get("remind_at", [])]
        else:
            sent = datetime.fromisoformat(data["due"])
            plan[key] = [at for at in plan.get(key, []) if at > sent]
    return plan


def tried_of(parts: Iterable[Part]) -> dict[int, Tried]:
    """By part id, the tries of the card that was declined last. Nothing is read where no decline stands."""
    return tries_of(p.pk for p in parts if p.decline_class)


def tries_in(charges: Iterable[Charge]) -> dict[int, Tried]:
    """The same from charges that are at hand, the oldest first."""
    return _tries(
        (c.part_id, c.brand, c.last4, c.decline_code, c.decline_message) for c in charges if c.state == "declined"
    )


def tries_of(part_ids: Iterable[int]) -> dict[int, Tried]:
    """The same for parts on which a decline stands, by their ids: one statement, or none for none."""
    declined = sorted(set(part_ids))
    if not declined:
        return {}
    found = rows(
        "SELECT part_id, brand, last4, decline_code, decline_message FROM orders_charge "
        f"WHERE part_id IN ({', '.join(['%s'] * len(declined))}) AND state = 'declined' ORDER BY id",
        declined,
    )
    return _tries(found)


def _tries(declines: Iterable[Sequence[Any]]) -> dict[int, Tried]:
    """From declines, the oldest first: part, brand, last four, code and message of each."""
    found: dict[int, list[tuple[str, str, str, str]]] = {}
    for pk, brand, last4, code, message in declines:
        found.setdefault(int(pk), []).append((brand, last4, code, message))
    return {
        pk: Tried(sum(t[:2] == tries[-1][:2] for t in tries), tries[-1][2], tries[-1][3]) for pk, tries in found.items()
    }
