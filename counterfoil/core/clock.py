"""The only reader of time. Business time (dates, promises, expiries) may be moved forward in demo and tests; real time
(leases, limits, sessions, signatures) may not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as dtime
from functools import partial
from zoneinfo import ZoneInfo

from django.db import connection

from counterfoil.core.db import after_commit, in_writing, notes

_CACHE_SECONDS = 1.0
_local = threading.local()
_cached: tuple[float, float] | None = None  # (monotonic time of keeping it, offset in seconds)
_keeping = threading.Lock()


def real_now() -> datetime:
    """Real time, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only grow, for time limits."""
    return time.monotonic()


def offset_seconds() -> float:
    """How far business time runs ahead of real time, in seconds; read from the database at most once a second."""
    held: float | None = getattr(_local, "offset", None)
    if held is None and in_writing():
        held = notes().get("clock")
    if held is not None:
        return held
    now, cached = time.monotonic(), _cached
    if cached is not None and now - cached[0] < _CACHE_SECONDS:
        return cached[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT offset_seconds FROM core_businessclock WHERE id = 1")
        row = cursor.fetchone()
    return _keep(float(row[0]) if row else 0.0, asked_at=now)


def _keep(offset: float, *, asked_at: float) -> float:
    """Remember the offset for this process; what it now goes by.

    A thread that asked before another kept a later offset may have an old answer: it does not turn time back.
    """
    global _cached
    with _keeping:
        if _cached is None or offset >= _cached[1] or asked_at > _cached[0]:
            _cached = (time.monotonic(), offset)
        return _cached[1]


def forget() -> None:
    """Drop the process's copy of the offset: between tests."""
    global _cached
    _cached = None


def business_now() -> datetime:
    """Business time, UTC."""
    return real_now() + timedelta(seconds=offset_seconds())


def business_today(zone: str = "UTC") -> date:
    """Today's date where the shop stands."""
    return business_now().astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The moment at which that day begins where the shop stands, in UTC."""
    return datetime.combine(day, dtime(), ZoneInfo(zone)).astimezone(UTC)


def advance_business_time(by: timedelta) -> float:
    """Move business time forward for every process on this database. Returns the new offset in seconds.

    Call inside `writing()`: until it commits, the new time is this transaction's alone. Raises ValueError when `by` is
    not positive: dates that were promised would come back.
    """
    if by <= timedelta(0):
        raise ValueError("the clock only moves forward")
    if not in_writing():
        raise RuntimeError("the clock is moved inside writing()")
    asked_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_businessclock (id, offset_seconds) VALUES (1, %s) "
            "ON CONFLICT (id) DO UPDATE SET offset_seconds = core_businessclock.offset_seconds + "
            "excluded.offset_seconds RETURNING offset_seconds",
            [by.total_seconds()],
        )
        row = cursor.fetchone()
    offset = float(row[0])
    notes()["clock"] = offset
    after_commit(partial(_keep, offset, asked_at=asked_at))
    return offset


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Within the block, on this thread, business time starts at `moment`. For tests and for telling demo histories."""
    before = getattr(_local, "offset", None)
    _local.offset = (moment - real_now()).total_seconds()
    try:
        yield
    finally:
        _local.offset = before


def add_business_days(start: date, days: int, *, weekdays: frozenset[int], holidays: frozenset[date]) -> date:
    """The date `days` working days after `start`; `weekdays` are the shop's working days, Monday = 0.

    Raises ValueError when there is no working day to count.
    """
    if days > 0 and not weekdays & frozenset(range(7)):
        raise ValueError("the shop has no working day")
    day = start
    left = days
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() in weekdays and day not in holidays:
            left -= 1
    return day


def business_days_between(start: date, end: date, *, weekdays: frozenset[int], holidays: frozenset[date]) -> int:
    """How many working days lie after `start`, up to and with `end`; 0 when `end` is not later."""
    days = max(0, (end - start).days)
    later = (start + timedelta(days=n) for n in range(1, days + 1))
    return sum(day.weekday() in weekdays and day not in holidays for day in later)
