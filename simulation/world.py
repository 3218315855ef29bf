"""What a simulated shop stands in: one clock, one source of chance, and places at which its process may die."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from datetime import tzinfo as timezone
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

OPENING = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)  # a Monday, eight in the morning where the shop stands
# Where the process may die. Each is reached by the shop's own code, and named in what is printed.
POINTS = ("before commit", "after commit", "before the bank", "after the bank", "job taken", "job done", "mail sent")


class Killed(BaseException):
    """The process died here. Nothing of ours catches it, as nothing catches `kill -9`."""

    def __init__(self, point: str) -> None:
        self.point = point
        super().__init__(point)


class World:
    """Time and chance. `now` is seconds since 1970, real and business time in one; it moves only by being moved."""

    def __init__(self, seed: int, *, kill_rate: float) -> None:
        self.chance = random.Random(f"people {seed}")  # noqa: S311 - chance by seed is the point of it
        self._bytes = random.Random(f"bytes {seed}")  # noqa: S311
        self._death = random.Random(f"death {seed}")  # noqa: S311
        self.now = OPENING.timestamp()
        self.kill_rate = kill_rate
        self.mortal = False
        self.reached: Counter[str] = Counter()
        self.died: Counter[str] = Counter()

    def clock(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += max(0.0, seconds)

    def reach(self, point: str) -> None:
        """A place at which the process may die; raises Killed."""
        self.reached[point] += 1
        if self.mortal and self._death.random() < self.kill_rate:
            self.died[point] += 1
            raise Killed(point)

    def random_bytes(self, count: int) -> bytes:
        return self._bytes.randbytes(count)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within: every clock of this process and every secret that it makes come from here.

        Nobody sleeps: who wants to wait finds that the time has passed.
        """

        class Now(datetime):
            @classmethod
            def now(cls, tz: timezone | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(world.now, tz)

        world = self
        from counterfoil.core import clock, jobs

        with ExitStack() as stack:
            for target, name, value in (
                (time, "time", self.clock),
                (time, "monotonic", self.clock),
                (time, "sleep", self.pass_time),
                (os, "urandom", self.random_bytes),
                (random, "_urandom", self.random_bytes),
                (clock, "datetime", Now),
                # One thread: a job in hand is done before its lease is over, or its process is dead.
                (jobs, "threading", SimpleNamespace(Event=_NoEvent, Thread=_NoThread)),
            ):
                stack.enter_context(patch.object(target, name, value))
            random.seed(f"jitter {self._bytes.random()}")
            yield

    @contextmanager
    def deadly(self) -> Iterator[None]:
        """Within: the places of the database and of the jobs are reached. The bank and the mail reach their own."""
        from django.db import connection

        from counterfoil.core import jobs

        def commit(plain: Callable[[], None]) -> Callable[[], None]:
            def committed() -> None:
                try:
                    self.reach("before commit")
                except Killed:
                    connection.rollback()  # what a database does with a dead process's work
                    raise
                plain()
                self.reach("after commit")

            return committed

        def after(call: Callable[..., Any], point: str) -> Callable[..., Any]:
            def called(*args: Any, **more: Any) -> Any:
                found = call(*args, **more)
                if found is not None:
                    self.reach(point)
                return found

            return called

        def before(call: Callable[..., Any], point: str) -> Callable[..., Any]:
            def called(*args: Any, **more: Any) -> Any:
                self.reach(point)
                return call(*args, **more)

            return called

        with (
            patch.object(connection, "commit", commit(connection.commit)),
            patch.object(jobs, "claim", after(jobs.claim, "job taken")),
            patch.object(jobs, "finish", before(jobs.finish, "job done")),
        ):
            yield


class _NoEvent:
    def set(self) -> None: ...


class _NoThread:
    def __init__(self, **_: Any) -> None: ...

    def start(self) -> None: ...


def same_again() -> None:
    """Start this process anew where Python mixes the order of sets each time: only then is a seed one story."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606
