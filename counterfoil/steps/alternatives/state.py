"""The order as the choices see it: plain values, no database behind them. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums, resum
from counterfoil.steps.alternatives.rules import GONE


@dataclass(frozen=True)
class LineState:
    """A line as it stands. `class_ppm` is the shop's present rate for its product at this address."""

    id: int
    sku: str
    name: str
    money: LineMoney
    reserved: int = 0
    picked: int = 0
    shipped: int = 0
    class_ppm: int = 0
    family: int | None = None
    vintage: int | None = None

    @property
    def free(self) -> int:
        """Units that have not left the shelf for the customer."""
        return max(0, self.money.quantity - self.picked - self.shipped)

    @property
    def missing(self) -> int:
        """Units that are not here yet."""
        return max(0, self.free - self.reserved)


@dataclass(frozen=True)
class PartState:
    number: int
    sums: Sums
    lines: tuple[LineState, ...]
    money: str = "saved"
    parcel: str = "waiting"
    promise: date | None = None

    @property
    def here(self) -> bool:
        """Something of it is wanted and has not been shipped."""
        return self.parcel not in GONE and any(line.money.quantity for line in self.lines)

    @property
    def charged(self) -> bool:
        return self.money in {"charged", "receivable"}

    def with_lines(self, new: Sequence[LineMoney], *, shipping: int | None = None) -> Sums:
        return resum(self.sums, [line.money for line in self.lines], new, shipping=shipping)


@dataclass(frozen=True)
class Stop:
    """A hold of the weather: the customer may wait, upgrade, or take the goods as they then arrive."""

    id: int
    reason: str


@dataclass(frozen=True)
class OrderState:
    currency: str
    method: str
    parts: tuple[PartState, ...]
    weather: tuple[Stop, ...] = ()
    by_card: bool = False  # what is given back goes to a card, by itself

    @property
    def total(self) -> int:
        return sum(p.sums.total for p in self.parts)

    def here(self) -> list[PartState]:
        return [p for p in self.parts if p.here]


def nobody_knows(units: int) -> date | None:
    """When so many units can ship, where nothing has been read of it."""
    return None


@dataclass(frozen=True)
class Offer:
    """A product that could stand in. `price` None: sold in another currency; `can_have` None: no limit."""

    id: int
    sku: str
    name: str
    price: int | None
    class_ppm: int = 0
    family: int | None = None
    vintage: int | None = None
    can_have: int | None = None
    free: int = 0  # on the shelf and promised to nobody
    ships: Callable[[int], date | None] = nobody_knows  # the earliest day for so many units


@dataclass(frozen=True)
class Terms:
    """What the choices are judged against."""

    today: date
    offers: Mapping[str, Offer] = field(default_factory=dict)
    deliveries: Sequence[tuple[str, int]] = ()  # method and price
    price_rule: str = "own"
    soon: date | None = None  # when what is here can ship; None: no dates were read, and none are filled in
    days: Mapping[int, date | None] = field(default_factory=dict)  # by line: when all of it can ship

    def ready(self, part: PartState, off: Mapping[int, int] | None = None) -> date | None:
        """When what is left of a part can ship, with so many units of its lines taken `off`. None: nobody knows."""
        if self.soon is None:
            return None
        days = [self.soon]
        for line in part.lines:
            if line.missing > (off or {}).get(line.id, 0):
                day = self.days.get(line.id)
                if day is None:
                    return None
                days.append(day)
        return max(days)


def latest(*days: date | None) -> date | None:
    """The last of these days; None, if one of them is not known."""
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def receiver_of(order: OrderState, emptied: PartState) -> PartState | None:
    """The part that takes over an emptied one's shipping: still here and still to be paid."""
    return next((p for p in order.here() if p.number != emptied.number and not p.charged), None)
