"""The hot path in SQL: on PostgreSQL one read and one data-modifying statement, on SQLite a handful of inserts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from counterfoil.core.db import is_postgres, rows


@dataclass(frozen=True)
class Offered:
    """A product as placing an order needs it, its balance locked."""

    id: int
    sku: str
    name: str
    price: int
    currency: str
    tax_class: str
    sell_when_out: str
    age_restricted: bool
    free: int


def lock_products(skus: Sequence[str]) -> tuple[dict[str, Offered], int]:
    """The products of a cart, balances locked in id order, and (PostgreSQL) the new order's id, taken on the way."""
    marks = ", ".join(["%s"] * len(skus))
    columns = (
        "p.id, p.sku, p.name, p.price, p.currency, p.tax_class, p.sell_when_out, p.age_restricted, "
        "b.on_hand - b.reserved"
    )
    tail = (
        f"FROM catalogue_product p JOIN stock_balance b ON b.product_id = p.id WHERE p.sku IN ({marks}) ORDER BY p.id"
    )
    order_id = 0
    if is_postgres():
        # The sequence is asked once, in a subquery of its own: a row each would burn a number a line.
        found = rows(
            f"SELECT {columns}, (SELECT nextval(pg_get_serial_sequence('orders_order', 'id'))) {tail} FOR UPDATE OF b",
            list(skus),
        )
        if found:
            order_id = int(found[0][9])
    else:
        found = rows(f"SELECT {columns} {tail}", list(skus))
    offered = {}
    for r in found:
        id_, sku, name, price, currency, tax_class, when_out, restricted, free = r[:9]
        offered[sku] = Offered(id_, sku, name, price, currency, tax_class, when_out, bool(restricted), int(free))
    return offered, order_id


@dataclass
class Placement:
    """Rows to be written, as columns to values; journal and jobs included."""

    customer: dict[str, Any]
    vouched: bool  # the customer themselves, logged in, or one of us: what they say of the customer is kept
    order: dict[str, Any]
    part: dict[str, Any]
    lines: list[dict[str, Any]]
    movements: list[dict[str, Any]]
    waiting: list[dict[str, Any]]  # {product_id, reserved, waiting}
    event: dict[str, Any]
    jobs: list[dict[str, Any]]
    idempotency: dict[str, Any] | None


def write(placement: Placement) -> bool:
    """Write a whole placement. False when this channel has used this reference (or key) before: nothing is written."""
    return _write_postgres(placement) if is_postgres() else _write_sqlite(placement)


KEY_COLUMNS = ("scope", "path", "key", "body_sha256", "status", "answer", "created_at")
JOB_COLUMNS = (
    "name", "key", "payload", "state", "run_at", "attempts", "fence", "worker", "last_error", "created_at",
)  # fmt: skip


# Who has bought before is reached at the newest number that they, or one of us, gave.
_VOUCHED = """ON CONFLICT (email_key) DO UPDATE SET email = excluded.email,
    phone = CASE WHEN excluded.phone = '' THEN customers_customer.phone ELSE excluded.phone END,
    phone_key = CASE WHEN excluded.phone = '' THEN customers_customer.phone_key ELSE excluded.phone_key END"""
# Anybody can name an address that is not theirs: what we know of its customer stays, and only what was empty is filled.
_ANYBODY = """ON CONFLICT (email_key) DO UPDATE SET email = customers_customer.email,
    phone = CASE WHEN customers_customer.phone = '' THEN excluded.phone ELSE customers_customer.phone END,
    phone_key = CASE WHEN customers_customer.phone = '' THEN excluded.phone_key ELSE customers_customer.phone_key END"""


def _known(p: Placement) -> str:
    return _VOUCHED if p.vouched else _ANYBODY


# What a JSON record becomes on PostgreSQL; the rest is text, integer or jsonb by the column's own type.
def _recordset(table: str, columns: Sequence[str], source: str) -> str:
    picked = ", ".join(f"r.{c}" for c in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {picked} "
        f"FROM jsonb_populate_recordset(NULL::{table}, (SELECT doc -> '{source}' FROM input)) AS r"
    )


