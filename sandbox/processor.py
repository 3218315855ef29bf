"""The card processor itself: calls in, answers out, on a SQLite connection. No HTTP, no threads of its own.

`python -m sandbox.processor` runs it as a process (see `sandbox/server.py`).
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.exceptions import HTTPException

from sandbox import disputes, events, idempotency, intents, ledger, payouts, refunds, sessions
from sandbox.api import ROUTES, perform
from sandbox.errors import ApiError, Json, refused_parameter
from sandbox.faults import REQUEST_KINDS
from sandbox.store import Store

CALLS_KEPT = 5_000
_BY_CLOCK: dict[str, Callable[[Store, Json], object]] = {  # what happens when an object's time has come
    "payment_intent": lambda store, intent: intents.release(store, intent, "automatic"),
    "checkout.session": sessions.lapse,
    "charge": disputes.from_card,
    "refund": refunds.by_clock,
    "dispute": disputes.by_clock,
    "balance_transaction": payouts.at_midnight,
    "payout": payouts.fail,
}


@dataclass(frozen=True)
class Answer:
    """`lost`: the caller must not hear of it, whether the work is done or the call was lost before it."""

    status: int
    body: Json
    request_id: str
    replayed: bool = False
    lost: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Stripe's own headers."""
        extra = {"Idempotent-Replayed": "true"} if self.replayed else {}
        return {"Request-Id": self.request_id, **extra}


def _sort(method: str, path: str, within: Mapping[str, Any]) -> str:
    """The call without its ids, as `POST /v1/refunds`."""
    for identifier in within.values():
        path = path.replace(f"/{identifier}", "/*")
    return f"{method} {path}"


def _unheard() -> ApiError:
    return ApiError(503, "api_error", "The call never arrived.", kept=False)


