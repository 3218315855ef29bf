"""A small world: one order, its charges under way, the pages its customer has open. Days are counted from today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from counterfoil.core.machine import Machine
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts
from counterfoil.records.orders.models import BOOKS, MONEY, PARCEL, REVIEW, STOCK

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
DAY = timedelta(days=1)
SOON, LATE = TODAY + DAY, TODAY + 2 * DAY  # a delivery that the charge need not wait for, and one that it must
CONSENT = {"card_state": "to_save", "card_consent": True}
MACHINES = (REVIEW, STOCK, MONEY, PARCEL, BOOKS)


@dataclass(frozen=True)
class World:
    """`flights`, of each part: "", a `hold` being asked for, a charge `intended`, or `sent` and not answered yet.

    `pages`, of each part: what its customer can pay at a page that is open; 0: none is. `asked`: the choice that the
    customer was offered, or has accepted.
    """

    order: OrderFacts
    flights: tuple[str, ...] = ("",)
    pages: tuple[int, ...] = (0,)
    asked: str = ""

    def of(self, **changes: Any) -> World:
        """The same world with something else on its order."""
        return replace(self, order=replace(self.order, **changes))

    def with_part(self, index: int, part: PartFacts, *, flight: str | None = None, page: int | None = None) -> World:
        """The same world with this part in place of the one at `index`."""
        parts = self.order.parts
        if page is not None:
            part = replace(part, page_open=page > 0)
        changed = replace(self.order, parts=(*parts[:index], part, *parts[index + 1 :]))
        flights = self.flights if flight is None else _put(self.flights, index, flight)
        pages = self.pages if page is None else _put(self.pages, index, page)
        return World(changed, flights, pages, self.asked)

    def parts(self) -> Iterator[tuple[int, PartFacts]]:
        return iter(enumerate(self.order.parts))


Next = tuple[str, World]
"""What happened, in a few words, and the world after it."""
Moves = Callable[[World], Iterator[Next]]


def _put(values: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])


class Impossible(AssertionError):
    """Something was done that no table allows."""


@dataclass
class Taken:
    """Which events were taken from which state, over all walks of this process."""

    ways: set[tuple[str, str, str]]


TAKEN = Taken(set())


def shifted(machine: Machine, event: str, state: str) -> str:
    """Where the event leads. Raises Impossible when the table does not know it from here."""
    target = machine.target(event, state)
    if target is None:
        raise Impossible(f"{machine.axis}: {event} is not possible from {state}")
    TAKEN.ways.add((machine.axis, event, state))
    return target


def money(part: PartFacts, event: str, **more: Any) -> PartFacts:
    return replace(part, money=shifted(MONEY, event, part.money), **more)


def parcel(part: PartFacts, event: str, **more: Any) -> PartFacts:
    return replace(part, parcel=shifted(PARCEL, event, part.parcel), **more)


def stock(part: PartFacts, event: str, **more: Any) -> PartFacts:
    return replace(part, stock=shifted(STOCK, event, part.stock), **more)


def books(part: PartFacts, event: str, **more: Any) -> PartFacts:
    return replace(part, books=shifted(BOOKS, event, part.books), **more)


def with_lines(part: PartFacts, change: Callable[[LineFacts], LineFacts]) -> PartFacts:
    return replace(part, lines=tuple(change(line) for line in part.lines))


def with_line(part: PartFacts, at: int, line: LineFacts) -> PartFacts:
    return replace(part, lines=_put(part.lines, at, line))


def placed(
    *parts: tuple[int, ...], method: str = "card", here: bool = True, finished: bool = True, **settings: Any
) -> World:
    """An order that has just come in: of each part the quantities of its lines; `here`: it found them on the shelf."""
    made = []
    count = 0
    for number, quantities in enumerate(parts, start=1):
        lines = []
        for quantity in quantities:
            count += 1
            lines.append(LineFacts(count, f"W{count}", f"W{count}", quantity, reserved=quantity if here else 0))
        made.append(PartFacts(number=number, total=2, lines=tuple(lines)))
    order = OrderFacts(
        number="CF-1", payment_method=method, finished=finished, placed_at=NOW, now=NOW, today=TODAY,
        day_ends_at=NOW + DAY / 3, horizon=SOON, warning_days=1, parts=tuple(made),
        **{**(CONSENT if method == "card" and finished else {}), **settings},
    )  # fmt: skip
    return World(order, ("",) * len(made), (0,) * len(made))


def tomorrow(world: World) -> World:
    """A day passes: every date comes a day nearer; what is over stays over, by a day at most."""
    order = world.order
    asked = order.question_expires_at
    order = replace(
        order,
        question_expires_at=max(asked - DAY, NOW) if asked else None,
        placed_at=NOW - DAY,
        notices=tuple(replace(n, answer_by=max(n.answer_by - DAY, TODAY - DAY)) for n in order.notices),
        parts=tuple(_a_day_older(part) for part in order.parts),
    )
    return World(order, world.flights, (0,) * len(world.pages), world.asked)


def _a_day_older(part: PartFacts) -> PartFacts:
    ends = part.authorisation_expires_at
    return replace(
        part,
        promise_date=_nearer(part.promise_date),
        legal_deadline=_nearer(part.legal_deadline),
        authorisation_expires_at=max(ends - DAY, NOW) if ends else None,
        page_open=False,  # a page is open for a day
        lines=tuple(replace(line, due_date=_nearer(line.due_date)) for line in part.lines),
    )


def _nearer(day: date | None) -> date | None:
    return None if day is None else max(day - DAY, TODAY - DAY)
