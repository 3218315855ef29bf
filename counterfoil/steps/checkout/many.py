"""Inserting many rows at once, as columns to values; the ORM takes three quarters of an import for itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from counterfoil.core.db import is_postgres, rows


def insert(table: str, records: Sequence[Mapping[str, Any]], tail: str = "") -> None:
    """Insert rows that all have the columns of the first, with one statement; inside `writing()`."""
    if not records:
        return
    columns = list(records[0])
    named = ", ".join(f'"{c}"' for c in columns)
    if is_postgres():
        picked = ", ".join(f'r."{c}"' for c in columns)
        rows(
            f"INSERT INTO {table} ({named}) SELECT {picked} "
            f"FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS r {tail}",
            [json.dumps(records, default=_plain)],
        )
        return
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({named}) VALUES ({marks}) {tail}",
            [[_sqlite(record[c]) for c in columns] for record in records],
        )


def next_ids(table: str, count: int) -> list[int]:
    """The ids of the next rows of a table. On SQLite the caller holds the only pen, so nobody else can take them."""
    if is_postgres():
        taken = rows(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, {count:d})")
        return [int(row[0]) for row in taken]
    found = rows("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    first = int(found[0][0]) + 1 if found else 1
    return list(range(first, first + count))


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a row")


def _sqlite(value: Any) -> Any:
    """As Django keeps it there: times as text, naive and in UTC; JSON as text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value.isoformat() if isinstance(value, date) else value
