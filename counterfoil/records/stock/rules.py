"""Which lot and which bin units are taken from. Pure: places go in, shares come out; nothing is read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from counterfoil.records.stock.models import Place

FEFO, FIFO = "fefo", "fifo"
_LAST_DAY = date.max


@dataclass(frozen=True)
class Share:
    """`units` of what lies at `place`."""

    place: Place
    units: int


def walk(bin_: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """Sorts bins as a picker walks: A-2 comes before A-10, and what has no bin comes last."""
    pieces = re.findall(r"\d{1,18}|\D+", bin_.upper())
    return not bin_, [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces]


def picking_order(places: Iterable[Place], *, by: str, today: date) -> list[Place]:
    """The places in the order in which their units are taken.

    `by` FEFO: the date that ends first, then what has none, oldest first. FIFO: what came first, whatever its date. A
    lot whose date has passed comes last either way: it is for somebody to set aside, not to sell before the others.
    """

    def key(place: Place) -> tuple[bool, date, datetime, tuple[bool, list[tuple[int, int, str]]], int]:
        over = place.best_before is not None and place.best_before < today
        ends = place.best_before if by == FEFO and place.best_before else _LAST_DAY
        return over, ends, place.first_at, walk(place.bin), place.pk

    return sorted(places, key=key)


def choose(
    places: Sequence[Place],
    units: int,
    *,
    there: Mapping[int, int],
    mine: Mapping[int, int] | None = None,
    others: Mapping[int, int] | None = None,
) -> list[Share]:
    """Take `units` from `places` (in picking order), by place at most what is `there`; the answer may fall short.

    First from the places that were chosen before (`mine`), then from what nobody else's list names (`others`), then
    from what is left: a printed list is kept to as long as the units are where it says.
    """
    taken: dict[int, int] = {}
    left = units
    named, spoken = mine or {}, others or {}
    for turn in range(3):
        for place in places:
            pk = place.pk
            most = there.get(pk, 0)
            if turn == 0:
                most = min(named.get(pk, 0), most)
            elif turn == 1:
                most -= spoken.get(pk, 0)
            more = min(left, most - taken.get(pk, 0))
            if more > 0:
                taken[pk] = taken.get(pk, 0) + more
                left -= more
    return [Share(place, taken[place.pk]) for place in places if taken.get(place.pk)]
