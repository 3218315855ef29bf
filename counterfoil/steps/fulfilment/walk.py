"""A picker's walk: what to fetch for one order or for several, bin by bin; and what a scan means at a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core.errors import Blocker
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.load import facts_of_many
from counterfoil.records.orders.models import Line, Order, Package
from counterfoil.records.stock.places import Wanted, shelves
from counterfoil.records.stock.rules import walk
from counterfoil.steps.fulfilment.rules import may_break, may_open, may_pack, may_pick


@dataclass(frozen=True)
class Code:
    """A product as a scanner knows it."""

    sku: str
    name: str
    barcode: str = ""

    def is_said_by(self, scanned: str) -> bool:
        wanted = _bare(scanned.strip().upper())
        return bool(wanted) and wanted in {self.sku.upper(), _bare(self.barcode.upper())}


def _bare(text: str) -> str:
    """A UPC without the 0 with which some scanners make an EAN of it."""
    return text[1:] if len(text) == 13 and text.isdecimal() and text.startswith("0") else text


@dataclass(frozen=True)
class Stop:
    """Units of one order line out of one bin and lot. `tote` is the letter of the order's box on the cart."""

    order: str
    part: int
    line: int
    code: Code
    units: int
    bin: str
    lot: str
    detail: str
    tote: str = ""
    family: tuple[Code, ...] = ()  # other vintages and sizes of the same wine: what is easily taken for it


@dataclass(frozen=True)
class Walk:
    """The stops in walking order, and which of the orders may not be picked, with why."""

    stops: list[Stop]
    orders: list[Order]
    shut: list[tuple[Order, list[Blocker]]]


def walk_for(orders: Sequence[Order]) -> Walk:
    """The walk for these orders: about ten statements, however many they are. Changes nothing."""
    facts = facts_of_many(orders)
    open_parts: dict[int, set[int]] = {}
    shut: list[tuple[Order, list[Blocker]]] = []
    for order in orders:
        answers = [(part, may_pick(facts[order.pk], part)) for part in facts[order.pk].parts]
        opened = {part.number for part, found in answers if not found}
        if opened:
            open_parts[order.pk] = opened
        else:
            shut.append((order, list(dict.fromkeys(b for _, found in answers for b in found))))
    going = [o for o in orders if o.pk in open_parts]
    lines = [ln for ln in _lines(going) if ln.reserved and ln.part.number in open_parts[ln.order_id]]
    held = shelves(ln.product_id for ln in lines)
    family = families(ln.product for ln in lines)
    totes = {o.pk: chr(ord("A") + n) if len(going) > 1 else "" for n, o in enumerate(going)}
    numbers = {o.pk: o.number for o in going}
    stops = []
    for ln in lines:
        code = Code(ln.sku, ln.name, ln.product.barcode)
        for share in held.plan(Wanted(ln.pk, ln.product_id, ln.reserved)):
            place = share.place
            detail = [ln.product.size, f"good until {place.best_before}" if place.best_before else ""]
            detail.append(f"instead of {ln.replaces.name}, as agreed" if ln.replaces else "")
            stops.append(
                Stop(numbers[ln.order_id], ln.part.number, ln.pk, code, share.units, place.bin, place.lot,
                     ", ".join(d for d in detail if d), totes[ln.order_id], family.get(ln.product_id, ()))
            )  # fmt: skip
    stops.sort(key=lambda s: (*walk(s.bin), s.code.sku, s.lot, s.tote))
    return Walk(stops, going, shut)


def _lines(orders: Sequence[Order]) -> list[Line]:
    found = Line.objects.filter(order__in=[o.pk for o in orders]).select_related("part", "product", "replaces")
    return list(found.defer("product__art", "product__description").order_by("order_id", "position"))


def families(products: Any) -> dict[int, tuple[Code, ...]]:
    """By product, the other vintages and sizes of its wine: one statement."""
    of = {p.pk: p.family_id for p in products if p.family_id}
    if not of:
        return {}
    found = Product.objects.filter(family_id__in=set(of.values())).values_list(
        "pk", "family_id", "sku", "name", "barcode"
    )
    kin = [(pk, fam, Code(sku, name, barcode)) for pk, fam, sku, name, barcode in found]
    return {pk: tuple(code for other, fam, code in kin if fam == family and other != pk) for pk, family in of.items()}


@dataclass(frozen=True)
class ToPack:
    """An order on the packing table: units that are picked and in no box, with what each is scanned by.

    With `blockers` none of them goes into a box now; any may still break.
    """

    order: Order
    part: int
    lines: list[tuple[Code, int]]
    family: Mapping[str, tuple[Code, ...]]
    blockers: list[Blocker]


def packing_of(order: Order) -> ToPack:
    """What is to go into the next box of the first part that may be packed; else what lies there, and what stops it."""
    facts = facts_of_many([order])[order.pk]
    answers = [(part, may_pack(facts, part)) for part in facts.parts]
    part = next((part for part, found in answers if not found), None)
    shut = [] if part else list(dict.fromkeys(b for _, found in answers for b in found))
    part = part or next((part for part in facts.parts if not may_break(facts, part)), None)
    if part is None:
        return ToPack(order, 0, [], {}, shut)
    lines = [ln for ln in _lines([order]) if ln.part.number == part.number and ln.picked > ln.packed]
    kin = families(ln.product for ln in lines)
    units: dict[str, tuple[Code, int]] = {}
    for ln in lines:
        before = units.get(ln.sku, (Code(ln.sku, ln.name, ln.product.barcode), 0))
        units[ln.sku] = (before[0], before[1] + ln.picked - ln.packed)
    return ToPack(order, part.number, list(units.values()), {ln.sku: kin.get(ln.product_id, ()) for ln in lines}, shut)


def boxes_of(order: Order) -> list[tuple[Package, list[tuple[Code, int]]]]:
    """The boxes of an order that may be opened because something broke in them, with what is inside."""
    facts = facts_of_many([order])[order.pk]
    numbers = [part.number for part in facts.parts if not may_open(facts, part)]
    here = Package.objects.filter(order=order, part__number__in=numbers, unpacked_at=None, shipment=None)
    boxes = list(here.order_by("number")) if numbers else []
    lines = {ln.pk: Code(ln.sku, ln.name, ln.product.barcode) for ln in (_lines([order]) if boxes else ())}
    return [(box, [(lines[int(e["line"])], int(e["quantity"])) for e in box.lines]) for box in boxes]


def judge(scanned: str, wanted: Code, family: Sequence[Code], others: Sequence[Code] = ()) -> str:
    """What is wrong with a scan, in words; "" for the right one. Another vintage of the wine is named loudly."""
    if wanted.is_said_by(scanned):
        return ""
    kin = next((code for code in family if code.is_said_by(scanned)), None)
    if kin is not None:
        return f"WRONG VINTAGE: this is {kin.name} ({kin.sku}). It should be {wanted.name} ({wanted.sku})"
    other = next((code for code in others if code.is_said_by(scanned)), None)
    what = f"this is {other.name} ({other.sku})" if other else "this code is none of this walk"
    return f"Wrong: {what}. It should be {wanted.name} ({wanted.sku})"
