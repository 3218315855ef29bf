"""A paid order, ready to be picked, straight in the tables: what these tests start from."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import BUYER, CLERK, PICKER, Actor
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Charge, Line, Order, Part
from counterfoil.records.stock.models import Balance
from counterfoil.records.stock.tests.build import shelve

PIA = Actor("person", "Pia", PICKER)
PAUL = Actor("person", "Paul", PICKER)
CLEO = Actor("person", "Cleo", CLERK)
BEN = Actor("person", "Ben", BUYER)
_numbers = count(1)
ADDRESS = {"name": "Zoe Winter", "street": "14 Parsonage Lane", "city": "Alder", "postcode": "97110", "country": "US"}


@dataclass
class Built:
    """An order and its lines by SKU; `fresh` reads them as they now stand."""

    number: str
    products: dict[str, Product] = field(default_factory=dict)

    @property
    def order(self) -> Order:
        return Order.objects.get(number=self.number)

    def part(self, number: int = 1) -> Part:
        return Part.objects.get(order__number=self.number, number=number)

    def line(self, sku: str) -> Line:
        return Line.objects.get(order__number=self.number, sku=sku)

    def balance(self, sku: str) -> Balance:
        return Balance.objects.get(product=self.products[sku])

    def units(self, sku: str) -> tuple[int, int, int, int, int]:
        """The balance as on hand, reserved, picked, shipped, quarantined."""
        b = self.balance(sku)
        return b.on_hand, b.reserved, b.picked, b.shipped, b.quarantined


def a_product(sku: str, *, on_hand: int = 10, **more: Any) -> Product:
    values: dict[str, Any] = {"price": 2000, "currency": "USD", "cost": 1100, "bin": "A-1", **more}
    made, new = Product.objects.get_or_create(sku=sku, defaults={"name": f"Wine {sku}", **values})
    if new:
        Balance.objects.create(product=made, on_hand=on_hand)
        shelve(made, on_hand)
    return made


def an_order(
    *wanted: tuple[str, int],
    part_of: dict[str, int] | None = None,
    products: dict[str, dict[str, Any]] | None = None,
    payment_method: str = "card",
    **of_part: Any,
) -> Built:
    """An approved order of (SKU, units), entered, reserved and charged; `of_part` changes every part's fields."""
    number = f"CF-{900 + next(_numbers)}"
    customer, _ = Customer.objects.get_or_create(
        email_key="zoe@example.com", defaults={"email": "zoe@example.com", "name": "Zoe Winter"}
    )
    net = sum(2000 * n for _, n in wanted)
    money = {"subtotal": net, "shipping": 1500, "tax": net // 10, "total": net + 1500 + net // 10}
    order = Order.objects.create(
        number=number,
        token=f"token-{number}",
        channel="test",
        reference=number,
        placed_at=clock.business_now(),
        queue_since=clock.business_now(),
        currency="USD",
        customer=customer,
        name="Zoe Winter",
        email="zoe@example.com",
        shipping_address=ADDRESS,
        billing_address=ADDRESS,
        shipping_method="Ground",
        payment_method=payment_method,
        review="approved",
        approved_by="Cleo",
        gift_message="Happy birthday!",
        **money,
    )
    built = Built(number)
    numbers = sorted(set((part_of or {}).values())) or [1]
    for position, (sku, units) in enumerate(wanted):
        built.products[sku] = a_product(sku, **(products or {}).get(sku, {}))
        Balance.objects.filter(product=built.products[sku]).update(reserved=units)
        where = (part_of or {}).get(sku, 1)
        part = Part.objects.filter(order=order, number=where).first() or _part(
            order, where, [w for w in wanted if (part_of or {}).get(w[0], 1) == where], where == numbers[0], of_part
        )
        Line.objects.create(
            order=order,
            part=part,
            position=position,
            product=built.products[sku],
            sku=sku,
            name=built.products[sku].name,
            quantity=units,
            unit_price=2000,
            tax_ppm=100_000,
            tax=200 * units,
            reserved=units,
        )
    return built


def _part(order: Order, number: int, wanted: list[tuple[str, int]], first: bool, changed: dict[str, Any]) -> Part:
    net = sum(2000 * n for _, n in wanted)
    shipping = 1500 if first else 0
    total = net + shipping + net // 10
    values: dict[str, Any] = {
        "stock": "confirmed",
        "money": "charged",
        "books": "sales_order",
        "charged": total,
        "sales_order_number": f"SO-{order.number}-{number}",
        **changed,
    }
    part = Part.objects.create(
        order=order, number=number, subtotal=net, shipping=shipping, tax=net // 10, total=total, **values
    )
    if values["charged"]:
        Charge.objects.create(
            part=part,
            attempt=1,
            amount=values["charged"],
            currency="USD",
            state="succeeded",
            brand="visa",
            last4="4242",
            create_key=f"charge-{order.number}-{number}",
            confirm_key=f"confirm-{order.number}-{number}",
            actor="Cleo",
            made_at=clock.real_now(),
            settled_at=clock.business_now(),
        )
    return part
