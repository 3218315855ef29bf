"""Counting the shelf: a sheet is printed, what was counted is entered, the difference is looked at and applied once.

A sheet remembers what each place held when it was made, and after which movement. So a shelf may be picked from while
it is counted: the difference is between what was counted and what lay there at the moment of the count, and is added to
what lies there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Sum

from counterfoil.core import clock, documents, journal
from counterfoil.core.actor import BUYER, PICKER, Actor, require
from counterfoil.core.db import rows, writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.machine import shift
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.slip import paper_shop, say_date
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import owe_fill
from counterfoil.records.stock.fields import MOST_UNITS, Errors, check_date, key_of, reason_of
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.rules import walk
from counterfoil.records.stock.worth import Pile, entering, lying_at
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.losing import let_go, losing
from counterfoil.steps.sourcing.models import COUNT, CountRow, CountSheet
from counterfoil.steps.sourcing.turns import note_touched

MOST_ROWS = 500
Key = tuple[str, str, str]  # SKU, bin, lot


@dataclass(frozen=True)
class Variance:
    """A row of a sheet as it stands. `since`: what went in and out between making the sheet and counting.

    `after`: what went in and out from the count until now. `lying`: what is there now, with its value. `difference` is
    None while nobody has counted.
    """

    row: CountRow
    since: int
    after: int
    lying: Pile = field(default_factory=Pile)

    @property
    def expected(self) -> int:
        """What should have lain there when it was counted."""
        return self.row.expected + self.since

    @property
    def difference(self) -> int | None:
        return None if self.row.counted is None else self.row.counted - self.expected

    @property
    def value(self) -> int:
        """What the difference costs (below zero) or brings, minor units of the shop's currency."""
        units = self.difference or 0
        if units < 0:
            return -self.lying.part(-units)
        return entering(units, cost=self.row.product.cost, lying=self.lying)

    @property
    def impossible(self) -> bool:
        """More has been fetched since than was counted."""
        return self.row.counted is not None and self.row.counted + self.after < 0


def make_count_sheet(
    *, actor: Actor, bins: Sequence[str] = (), skus: Sequence[str] = (), blind: bool = False
) -> CountSheet:
    """Make and issue a sheet for everything in these bins and for these products wherever they lie.

    Places that hold nothing are left out; a product that lies nowhere is looked for in its own bin. Raises Forbidden or
    Invalid (`bins`, `skus`), also when there is nothing to count or more than 500 places.
    """
    require(actor, BUYER, PICKER)
    errors: Errors = []
    named_bins: set[str] = set()
    for at, one in enumerate(bins):
        mine: Errors = []
        kept = key_of(one, "bin", mine)
        errors += [(f"bins.{at}", words) for _, words in mine]
        named_bins |= {kept} if kept else set()
    wanted = sorted(named_bins, key=walk)
    known = {p.sku: p for p in Product.objects.filter(sku__in=[str(s) for s in skus]).defer("art", "description")}
    errors += [(f"skus.{at}", f"there is no product {sku}") for at, sku in enumerate(skus) if sku not in known]
    if not wanted and not skus:
        errors.append(("bins", "name a bin, or a product"))
    if errors:
        raise Invalid(*errors)
    named = [*wanted, *[str(s) for s in dict.fromkeys(skus)]]
    with writing():
        there = Place.objects.filter(bin__in=wanted) if wanted else Place.objects.none()
        products = {p.product_id for p in there} | {p.pk for p in known.values()}
        ledger.lock(products)
        sheet = CountSheet(
            number=documents.next_number("count-sheet"), scope=", ".join(named)[:120], blind=blind,
            made_at=clock.business_now(), made_by=actor.name,
        )  # fmt: skip
        sheet.save()
        made = _rows(sheet, wanted, known)
        if not made:
            raise Invalid(("bins", "nothing lies there"))
        if len(made) > MOST_ROWS:
            raise Invalid(("bins", f"{len(made)} places are too many for one sheet: at most {MOST_ROWS}"))
        CountRow.objects.bulk_create(made)
        _issue(sheet, made)
        journal.record(
            "count_sheet_made", subject=sheet.number, actor=actor, text=f"Count of {sheet.scope}: {len(made)} places",
            data={"places": len(made), "blind": blind}, advance=False,
        )  # fmt: skip
    return sheet


