"""After a decline: when the same card may be tried again, until when goods are kept, when the customer is reminded.

Pure arithmetic on moments (UTC); what each network allows comes in as rows that the shop has settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from counterfoil.core.retries import RetryLimit
from counterfoil.records.orders.facts import PartFacts


def free_at(declines: Iterable[datetime], limits: Iterable[RetryLimit], now: datetime) -> datetime:
    """The first moment from `now` on at which one more attempt keeps within every limit; `now` when it does already."""
    known, rules = sorted(declines), list(limits)
    moment, moved = now, True
    while moved:
        moved = False
        for rule in rules:
            span = timedelta(days=rule.days)
            counted = [at for at in known if moment - span < at <= moment]
            if len(counted) >= rule.attempts:
                # The window must have left so many behind that one more fits.
                moment, moved = counted[-rule.attempts] + span, True
    return moment


def next_attempt(
    class_: str,
    *,
    begun: datetime,
    tries: int,
    declines: Iterable[datetime],
    limits: Iterable[RetryLimit],
    schedule: Sequence[int],
    now: datetime,
    until: datetime,
) -> datetime | None:
    """When we try the same card again by ourselves; None: not at all.

    `begun` is the first decline, `tries` how many there have been since; an attempt made by a person uses up a place in
    the `schedule` (hours after the first decline) too. `declines` are all on this card, `until` when goods are let go.
    """
    if class_ != "later" or tries < 1:
        return None
    slots = [begun + timedelta(hours=hours) for hours in schedule[tries - 1 :]]
    planned = next((slot for slot in slots if slot > now), None)
    if planned is None:
        return None
    moment = free_at(declines, limits, planned)
    return moment if moment < until else None


def reminder_dates(begun: date, last: date, days: Iterable[int]) -> list[date]:
    """On which dates the customer is reminded: so many days after the decline, or (with a minus) before the last day.

    Each once, in order, after the day of the decline and no later than the last day.
    """
    wanted = {(begun if n > 0 else last) + timedelta(days=n) for n in days}
    return sorted(day for day in wanted if begun < day <= last)


def unpaid_after_decline(part: PartFacts) -> bool:
    """Whether a decline still stands: nothing has been paid since, and no attempt is under way.

    An attempt that was taken back before it was sent leaves the card as saved, and the decline as it was.
    """
    return part.live and (part.money == "declined" or (part.money == "saved" and part.decline_class != ""))
