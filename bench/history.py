"""Years of orders, made by SQL. They are bench data and say so; a row of each table that the queue page reads."""

from __future__ import annotations

import time
from typing import Any

from bench.orders import FIRST_SKU, PRODUCTS
from counterfoil.core.db import is_postgres, rows

# The work in hand does not grow with a shop's history: so many stand in the queues at any time, the rest is filed.
OPEN = 600
QUEUES = ("review", "charge", "pick", "pack", "ship", "stock", "goods", "transit")

_SERIES = "g(i) AS (SELECT %(first)s UNION ALL SELECT i + 1 FROM g WHERE i < %(last)s)"


def fill(orders: int) -> dict[str, Any]:
    """Fill the table up to so many orders; returns how many there are and the seconds it took."""
    began = time.perf_counter()
    have = int(rows("SELECT COUNT(*) FROM orders_order")[0][0])
    if have < orders:
        _insert(have + 1, orders)
    _tidy()
    return {"orders": int(rows("SELECT COUNT(*) FROM orders_order")[0][0]), "seconds": time.perf_counter() - began}


def _insert(first: int, last: int) -> None:
    text, series = ("text", f"generate_series({first}, {last}) AS g(i)") if is_postgres() else ("text", "g")
    recursive = "" if is_postgres() else "WITH RECURSIVE " + _SERIES % {"first": first, "last": last} + " "
    json = "::jsonb" if is_postgres() else ""
    day = "(CURRENT_DATE + (i %% 20)::int - 5)" if is_postgres() else "date('now', (i %% 20 - 5) || ' days')"
    at = "(now() - i * interval '1 minute')" if is_postgres() else "datetime('now', -i || ' minutes')"
    choose = " ".join(f"WHEN {n} THEN '{q}'" for n, q in enumerate(QUEUES))
    queue = f"(CASE WHEN i > {OPEN} THEN 'done' ELSE CASE i %% {len(QUEUES)} {choose} END END)"
    address = (
        '\'{"name": "Bench", "street": "1 Bench Street", "city": "Napa", "postcode": "94558", "state": "CA", '
        f'"country": "US"}}\'{json}'
    )
    rows(
        f"{recursive}INSERT INTO customers_customer (id, email_key, email, name, phone, processor_id, note) "
        "SELECT i, 'bench' || i || '@example.com', 'bench' || i || '@example.com', 'Bench buyer ' || i, '', '', '' "
        f"FROM {series}".replace("%%", "%")
    )
    order = {
        "id": "i", "number": "'CF-' || (1000 + i)", "token": "'bench-data-' || i", "version": "1", "channel": "'bench'",
        "reference": f"'bench-' || CAST(i AS {text})", "placed_at": at, "currency": "'USD'", "customer_id": "i",
        "name": "'Bench buyer ' || i", "email": "'bench' || i || '@example.com'", "phone": "''",
        "shipping_address": address, "billing_address": address, "shipping_method": "'Ground'", "gift_message": "''",
        "comment": "''", "subtotal": "7500", "shipping": "1500", "tax": "0", "rounding": "0", "total": "9000",
        "payment_method": "'card'", "card_state": "'saved'", "card_source": "''", "card_method": "'pm_bench'",
        "card_brand": "'visa'", "card_last4": "'4242'", "card_consent": "true", "review": "'pending'",
        "approved_by": "''", "cancelled_by": "''", "cancel_reason": "''", "finished": "true", "closed_history": "false",
        "flags": f"'[]'{json}", "status": f"(CASE WHEN i > {OPEN} THEN 'delivered' ELSE 'processing' END)",
        "queue": queue, "queue_since": at, "deadline": day,
        "next_action": f"(CASE WHEN i > {OPEN} THEN '' ELSE 'review' END)",
        "blockers": f"'[]'{json}",
    }  # fmt: skip
    _from_series("orders_order", order, recursive, series)
    part = {
        "id": "i", "order_id": "i", "number": "1", "stock": "'confirmed'", "money": "'saved'", "parcel": "'waiting'",
        "books": "'sales_order'", "subtotal": "7500", "shipping": "1500", "tax": "0", "rounding": "0", "total": "9000",
        "promise_version": "1", "promise_date": day, "charged": "0", "refund_owed": "0", "refunded": "0",
        "charged_by": "''", "picked_by": "''", "packed_by": "''", "sales_order_number": "''", "invoice_number": "''",
    }  # fmt: skip
    _from_series("orders_part", part, recursive, series)
    for n in range(3):
        product = f"({FIRST_SKU} + (i * 3 + {n}) %% {PRODUCTS})"
        line = {
            "id": f"i * 3 + {n}", "order_id": "i", "part_id": "i", "position": str(n + 1), "product_id": product,
            "sku": f"'BENCH-' || {product}", "name": f"'Bench wine no. ' || {product}", "quantity": "1",
            "unit_price": "2500", "tax_ppm": "0", "tax": "0", "reserved": "1", "due": "0", "due_confirmed": "0",
            "picked": "0", "packed": "0", "shipped": "0", "returned": "0", "cancelled": "0", "refunded": "0",
        }  # fmt: skip
        _from_series("orders_line", line, recursive, series)
    event = {
        "subject": "'CF-' || (1000 + i)", "version": "1", "kind": "'order_placed'", "at": at, "recorded_at": at,
        "actor_kind": "'system'", "actor": "'bench'", "text": "'Bench data'", "data": f"'{{}}'{json}",
        "moves": f"'[]'{json}",
    }  # fmt: skip
    _from_series("core_journalevent", event, recursive, series)


def _from_series(table: str, columns: dict[str, str], recursive: str, series: str) -> None:
    values = ", ".join(columns.values()).replace("%%", "%")
    rows(f"{recursive}INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {series}", None)


def _tidy() -> None:
    """What the database does by itself sooner or later, done now: statistics, and the map of visible rows."""
    rows("VACUUM ANALYZE" if is_postgres() else "ANALYZE", None)
