"""While the processor cannot be reached: what is owed waits, uses nothing up, and goes by itself when it is back."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.db import rows
from counterfoil.gateways import card
from counterfoil.gateways.card.protocol import NotDone, OutcomeUnknown

SLOW_DOWN = 5.0  # seconds, where the processor did not name any
REMEMBERED = 3.0  # seconds that a look at the shop-wide state is good for
_SINCE = "the bank cannot be reached since "  # and the moment in UTC: what the job's row says while it waits
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def patient(work: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A job that asks the processor: as long as that does nothing, or does not answer anybody, its attempts stay whole.

    An error about one object while others are answered counts, so that it ends on the dead list, before a person.
    """

    @functools.wraps(work)
    def wait(payload: dict[str, Any]) -> None:
        try:
            work(payload)
        except (NotDone, OutcomeUnknown) as error:
            away = card.away()
            if away is not None:
                raise jobs.Later(_spread(away.seconds), f"{_SINCE}{away.since:{_MOMENT}}") from error
            if isinstance(error, OutcomeUnknown):
                raise
            raise jobs.Later(_spread(error.seconds or SLOW_DOWN), str(error)) from error

    return wait


def _spread(seconds: float) -> float:
    """A little later for some, so that not all come at once."""
    return seconds + random.uniform(0.1, 1 + seconds / 4)  # noqa: S311 - no secret


@dataclass(frozen=True)
class Waiting:
    """Since when the processor does not answer (real time), and what waits for it."""

    since: datetime
    charges: int
    refunds: int


_seen: tuple[float, Waiting | None] | None = None


def waiting() -> Waiting | None:
    """The shop's view, from the jobs that wait and this process's own calls, a few seconds old; None: all is well."""
    if is_stale():
        statement, params = look()
        learn([(str(name), int(count), str(first or "")) for _, name, count, _, first, _ in rows(statement, params)])
    return _seen[1] if _seen is not None else None


def is_stale() -> bool:
    """Whether it is time for another look."""
    return _seen is None or clock.monotonic() - _seen[0] >= REMEMBERED


def look() -> tuple[str, list[str]]:
    """The statement of a look and its parameters: for those who have a statement under way that it can join.

    Its columns: '!', a job's name, how many wait, 0, since when as text, 0.
    """
    return (
        "SELECT '!', name, COUNT(*), 0, MIN(CASE WHEN last_error LIKE %s THEN last_error END), 0 FROM core_job "
        "WHERE state = 'queued' AND name LIKE 'charging.%%' GROUP BY name"
    ), [f"{_SINCE}%"]


def learn(found: list[tuple[str, int, str]]) -> None:
    """What a look has found: a job's name, how many wait, and since when."""
    global _seen
    own = card.away()
    moments = [own.since] if own is not None else []
    moments += [
        datetime.strptime(first.removeprefix(_SINCE), _MOMENT).replace(tzinfo=UTC) for _, _, first in found if first
    ]
    counts = {name: count for name, count, _ in found}
    now = None
    if moments:
        charges = counts.get("charging.send", 0) + counts.get("charging.asked", 0)
        now = Waiting(min(moments), charges, counts.get("charging.refund", 0))
    _seen = (clock.monotonic(), now)


def forget() -> None:
    """Look anew: between tests."""
    global _seen
    _seen = None
