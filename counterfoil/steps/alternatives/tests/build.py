"""Orders in the state that a test needs, written row by row."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, PICKER, Actor
from counterfoil.core.money import tax_on
from counterfoil.core.shop import shop
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Charge, Line, Order, Part
from counterfoil.records.stock.models import Balance
from counterfoil.records.stock.tests.build import shelve

ANN = Actor("person", "Ann", CLERK)
PAT = Actor("person", "Pat", PICKER)
_numbers = count(1)
RATE = 100_000


def product(sku: str, *, price: int = 2400, on_hand: int = 0, **more: Any) -> Product:
    """A wine with this many bottles on the shelf."""
    made = Product.objects.create(
        sku=sku, name=more.pop("name", f"Copper Gate {sku}"), price=price, currency="USD", **more
    )
    Balance.objects.create(product=made, on_hand=on_hand)
    shelve(made, on_hand)
    return made


def order(
    *wanted: tuple[Product, int], reserved: dict[str, int] | None = None, shipping: int = 1500, **more: Any
) -> Order:
    """An order of one part, taxed at 10 %; `reserved` units by SKU, the rest waits. `more` are fields of the part."""
    n = next(_numbers)
    now = clock.business_now()
    subtotal = sum(p.price * q for p, q in wanted)
    tax = sum(tax_on(p.price * q, RATE) for p, q in wanted)
    amounts = {"subtotal": subtotal, "shipping": shipping, "tax": tax, "total": subtotal + shipping + tax}
    address = {"name": "June Harper", "street": "1 Mill Lane", "city": "Napa", "state": "CA", "country": "US"}
    customer = Customer.objects.create(
        email_key=f"june{n}@example.com", email=f"june{n}@example.com", name="June Harper"
    )
    made = Order.objects.create(
        number=f"CF-{9000 + n}", token=f"token-{n}", channel="web", reference=f"R{n}", placed_at=now, currency="USD",
        customer=customer, name="June Harper", email=customer.email, shipping_address=address, billing_address=address,
        shipping_method="Ground", payment_method="card", card_state="saved", card_consent=True, queue_since=now,
        **amounts,
    )  # fmt: skip
    promise = shop().today() + timedelta(days=2)
    fields = {"money": "saved", "promise_date": promise, "promise_version": 1, "legal_deadline": promise, **more}
    part = Part.objects.create(order=made, **amounts, **fields)
    for position, (item, quantity) in enumerate(wanted, start=1):
        kept = (reserved or {}).get(item.sku, 0)
        Line.objects.create(
            order=made, part=part, position=position, product=item, sku=item.sku, name=item.name, quantity=quantity,
            unit_price=item.price, tax_ppm=RATE, tax=tax_on(item.price * quantity, RATE), reserved=kept,
        )  # fmt: skip
        balance = Balance.objects.get(product=item)
        balance.reserved += kept
        balance.waiting += quantity - kept
        balance.save()
    return made


def paid(found: Order, *amounts: int) -> Part:
    """The order's part, charged in one succeeded charge, or in several of these amounts."""
    part = Part.objects.get(order=found)
    for attempt, amount in enumerate(amounts or (part.total,), start=1):
        Charge.objects.create(
            part=part, attempt=attempt, amount=amount, currency="USD", state="succeeded",
            create_key=f"{found.number}-create-{attempt}", confirm_key=f"{found.number}-confirm-{attempt}",
            actor="Ann", made_at=clock.real_now(),
        )  # fmt: skip
        part.charged += amount
    part.money = "charged"
    part.save()
    return part


def part_of(found: Order, number: int = 1) -> Part:
    return Part.objects.get(order=found, number=number)


def line_of(found: Order, sku: str, number: int = 1) -> Line:
    return Line.objects.get(order=found, sku=sku, part__number=number)


def balance_of(item: Product) -> Balance:
    return Balance.objects.get(product=item)
