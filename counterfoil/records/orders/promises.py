"""Keeping promises: a new date is a new version beside the old ones, with its legal deadline and the rule behind it."""

from __future__ import annotations

from datetime import date

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.db import in_writing
from counterfoil.core.promises import PromiseRule
from counterfoil.core.shop import Shop, shop
from counterfoil.records.orders.models import Notice, Order, Part, Promise


def rule_for(order: Order, settings: Shop | None = None) -> PromiseRule:
    """The rule about promised dates that an order is under: by its destination and the day of its placing."""
    settings = settings or shop()
    country = str(order.shipping_address.get("country", ""))
    return settings.promise_rule(country=country, on=settings.day_of(order.placed_at))


def keep_promise(
    order: Order,
    part: Part,
    day: date | None,
    *,
    basis: str,
    actor: Actor,
    consent: str = Promise.STATED,
    delay: bool = False,
    notice: Notice | None = None,
) -> Promise:
    """Keep a new version of the part's promise; inside `writing()`, the order taken.

    The legal deadline never comes nearer. `day` None: the customer has agreed to wait without a date, and no deadline
    is left until they are given one.
    """
    if not in_writing():
        raise RuntimeError("a promise is made inside writing()")
    settings = shop()
    rule = rule_for(order, settings)
    deadline = None
    if day is not None:
        deadline = max(day, part.legal_deadline or rule.deadline(settings.day_of(order.placed_at)))
    part.promise_version += 1
    part.promise_date = day
    part.promised_on = settings.today()
    part.promise_consent = consent
    part.legal_deadline = deadline
    part.clock_over = False  # a person has taken care of it
    part.save(
        update_fields=[
            "promise_version", "promise_date", "promised_on", "promise_consent", "legal_deadline", "clock_over",
        ]
    )  # fmt: skip
    return Promise.objects.create(
        part=part,
        version=part.promise_version,
        date=day,
        basis=basis,
        consent=consent,
        delay=delay,
        legal_deadline=deadline,
        rule=rule.code,
        rule_from=rule.since,
        notice=notice or (_answered(part) if consent == Promise.EXPRESS else None),
        at=clock.business_now(),
        actor=actor.name,
    )


def _answered(part: Part) -> Notice | None:
    """The notice that the customer has just answered, if that is how they came to this promise."""
    before = part.promise_version - 1
    return (
        Notice.objects.filter(part=part, version=before, outcome__in=[Notice.WAIT, Notice.CHANGE])
        .order_by("-pk")
        .first()
    )


def close_notices(order: Order, outcome: str, *, proposal: int | None = None) -> int:
    """End the order's open notices, those of one question if it is named; how many there were."""
    found = Notice.objects.filter(order=order, closed_at=None)
    if proposal is not None:
        found = found.filter(proposal_id=proposal)
    return found.update(outcome=outcome, closed_at=clock.business_now())
