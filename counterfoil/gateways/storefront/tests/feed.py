"""Lines of a feed as a shop would write them, with one thing changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[4] / "tests" / "data"
ORDERS = DATA / "oscommerce-orders.jsonl"
PRODUCTS = DATA / "oscommerce-products.csv"
CARD = "4242424242424242"

_ADDRESS = {
    "name": "Ada Quill", "street": "12 Vine Street", "city": "Napa", "postcode": "94558", "state": "California",
    "country": "United States",
}  # fmt: skip
_ORDER: dict[str, Any] = {
    "channel": "oscommerce",
    "reference": "A-1",
    "placed_at": "2026-11-20T09:00:00Z",
    "currency": "USD",
    "customer": {"name": "Ada Quill", "email": "ada@example.com", "phone": ""},
    "billing_address": _ADDRESS,
    "shipping_address": _ADDRESS,
    "lines": [
        {
            "sku": "LEM-1", "name": "Lemons", "options": [{"name": "Box Size", "value": "24"}], "quantity": 2,
            "unit_price": "7.99", "tax_rate": "0.0000",
        }
    ],
    "shipping": [{"method": "Flat Rate", "price": "5.00"}],
    "taxes": [],
    "subtotal": "15.98",
    "total": "20.98",
    "payment_method": "Check/Money Order",
    "status": "Pending",
    "history": [{"at": "2026-11-20T09:00:00Z", "status": "Pending", "notified": True, "comment": ""}],
}  # fmt: skip


def order(**changed: Any) -> dict[str, Any]:
    """A good order; a name like `lines__0__quantity` reaches inside."""
    made = copy.deepcopy(_ORDER)
    for name, value in changed.items():
        place: Any = made
        *path, last = (int(step) if step.isdigit() else step for step in name.split("__"))
        for step in path:
            place = place[step]
        place[last] = value
    return made


def line(**changed: Any) -> str:
    """The same as a line of the file."""
    return json.dumps(order(**changed), ensure_ascii=False)


def write(path: Path, *lines: str) -> Path:
    """A feed of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return path
