"""Idempotency keys: the first answer is the answer, for 24 hours of business time."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.errors import ApiError, Json
from sandbox.store import Store

KEPT_SECONDS = 24 * 3_600


@dataclass(frozen=True)
class Kept:
    """An answer given before."""

    status: int
    body: Json


def fingerprint(method: str, path: str, params: Json) -> str:
    """What a repeat must have in common with the first call."""
    return hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()


class Keys:
    """Keys in use now (memory) and answers kept (database)."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def in_use(self, key: str | None) -> Iterator[None]:
        """Hold the key; 409 while another call holds it."""
        if key is None:
            yield
            return
        if len(key) > 255 or not key:
            raise ApiError(400, "invalid_request_error", "Idempotency keys have 1 to 255 characters.", kept=False)
        with self._lock:
            if key in self._busy:
                message = "Another request with this idempotency key is still in progress."
                raise ApiError(409, "idempotency_error", message, kept=False, code="idempotency_key_in_use")
            self._busy.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(key)


def earlier_answer(store: Store, key: str, mark: str) -> Kept | None:
    """The kept answer to the same call; 400 if the key was used for another call; None if it is new or forgotten."""
    row = store.connection.execute(
        "SELECT fingerprint, status, body FROM answers WHERE key = ? AND kept_at > ?",
        (key, store.now() - KEPT_SECONDS),
    ).fetchone()
    if row is None:
        return None
    if row[0] != mark:
        message = "Keys for idempotent requests can only be used with the same endpoint and parameters."
        raise ApiError(400, "idempotency_error", message, kept=False)
    return Kept(row[1], json.loads(row[2]))


def keep(store: Store, key: str, mark: str, status: int, body: Json) -> None:
    """Remember the answer from now on; what is older than a day is forgotten."""
    store.connection.execute(
        "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (key, mark, status, json.dumps(body), store.now())
    )
    store.connection.execute("DELETE FROM answers WHERE kept_at <= ?", (store.now() - KEPT_SECONDS,))
