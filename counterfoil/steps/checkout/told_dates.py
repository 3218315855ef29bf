"""Ship dates that another shop told its customers in a comment, where they can be recognised without guessing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from counterfoil.gateways.storefront.protocol import PENDING, FeedEvent

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH = re.compile(
    r"(?:ship|shipping) date:?\s+(?:(?P<weekday>[a-z]{3})[a-z]*,?\s+)?(?P<day>\d{1,2})\.?\s+(?P<month>[a-z]{3})[a-z]*",
    re.IGNORECASE,
)
_GERMAN = re.compile(r"\bversenden am (?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?!\d)", re.IGNORECASE)
_DAYS = re.compile(r"\bestimated to ship in (?P<days>\d{1,2}) business days?\b", re.IGNORECASE)
_FURTHEST = timedelta(days=183)  # a day without a year is in the coming half year, or it is not understood


@dataclass(frozen=True)
class Told:
    """`day` was promised to the customer by what the shop wrote on `on`."""

    day: date
    on: date


def told_date(history: Iterable[FeedEvent], business_days: Callable[[date, int], date]) -> Told | None:
    """The last date that the customer was told; None when there is none that can be recognised."""
    found = None
    for event in history:
        if event.notified and event.status != PENDING and event.comment:
            day = _day(event.comment, event.at.date(), business_days)
            found = Told(day, event.at.date()) if day else found
    return found


def _day(comment: str, on: date, business_days: Callable[[date, int], date]) -> date | None:
    words = _DAYS.search(comment)
    if words:
        return business_days(on, int(words["days"]))
    words = _ENGLISH.search(comment)
    if words:
        month = words["month"].lower()
        day = _coming(on, _MONTHS.index(month) + 1, int(words["day"])) if month in _MONTHS else None
        weekday = (words["weekday"] or "").lower()
        # A weekday that is another day's says that this was not understood.
        return day if day and weekday in {"", _WEEKDAYS[day.weekday()]} else None
    words = _GERMAN.search(comment)
    return _coming(on, int(words["month"]), int(words["day"])) if words else None


def _coming(on: date, month: int, day: int) -> date | None:
    for year in (on.year, on.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if timedelta() <= found - on <= _FURTHEST:
            return found
    return None
