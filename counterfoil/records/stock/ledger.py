"""Writing the unit ledger: every change of a balance is a movement with a cause of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.db import execute, in_writing, is_postgres, rows
from counterfoil.core.errors import Refused, blocked
from counterfoil.records.stock.models import COLUMNS, PLACED, Balance, Movement
from counterfoil.records.stock.worth import Spot, worths

# Rows of a statement: SQLite takes 32,766 parameters.
_MOST_ROWS = 2_000
_OF_A_PLACE = (*PLACED, "value")


@dataclass(frozen=True)
class Change:
    """One movement to be written. Quantities are signed units; `cause` may be used once, ever.

    `bin` and `lot` name the place of units that are on hand, picked or quarantined. `best_before` is what is known of
    a lot that comes in, `since` when it first came to the house (None: now). `value` is what units that come to the
    house have cost, minor units of the shop's currency; None: `worth.py` says it.
    """

    product_id: int
    kind: str
    cause: str
    on_hand: int = 0
    reserved: int = 0
    picked: int = 0
    shipped: int = 0
    quarantined: int = 0
    due_in: int = 0
    subject: str = ""
    line: int | None = None
    reason: str = ""
    bin: str = ""
    lot: str = ""
    best_before: date | None = None
    since: datetime | None = None
    value: int | None = None

    @property
    def housed(self) -> int:
        """By how many units there are more in the house."""
        return self.on_hand + self.picked + self.quarantined


def once(cause: str, at: int) -> str:
    """The cause of one act's movement at its place number `at`: what happens at several places happens once at each."""
    return cause if not at else f"{cause}:{at + 1}"


def lock(product_ids: Iterable[int]) -> dict[int, Balance]:
    """The balances of these products, taken in id order so that two carts cannot lock each other out.

    Their places are written only by whoever holds them.
    """
    if not in_writing():
        raise RuntimeError("balances are locked inside writing()")
    wanted = sorted(set(product_ids))
    return {
        b.product_id: b
        for b in Balance.objects.select_for_update().filter(product_id__in=wanted).order_by("product_id")
    }


def move(changes: Iterable[Change], *, actor: Actor) -> dict[str, int]:
    """Write movements and bring balances and places along. Refuses when one of them would become impossible.

    Returns by cause what came to the house (below zero: left it) is worth, minor units of the shop's currency. The
    caller has locked the balances (or holds SQLite's pen). Three statements, whatever the number of products: the
    movements, the balances, the places; two more when a place is new, and one first when something
    leaves the house, or comes without a price.
    """
    todo = [c for c in changes if c.value or any(getattr(c, column) for column in COLUMNS)]
    if not todo:
        return {}
    todo = [replace(c, value=value) for c, value in zip(todo, worths(todo), strict=True)]
    now = clock.business_now()
    Movement.objects.bulk_create(
        Movement(
            product_id=c.product_id,
            kind=c.kind,
            cause=c.cause,
            subject=c.subject,
            line=c.line,
            reason=c.reason,
            bin=c.bin,
            lot=c.lot,
            actor=actor.name,
            at=now,
            value=c.value or 0,
            **{column: getattr(c, column) for column in COLUMNS},
        )
        for c in todo
    )
    try:
        _bring_balances(todo)
        _bring_places(todo, now)
    except IntegrityError as error:
        raise _refusal(error) from error
    return {c.cause: c.value for c in todo if c.value}


def _refusal(error: IntegrityError) -> Refused:
    if "place_" in str(error):
        return blocked("sold_out", "there are not that many in that place: its stock would become negative")
    return blocked("sold_out", "there are not that many: the stock would become negative")


def _sums(changes: Sequence[Change], columns: Sequence[str], *, placed: bool) -> dict[Any, dict[str, int]]:
    """The changes of these columns by product, or by place; what comes to nothing is left out."""
    sums: dict[Any, dict[str, int]] = {}
    for c in changes:
        key = (c.product_id, c.bin, c.lot) if placed else c.product_id
        held = sums.setdefault(key, dict.fromkeys(columns, 0))
        for column in columns:
            held[column] += int(getattr(c, column) or 0)
    return {key: sums[key] for key in sorted(sums) if any(sums[key].values())}