def enter_count(
    *, actor: Actor, sheet: str, counted: Sequence[Mapping[str, Any]], counted_at: datetime | None = None
) -> CountSheet:
    """Write down what was counted: `[{sku, counted, bin?, lot?, best_before?, take_in?}]`. Entering again replaces it.

    `counted_at` says when; without it the count is of the moment when the sheet was made. A place that the ledger
    knows and the sheet does not is added to it. One that the ledger does not know is taken in only with `take_in`.
    Nothing changes on the shelf. Raises Forbidden, Missing, Invalid (each field) or Refused for a closed sheet.
    """
    require(actor, BUYER, PICKER)
    with writing():
        found = _open(sheet)
        if counted_at is not None and not found.made_at <= counted_at <= clock.business_now():
            raise Invalid(("counted_at", "between the moment when the sheet was made and now"))
        errors: Errors = []
        mine = {(r.product.sku, r.bin, r.lot): r for r in _rows_of(found)}
        reader = _Reader(found, mine, errors, actor)
        for at, said in enumerate(counted):
            reader.read(said, f"lines.{at}")
        if errors:
            raise Invalid(*errors)
        if counted_at is not None:
            found.counted_at = counted_at
            found.save(update_fields=["counted_at"])
        reader.save()
    return found


def apply_count(*, actor: Actor, sheet: str, reason: str) -> CountSheet:
    """The ledger follows what was counted, once; the difference is booked as lost or found at the products' cost.

    Where more is missing than is free, the newest promise waits again. Rows that nobody counted stay as they are.
    Raises Forbidden, Missing, Invalid (no reason; more was fetched since than was counted) or Refused.
    """
    require(actor, BUYER)
    errors: Errors = []
    why = reason_of(reason, errors, "say why the ledger was wrong")
    if errors:
        raise Invalid(*errors)
    found = _open(sheet)
    # A count is of a moment that has passed: what is moved from now on changes no difference.
    lost: dict[int, int] = {}
    for one in variances(found):
        lost[one.row.product_id] = lost.get(one.row.product_id, 0) - (one.difference or 0)
    if not any(one.difference is not None for one in variances(found)):
        raise Invalid(("lines", "nothing has been counted yet"))

    def follow(laid: Allotment) -> CountSheet:
        closing = _open(sheet, lock=True)
        _close(closing, "apply", actor, why)
        now = [one for one in variances(closing) if one.difference is not None]
        wrong = [one for one in now if one.impossible]
        if wrong:
            row, gone = wrong[0].row, -wrong[0].after
            where = f"{row.product.sku} in bin {row.bin or '-'}"
            raise Invalid(("lines", f"{where}: {row.counted} counted, {gone} fetched since: count it again"))
        touched = _follow(laid, closing, now, why, actor)
        journal.record(
            "count_applied",
            subject=closing.number,
            actor=actor,
            text=f"Counted: {_in_words(now)}. {why}",
            data={
                "lines": [
                    {
                        "sku": one.row.product.sku, "bin": one.row.bin, "lot": one.row.lot,
                        "expected": one.expected, "counted": one.row.counted, "difference": one.difference,
                    }
                    for one in now
                ],
                "orders": touched,
            },
            advance=False,
        )  # fmt: skip
        return closing

    return losing(lost, follow)


def drop_count(*, actor: Actor, sheet: str) -> CountSheet:
    """Nobody will count it: the sheet is closed and nothing changes. Raises Forbidden, Missing or Refused."""
    require(actor, BUYER, PICKER)
    with writing():
        found = _open(sheet, lock=True)
        _close(found, "drop", actor, "")
        journal.record("count_dropped", subject=sheet, actor=actor, text="Not counted after all", advance=False)
    return found


def find_sheet(number: str) -> CountSheet:
    """A sheet by its number. Raises Missing."""
    found = CountSheet.objects.filter(number=number).first()
    if found is None:
        raise Missing(f"there is no count sheet {number}")
    return found


def variances(sheet: CountSheet) -> list[Variance]:
    """Every row with what should have lain there when it was counted, in walking order: three statements."""
    marks: list[Any] = []
    # Without a moment, the count is of when the sheet was made: everything since came afterwards.
    before = "0"
    if sheet.counted_at is not None:
        before = "CASE WHEN m.at <= %s THEN m.on_hand ELSE 0 END"
        marks.append(sheet.counted_at)
    moved = {
        row: (int(since), int(all_) - int(since))
        for row, since, all_ in rows(
            f"SELECT r.id, COALESCE(SUM({before}), 0), COALESCE(SUM(m.on_hand), 0) FROM sourcing_countrow r "
            "JOIN stock_movement m ON m.product_id = r.product_id AND m.id > r.mark "
            "AND m.bin = r.bin AND m.lot = r.lot WHERE r.sheet_id = %s GROUP BY r.id",
            [*marks, sheet.pk],
        )
    }
    found = _rows_of(sheet)
    lying = lying_at(row.product_id for row in found)
    return [
        Variance(row, *moved.get(row.pk, (0, 0)), lying.get((row.product_id, row.bin, row.lot), Pile()))
        for row in found
    ]


