"""What somebody asks to be picked, packed or returned: read, checked, laid out over lines at hand. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from counterfoil.core.errors import Invalid
from counterfoil.records.orders.models import Line

MAX_UNITS = 1_000_000


@dataclass(frozen=True)
class From:
    """Units of a SKU out of a certain bin or lot (None: whichever was chosen for them)."""

    quantity: int
    short: int
    bin: str | None = None
    lot: str | None = None
    field: str = "lines"  # where it stood in the request


@dataclass(frozen=True)
class Asked:
    """Units of one SKU. `short` units were not to be found; `rest_short` says that all the others were not."""

    sku: str
    quantity: int
    short: int = 0
    rest_short: bool = False
    field: str = "lines"  # where it stood in the request
    places: tuple[From, ...] = ()  # where a picker says that they come from
    why: str = ""  # of units that are short: "broken", "wrong" (another product lay there), else not to be found


def read(lines: Sequence[Mapping[str, Any]], *, shorts: bool = False) -> list[Asked]:
    """One `Asked` per SKU from `[{sku, quantity, short?, bin?, lot?}]`. Raises Invalid naming every unfit field.

    `short` is the number of units that were not to be found (besides `quantity`, which were), or True for all the rest.
    A pick may name a SKU once for each bin and lot.
    """
    wrong: list[tuple[str, str]] = []
    found: dict[str, Asked] = {}
    if not lines:
        raise Invalid(("lines", "name at least one line, or leave lines out for everything"))
    for i, line in enumerate(lines):
        field = f"lines.{i}"
        sku = str(line.get("sku") or "").strip()
        if not sku:
            wrong.append((f"{field}.sku", "is missing"))
            continue
        place = (line.get("bin"), line.get("lot")) if shorts else (None, None)
        before = found.get(sku)
        if before is not None and not _other_place(before, place):
            wrong.append((f"{field}.sku", f"{sku} is named twice"))
            continue
        short = line.get("short") or 0
        if short and not shorts:
            wrong.append((f"{field}.short", "only a pick can fall short"))
        quantity = line.get("quantity")
        if not _count(quantity) or not (short is True or _count(short)):
            wrong.append((f"{field}.quantity", "must be a whole number of units, 0 or more"))
            continue
        if not quantity and not short:
            wrong.append((f"{field}.quantity", "must be at least 1"))
            continue
        units, missing = int(quantity or 0), 0 if short is True else int(short)
        here = From(units, missing, *place, field)
        so_far = before or Asked(sku, 0, field=field)
        found[sku] = replace(
            so_far,
            quantity=so_far.quantity + units,
            short=so_far.short + missing,
            rest_short=so_far.rest_short or short is True,
            places=(*so_far.places, here),
            why=so_far.why or (str(line.get("why") or "") if shorts else ""),
        )
    if wrong:
        raise Invalid(*wrong)
    return list(found.values())


def _other_place(before: Asked, place: tuple[str | None, str | None]) -> bool:
    """Whether units of a SKU that was named already are out of a bin or lot that was not."""
    return place != (None, None) and all((p.bin, p.lot) not in {place, (None, None)} for p in before.places)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_UNITS


def lay_out(asked: Asked, lines: Sequence[Line], free: Callable[[Line], int], what: str) -> list[tuple[Line, int, int]]:
    """The asked units over the lines of that SKU, in their order: (line, units, short units), none of them empty.

    `free` says how many units of a line can take part; `what` names them ("reserved"). Raises Invalid.
    """
    mine = [ln for ln in lines if ln.sku == asked.sku]
    if not mine:
        raise Invalid((f"{asked.field}.sku", f"{asked.sku} is not on this order, or not in this part of it"))
    there = sum(free(ln) for ln in mine)
    short = max(0, there - asked.quantity) if asked.rest_short else asked.short
    if asked.quantity + short > there:
        said = f"{asked.quantity} and {short} short make {asked.quantity + short}" if short else str(asked.quantity)
        raise Invalid((f"{asked.field}.quantity", f"{said}: only {there} of {asked.sku} are {what}"))
    left, left_short = asked.quantity, short
    out: list[tuple[Line, int, int]] = []
    for ln in mine:
        take = min(left, free(ln))
        miss = min(left_short, free(ln) - take)
        left, left_short = left - take, left_short - miss
        if take or miss:
            out.append((ln, take, miss))
    return out
