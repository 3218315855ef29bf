"""A shop with people and orders, as the desk's tests need it: through the same actions as everybody's."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.test import Client

from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.models import Balance
from counterfoil.steps.checkout.actions import Wanted, place_order

ANN = Actor("person", "Ann", "owner")
PASSWORD = "a-long-password"
_numbers = count(1)


def product(sku: str, *, on_hand: int = 0, price: int = 2400, **more: Any) -> Product:
    """A wine with this many bottles on the shelf."""
    with writing():
        made = Product.objects.create(
            sku=sku, name=more.pop("name", f"Copper Gate {sku}"), price=price, currency="USD", **more
        )
        Balance.objects.create(product=made)
    if on_hand:
        adjust_stock(actor=ANN, sku=sku, quantity=on_hand, reason="counted")
    return made


def order(*wanted: tuple[str, int], **more: Any) -> Order:
    """An order as the web shop sends it, freshly placed and waiting for review."""
    n = next(_numbers)
    given: dict[str, Any] = {
        "channel": "web",
        "reference": f"desk-{n}",
        "currency": "USD",
        "name": "June Harper",
        "email": f"june{n}@example.com",
        "shipping_address": {
            "name": "June Harper",
            "street": "1 Mill Lane",
            "city": "Napa",
            "postcode": "94558",
            "state": "CA",
            "country": "US",
        },
        "lines": [(sku, quantity, None) for sku, quantity in wanted],
        "shipping_method": "Ground",
        "shipping_price": 1500,
        "payment_method": "card",
        **more,
    }
    placed = place_order(wanted=Wanted(**given), actor=ANN)
    return Order.objects.get(number=placed.number)


def person(role: str = "owner", name: str = "Ann") -> User:
    """Somebody who works here."""
    n = next(_numbers)
    made: User = User.objects.create_user(f"{role}{n}@example.com", PASSWORD, name=name, role=role)
    return made


def at_the_desk(role: str = "owner") -> Client:
    """A browser in which somebody of that role has logged in."""
    client = Client()
    client.force_login(person(role))
    return client