def _rows_of(sheet: CountSheet) -> list[CountRow]:
    found = CountRow.objects.filter(sheet=sheet).select_related("product").defer("product__art", "product__description")
    return sorted(found, key=lambda r: (walk(r.bin), r.product.sku, r.lot))


def _rows(sheet: CountSheet, bins: Sequence[str], products: Mapping[str, Product]) -> list[CountRow]:
    """A row for every place that holds something, after the balances were locked."""
    ids = [p.pk for p in products.values()]
    found: dict[int, Place] = {}
    for chosen in (
        Place.objects.filter(bin__in=list(bins)) if bins else Place.objects.none(),
        Place.objects.filter(product_id__in=ids),
    ):
        for place in chosen.filter(on_hand__gt=0).select_related("product").defer("product__art"):
            found[place.pk] = place
    empty = [p for p in products.values() if not any(place.product_id == p.pk for place in found.values())]
    marks = _marks({p.product_id for p in found.values()} | {p.pk for p in empty})
    made = [
        CountRow(
            sheet=sheet, product=p.product, bin=p.bin, lot=p.lot, expected=p.on_hand, mark=marks.get(p.product_id, 0)
        )
        for p in found.values()
    ]
    made += [CountRow(sheet=sheet, product=p, bin=p.bin, lot="", expected=0, mark=marks.get(p.pk, 0)) for p in empty]
    return sorted(made, key=lambda r: (walk(r.bin), r.product.sku, r.lot))


def _marks(products: set[int]) -> dict[int, int]:
    newest = Movement.objects.filter(product_id__in=sorted(products)).values("product_id").annotate(last=Max("pk"))
    return {row["product_id"]: row["last"] for row in newest}


def _issue(sheet: CountSheet, made: Sequence[CountRow]) -> None:
    settings = shop()
    documents.issue(
        "count-sheet",
        subject=sheet.number,
        number=sheet.number,
        at=sheet.made_at,
        content={
            "shop": paper_shop(settings),
            "date_text": say_date(sheet.made_at.astimezone(ZoneInfo(settings.timezone)).date()),
            "scope": sheet.scope,
            "made_by": sheet.made_by,
            "lines": [
                {
                    "bin": row.bin,
                    "sku": row.product.sku,
                    "name": row.product.name,
                    "lot": f"lot {row.lot}" if row.lot else None,
                    "detail": row.product.size or None,
                    "expected": None if sheet.blind else str(row.expected),
                }
                for row in made
            ],
        },
    )


def _open(number: str, *, lock: bool = False) -> CountSheet:
    found = CountSheet.objects.filter(number=number)
    sheet = (found.select_for_update() if lock else found).first()
    if sheet is None:
        raise Missing(f"there is no count sheet {number}")
    if sheet.state != "open":
        raise blocked("someone_else", f"{number} has been {sheet.state} by {sheet.closed_by}", by=sheet.closed_by)
    return sheet


def _close(sheet: CountSheet, event: str, actor: Actor, reason: str) -> None:
    shift(COUNT, event, sheet, part=0)
    sheet.reason, sheet.closed_at, sheet.closed_by = reason, clock.business_now(), actor.name
    sheet.save(update_fields=["reason", "closed_at", "closed_by"])


