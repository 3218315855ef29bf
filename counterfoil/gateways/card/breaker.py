"""A breaker before a processor that does not answer: fail at once, let one call look now and then, close when it works.

One for each processor and process. Only what says nothing about us counts as a failure: no connection, no answer in
time, "slow down", an error of its own. A decline or a request that it does not accept is an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from counterfoil.core import clock

AFTER = 5  # failures in a row
FIRST_SECONDS = 2.0  # of waiting; doubled each time the look fails ...
LONGEST_SECONDS = 60.0  # ... up to this
PROBE_SECONDS = 15.0  # after which a look that never came back counts for nothing


class Away(Exception):
    """Not tried: the processor has not answered since then. `seconds` until it makes sense to ask again."""

    def __init__(self, since: datetime, seconds: float, again_at: datetime) -> None:
        self.since, self.seconds, self.again_at = since, seconds, again_at
        super().__init__(f"away since {since:%H:%M:%S}, again at {again_at:%H:%M:%S}")


class Breaker:
    """Closed while calls are answered. Serves all threads."""

    def __init__(
        self, *, monotonic: Callable[[], float] = clock.monotonic, now: Callable[[], datetime] = clock.real_now
    ) -> None:
        self._monotonic, self._now = monotonic, now
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Closed, and nothing remembered."""
        with self._lock:
            self._failures = 0
            self._since: datetime | None = None
            self._open_until: float | None = None
            self._wait = FIRST_SECONDS
            self._probing = False

    def permit(self) -> bool:
        """Before a call. True when it is the one that looks whether the processor is back. Raises Away."""
        with self._lock:
            if self._open_until is None:
                return False
            if self._monotonic() >= self._open_until:
                self._open_until = self._monotonic() + PROBE_SECONDS
                self._probing = True
                return True
            raise self._away()

    def answered(self) -> None:
        """The processor said something: whatever it was, it is there."""
        self.reset()

    def failed(self, *, probe: bool) -> None:
        """No answer. A call that was under way when the breaker opened changes nothing any more."""
        with self._lock:
            self._failures += 1
            self._since = self._since or self._now()
            if self._open_until is None and self._failures >= AFTER:
                self._open_until = self._monotonic() + self._wait
            elif self._open_until is not None and probe:
                self._wait = min(LONGEST_SECONDS, self._wait * 2)
                self._open_until = self._monotonic() + self._wait
                self._probing = False

    def away(self) -> Away | None:
        """How it stands while open; None when calls may go."""
        with self._lock:
            return self._away() if self._open_until is not None else None

    def _away(self) -> Away:
        left = max(0.0, (self._open_until or 0.0) - self._monotonic())
        if self._probing:
            left = min(left, FIRST_SECONDS)  # the one that looks may be back at any moment
        return Away(self._since or self._now(), left, self._now() + timedelta(seconds=left))


_known: dict[str, Breaker] = {}
_lock = threading.Lock()


def of(processor: str) -> Breaker:
    """This process's breaker for a processor, by its address."""
    with _lock:
        return _known.setdefault(processor, Breaker())


def forget() -> None:
    """Close them all: between tests."""
    with _lock:
        for breaker in _known.values():
            breaker.reset()
