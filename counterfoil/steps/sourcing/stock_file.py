"""Stock as a CSV file: `sku, bin, lot, best_before, quantity, cost`, in and out.

Taken in as `opening` stock the units are added; as `counted` each place is brought to what the file says. `cost` is
what one of the units cost that a line adds; what lies there already keeps what it has cost. A line is taken in with its
own transaction, in which the file remembers it: a run that was cut off goes on where it stood, and the same file again
changes nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from counterfoil.core import clock, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.cards import mask_cards
from counterfoil.core.db import rows, writing
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.money import parse_amount, plain
from counterfoil.core.shop import shop
from counterfoil.core.text import as_cell, from_cell
from counterfoil.gateways.storefront.lines import Raw, cells_of, columns_of
from counterfoil.gateways.storefront.protocol import BadLine
from counterfoil.records.catalogue.actions import MOST_PRICE
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.actions import owe_fill
from counterfoil.records.stock.fields import MOST_UNITS, SUBJECT, Errors, check_date, key_of
from counterfoil.records.stock.handling import book_loss
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Place
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.losing import let_go, losing
from counterfoil.steps.sourcing.models import StockFile
from counterfoil.steps.sourcing.turns import note_touched

COLUMNS = ("sku", "bin", "lot", "best_before", "quantity", "cost")
OPENING, COUNTED = "opening", "counted"
Reject = Callable[[int, str, str], None]
"""Line number, reason, the line."""


@dataclass
class Taken:
    """What came of a file. `again`: it had been taken in before, and nothing was done."""

    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    again: bool = False


@dataclass(frozen=True)
class StockLine:
    """One line of a file. `bin` None: the file has no such column, and the product's bin is meant."""

    number: int
    sku: str
    bin: str | None
    lot: str
    best_before: date | None
    quantity: int
    cost: int | None = None  # of one unit, minor units of the shop's currency; None: as the catalogue says


def take_stock_file(
    *, actor: Actor, name: str, content: Iterable[Raw], sha256: str, mode: str, reject: Reject
) -> Taken:
    """Take in a file. Lines that cannot be are told to `reject` by number and change nothing.

    Raises Forbidden, Invalid (`mode`; a file that was begun as the other kind) or ValueError for a missing column.
    """
    require(actor, BUYER)
    if mode not in (OPENING, COUNTED):
        raise Invalid(("mode", f"either {OPENING} or {COUNTED}"))
    name = mask_cards(name)[:200]  # people name files after anything
    lines = _read(content, shop().currency)
    with writing():
        kept, _ = StockFile.objects.get_or_create(
            sha256=sha256,
            defaults={
                "name": name, "mode": mode, "made_by": actor.name, "made_at": clock.business_now(),
            },
        )  # fmt: skip
    if kept.mode != mode:
        raise Invalid(("mode", f"this file has been taken in as {kept.mode}"))
    if kept.finished_at is not None:
        return Taken(again=True)
    told = Taken()
    seen: dict[tuple[str, str | None, str], int] = {}
    for raw, found in lines:
        if isinstance(found, BadLine):
            told.rejected += 1
            reject(raw.number, str(found), raw.text)
            continue
        try:
            where = (found.sku, found.bin, found.lot)
            if where in seen:
                raise BadLine(f"line {seen[where]} is of the same place")
            seen[where] = found.number
            if found.number <= kept.done:
                continue
            if _take(kept, found, actor):
                told.changed += 1
            else:
                told.unchanged += 1
        except (BadLine, Invalid, Refused) as wrong:
            told.rejected += 1
            reject(raw.number, str(wrong), raw.text)
    with writing():
        StockFile.objects.filter(pk=kept.pk, finished_at=None).update(finished_at=clock.business_now())
        journal.record(
            "stock_file_taken", subject=f"stock file {kept.pk}", actor=actor,
            text=f"{name}, {mode}: {told.changed} places changed, {told.rejected} lines rejected",
            data={"sha256": sha256, "changed": told.changed, "rejected": told.rejected}, advance=False,
        )  # fmt: skip
    return told


def stock_csv() -> Iterator[str]:
    """Everything that is on hand, a line for each bin and lot: the file that `take_stock_file` takes."""
    yield _row(COLUMNS)
    currency = shop().currency
    for sku, bin_, lot, best_before, on_hand, here, value in rows(
        "SELECT p.sku, s.bin, s.lot, s.best_before, s.on_hand, s.on_hand + s.picked + s.quarantined, s.value "
        "FROM stock_place s JOIN catalogue_product p ON p.id = s.product_id WHERE s.on_hand > 0 "
        "ORDER BY p.sku, s.bin, s.lot"
    ):
        where = (as_cell(sku), as_cell(bin_), as_cell(lot), str(best_before or ""))
        yield _row((*where, on_hand, plain(_average(value, here), currency)))


