"""Rows for this step's tests: products with stock, and approved orders that stand in the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.db.models import F, Sum

from counterfoil.core import clock
from counterfoil.core.actor import BUYER, CLERK, PICKER, Actor
from counterfoil.core.db import writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.records.catalogue.actions import create_product, create_supplier
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.ledger import change_waiting
from counterfoil.records.stock.models import COLUMNS, Balance, Movement
from counterfoil.steps.sourcing.models import OPEN_STATES, Peg, PurchaseLine

CAROL = Actor("person", "Carol", CLERK)
PETE = Actor("person", "Pete", PICKER)
BEA = Actor("person", "Bea", BUYER)


def a_supplier(name: str = "Tern Island Growers") -> Supplier:
    return Supplier.objects.filter(name=name).first() or create_supplier(
        actor=BEA, name=name, email="cellar@example.com", lead_time_days=3
    )


def a_wine(sku: str = "GULL-19", *, on_hand: int = 0, cost: int = 900) -> Product:
    wine = create_product(
        actor=BEA, sku=sku, name=f"Gull Rock {sku}", price=1800, currency="USD", cost=cost, supplier=a_supplier().name
    )
    if on_hand:
        adjust_stock(actor=BEA, sku=sku, quantity=on_hand, reason="opening stock")
    return wine


def an_order(
    number: str,
    wants: Mapping[str, int],
    *,
    ships_in: int | None = 5,
    review: str = "approved",
    books: str = "sales_order",
    finished: bool = True,
) -> Order:
    """An order as it stands before its stock check: it waits for everything. `ships_in`: days from today."""
    now = clock.business_now()
    customer, _ = Customer.objects.get_or_create(
        email_key="ada@example.com", defaults={"email": "ada@example.com", "name": "Ada Vane"}
    )
    address = {"name": "Ada Vane", "street": "1 Quay", "city": "Port Alder", "postcode": "98250", "country": "US"}
    order = Order.objects.create(
        number=number, token=number.ljust(43, "x"), channel="web", reference=number, placed_at=now, currency="USD",
        customer=customer, name="Ada Vane", email="ada@example.com", shipping_address=address, billing_address=address,
        shipping_method="Ground", subtotal=0, shipping=0, tax=0, total=0, payment_method="card", review=review,
        finished=finished, queue_since=now,
    )  # fmt: skip
    part = Part.objects.create(
        order=order, subtotal=0, shipping=0, tax=0, total=0, books=books,
        promise_date=None if ships_in is None else shop().today() + timedelta(days=ships_in),
    )  # fmt: skip
    waiting: dict[int, int] = {}
    for position, (sku, quantity) in enumerate(wants.items(), 1):
        product = Product.objects.get(sku=sku)
        Line.objects.create(
            order=order, part=part, position=position, product=product, sku=sku, name=product.name, quantity=quantity,
            unit_price=product.price,
        )  # fmt: skip
        waiting[product.pk] = quantity
    if finished:
        with writing():
            change_waiting(waiting)
    return order


def the_line(number: str, sku: str = "GULL-19") -> Line:
    return Line.objects.get(order__number=number, sku=sku)


def stock_of(number: str) -> str:
    return Part.objects.get(order__number=number).stock


def balance(sku: str = "GULL-19") -> Balance:
    return Balance.objects.get(product__sku=sku)


def in_days(days: int) -> date:
    return shop().today() + timedelta(days=days)


def kinds(subject: str) -> list[str]:
    return list(JournalEvent.objects.filter(subject=subject).order_by("id").values_list("kind", flat=True))


def agree() -> None:
    """Ledger, order lines and purchase orders say the same of every product."""
    for held in Balance.objects.all():
        mine = Movement.objects.filter(product_id=held.product_id)
        for column in COLUMNS:
            assert (mine.aggregate(n=Sum(column))["n"] or 0) == getattr(held, column), column
        lines = Line.objects.filter(product_id=held.product_id)
        assert (lines.aggregate(n=Sum("reserved"))["n"] or 0) == held.reserved
        living = lines.filter(order__finished=True, order__cancelled_at=None)
        assert sum(ln.open_units for ln in living) == held.waiting
        coming = PurchaseLine.objects.filter(
            product_id=held.product_id, po__state__in=OPEN_STATES, quantity__gt=F("received")
        )
        assert sum(pl.outstanding for pl in coming) == held.due_in
        for supply in PurchaseLine.objects.filter(product_id=held.product_id):
            meant = Peg.objects.filter(purchase_line=supply).aggregate(n=Sum("quantity"))["n"] or 0
            assert meant <= (supply.outstanding if supply in coming else 0)
        for line in lines:
            pegs = list(Peg.objects.filter(line=line).select_related("purchase_line"))
            assert line.due == sum(p.quantity for p in pegs)
            dated = [(p.purchase_line.expected, p.quantity) for p in pegs if p.purchase_line.expected]
            assert line.due_confirmed == sum(q for _, q in dated)
            assert line.due_date == max((day for day, _ in dated), default=None)
            assert line.due <= max(0, line.open_units)
