"""Where units lie: choosing lots and bins, by the shop's rule, and remembering which ones were chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from counterfoil.core.db import execute, rows
from counterfoil.core.shop import shop
from counterfoil.records.stock.models import PickPlan, Place
from counterfoil.records.stock.rules import Share, choose, picking_order


@dataclass(frozen=True)
class Held:
    """Units of an order line that came out of a place: in the picker's hands, or with the customer by now."""

    bin: str
    lot: str
    picked: int
    shipped: int
    value: int = 0  # what those with the customer cost, minor units of the shop's currency


@dataclass
class Wanted:
    """Units to be fetched for an order line; `bin` and `lot`, where said, must be those of the place."""

    line: int
    product: int
    units: int
    bin: str | None = None
    lot: str | None = None


@dataclass
class Shelves:
    """The places of some products in picking order, with what is still to be had of each."""

    places: dict[int, list[Place]]
    there: dict[int, int] = field(default_factory=dict)  # by place
    planned: dict[int, dict[int, int]] = field(default_factory=dict)  # by place, then line

    def plan(self, wanted: Wanted, *, avoid: Collection[int] = ()) -> list[Share]:
        """Choose places for these units and write them on the line's list; they still lie there. `avoid`: last of all.

        As far as possible what was chosen for the line before. The answer may fall short.
        """
        fits = self._fits(wanted)
        fits = [p for p in fits if p.pk not in avoid] + [p for p in fits if p.pk in avoid]
        out = choose(fits, wanted.units, there=self.there, mine=self._named(wanted.line), others=self._spoken(wanted))
        for plans in self.planned.values():
            plans.pop(wanted.line, None)
        for share in out:
            self.planned.setdefault(share.place.pk, {})[wanted.line] = share.units
        return out

    def take(self, wanted: Wanted) -> list[Share]:
        """Choose places for these units, count them as gone and cross them off the line's list. It may fall short."""
        out = choose(
            self._fits(wanted), wanted.units, there=self.there, mine=self._named(wanted.line),
            others=self._spoken(wanted),
        )  # fmt: skip
        for share in out:
            self.there[share.place.pk] -= share.units
            plan = self.planned.get(share.place.pk, {})
            if wanted.line in plan:
                plan[wanted.line] = max(0, plan[wanted.line] - share.units)
        return out

    def planned_for(self, lines: Iterable[int]) -> list[PickPlan]:
        """What is on the lists of these order lines, to be written."""
        ids = set(lines)
        return [
            PickPlan(line=line, place_id=place, units=units)
            for place, plans in self.planned.items()
            for line, units in plans.items()
            if line in ids and units > 0
        ]

    def _fits(self, wanted: Wanted) -> list[Place]:
        return [
            p
            for p in self.places.get(wanted.product, [])
            if wanted.bin in (None, p.bin) and wanted.lot in (None, p.lot)
        ]

    def _named(self, line: int) -> dict[int, int]:
        return {place: plans[line] for place, plans in self.planned.items() if line in plans}

    def _spoken(self, wanted: Wanted) -> dict[int, int]:
        return {
            place: sum(units for line, units in plans.items() if line != wanted.line)
            for place, plans in self.planned.items()
        }


def places_of(products: Iterable[int]) -> dict[int, list[Place]]:
    """The places of these products that hold anything, in picking order."""
    settings = shop()
    found: dict[int, list[Place]] = {}
    for place in Place.objects.filter(product_id__in=sorted(set(products))).order_by("pk"):
        if place.on_hand or place.picked or place.quarantined:
            found.setdefault(place.product_id, []).append(place)
    today = settings.today()
    return {pk: picking_order(places, by=settings.lots_by, today=today) for pk, places in found.items()}


def shelves(products: Iterable[int], *, column: str = "on_hand") -> Shelves:
    """What lies where of these products and which lists name it: two statements. `column`: on_hand or quarantined."""
    ids = sorted(set(products))
    places = places_of(ids)
    there = {p.pk: int(getattr(p, column)) for found in places.values() for p in found}
    planned: dict[int, dict[int, int]] = {}
    if ids and column == "on_hand":
        # A list means nothing beyond what its line still has reserved.
        for place, line, units, reserved in rows(
            "SELECT k.place_id, k.line, k.units, l.reserved FROM stock_pickplan k "
            "JOIN stock_place p ON p.id = k.place_id JOIN orders_line l ON l.id = k.line "
            f"WHERE l.reserved > 0 AND p.product_id IN ({', '.join(['%s'] * len(ids))}) ORDER BY k.id",
            ids,
        ):
            planned.setdefault(place, {})[line] = min(int(units), int(reserved))
    return Shelves(places, there, planned)


def take_any(products_units: Mapping[int, int], *, column: str = "on_hand") -> dict[int, list[Share]]:
    """By product, which places so many units come from when nobody has said: in picking order, as far as they reach."""
    held = shelves(products_units, column=column)
    return {pk: held.take(Wanted(0, pk, units)) for pk, units in products_units.items()}


def keep_plans(held: Shelves, lines: Iterable[int]) -> None:
    """Write down which places the lists of these order lines name, in place of what was written before."""
    ids = sorted(set(lines))
    forget_plans(ids)
    PickPlan.objects.bulk_create(held.planned_for(ids))


def forget_plans(lines: Iterable[int]) -> None:
    """These lines have been fetched, or want nothing any more."""
    ids = sorted(set(lines))
    if ids:
        execute(f"DELETE FROM stock_pickplan WHERE line IN ({', '.join(['%s'] * len(ids))})", ids)


def held_by(subject: str, lines: Iterable[int]) -> dict[int, list[Held]]:
    """By line of one order, which bins and lots its units came from: read from the movements, in one statement."""
    ids = sorted(set(lines))
    out: dict[int, list[Held]] = {}
    if not ids:
        return out
    for line, bin_, lot, picked, shipped, value in rows(
        "SELECT line, bin, lot, SUM(picked), SUM(shipped), -SUM(value) FROM stock_movement WHERE subject = %s "
        f"AND line IN ({', '.join(['%s'] * len(ids))}) GROUP BY line, bin, lot "
        "HAVING SUM(picked) <> 0 OR SUM(shipped) <> 0 ORDER BY line, MIN(id)",
        [subject, *ids],
    ):
        out.setdefault(line, []).append(Held(bin_, lot, int(picked), int(shipped), int(value)))
    return out


def spread(units: int, held: Sequence[Held], column: str) -> list[tuple[Held, int]]:
    """`units` of a line over the places that they came from, by what each still has in `column` (picked, shipped)."""
    out: list[tuple[Held, int]] = []
    for one in held:
        share = min(units, getattr(one, column))
        if share > 0:
            out.append((one, share))
            units -= share
    if units:
        raise RuntimeError(f"{units} units of a line came from nowhere: the ledger and the line disagree")
    return out