def _write_postgres(p: Placement) -> bool:
    doc = json.dumps(
        {
            "customer": [p.customer],
            "order": [p.order],
            "part": [p.part],
            "lines": p.lines,
            "movements": p.movements,
            "waiting": p.waiting,
            "event": [p.event],
            "jobs": p.jobs,
            "key": [p.idempotency] if p.idempotency else [],
        },
        default=_plain,
    )
    order_columns = list(p.order)
    picked = ", ".join("c.id" if c == "customer_id" else f"r.{c}" for c in order_columns)
    parts_columns = list(p.part)
    line_columns = list(p.lines[0])
    sql = f"""
WITH input AS (SELECT %s::jsonb AS doc),
k AS ({_recordset("core_idempotencykey", KEY_COLUMNS, "key")} RETURNING id),
c AS (
  INSERT INTO customers_customer (email_key, email, name, phone, name_key, last_key, phone_key, processor_id, note)
  SELECT r.email_key, r.email, r.name, r.phone, r.name_key, r.last_key, r.phone_key, '', ''
  FROM jsonb_populate_recordset(NULL::customers_customer, (SELECT doc -> 'customer' FROM input)) AS r
  {_known(p)} RETURNING id
),
o AS (
  INSERT INTO orders_order ({", ".join(order_columns)})
  SELECT {picked} FROM c, jsonb_populate_recordset(NULL::orders_order, (SELECT doc -> 'order' FROM input)) AS r
  RETURNING id
),
pt AS (
  INSERT INTO orders_part ({", ".join(parts_columns)})
  SELECT {", ".join("o.id" if x == "order_id" else f"r.{x}" for x in parts_columns)}
  FROM o, jsonb_populate_recordset(NULL::orders_part, (SELECT doc -> 'part' FROM input)) AS r RETURNING id
),
ln AS (
  INSERT INTO orders_line ({", ".join(line_columns)})
  SELECT {", ".join({"order_id": "o.id", "part_id": "pt.id"}.get(x, f"r.{x}") for x in line_columns)}
  FROM o, pt, jsonb_populate_recordset(NULL::orders_line, (SELECT doc -> 'lines' FROM input)) AS r
  RETURNING id, position
),
b AS (
  UPDATE stock_balance s SET reserved = s.reserved + w.reserved, waiting = s.waiting + w.waiting
  FROM jsonb_to_recordset((SELECT doc -> 'waiting' FROM input)) AS w(product_id bigint, reserved bigint, waiting bigint)
  WHERE s.product_id = w.product_id RETURNING s.product_id
),
m AS (
  INSERT INTO stock_movement (product_id, bin, lot, kind, on_hand, reserved, picked, shipped, quarantined, due_in,
    cause, subject, line, reason, actor, at)
  SELECT r.product_id, '', '', r.kind, 0, r.reserved, 0, 0, 0, 0, r.cause, r.subject, ln.id, '', r.actor, r.at
  FROM jsonb_populate_recordset(NULL::stock_movement, (SELECT doc -> 'movements' FROM input)) AS r
  JOIN ln ON ln.position = r.line RETURNING id
),
j AS (
  {_recordset("core_journalevent", list(p.event), "event")} RETURNING id
),
q AS (
  {_recordset("core_job", JOB_COLUMNS, "jobs")} RETURNING id
)
SELECT id FROM o
"""
    return bool(rows(sql, [doc]))


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a placement")


_JSON_COLUMNS = {"shipping_address", "billing_address", "blockers", "flags", "payload", "data", "moves"}


def _insert(table: str, records: Sequence[dict[str, Any]], tail: str = "") -> list[tuple[Any, ...]]:
    columns = list(records[0])
    marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(records))
    values = [json.dumps(r[c], default=_plain) if c in _JSON_COLUMNS else r[c] for r in records for c in columns]
    return rows(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} {tail}", values)


def _write_sqlite(p: Placement) -> bool:
    if p.idempotency:
        _insert("core_idempotencykey", [p.idempotency])
    customer = _insert(
        "customers_customer",
        [{**p.customer, "processor_id": "", "note": ""}],
        f"{_known(p)} RETURNING id",
    )[0][0]
    order_id = _insert("orders_order", [{**p.order, "customer_id": customer}], "RETURNING id")[0][0]
    part_id = _insert("orders_part", [{**p.part, "order_id": order_id}], "RETURNING id")[0][0]
    lines = _insert(
        "orders_line",
        [{**ln, "order_id": order_id, "part_id": part_id} for ln in p.lines],
        "RETURNING id, position",
    )
    ids = {position: id_ for id_, position in lines}
    marks = ", ".join(["(%s, %s, %s)"] * len(p.waiting))
    rows(
        f"WITH w (product_id, reserved, waiting) AS (VALUES {marks}) "
        "UPDATE stock_balance SET reserved = stock_balance.reserved + w.reserved, "
        "waiting = stock_balance.waiting + w.waiting FROM w WHERE stock_balance.product_id = w.product_id",
        [v for w in p.waiting for v in (w["product_id"], w["reserved"], w["waiting"])],
    )
    if p.movements:
        empty = dict.fromkeys(("on_hand", "picked", "shipped", "quarantined", "due_in"), 0)
        _insert(
            "stock_movement",
            [{"bin": "", "lot": "", "reason": "", **empty, **m, "line": ids[m["line"]]} for m in p.movements],
        )
    _insert("core_journalevent", [p.event])
    if p.jobs:
        _insert("core_job", p.jobs)
    return True


def next_order_id_sqlite() -> int:
    """The id that the next order gets; the caller holds SQLite's only pen, so nobody else can take it."""
    found = rows("SELECT seq FROM sqlite_sequence WHERE name = 'orders_order'")
    return int(found[0][0]) + 1 if found else 1
