"""What placing an order says to the database, as a template: the raw limit must do exactly the same work."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client

from bench.listening import listening
from bench.orders import APART, FIRST_SKU, PRODUCTS, ROOM, body
from counterfoil.core.access.keys import make_key
from counterfoil.core.db import execute, is_postgres, writing
from counterfoil.records.orders.models import Order

CART = tuple(FIRST_SKU + n * PRODUCTS // 3 + 34 for n in range(3))


def capture() -> list[dict[str, Any]]:
    """The statements of one placement between BEGIN and COMMIT, each {"sql", "params"}.

    In a text, `@n@` stands for a serial number and `@p0@`, `@p1@`, `@p2@` for products. Integers that must differ
    (on SQLite ids travel as parameters) come as {"id": n}, see `orders.APART`, and {"product": 0, 1 or 2}.
    """
    _set_apart()
    key, client = make_key("bench", "owner"), Client()

    def place(serial: str) -> Order:
        answer = client.post(
            "/api/v1/orders",
            body(serial, [str(p) for p in CART]),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 201, answer.content
        return Order.objects.get(number=answer.json()["number"])

    place("warm")  # also reads settings, clock and key, which a process then remembers
    with listening() as said:
        order = place("capture")
    said.pop()  # our own look at the order
    return _template(said, "capture", order)


def _set_apart() -> None:
    if is_postgres():
        return
    with writing():
        for i, table in enumerate(("orders_order", "orders_part", "orders_line", "customers_customer")):
            execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, APART + i * ROOM])


def _template(said: list[dict[str, Any]], serial: str, order: Order) -> list[dict[str, Any]]:
    words = {serial: "@n@", order.number: "CF-@n@", order.token: "bench-token-0123456789-@n@"}

    def marked(value: Any) -> Any:
        if isinstance(value, str):
            for known, marker in words.items():
                value = value.replace(known, marker)
            for i, product in enumerate(CART):
                value = re.sub(rf"\b{product}\b", f"@p{i}@", value)
            # On PostgreSQL everything travels in one JSON text; there only the order's own id is left.
            return re.sub(rf'"id": {order.pk}\b', '"id": @n@', value)
        if isinstance(value, int) and not isinstance(value, bool):
            if value >= APART:
                return {"id": value}
            if value in CART:
                return {"product": CART.index(value)}
        return value

    return [
        {"sql": s["sql"], "params": [marked(p) for p in s["params"]]}
        for s in json.loads(json.dumps(said, default=str))
        if not s["sql"].startswith(("BEGIN", "COMMIT"))
    ]
