"""The sandbox's records: every Stripe object as one JSON row in SQLite, and the clock and ids that go with them."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.errors import Json, not_found
from sandbox.faults import Faults

API_VERSION = "2026-10-28.endive"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, created INTEGER NOT NULL,
    customer TEXT, payment_intent TEXT, due_at INTEGER, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_type ON objects (type, seq);
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (customer, type, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (payment_intent, type, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_due ON objects (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    kept_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (kept_at);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    first_at REAL NOT NULL, next_at REAL, delivered_at REAL, last_status TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_payout ON objects (json_extract(data, '$._payout'))
    WHERE type = 'balance_transaction';
CREATE TABLE IF NOT EXISTS held (event TEXT PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS swaps (delivery INTEGER PRIMARY KEY, overtaken_by INTEGER);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, business_time INTEGER NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, idempotency_key TEXT, status INTEGER NOT NULL, note TEXT);
"""


def connect(file: Path | str) -> sqlite3.Connection:
    """A connection usable from several threads, one at a time. WAL with NORMAL: survives a killed process."""
    connection = sqlite3.connect(str(file), isolation_level=None, check_same_thread=False, timeout=20)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


class Store:
    """Objects are dicts in Stripe's shape; keys that begin with `_` are ours and never leave the sandbox."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        clock: Callable[[], float] = time.time,
        seed: str | None = None,
        webhooks: bool = False,
        public_url: str = "http://127.0.0.1:8000/sandbox",
    ) -> None:
        self.connection = connection
        self.clock = clock
        self.faults = Faults(seed or "0", self.now)
        self.webhooks = webhooks
        self.public_url = public_url.rstrip("/")  # where customers reach the hosted pages
        self.lock = threading.RLock()
        self.request: Json = {"id": None, "idempotency_key": None}  # of the call now being worked on, for its events
        connection.executescript(_SCHEMA)
        with self.transaction():
            self._seed = self._meta("seed", seed or secrets.token_hex(32))
            self._offset = int(self._meta("clock_offset", "0"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together; an exception takes all of it back."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    # -- clock -----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Business time: Unix seconds, moved forward by the offset."""
        return int(self.clock()) + self._offset

    @property
    def offset_seconds(self) -> int:
        """How far business time is ahead of real time."""
        return self._offset

    def set_offset(self, seconds: int) -> None:
        """Move business time. The caller has checked that it may."""
        self.connection.execute("UPDATE meta SET value = ? WHERE name = 'clock_offset'", (str(seconds),))
        self._offset = seconds

    def is_new(self) -> bool:
        """Whether nothing has ever been made here: then a story may begin in the past."""
        return self.connection.execute("SELECT 1 FROM objects LIMIT 1").fetchone() is None

    # -- ids -------------------------------------------------------------------------------------------------------

    def new_id(self, prefix: str, length: int = 24) -> str:
        """`prefix_...`: unguessable without the seed, the same again for the same seed and history."""
        row = self.connection.execute(
            "INSERT INTO meta VALUES ('ids', '1') "
            "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
        ).fetchone()
        number = int.from_bytes(hashlib.sha512(f"{self._seed}/{row[0]}".encode()).digest(), "big")
        letters = []
        for _ in range(length):
            number, letter = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[letter])
        return f"{prefix}_{''.join(letters)}"

    def _meta(self, name: str, default: str) -> str:
        self.connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, default))
        return str(self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    # -- objects ---------------------------------------------------------------------------------------------------

    def save(self, thing: Json) -> Json:
        """Insert or replace. `_due_at` (business seconds) says when the clock itself will change the object."""
        values = (
            thing["id"],
            thing["object"],
            thing["created"],
            thing.get("customer"),
            thing.get("payment_intent"),
            thing.get("_due_at"),
            json.dumps(thing, separators=(",", ":"), ensure_ascii=False),
        )
        self.connection.execute(
            "INSERT INTO objects (id, type, created, customer, payment_intent, due_at, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, "
            "payment_intent = excluded.payment_intent, due_at = excluded.due_at, data = excluded.data",
            values,
        )
        return thing

    def find(self, identifier: str) -> Json | None:
        """The object of any type, or None."""
        row = self.connection.execute("SELECT data FROM objects WHERE id = ?", (identifier,)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, identifier: str, param: str | None = None, *, in_path: bool = False) -> Json:
        """The object of this type; `resource_missing` otherwise."""
        thing = self.find(identifier)
        if thing is None or thing["object"] != kind:
            raise not_found(kind, identifier, param, in_path=in_path)
        return thing

    def select(self, where: str, values: Sequence[Any], order: str = "seq DESC", limit: int = -1) -> list[Json]:
        """Objects by a condition on the columns of `objects`."""
        query = f"SELECT data FROM objects WHERE {where} ORDER BY {order} LIMIT ?"
        rows = self.connection.execute(query, (*values, limit)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def position(self, kind: str, identifier: str, param: str) -> int:
        """Where the object of this type stands in the order of creation, for paging."""
        row = self.connection.execute(
            "SELECT seq FROM objects WHERE id = ? AND type = ?", (identifier, kind)
        ).fetchone()
        if row is None:
            raise not_found(kind, identifier, param, in_path=False)
        return int(row[0])

    def next_due(self) -> Json | None:
        """The object whose time came first and that nothing was done about yet, or None."""
        due = self.select("due_at <= ?", (self.now(),), order="due_at, seq", limit=1)
        return due[0] if due else None


def public(thing: Json) -> Json:
    """The object as it is shown outside."""
    return {key: value for key, value in thing.items() if not key.startswith("_")}
