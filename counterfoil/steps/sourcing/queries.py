"""What the buyer and the clerk ask: what is missing, who waits for what, where a line's goods are coming from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from counterfoil.core.errors import Missing
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.orders.models import Line, Proposal
from counterfoil.records.stock.models import Balance
from counterfoil.steps.sourcing.models import OPEN_STATES, Peg, PurchaseLine, PurchaseOrder, ReceiptLine
from counterfoil.steps.sourcing.rules import TAKES_STOCK, to_reorder


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
    """Units of a product to be bought, with the orders that wait for them, oldest promise first."""

    sku: str
    name: str
    short: int = 0  # for orders that nothing covers
    reorder: int = 0  # for the shelf, up to its level
    drafted: int = 0  # of them on drafts already
    cost: int = 0  # of one, minor units of the shop's currency
    orders: list[str] = field(default_factory=list)
    product: int = 0
    drafts: list[str] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        """Units that stand on no draft yet."""
        return max(0, self.short + self.reorder - self.drafted)


@dataclass
class Need:
    """What to buy from one supplier; None: nobody is known to supply it."""

    supplier: Supplier | None
    lines: list[NeededSku] = field(default_factory=list)


@dataclass(frozen=True)
class LeadTime:
    """One line of one receipt: when it was ordered, for when the supplier confirmed it, and when it came."""

    sku: str
    ordered_at: datetime
    confirmed: date | None
    received_at: datetime
    units: int


@dataclass(frozen=True)
class Waiter:
    """A customer who waits for units of a purchase order."""

    order: str
    name: str
    sku: str
    quantity: int
    promise: date | None
    due: date | None = None  # when the whole line is covered, on dates that suppliers confirmed
    charged: bool = False


@dataclass(frozen=True)
class Slipped:
    """A part that waits for a purchase order and cannot be sent by its promised date, or was charged too soon.

    `earliest` is when all of it can be here, on dates that suppliers confirmed; None: nobody knows. `told`: a
    question to their customer is open.
    """

    order: str
    part: int
    name: str
    promised: date | None
    earliest: date | None
    charged: bool
    told: bool = False


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
    """Per supplier, what orders are short of and what has come to its reorder point, in a fixed number of statements.

    Suppliers by name, products without one last.
    """
    found, known = missing()
    by_supplier: dict[int | None, Need] = {}
    for product_id, row in sorted(found.items(), key=lambda item: item[1].sku):
        supplier = known[product_id].supplier
        by_supplier.setdefault(supplier.pk if supplier else None, Need(supplier)).lines.append(row)
    return sorted(by_supplier.values(), key=lambda n: (n.supplier is None, n.supplier.name if n.supplier else ""))


def missing(
    *, supplier: int | None = None, products: Iterable[int] | None = None
) -> tuple[dict[int, NeededSku], dict[int, Product]]:
    """What is to be bought, by product, with the products; with `supplier` or `products` only those."""
    wanted = Q(waiting__gt=0) | Q(product__reorder_point__gt=0, product__listed=True)
    balances = Balance.objects.filter(wanted).select_related("product__supplier")
    balances = balances.defer("product__art", "product__description")
    if supplier is not None:
        balances = balances.filter(product__supplier=supplier)
    if products is not None:
        balances = balances.filter(product_id__in=sorted(set(products)))
    held = {b.product_id: b for b in balances.order_by("product_id")}
    out: dict[int, NeededSku] = {}

    def row_of(product: Product) -> NeededSku:
        made = NeededSku(product.sku, product.name, cost=product.cost, product=product.pk)
        return out.setdefault(product.pk, made)

    for wanting in waiting_lines(pk for pk, b in held.items() if b.waiting > 0):
        if wanting.short > 0:
            row = row_of(held[wanting.product].product)
            row.short += wanting.short
            if wanting.number not in row.orders:
                row.orders.append(wanting.number)
    for pk, balance in held.items():
        product = balance.product
        short = out[pk].short if pk in out else 0
        units = to_reorder(
            position=balance.available_to_promise + short,
            point=product.reorder_point if product.listed else 0,
            up_to=product.reorder_up_to,
        )
        if units:
            row_of(product).reorder = units
    drafted = PurchaseLine.objects.filter(po__state="draft", product_id__in=list(out)).order_by("pk")
    for product_id, quantity, number in drafted.values_list("product_id", "quantity", "po__number"):
        out[product_id].drafted += quantity
        out[product_id].drafts.append(number)
    return out, {pk: held[pk].product for pk in out}


def lead_times(supplier: int, *, limit: int = 500) -> list[LeadTime]:
    """What a supplier's receipts say, the newest first: one entry a received line."""
    found = (
        ReceiptLine.objects.filter(purchase_line__po__supplier_id=supplier)
        .order_by("-receipt__at", "-pk")
        .values_list(
            "purchase_line__product__sku", "purchase_line__po__sent_at", "expected", "receipt__at", "received"
        )[:limit]
    )
    return [LeadTime(sku, sent, expected, at, units) for sku, sent, expected, at, units in found if sent is not None]


