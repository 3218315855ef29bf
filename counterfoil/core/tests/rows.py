"""Rows of core's own tables for its tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from counterfoil.core import clock
from counterfoil.core.models import Job

_keys = count(1)


def job(**fields: Any) -> Job:
    """A queued job that is due now."""
    now = clock.real_now()
    return Job.objects.create(
        **{"name": "t.x", "key": f"t.x:{next(_keys)}", "run_at": now, "created_at": now, **fields}
    )
