"""Many at once: threads that start in the same moment, and processes on the same database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from django.db import connection, connections

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0  # seconds; who waits longer for the others is locked out
T = TypeVar("T")


def together(count: int, act: Callable[[int], T]) -> list[T | Exception]:
    """`act(0)` to `act(count - 1)`, each in a thread of its own, all let go at once; what each gave or raised."""
    start = threading.Barrier(count)
    found: dict[int, T | Exception] = {}

    def run(number: int) -> None:
        try:
            start.wait(PATIENCE)
            found[number] = act(number)
        except Exception as error:
            found[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == count, f"{count - len(found)} of {count} never came back"
    return [found[n] for n in range(count)]


def worked(found: list[T | Exception]) -> list[T]:
    """What they gave; the first that raised is raised again."""
    for one in found:
        if isinstance(one, Exception):
            raise one
    return [one for one in found if not isinstance(one, Exception)]


def database_url() -> str:
    """The address of the test's own database, for another process."""
    held = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{held['NAME']}"
    user = quote(held["USER"] or "postgres")
    if held["PASSWORD"]:
        user += f":{quote(held['PASSWORD'], safe='')}"
    port = f":{held['PORT']}" if held["PORT"] else ""
    return f"postgresql://{user}@{quote(held['HOST'] or '', safe='')}{port}/{held['NAME']}"


def start(*command: str, **environment: str) -> subprocess.Popen[str]:
    """A Python process of ours with Django's settings; end it by its own handle."""
    return subprocess.Popen(
        [sys.executable, "-u", *command],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "counterfoil.shell.settings", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
