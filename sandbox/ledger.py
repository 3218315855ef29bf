"""What the sandbox lets a test see: everything, or the money only."""

from __future__ import annotations

import json
from typing import Any

from sandbox.errors import Json
from sandbox.store import Store, public

_SIGNS = {  # kind of balance entry -> the total it counts in, and how
    "charge": ("captured", 1),
    "refund": ("refunded", -1),
    "refund_failure": ("refunded", -1),
    "adjustment": ("disputed", -1),
    "payout": ("paid_out", -1),
    "payout_failure": ("paid_out", -1),
}


def everything(store: Store) -> Json:
    """Every object by type (oldest first), the calls, and the state of webhook deliveries."""
    objects: dict[str, list[Json]] = {}
    for kind, data in store.connection.execute("SELECT type, data FROM objects ORDER BY seq"):
        objects.setdefault(kind, []).append(public(json.loads(data)))
    return {
        "offset_seconds": store.offset_seconds,
        "now": store.now(),
        "objects": objects,
        "calls": _rows(store, "calls", "id"),
        "deliveries": _rows(store, "deliveries", "id"),
        "held_webhooks": _rows(store, "held", "rowid"),
    }


def _rows(store: Store, table: str, order: str) -> list[Json]:
    cursor = store.connection.execute(f"SELECT * FROM {table} ORDER BY {order}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def intents(store: Store) -> list[Json]:
    """One line of money for each payment intent, oldest first; amounts in minor units."""
    lines = []
    for intent in store.select("type = 'payment_intent'", (), "seq"):
        charge = store.find(intent["latest_charge"]) if intent["latest_charge"] else None
        line = {name: intent[name] for name in ("id", "amount", "currency", "status", "customer", "metadata")}
        line["amount_captured"] = charge["amount_captured"] if charge else 0
        line["amount_refunded"] = charge["amount_refunded"] if charge else 0
        line["disputed"] = bool(charge and charge["disputed"])
        entry = store.find(charge["balance_transaction"]) if charge and charge["balance_transaction"] else None
        line["fee"] = entry["fee"] if entry else 0
        lines.append(line)
    return lines


def statement(store: Store) -> Json:
    """Intents, disputes and payouts in short, oldest first, and `totals` by currency, in minor units.

    captured - refunded - disputed - fees - paid_out = balance, in every currency.
    """
    return {
        "payment_intents": intents(store),
        "disputes": [
            _short(dispute, "payment_intent", "charge", "reason") | {"due_by": dispute["evidence_details"]["due_by"]}
            for dispute in store.select("type = 'dispute'", (), "seq")
        ],
        "payouts": [_short(payout, "arrival_date") for payout in store.select("type = 'payout'", (), "seq")],
        "totals": _totals(store),
    }


def _short(thing: Json, *names: str) -> Json:
    return {name: thing[name] for name in ("id", "amount", "currency", "status", *names)}


def _totals(store: Store) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {}
    rows: list[tuple[Any, ...]] = store.connection.execute(
        "SELECT json_extract(data, '$.currency') AS currency, json_extract(data, '$.type'), "
        "SUM(json_extract(data, '$.amount')), SUM(json_extract(data, '$.fee')), SUM(json_extract(data, '$.net')) "
        "FROM objects WHERE type = 'balance_transaction' GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    for currency, kind, amount, fee, net in rows:
        blank = dict.fromkeys(("captured", "refunded", "disputed", "fees", "paid_out", "balance"), 0)
        total = totals.setdefault(currency, blank)
        name, sign = _SIGNS[kind]
        total[name] += sign * amount
        total["fees"] += fee
        total["balance"] += net
    return totals
