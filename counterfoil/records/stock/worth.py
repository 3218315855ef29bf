"""What goods cost: they come to a place at what was paid for them, and leave it at the average of what lies there.

Values are minor units of the shop's currency. What is in the house is on hand, picked or quarantined: to be fetched,
carried or set aside costs nothing, only coming and going does. The last unit takes all that is left, so that a place
that is empty is worth nothing, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from counterfoil.core.db import rows

Spot = tuple[int, str, str]  # product, bin, lot


@dataclass
class Pile:
    """Units that lie together, and what they are worth."""

    units: int = 0
    value: int = 0

    def part(self, units: int) -> int:
        """What so many of them are worth: their share, rounded down; of all of them everything."""
        return self.value if units >= self.units else self.value * units // self.units

    def take(self, units: int) -> int:
        """Take so many away; what they are worth."""
        worth = self.part(units)
        self.units, self.value = max(0, self.units - units), self.value - worth
        return worth


class Moved(Protocol):
    """What a movement says of units in the house, and, where it is known, what they are worth."""

    @property
    def product_id(self) -> int: ...
    @property
    def bin(self) -> str: ...
    @property
    def lot(self) -> str: ...
    @property
    def housed(self) -> int: ...
    @property
    def value(self) -> int | None: ...


def entering(units: int, *, cost: int, lying: Pile) -> int:
    """What units are worth that come in without a price: the product's cost, or, if none is set, what lies there."""
    if cost:
        return units * cost
    return lying.value * units // lying.units if lying.units else 0


def worths(changes: Sequence[Moved]) -> list[int]:
    """What each of these changes adds to the house (below zero: takes out of it), the balances locked: one statement.

    A change that names its value keeps it. What leaves one place and comes to another of the same lot in the same act
    is carried, and stays worth what it was.
    """
    out = [change.value or 0 for change in changes]
    open_ = [at for at, change in enumerate(changes) if change.housed and change.value is None]
    if not open_:
        return out
    piles, costs = _piles({changes[at].product_id for at in open_})
    carried: dict[tuple[int, str], Pile] = {}
    for at in [at for at in open_ if changes[at].housed < 0]:
        c = changes[at]
        out[at] = -piles.setdefault((c.product_id, c.bin, c.lot), Pile()).take(-c.housed)
        freed = carried.setdefault((c.product_id, c.lot), Pile())
        freed.units, freed.value = freed.units - c.housed, freed.value - out[at]
    for at in [at for at in open_ if changes[at].housed > 0]:
        c = changes[at]
        freed = carried.get((c.product_id, c.lot), Pile())
        again = min(c.housed, freed.units)
        lying = piles.get((c.product_id, c.bin, c.lot), Pile())
        out[at] = freed.take(again) if again else 0
        out[at] += entering(c.housed - again, cost=costs.get(c.product_id, 0), lying=lying)
    return out


def lying_at(products: Iterable[int]) -> Mapping[Spot, Pile]:
    """What lies at each place of these products, and what it is worth."""
    return _piles(set(products))[0]


def cost_of_lines(order: str, lines: Iterable[int]) -> int:
    """What those units of an order's lines cost that are with the customer: what they were worth when they left."""
    ids = sorted(set(lines))
    if not ids:
        return 0
    (found,) = rows(
        "SELECT COALESCE(-SUM(value), 0) FROM stock_movement WHERE subject = %s "
        f"AND line IN ({', '.join(['%s'] * len(ids))})",
        [order, *ids],
    )
    return int(found[0])


def _piles(products: set[int]) -> tuple[dict[Spot, Pile], dict[int, int]]:
    """What lies at each place of these products, and what each of them costs in the catalogue."""
    piles: dict[Spot, Pile] = {}
    costs: dict[int, int] = {}
    ids = sorted(products)
    for product, cost, bin_, lot, units, value in rows(
        "SELECT p.id, p.cost, s.bin, s.lot, s.on_hand + s.picked + s.quarantined, s.value FROM catalogue_product p "
        f"LEFT JOIN stock_place s ON s.product_id = p.id WHERE p.id IN ({', '.join(['%s'] * len(ids))})",
        ids,
    ):
        costs[product] = int(cost)
        if bin_ is not None:
            piles[product, bin_, lot] = Pile(int(units), int(value))
    return piles, costs
