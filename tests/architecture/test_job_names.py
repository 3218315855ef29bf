"""Rooms ask each other for work by a job's name: a misspelt one would be work that nobody does."""

from __future__ import annotations

import re
from pathlib import Path

from counterfoil.core import jobs

ROOT = Path(__file__).resolve().parents[2] / "counterfoil"


def asked_for() -> set[str]:
    """Every name that production code enqueues or settles."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        if "tests" not in path.parts:
            found |= set(re.findall(r"jobs\.(?:enqueue|settle)\(\s*\"([a-z_.]+)\"", path.read_text()))
    return found


def test_every_job_that_is_asked_for_has_somebody_who_does_it() -> None:
    names = asked_for()
    assert len(names) > 10
    assert names <= jobs.known_names()
