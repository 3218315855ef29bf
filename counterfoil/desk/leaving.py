"""What must leave the house today, by which carrier's cut-off, and what has missed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from counterfoil.core import clock
from counterfoil.core.cutoffs import NO_CUT_OFF, time_words
from counterfoil.core.shop import Shop, shop
from counterfoil.desk.rail import Rail
from counterfoil.desk.saying import near_day

NAMED = 3  # orders that missed a cut-off are named, so many at most


def minute_of_day(settings: Shop) -> int:
    """The shop's clock, in minutes since midnight."""
    now = clock.business_now().astimezone(ZoneInfo(settings.timezone))
    return now.hour * 60 + now.minute


def leaving(beside: Rail) -> list[str]:
    """What the head of such a queue says, of the rail that was asked for it; nothing for other queues."""
    if not beside.due:
        return []
    settings = shop()
    today = settings.today()
    named: dict[int, list[str]] = {}
    for at, number in beside.due_by:
        named.setdefault(at, []).append(number)
    opens = None if settings.works_on(today) else settings.working_day(today)
    return leaving_words(beside.due, minute_of_day(settings), named, opens)


def leaving_words(
    counts: Sequence[tuple[int, int]], now: int, missed: Mapping[int, Sequence[str]], opens: date | None = None
) -> list[str]:
    """'9 must leave by 16:30'; after it '2 missed 15:00: CF-1012, CF-1015'.

    `counts`: (cut-off, orders) with the soonest first. `missed`: by cut-off, numbers to name. `opens`: the next working
    day, when today is none.
    """
    on = f" on {near_day(opens)}" if opens else ""
    gone = [(at, n) for at, n in counts if not opens and at <= now]
    said = [f"{n} missed {time_words(at)}: {_named(n, missed.get(at, ()))}" for at, n in gone]
    for at, n in counts:
        if (at, n) not in gone:
            said.append(
                f"{n} must leave{on or ' today'}" if at == NO_CUT_OFF else f"{n} must leave{on} by {time_words(at)}"
            )
    return said


def _named(count: int, numbers: Sequence[str]) -> str:
    few = list(numbers[:NAMED])
    more = count - len(few)
    return ", ".join(few) + (f" and {more} more" if more > 0 and few else "") if few else "see the list"
