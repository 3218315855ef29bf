"""Faults that a test can order: lost answers, errors, delays, and webhooks that fail to behave."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sandbox import chance
from sandbox.errors import Json, refused_parameter

REQUEST_KINDS = (
    "lost_call", "lost_answer", "error_500", "error_500_kept", "error_500_after", "delay", "rate_limit",
)  # fmt: skip
EVENT_KINDS = ("webhooks_off", "webhooks_twice", "webhooks_late", "webhooks_out_of_order")
BANK_KINDS = ("refund_fails", "payout_fails")
KINDS = (*REQUEST_KINDS, *EVENT_KINDS, *BANK_KINDS)
BY_SEED = (*REQUEST_KINDS, *EVENT_KINDS)  # and refund_fails where it is named: nobody but a person mends that
_DEFAULT_SECONDS = {"delay": 2.0, "webhooks_late": 5.0, "webhooks_out_of_order": 5.0}
_BY_BUSINESS_TIME = (*BANK_KINDS, "webhooks_off")  # these seconds may be many
_LONGEST_SECONDS = {True: 30 * 86_400, False: 86_400}
_FIELDS = {"kind", "count", "rate", "path", "method", "seconds", "then"}


@dataclass
class Fault:
    """One order. `left`: how often it still strikes (None: no end); `rate`: with what chance (None: always).

    `until` (business seconds) ends an outage of the webhooks; `then`: what it held back is `delivered` or `never`.
    """

    kind: str
    left: int | None
    rate: float | None
    path: str | None
    method: str
    seconds: float
    until: float | None = None
    then: str = "never"

    def over(self, now: float) -> bool:
        """Whether it has struck for the last time."""
        return self.left == 0 or (self.until is not None and self.until <= now)

    def meets(self, kind: str, path: str, method: str | None) -> bool:
        """Whether this fault is about such a call (or, for webhooks, such a type of event)."""
        if self.kind != kind:
            return False
        if method is not None and self.method not in ("*", method):
            return False
        wanted = self.path or ("/v1/" if method is not None else "*")
        return path.startswith(wanted) or fnmatchcase(path, wanted)

    def shown(self) -> Json:
        """As `GET /_faults` shows it."""
        return {
            "kind": self.kind,
            "count": self.left,
            "rate": self.rate,
            "path": self.path,
            "method": self.method,
            "seconds": self.seconds,
            "until": self.until,
            "then": self.then if self.kind == "webhooks_off" else None,
        }


class Faults:
    """The faults in force. Kept in memory only: a restarted sandbox is a healthy one. `now`: business time."""

    def __init__(self, seed: str = "0", now: Callable[[], float] = time.time) -> None:
        self._seed = seed
        self._now = now
        self._chance = random.Random(seed)  # noqa: S311 - chance in tests, no secret
        self._faults: list[Fault] = []
        self._by_seed: chance.Chance | None = None
        self._lot = threading.local()  # what befalls the call that this thread is doing
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()  # how often each kind has struck since the process began

    def misbehave(self, order: Mapping[str, Any]) -> None:
        """From now on misbehave by a seed, each sequence from its beginning; raises `ApiError` 400."""
        ordered = chance.ordered(order, (*BY_SEED, "refund_fails"), BY_SEED)
        with self._lock:
            self._by_seed = ordered

    @contextmanager
    def lot(self, sort: str, path: str, method: str | None, among: Sequence[str]) -> Iterator[None]:
        """Within: `take` also gives, once, what the seed has in store for the next call (or event) of this sort."""
        before = getattr(self._lot, "fault", None)
        with self._lock:
            by_seed, drawn = self._by_seed, None
            if by_seed and Fault("", None, None, by_seed.path, by_seed.method, 0.0).meets("", path, method):
                drawn = by_seed.next(sort, among)
        self._lot.fault = Fault(drawn[0], None, None, None, "*", drawn[1]) if drawn else None
        try:
            yield
        finally:
            self._lot.fault = before

    def add(self, order: Mapping[str, Any]) -> Fault:
        """Put a fault in force; raises `ApiError` 400 if the order makes no sense."""
        unknown = set(order) - _FIELDS
        if unknown:
            raise refused_parameter(f"Unknown field: {min(unknown)}", min(unknown))
        kind, count, rate = order.get("kind"), order.get("count"), order.get("rate")
        if kind not in KINDS:
            raise refused_parameter(f"kind must be one of {', '.join(KINDS)}", "kind")
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise refused_parameter("count is a whole number from 1", "count")
        if rate is not None and (not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 <= rate <= 1):
            raise refused_parameter("rate is a number from 0 to 1", "rate")
        seconds = order.get("seconds", _DEFAULT_SECONDS.get(kind, 0.0))
        longest = _LONGEST_SECONDS[kind in _BY_BUSINESS_TIME]
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= longest:
            raise refused_parameter(f"seconds is a number from 0 to {longest}", "seconds")
        until = self._now() + seconds if kind == "webhooks_off" and seconds else None
        then = order.get("then", "never")
        if then not in ("never", "delivered") or ("then" in order and until is None):
            raise refused_parameter("then, for webhooks_off with seconds, is never or delivered", "then")
        path, method = order.get("path"), order.get("method", "POST")
        if not isinstance(path, str | None) or not isinstance(method, str):
            raise refused_parameter("path and method are text", "path")
        fault = Fault(kind, count, rate, path, method.upper(), float(seconds), until, then)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, kind: str, path: str, method: str | None = None) -> Fault | None:
        """The fault that strikes now, used up by one; None if the call is spared."""
        with self._lock:
            for fault in self._faults:
                if not fault.meets(kind, path, method) or fault.over(self._now()):
                    continue
                if fault.rate is not None and self._chance.random() >= fault.rate:
                    continue
                if fault.left is not None:
                    fault.left -= 1
                self.struck[kind] += 1
                return fault
        mine: Fault | None = getattr(self._lot, "fault", None)
        if mine is None or mine.kind != kind:
            return None
        self._lot.fault = None
        with self._lock:
            self.struck[kind] += 1
        return mine

    def clear(self) -> None:
        """No faults, and chance begins again from the seed."""
        with self._lock:
            self._faults.clear()
            self._by_seed = None
            self._chance = random.Random(self._seed)  # noqa: S311

    def listed(self) -> list[Json]:
        """The faults still in force."""
        with self._lock:
            return [fault.shown() for fault in self._faults if not fault.over(self._now())]

    def seeded(self) -> Json | None:
        """The misbehaviour by seed that is in force."""
        with self._lock:
            return self._by_seed.shown() if self._by_seed else None