class _Reader:
    """What somebody entered, row by row; `save` writes it."""

    def __init__(self, sheet: CountSheet, rows_: Mapping[Key, CountRow], errors: Errors, actor: Actor) -> None:
        self.sheet, self.rows, self.errors, self.actor = sheet, dict(rows_), errors, actor
        self.touched: dict[Key, CountRow] = {}

    def read(self, said: Mapping[str, Any], field: str) -> None:
        count = said.get("counted")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_UNITS:
            self.errors.append(
                (f"{field}.counted", f"a whole number from 0 to {MOST_UNITS}: nothing is counted below zero")
            )
            return
        mine: Errors = []
        sku, lot = str(said.get("sku") or ""), key_of(str(said.get("lot") or ""), "lot", mine)
        bin_ = None if said.get("bin") is None else key_of(str(said["bin"]), "bin", mine)
        self.errors += [(f"{field}.{name}", words) for name, words in mine]
        if mine:
            return
        row = self._row(sku, bin_, lot or "", said, field)
        if row is None:
            return
        key = (sku, row.bin, row.lot)
        if key in self.touched:
            self.errors.append((f"{field}.sku", f"{sku} is counted twice in that place"))
            return
        row.counted, row.entered_by = count, self.actor.name
        self.touched[key] = row

    def _row(self, sku: str, bin_: str | None, lot: str, said: Mapping[str, Any], field: str) -> CountRow | None:
        same = [r for (s, b, which), r in self.rows.items() if s == sku and which == lot and bin_ in (None, b)]
        if len(same) == 1:
            return same[0]
        if len(same) > 1:
            self.errors.append((f"{field}.bin", f"{sku} is counted in several bins: say which one this is"))
            return None
        product = Product.objects.filter(sku=sku).defer("art", "description").first()
        if product is None:
            self.errors.append((f"{field}.sku", f"there is no product {sku}"))
            return None
        where = product.bin if bin_ is None else bin_
        ledger.lock([product.pk])
        place = Place.objects.filter(product=product, bin=where, lot=lot).first()
        if place is None and said.get("take_in") is not True:
            named = f"no lot {lot} of {sku}" if lot else f"no {sku}"
            self.errors.append((
                f"{field}.{'lot' if lot else 'bin'}",
                f"the ledger knows {named} in bin {where or '-'}: look at it again, or say that it is to be taken in",
            ))  # fmt: skip
            return None
        best_before: date | None = said.get("best_before")
        check_date(product.pk, where, lot, best_before, field=f"{field}.best_before")
        mark, since = self._since(product.pk, where, lot)
        row = CountRow(
            sheet=self.sheet, product=product, bin=where, lot=lot, expected=(place.on_hand if place else 0) - since,
            mark=mark, best_before=best_before,
        )  # fmt: skip
        self.rows[sku, where, lot] = row
        return row

    def _since(self, product: int, bin_: str, lot: str) -> tuple[int, int]:
        """The newest movement of a product when the sheet was made, and what came to (or left) a place since."""
        mine = Movement.objects.filter(product_id=product)
        mark = mine.filter(at__lte=self.sheet.made_at).aggregate(last=Max("pk"))["last"] or 0
        since = mine.filter(pk__gt=mark, bin=bin_, lot=lot).aggregate(n=Sum("on_hand"))["n"] or 0
        return mark, since

    def save(self) -> None:
        new = [row for row in self.touched.values() if row._state.adding]
        if len(self.rows) > MOST_ROWS:
            raise Invalid(("lines", f"at most {MOST_ROWS} places on one sheet"))
        old = [row for row in self.touched.values() if not row._state.adding]
        CountRow.objects.bulk_create(new)
        CountRow.objects.bulk_update(old, ["counted", "entered_by"])


def _follow(laid: Allotment, sheet: CountSheet, now: Sequence[Variance], why: str, actor: Actor) -> list[str]:
    """Bring the shelf to what was counted, book it, and tell the orders that go without; their numbers."""
    net: dict[int, int] = {}
    for one in now:
        net[one.row.product_id] = net.get(one.row.product_id, 0) + (one.difference or 0)
    for product, units in net.items():
        if units < 0:
            let_go(laid, product, -units, actor=actor, why=why)
    for one in now:
        row = one.row
        laid.change(
            Change(
                row.product_id, "counted", f"count:{sheet.number}:{row.pk}", on_hand=one.difference or 0,
                subject=sheet.number, bin=row.bin, lot=row.lot, reason=why, best_before=row.best_before,
            )
        )  # fmt: skip
        row.booked = one.difference
    laid.cover()
    touched = laid.save(actor=actor)
    CountRow.objects.bulk_update([one.row for one in now], ["booked"])
    value = sum(laid.worth.values())
    post(
        cause=f"count:{sheet.number}",
        kind="count",
        subject=sheet.number,
        text=f"{sheet.number}: {_in_words(now)}"[:300],
        currency=shop().currency,
        amounts={"stock_losses": -value, "inventory": value},
    )
    note_touched("units_lost", touched, actor=actor, reason=f"{sheet.number} found less on the shelf")
    for product, units in sorted(net.items()):
        if units > 0:
            owe_fill(product)
    return [t.order.number for t in touched]


def _in_words(now: Sequence[Variance]) -> str:
    different = [f"{one.difference:+d} × {one.row.product.sku}" for one in now if one.difference]
    return ", ".join(different) or "everything is as it should be"