def _average(value: int, units: int) -> int:
    """What one of them has cost, rounded half up."""
    return (2 * int(value) + int(units)) // (2 * int(units))


def digest(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()


def _row(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _read(content: Iterable[Raw], currency: str) -> Iterator[tuple[Raw, StockLine | BadLine]]:
    """Every line after the header, as what it says or as the reason why it says nothing."""
    given = iter(content)
    columns = columns_of(next(given, None), ("sku", "quantity"))
    return ((raw, _line(raw, columns, currency)) for raw in given)


def _line(raw: Raw, columns: list[str], currency: str) -> StockLine | BadLine:
    if raw.wrong:
        return BadLine(raw.wrong)
    try:
        cells = [from_cell(cell) for cell in cells_of(raw.text)]
    except BadLine as wrong:
        return wrong
    if len(cells) != len(columns):
        return BadLine(f"{len(cells)} columns, {len(columns)} are named in the first line")
    row = dict(zip(columns, cells, strict=True))
    errors: Errors = []
    bin_ = key_of(row["bin"], "bin", errors) if "bin" in row else None
    lot = key_of(row.get("lot", ""), "lot", errors)
    quantity, best_before = row["quantity"].strip(), row.get("best_before", "").strip()
    if not (quantity.isascii() and quantity.isdigit() and int(quantity[:12]) <= MOST_UNITS):
        errors.append(("quantity", f"a whole number of units from 0 to {MOST_UNITS}"))
    day: date | None = None
    try:
        day = date.fromisoformat(best_before) if best_before else None
    except ValueError:
        errors.append(("best_before", "no date; write it as 2027-05-31"))
    cost = _cost(row.get("cost", "").strip(), currency, errors)
    if errors:
        return BadLine("; ".join(f"{field}: {words}" for field, words in errors))
    return StockLine(raw.number, row["sku"].strip(), bin_, lot or "", day, int(quantity), cost)


def _cost(text: str, currency: str, errors: Errors) -> int | None:
    if not text:
        return None
    try:
        found = parse_amount(text, currency)
    except ValueError:
        found = -1
    if not 0 <= found <= MOST_PRICE:
        errors.append(("cost", f"what one costs, in {currency}, such as {plain(1250, currency)}; zero or more"))
    return found


def _take(file: StockFile, line: StockLine, actor: Actor) -> bool:
    """One line, in a transaction of its own; whether it changed anything."""
    product = Product.objects.filter(sku=line.sku).defer("art", "description").first()
    if product is None:
        raise BadLine(f"sku: there is no product {line.sku[:64]}")
    where = product.bin if line.bin is None else line.bin

    def follow(laid: Allotment) -> bool:
        # Asked under the lock: another run of the same file may have come first.
        if not StockFile.objects.filter(pk=file.pk, done__lt=line.number).update(done=line.number):
            return False
        check_date(product.pk, where, line.lot, line.best_before)
        place = Place.objects.filter(product=product, bin=where, lot=line.lot).first()
        gap = line.quantity - (place.on_hand if place and file.mode == COUNTED else 0)
        why, cause = f"{file.mode}, {file.name}"[:500], f"stockfile:{file.pk}:{line.number}"
        if not gap:
            return False
        if gap < 0:
            let_go(laid, product.pk, -gap, actor=actor, why=why)
        laid.change(
            Change(
                product.pk, "counted" if file.mode == COUNTED else "adjusted", cause, on_hand=gap, bin=where,
                lot=line.lot, best_before=line.best_before, subject=line.sku[:SUBJECT], reason=why,
                value=gap * line.cost if line.cost is not None and gap > 0 else None,
            )
        )  # fmt: skip
        laid.cover()
        touched = laid.save(actor=actor)
        book_loss(product, -gap, -sum(laid.worth.values()), cause=cause, kind="count", why=why)
        note_touched("units_lost", touched, actor=actor, reason=f"{file.name} says that fewer are there")
        if gap > 0:
            owe_fill(product.pk)
        return True

    lost = 0
    if file.mode == COUNTED:
        known = Place.objects.filter(product=product, bin=where, lot=line.lot).values_list("on_hand", flat=True).first()
        lost = max(0, (known or 0) - line.quantity)
    return losing({product.pk: lost}, follow)
