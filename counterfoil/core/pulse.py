"""Signs of life: when a worker was last at work, a mail went out, the books were verified. Kept beside the settings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from counterfoil.core import clock
from counterfoil.core.db import execute, is_postgres, rows, writing

EVERY = 20.0  # seconds; a process says it no more often than that
_PREFIX = "pulse:"
_said: dict[str, float] = {}


def beat(name: str, **more: Any) -> None:
    """Note that it is alive, now, in real time; never fails and seldom writes."""
    now = clock.monotonic()
    if now - _said.get(name, float("-inf")) < EVERY and not more:
        return
    _said[name] = now
    value = json.dumps({"at": clock.real_now().isoformat(), **more})
    cast = "%s::jsonb" if is_postgres() else "%s"
    try:
        with writing():
            execute(
                f"INSERT INTO core_setting (key, value) VALUES (%s, {cast}) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [f"{_PREFIX}{name}", value],
            )
    except DatabaseError:
        _said.pop(name, None)


def last(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What was last noted under each name: `at` (aware) and what else was said; names without a sign are left out."""
    wanted = [f"{_PREFIX}{name}" for name in names]
    marks = ", ".join(["%s"] * len(wanted))
    found = {}
    for key, value in rows(f"SELECT key, value FROM core_setting WHERE key IN ({marks})", wanted):
        told = json.loads(value) if isinstance(value, str) else dict(value)
        found[str(key).removeprefix(_PREFIX)] = {**told, "at": datetime.fromisoformat(told["at"])}
    return found


def forget() -> None:
    """Say it again at once: between tests."""
    _said.clear()