def find_purchase_order(number: str) -> PurchaseOrder:
    """A purchase order by its number, or by the name that it had as a draft, to read. Raises Missing."""
    found = (
        PurchaseOrder.objects.select_related("supplier").filter(**named(number)).first() if storable(number) else None
    )
    if found is None:
        raise Missing(f"there is no purchase order {number}")
    return found


def named(number: str) -> dict[str, Any]:
    """By what a purchase order of this number, or a draft of this name (`D-7`), is found."""
    digits = number.removeprefix("D-")
    if digits != number and digits.isascii() and digits.isdigit() and len(digits) < 18:
        return {"pk": int(digits)}
    return {"number": number}


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
        Waiter(
            peg.line.order.number,
            peg.line.order.name,
            peg.line.sku,
            peg.quantity,
            peg.line.part.promise_date,
            peg.line.due_date,
            peg.line.part.money == "charged",
        )
        for peg in pegs_of(po)
    ]


def slipped_by(po: PurchaseOrder) -> list[Slipped]:
    """Who must be told: parts that wait for this order and whose promise it does not keep, oldest promise first.

    Among them whatever was charged and is not due within the shop's horizon any more. Two statements.
    """
    settings = shop()
    today, horizon = settings.today(), settings.charge_horizon()
    parts = Peg.objects.filter(purchase_line__po=po).values("line__part_id")
    of_part: dict[int, list[Line]] = {}
    asked = Proposal.objects.filter(order=OuterRef("order_id"), state=Proposal.OPEN)
    found = Line.objects.filter(part__in=parts, order__cancelled_at=None).annotate(asked=Exists(asked))
    found = found.select_related("part", "order")
    for line in found.order_by(F("part__promise_date").asc(nulls_last=True), "order__placed_at", "part_id", "pk"):
        of_part.setdefault(line.part_id, []).append(line)
    out = []
    for lines in of_part.values():
        part, order = lines[0].part, lines[0].order
        waits = [ln for ln in lines if ln.open_units > 0]
        known = all(ln.due_confirmed >= ln.open_units and ln.due_date and ln.due_date >= today for ln in waits)
        earliest = max((ln.due_date for ln in waits if ln.due_date), default=None) if known else None
        charged = part.money == "charged"
        breaks = part.promise_date is not None and (earliest is None or earliest > part.promise_date)
        if waits and (breaks or (charged and (earliest is None or earliest > horizon))):
            told = bool(lines[0].asked)  # type: ignore[attr-defined]
            out.append(Slipped(order.number, part.number, order.name, part.promise_date, earliest, charged, told))
    return out


def po_of_line(line: Line) -> list[Coming]:
    """The purchase orders that will bring this line's units, earliest confirmed date first."""
    return coming_for([line.pk]).get(line.pk, [])


def coming_for(lines: Iterable[int]) -> dict[int, list[Coming]]:
    """By order line, the purchase orders that it waits for, earliest confirmed date first: one statement."""
    found = (
        Peg.objects.filter(line__in=sorted(set(lines)))
        .order_by(F("purchase_line__expected").asc(nulls_last=True), "pk")
        .values_list(
            "line_id",
            "purchase_line__po__number",
            "purchase_line__po__supplier__name",
            "quantity",
            "purchase_line__expected",
        )
    )
    out: dict[int, list[Coming]] = {}
    for line, number, supplier, quantity, expected in found:
        out.setdefault(line, []).append(Coming(number, supplier, quantity, expected))
    return out


def open_purchase_lines(product_ids: Iterable[int]) -> list[PurchaseLine]:
    """Lines of open purchase orders of these products that still have units to come."""
    return list(
        PurchaseLine.objects.filter(
            product_id__in=sorted(set(product_ids)), po__state__in=OPEN_STATES, quantity__gt=F("received")
        )
        .select_related("po")
        .order_by("pk")
    )