class Processor:
    """Stripe's API as far as the shop uses it. `clock` returns real Unix seconds; ids follow from `seed`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        seed: str | None = None,
        webhooks: bool = False,
        public_url: str = "http://127.0.0.1:8000/sandbox",
    ) -> None:
        self.store = Store(connection, clock=clock, seed=seed, webhooks=webhooks, public_url=public_url)
        self.faults = self.store.faults
        self._keys = idempotency.Keys()
        self._sleep = sleep
        self._refusals = itertools.count(1)
        self._router = ROUTES.bind("sandbox")

    def call(self, method: str, path: str, given: Json | None = None, *, key: str | None = None) -> Answer:
        """One API call. `given`: parameters, nested; `key`: the Idempotency-Key (POST only)."""
        given = given or {}
        key = key if method == "POST" else None
        try:
            handler, within = self._router.match(path, method)
            among = (*REQUEST_KINDS, "refund_fails") if (method, path) == ("POST", "/v1/refunds") else REQUEST_KINDS
            with self.faults.lot(_sort(method, path, within), path, method, among):
                if self.faults.take("lost_call", path, method):
                    return replace(self._refused(_unheard(), method, path, key), lost=True)
                self._stop_early(method, path)
                with self._keys.in_use(key):
                    if delay := self.faults.take("delay", path, method):
                        self._sleep(delay.seconds)
                    answer = self._work(method, path, handler, dict(within), given=given, key=key)
        except HTTPException:
            message = f"Unrecognized request URL ({method}: {path})."
            answer = self._refused(ApiError(404, "invalid_request_error", message, kept=False), method, path, key)
        except ApiError as refusal:
            answer = self._refused(refusal, method, path, key)
        return answer

    def _stop_early(self, method: str, path: str) -> None:
        """Faults that strike before any work."""
        if self.faults.take("rate_limit", path, method):
            raise ApiError(429, "invalid_request_error", "Too many requests.", kept=False, code="rate_limit")
        if self.faults.take("error_500", path, method):
            raise ApiError(500, "api_error", "The processor is out of order.", kept=False)

    def _work(self, method: str, path: str, handler: Any, within: Json, *, given: Json, key: str | None) -> Answer:
        """Work, its events and its kept answer: one transaction."""
        store = self.store
        mark = idempotency.fingerprint(method, path, given) if key else ""
        with store.transaction():
            self._pass_time()
            request_id = store.new_id("req", 14)
            earlier = idempotency.earlier_answer(store, key, mark) if key else None
            if earlier:
                status, body = earlier.status, earlier.body
            elif self.faults.take("error_500_kept", path, method):
                status, body = 500, {"error": {"type": "api_error", "message": "The processor failed at the work."}}
                if key:
                    idempotency.keep(store, key, mark, status, body)
            else:
                store.request = {"id": request_id, "idempotency_key": key}
                status, body, kept = self._execute(handler, within, given)
                store.request = {"id": None, "idempotency_key": None}
                if self.faults.take("error_500_after", path, method):
                    status, kept = 500, True
                    body = {"error": {"type": "api_error", "message": "The processor failed after the work was done."}}
                if key and kept:
                    idempotency.keep(store, key, mark, status, body)
            lost = self.faults.take("lost_answer", path, method) is not None
            note = "lost answer" if lost else "replayed" if earlier else None
            self._record(method, path, key, status, note)
        return Answer(status, body, request_id, replayed=earlier is not None, lost=lost)

    def _execute(self, handler: Any, within: Json, given: Json) -> tuple[int, Json, bool]:
        """Status, body, and whether the answer is kept. A refusal takes back what it must not leave behind."""
        connection = self.store.connection
        connection.execute("SAVEPOINT work")
        try:
            body = perform(self.store, handler, within, given)
        except ApiError as refusal:
            if not refusal.commits:
                connection.execute("ROLLBACK TO work")
            connection.execute("RELEASE work")
            return refusal.status, refusal.body, refusal.kept
        except Exception:
            traceback.print_exc(file=sys.stderr)
            connection.execute("ROLLBACK TO work")
            connection.execute("RELEASE work")
            return 500, {"error": {"type": "api_error", "message": "An error of the sandbox itself."}}, True
        connection.execute("RELEASE work")
        return 200, body, True

    def _refused(self, refusal: ApiError, method: str, path: str, key: str | None) -> Answer:
        with self.store.transaction():
            self._record(method, path, key, refusal.status, "refused at the door")
        return Answer(refusal.status, refusal.body, f"req_refused{next(self._refusals)}")

    def _record(self, method: str, path: str, key: str | None, status: int, note: str | None) -> None:
        store = self.store
        cursor = store.connection.execute(
            "INSERT INTO calls (time, business_time, method, path, idempotency_key, status, note) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (store.clock(), store.now(), method, path, key, status, note),
        )
        last = cursor.lastrowid or 0
        store.connection.execute("DELETE FROM calls WHERE id <= ?", (last - CALLS_KEPT,))

    # -- time ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let happen what the clock brings: holds lapse, sessions expire, refunds come back, money is paid out."""
        with self.store.transaction():
            self._pass_time()

    def _pass_time(self) -> None:
        while thing := self.store.next_due():
            _BY_CLOCK[thing["object"]](self.store, thing)
        events.release_held(self.store)

    def set_clock(self, offset_seconds: int) -> int:
        """Move business time to `offset_seconds` ahead of real time; 400 if that is backwards and something exists."""
        with self.store.transaction():
            if offset_seconds < self.store.offset_seconds and not self.store.is_new():
                raise refused_parameter("Business time moves forward only.", "offset_seconds")
            self.store.set_offset(offset_seconds)
            self._pass_time()
        return offset_seconds

    # -- hosted page -----------------------------------------------------------------------------------------------

    def session(self, identifier: str) -> Json:
        """The checkout session with our own keys, for the hosted page; 404 if there is none."""
        with self.store.transaction():
            self._pass_time()
            return self.store.get("checkout.session", identifier, in_path=True)

    def at_page(self, act: Callable[[Store], Any]) -> Any:
        """Run what a customer does on a hosted page, or a test at its doors, in one transaction, after the clock
        has had its way."""
        with self.store.transaction():
            self._pass_time()
            return act(self.store)

    # -- doors for tests -------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """No faults any more; what an outage of the webhooks held back is sent."""
        with self.store.transaction():
            self.faults.clear()
            self.store.connection.execute("UPDATE held SET until = ?", (self.store.now(),))
            self._pass_time()

    def ledger(self) -> Json:
        """Every object by type (oldest first), the calls, and the state of webhook deliveries."""
        return dict(self.at_page(ledger.everything))

    def summary(self) -> list[Json]:
        """One line of money for each payment intent, oldest first; amounts in minor units."""
        return list(self.at_page(ledger.intents))

    def statement(self) -> Json:
        """The summary, with disputes, payouts and the totals of each currency."""
        return dict(self.at_page(ledger.statement))


if __name__ == "__main__":
    from sandbox.server import main

    sys.exit(main())