def _bring_balances(changes: Sequence[Change]) -> None:
    sums: dict[int, dict[str, int]] = _sums(changes, COLUMNS, placed=False)
    moved = [c for c in COLUMNS if any(held[c] for held in sums.values())]
    # Both databases call the columns of a list of values column1, column2 and so on.
    setters = ", ".join(f"{c} = stock_balance.{c} + w.column{at}" for at, c in enumerate(moved, 2))
    for some in _some(list(sums)):
        touched = execute(
            f"UPDATE stock_balance SET {setters} FROM (VALUES "
            f"{_marks(len(some), *['bigint'] * (1 + len(moved)))}) AS w "
            "WHERE stock_balance.product_id = w.column1",
            [v for product in some for v in (product, *(sums[product][c] for c in moved))],
        )
        if touched != len(some):
            raise RuntimeError(f"one of the products {some} has no balance row")


def _bring_places(changes: Sequence[Change], now: datetime) -> None:
    sums: dict[Spot, dict[str, int]] = _sums(changes, _OF_A_PLACE, placed=True)
    known: dict[Spot, tuple[date | None, datetime]] = {}
    for c in changes:
        key = (c.product_id, c.bin, c.lot)
        day, since = known.get(key, (None, now))
        known[key] = (c.best_before or day, min(since, c.since or now))
    for some in _some(list(sums)):
        if _update_places(some, sums, known) != len(some):
            _insert_places(some, sums, known)


def _update_places(
    spots: Sequence[Spot], sums: Mapping[Spot, dict[str, int]], known: Mapping[Spot, tuple[date | None, datetime]]
) -> int:
    """Change the places that there are; how many those were."""
    types = ("bigint", "text", "text", "date", "timestamptz", *["bigint"] * len(_OF_A_PLACE))
    empty = "stock_place.on_hand + stock_place.picked + stock_place.quarantined = 0"
    return execute(
        "UPDATE stock_place SET "
        + ", ".join(f"{c} = stock_place.{c} + w.column{at}" for at, c in enumerate(_OF_A_PLACE, 6))
        + f", first_at = CASE WHEN {empty} THEN w.column5 ELSE stock_place.first_at END, "
        f"best_before = CASE WHEN {empty} AND w.column3 = '' THEN w.column4 "
        f"ELSE COALESCE(w.column4, stock_place.best_before) END FROM (VALUES {_marks(len(spots), *types)}) AS w "
        "WHERE stock_place.product_id = w.column1 AND stock_place.bin = w.column2 AND stock_place.lot = w.column3",
        [v for spot in spots for v in (*spot, *known[spot], *(sums[spot][c] for c in _OF_A_PLACE))],
    )


def _insert_places(
    spots: Sequence[Spot], sums: Mapping[Spot, dict[str, int]], known: Mapping[Spot, tuple[date | None, datetime]]
) -> None:
    """Make the places of these that were not there before."""
    there = set(
        rows(
            "SELECT product_id, bin, lot FROM stock_place WHERE product_id IN "
            f"({', '.join(['%s'] * len({s[0] for s in spots}))})",
            sorted({s[0] for s in spots}),
        )
    )
    new = [spot for spot in spots if spot not in there]
    one = f"({', '.join(['%s'] * (5 + len(_OF_A_PLACE)))})"
    execute(
        f"INSERT INTO stock_place (product_id, bin, lot, best_before, first_at, {', '.join(_OF_A_PLACE)}) "
        f"VALUES {', '.join([one] * len(new))}",
        [v for spot in new for v in (*spot, *known[spot], *(sums[spot][c] for c in _OF_A_PLACE))],
    )


def change_waiting(by_product: Mapping[int, int]) -> None:
    """Tell the balances how many more (or fewer) units open lines want without having them reserved: one statement."""
    told = {product: by_product[product] for product in sorted(by_product) if by_product[product]}
    for some in _some(list(told)):
        execute(
            "UPDATE stock_balance SET waiting = stock_balance.waiting + w.column2 FROM (VALUES "
            f"{_marks(len(some), 'bigint', 'bigint')}) AS w WHERE stock_balance.product_id = w.column1",
            [v for product in some for v in (product, told[product])],
        )


def _some(keys: list[Any]) -> Iterable[list[Any]]:
    return (keys[at : at + _MOST_ROWS] for at in range(0, len(keys), _MOST_ROWS))


def _marks(count: int, *types: str) -> str:
    """Place-holders for `count` rows of a VALUES list. PostgreSQL wants to be told what they are."""
    cast = is_postgres()
    row = ", ".join(f"%s::{kind}" if cast else "%s" for kind in types)
    return ", ".join([f"({row})"] * count)
