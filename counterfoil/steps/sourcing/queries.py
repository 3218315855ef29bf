"""What the buyer and the clerk ask: what is missing, who waits for what, where a line's goods are coming from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import F, QuerySet

from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.models import Balance
from counterfoil.steps.sourcing.models import OPEN_STATES, Peg, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.rules import TAKES_STOCK


@dataclass(frozen=True)
class WaitingLine:
    """An order line that wants units which it has not reserved; `short` of them have no cover at all."""

    line: int
    order: int
    number: str
    product: int
    open_units: int
    short: int
    promise: date | None
    placed_at: datetime


@dataclass
class NeededSku:
    """Units of a product that nothing covers, with the orders that wait for them, oldest promise first."""

    sku: str
    name: str
    quantity: int = 0
    cost: int = 0  # of one, minor units of the shop's currency
    orders: list[str] = field(default_factory=list)


@dataclass
class Need:
    """What to buy from one supplier; None: nobody is known to supply it."""

    supplier: Supplier | None
    lines: list[NeededSku] = field(default_factory=list)


@dataclass(frozen=True)
class Waiter:
    """A customer who waits for units of a purchase order."""

    order: str
    name: str
    sku: str
    quantity: int
    promise: date | None


@dataclass(frozen=True)
class Coming:
    """Units on their way for an order line; `expected` is the supplier's date, None while not confirmed."""

    purchase_order: str
    supplier: str
    quantity: int
    expected: date | None


def waiting_lines(product_ids: Iterable[int]) -> list[WaitingLine]:
    """Lines of living orders that want units of these products, oldest promise first, in one statement."""
    found = (
        Line.objects.filter(
            product_id__in=sorted(set(product_ids)),
            quantity__gt=F("reserved") + F("picked") + F("shipped"),
            order__finished=True,
            order__cancelled_at=None,
            part__parcel__in=sorted(TAKES_STOCK),
            part__let_go_at=None,
        )
        .annotate(open_now=F("quantity") - F("reserved") - F("picked") - F("shipped"))
        .order_by(F("part__promise_date").asc(nulls_last=True), "order__placed_at", "pk")
        .values_list(
            "pk", "order_id", "order__number", "product_id", "open_now", "due", "part__promise_date", "order__placed_at"
        )
    )
    return [
        WaitingLine(line, order, number, product, wanted, wanted - due, promise, placed_at)
        for line, order, number, product, wanted, due, promise, placed_at in found
    ]


def needs() -> list[Need]:
    """Per supplier, the products that open lines are short of. Suppliers by name, products without one last."""
    products = list(Balance.objects.filter(waiting__gt=0).values_list("product_id", flat=True))
    short = [w for w in waiting_lines(products) if w.short > 0]
    known = {
        b.product_id: b.product
        for b in Balance.objects.filter(product_id__in={w.product for w in short}).select_related("product__supplier")
    }
    by_product: dict[int, NeededSku] = {}
    for wanted in short:
        product = known[wanted.product]
        row = by_product.setdefault(product.pk, NeededSku(product.sku, product.name, cost=product.cost))
        row.quantity += wanted.short
        if wanted.number not in row.orders:
            row.orders.append(wanted.number)
    by_supplier: dict[int | None, Need] = {}
    for product_id, row in sorted(by_product.items(), key=lambda item: item[1].sku):
        supplier = known[product_id].supplier
        by_supplier.setdefault(supplier.pk if supplier else None, Need(supplier)).lines.append(row)
    return sorted(by_supplier.values(), key=lambda n: (n.supplier is None, n.supplier.name if n.supplier else ""))


def pegs_of(po: PurchaseOrder) -> QuerySet[Peg]:
    """The pegs on a purchase order, oldest promise first."""
    return (
        Peg.objects.filter(purchase_line__po=po)
        .select_related("line__order", "line__part", "purchase_line")
        .order_by(F("line__part__promise_date").asc(nulls_last=True), "line__order__placed_at", "line_id")
    )


def waiting_for(po: PurchaseOrder) -> list[Waiter]:
    """Which customers wait for this purchase order, oldest promise first."""
    return [
        Waiter(peg.line.order.number, peg.line.order.name, peg.line.sku, peg.quantity, peg.line.part.promise_date)
        for peg in pegs_of(po)
    ]


def po_of_line(line: Line) -> list[Coming]:
    """The purchase orders that will bring this line's units, earliest confirmed date first."""
    found = (
        Peg.objects.filter(line=line)
        .select_related("purchase_line__po__supplier")
        .order_by(F("purchase_line__expected").asc(nulls_last=True), "pk")
    )
    return [
        Coming(p.purchase_line.po.number, p.purchase_line.po.supplier.name, p.quantity, p.purchase_line.expected)
        for p in found
    ]


def open_purchase_lines(product_ids: Iterable[int]) -> list[PurchaseLine]:
    """Lines of open purchase orders of these products that still have units to come."""
    return list(
        PurchaseLine.objects.filter(
            product_id__in=sorted(set(product_ids)), po__state__in=OPEN_STATES, quantity__gt=F("received")
        )
        .select_related("po")
        .order_by("pk")
    )
