"""Dunning: what a decline sets going (class, next try, grace, reminders) and what ends it. Inside `writing()` only."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.shop import shop
from counterfoil.records.orders.declines import AWAITED, declines_of, standing_of
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import Charge, Line, Order, Part
from counterfoil.records.orders.slip import say_date, say_moment
from counterfoil.records.stock.actions import want_line
from counterfoil.records.stock.ledger import lock
from counterfoil.steps.charging.declines import next_attempt, reminder_dates

LAST_MINUTE = time(23, 59)  # goods are kept to the end of the last day


def begin_dunning(taken: Order, part: Part, charge: Charge) -> None:
    """The bank has just declined `charge`: class, next try and grace stand on the part, and the customer is mailed.

    A further decline of the same card keeps the grace that was given, and the reminders that are still to come. What
    the processor itself did not take is ours to mend: no bank was asked, and the customer can do nothing.
    """
    charge.refresh_from_db()
    before, part.decline_class = part.decline_class, shop().decline_class(charge.decline_code)
    Charge.objects.filter(pk=charge.pk).update(
        decline_class=part.decline_class, brand=taken.card_brand, last4=taken.card_last4
    )
    if part.decline_class == "ours":
        part.retry_at = None
        part.save(update_fields=["decline_class", "retry_at"])
        return
    now = clock.business_now()
    reminders = _grace(taken, part, now)
    part.retry_at = _next(taken, part, now)
    part.save(update_fields=["decline_class", "retry_at", "grace_until"])
    assert part.grace_until is not None
    note(
        taken,
        AWAITED,
        actor=SYSTEM,
        part=part,
        text=_plan_words(part),
        data={
            "charge": charge.pk,
            "class": part.decline_class,
            "retry_at": part.retry_at.isoformat() if part.retry_at else None,
            "grace_until": part.grace_until.isoformat(),
            "remind_at": [at.isoformat() for at in reminders],
        },
    )
    if charge.actor == SYSTEM.name and part.decline_class == before:
        return  # the customer knows, and a reminder comes
    jobs.enqueue(
        "charging.pay_mail",
        key=f"{taken.number}:{charge.attempt}",
        payload={"order": taken.number, "key": f"{part.number}-{charge.attempt}"},
    )


def _grace(taken: Order, part: Part, now: datetime) -> list[datetime]:
    """Give the part its grace, unless it has one; the reminders that are still to come."""
    if part.grace_until is not None:
        return [at for at in standing_of([taken], [part]).reminders.get((taken.pk, part.number), []) if at > now]
    settings = shop()
    today = settings.day_of(now)
    last = today + timedelta(days=settings.grace_days)
    part.grace_until = settings.moment_of(last, LAST_MINUTE)
    dates = reminder_dates(today, last, settings.reminder_days)
    return [settings.moment_of(day, time(settings.reminder_hour)) for day in dates]


def _next(taken: Order, part: Part, now: datetime) -> datetime | None:
    """When we try the card again by ourselves."""
    mine = Charge.objects.filter(part=part, state="declined", brand=taken.card_brand, last4=taken.card_last4)
    tries = sorted(at for at in mine.exclude(decline_class="ours").values_list("settled_at", flat=True) if at)
    if not tries or part.grace_until is None:
        return None
    settings = shop()
    return next_attempt(
        part.decline_class,
        begun=tries[0],
        tries=len(tries),
        declines=declines_of([taken])[taken.pk],
        limits=settings.limits_for(taken.card_brand),
        schedule=settings.retry_after_hours,
        now=now,
        until=part.grace_until,
    )


def _plan_words(part: Part) -> str:
    kept = f"The goods are kept until {say_date(shop().day_of(part.grace_until))}" if part.grace_until else ""
    if part.retry_at is not None:
        return f"{kept}; we try the card again {say_moment(part.retry_at)}"
    if part.decline_class == "later":
        return f"{kept}; we do not try the card again by ourselves"
    return f"{kept}; {'this card is not tried again' if part.decline_class == 'never' else 'the customer must act'}"


def end_dunning(taken: Order, part: Part) -> None:
    """Paid, cancelled, or another card: no try, no reminder, no grace is left; let-go goods are wanted again.

    The stock check of `flow.advance` then looks for them.
    """
    if not (part.decline_class or part.grace_until or part.let_go_at):
        return
    if part.let_go_at is not None:
        lines = list(Line.objects.filter(part=part, quantity__gt=0).order_by("position"))
        lock(line.product_id for line in lines)
        for line in lines:
            want_line(line=line)
    part.decline_class, part.retry_at, part.grace_until, part.let_go_at = "", None, None, None
    part.save(update_fields=["decline_class", "retry_at", "grace_until", "let_go_at"])


def renew_grace(taken: Order, part: Part) -> None:
    """The customer has just agreed to a change of an order whose goods were let go: they are kept anew."""
    if part.let_go_at is None:
        return
    class_ = part.decline_class
    end_dunning(taken, part)
    now = clock.business_now()
    part.decline_class = class_
    reminders = _grace(taken, part, now)
    part.save(update_fields=["decline_class", "grace_until"])
    note(
        taken,
        AWAITED,
        actor=SYSTEM,
        part=part,
        text=_plan_words(part),
        data={"class": class_, "remind_at": [at.isoformat() for at in reminders]},
    )
    jobs.enqueue(
        "charging.pay_mail",
        key=f"{taken.number}:again",
        payload={"order": taken.number, "key": f"{part.number}-again-{taken.version}"},
    )
