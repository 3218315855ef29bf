"""How much work something is, whatever else the machine does: a bound on seconds means those of a quiet machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from tools.slowness import slowness

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Work:
    """What was done, in seconds of CPU of a quiet machine: ours and the database's. `slowness` was taken out."""

    seconds: float = 0.0
    slowness: float = 1.0


@contextmanager
def work() -> Iterator[Work]:
    """Measure the block: the CPU that this process used, and that of the PostgreSQL that serves it.

    A PostgreSQL on another machine shows no CPU; what is waited for it counts then.
    """
    done, waited, slow = Work(), Waited(), slowness()
    with ExitStack() as stack:
        of_database: Callable[[], float] = lambda: 0.0  # noqa: E731 (SQLite works in this process)
        if connection.vendor == "postgresql":
            stat = beside_us()
            of_database = (lambda: cpu(stat)) if stat else (lambda: waited.seconds)
            stack.enter_context(connection.execute_wrapper(waited))
        began, theirs = time.process_time(), of_database()
        yield done
        used = time.process_time() - began + of_database() - theirs
    done.slowness = (slow + slowness()) / 2
    done.seconds = used / done.slowness


@dataclass
class Waited:
    """Counts the seconds that statements took."""

    seconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], *asked: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*asked)
        finally:
            self.seconds += time.perf_counter() - began


def beside_us() -> Path | None:
    """Where the system tells of the PostgreSQL process that serves us; None when it runs on another machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    try:
        return stat if "postgres" in stat.read_text() else None
    except OSError:
        return None


def cpu(stat: Path) -> float:
    """Seconds of CPU of a process, of its own and the system's."""
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS
