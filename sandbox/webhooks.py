"""Signed webhooks: taken from the outbox in the database, sent by background threads, tried again until taken."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.store import Store, public

TIMEOUT_SECONDS = 10.0
FIRST_WAIT_SECONDS = 0.5  # doubled at each failure ...
LONGEST_WAIT_SECONDS = 60.0  # ... up to this
GIVE_UP_SECONDS = 3 * 86_400.0


def signature(payload: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header for `payload`, sent at real Unix second `at`."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + payload, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


@dataclass(frozen=True)
class Delivery:
    """One event on its way to the shop."""

    id: int
    event_id: str
    payload: bytes
    attempts: int
    first_at: float


def claim(store: Store) -> Delivery | None:
    """The next delivery that is due, leased to the caller for the time an attempt may take; None if none is due."""
    with store.lock:  # a look without a transaction: most of the time there is nothing to do
        if not store.connection.execute("SELECT 1 FROM deliveries WHERE next_at <= ?", (store.clock(),)).fetchone():
            return None
    with store.transaction():
        row = store.connection.execute(
            "SELECT id, event, attempts, first_at FROM deliveries WHERE next_at <= ? ORDER BY next_at, id LIMIT 1",
            (store.clock(),),
        ).fetchone()
        if row is None:
            return None
        store.connection.execute(
            "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ?",
            (store.clock() + 2 * TIMEOUT_SECONDS, row[0]),
        )
        event = store.get("event", row[1])
    payload = json.dumps(public(event), ensure_ascii=False, indent=2).encode()
    return Delivery(row[0], row[1], payload, row[2] + 1, row[3])


def finish(store: Store, delivery: Delivery, *, taken: bool, result: str) -> None:
    """Record the attempt: done, to be tried again later, or given up after three days."""
    now = store.clock()
    wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(delivery.attempts - 1, 16))
    over = taken or now - delivery.first_at > GIVE_UP_SECONDS
    with store.transaction():
        store.connection.execute(
            "UPDATE deliveries SET next_at = ?, delivered_at = ?, last_status = ? WHERE id = ?",
            (None if over else now + wait, now if taken else None, result, delivery.id),
        )
        if over:
            _let_follow(store, delivery.id, now)
            event = store.get("event", delivery.event_id)
            event["pending_webhooks"] = 0
            store.save(event)


def _let_follow(store: Store, delivery_id: int, now: float) -> None:
    """A delivery that waits for this one to overtake it may go."""
    store.connection.execute(
        "UPDATE deliveries SET next_at = min(next_at, ?) WHERE attempts = 0 AND id IN "
        "(SELECT delivery FROM swaps WHERE overtaken_by = ?)",
        (now, delivery_id),
    )
    store.connection.execute("DELETE FROM swaps WHERE delivery = ? OR overtaken_by = ?", (delivery_id, delivery_id))


class Courier:
    """Two threads that carry deliveries to `url`, signed with `secret`."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        self._store = store
        self._target = urlsplit(url)
        self._secret = secret
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"courier-{n}", daemon=True) for n in (1, 2)]

    def start(self) -> None:
        """Begin; what an earlier process left undelivered goes out too."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the attempts under way; an unfinished one is tried again by the next process."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stop.is_set():
            delivery = claim(self._store)
            if delivery is None:
                self._stop.wait(0.05)
                continue
            taken, result = self._send(delivery)
            finish(self._store, delivery, taken=taken, result=result)

    def _send(self, delivery: Delivery) -> tuple[bool, str]:
        """Post once. Only a 2xx counts; redirects are not followed."""
        target = self._target
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = kind(target.hostname or "", target.port, timeout=TIMEOUT_SECONDS)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Counterfoil-Sandbox/1.0",
            "Stripe-Signature": signature(delivery.payload, self._secret, int(self._store.clock())),
        }
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            connection.request("POST", path, delivery.payload, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as problem:
            return False, type(problem).__name__
        finally:
            connection.close()
        return 200 <= status < 300, str(status)
