"""What a buyer sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PRODUCTS = 300
FIRST_SKU = 1000  # four digits each; a product's id is the same number, so that one marker stands for both
# Where ids start while capturing, so that one is not taken for a quantity or a price; and how far rows of one kind
# lie from those of the next.
APART = 700_000_001
ROOM = 10_000_000


def body(serial: str = "@n@", skus: Sequence[str] = ("@p0@", "@p1@", "@p2@"), card: str = "") -> dict[str, Any]:
    """A guest's order of three wines; `serial` makes it unique, `skus` are the last four digits of each."""
    payment = {"method": "card", "payment_method": card} if card else {"method": "on_delivery"}
    return {
        "channel": "web",
        "reference": f"B-{serial}",
        "currency": "USD",
        "customer": {"name": "Zoë Brontë", "email": f"guest-{serial}@example.com"},
        "shipping_address": {
            "name": "Zoë Brontë",
            "street": "12 Vine Street",
            "city": "Napa",
            "postcode": "94558",
            "state": "CA",
            "country": "US",
        },
        "lines": [{"sku": f"BENCH-{sku}", "quantity": i + 1} for i, sku in enumerate(skus)],
        "shipping": {"method": "Ground", "price": 1500},
        "payment": payment,
    }
