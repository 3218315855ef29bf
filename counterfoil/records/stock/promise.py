"""Available to promise, phased by date: the earliest day on which units can ship. Pure; the formula is in
`docs/promises.md`.

    available(day) = free on the shelf + units that arrive up to that day - units that order lines wait for

Lines that wait have been promised the first units that come, oldest promise first; somebody new comes after them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

ENOUGH = 5  # deliveries; until there are so many the supplier's word counts
PERCENTILE = 80
STOCK, ARRIVAL, LEAD_TIME, NEVER = "stock", "arrival", "lead_time", "never"


@dataclass(frozen=True)
class Lead:
    """How long a product takes to come, in business days. `source`: learnt, product, supplier (their word) or shop."""

    days: int
    source: str
    observations: int = 0


@dataclass(frozen=True)
class Arrival:
    """Units on their way and the day on which they come; `certain`: the supplier has confirmed it."""

    day: date
    units: int
    certain: bool = False
    purchase_order: str = ""


@dataclass(frozen=True)
class Shelf:
    """What is known of one product: `free` units lie on the shelf for nobody, order lines wait for `waiting`."""

    free: int
    waiting: int
    lead: Lead
    stops: bool = False  # it is not bought in for a customer when it is sold out
    arrivals: tuple[Arrival, ...] = ()

    @property
    def spare(self) -> int:
        """Units on the shelf that a new customer can have."""
        return max(0, self.free - self.waiting)


@dataclass(frozen=True)
class Earliest:
    """The day on which so many units can ship (None: nobody knows) and what that rests on."""

    day: date | None
    basis: str
    certain: bool = False


def p80(days: Iterable[int]) -> int | None:
    """The 80th percentile by nearest rank; None of nothing."""
    known = sorted(days)
    return known[ceil(PERCENTILE * len(known) / 100) - 1] if known else None


def lead_of(*, own: int | None, word: int | None, learnt: int | None, observations: int, otherwise: int = 7) -> Lead:
    """The lead time to promise by: learnt from enough deliveries; else the product's word, else the supplier's.

    A product that is said to take longer than its supplier's deliveries keeps its word.
    """
    if learnt is not None and observations >= ENOUGH:
        return Lead(max(learnt, own or 0), "learnt" if learnt >= (own or 0) else "product", observations)
    if own is not None:
        return Lead(own, "product", observations)
    if word is not None:
        return Lead(word, "supplier", observations)
    return Lead(otherwise, "shop", observations)


def comes_on(
    *,
    confirmed: date | None,
    expected: date | None,
    sent_on: date,
    lead: Lead,
    today: date,
    after: Callable[[date, int], date],
) -> tuple[date, bool]:
    """When an open purchase line's units come, and whether that is certain.

    The day that the supplier confirmed; else the day that we expect, else its lead time after it was sent. What is
    overdue is as far away as something ordered today. `after(day, n)` counts business days.
    """
    if confirmed is not None and confirmed >= today:
        return confirmed, True
    if confirmed is None:
        day = expected if expected is not None else after(sent_on, lead.days)
        if day >= today:
            return day, False
    return after(today, lead.days), False


def phases(shelf: Shelf) -> list[tuple[date | None, int]]:
    """What can be promised to a new customer from which day on: (None: now, units), then whenever it becomes more.

    Cumulated; never negative.
    """
    level = shelf.free - shelf.waiting
    out: list[tuple[date | None, int]] = [(None, max(0, level))]
    for arrival in sorted(shelf.arrivals, key=lambda a: a.day):
        level += arrival.units
        if max(0, level) > out[-1][1]:
            if out[-1][0] == arrival.day:
                out[-1] = (arrival.day, level)
            else:
                out.append((arrival.day, level))
    return out


def earliest(shelf: Shelf, quantity: int, *, soon: date, bought_in: date) -> Earliest:
    """The earliest day on which `quantity` units can ship to somebody who orders now.

    `soon`: when something that is here ships; `bought_in`: when something ordered today would be here.
    """
    level = shelf.free - shelf.waiting
    if level >= quantity:
        return Earliest(soon, STOCK, certain=True)
    for arrival in sorted(shelf.arrivals, key=lambda a: a.day):
        level += arrival.units
        if level >= quantity:
            return Earliest(max(soon, arrival.day), ARRIVAL, arrival.certain)
    if shelf.stops:
        return Earliest(None, NEVER)
    return Earliest(max(soon, bought_in), LEAD_TIME)


def latest(days: Sequence[Earliest]) -> Earliest | None:
    """Of several lines the one that is ready last: an order ships when all of it can."""
    if not days:
        return None
    return max(days, key=lambda found: (found.day is None, found.day or date.min))
