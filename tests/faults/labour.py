"""Jobs for hands that get killed: what each does stands in the journal with the fence that it was done under.

The lease is longer than any test, so that nobody who lives loses a job on a busy machine; `heir` lets the leases of
the dead run out. `WATCHED` alone has a lease to be waited for.
"""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from typing import Any

from counterfoil.core import clock, jobs, journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.models import JournalEvent, Setting
from tests.faults.hand import say, working
from tests.faults.storm import die

COUNT, FAIL, POISON, WATCHED = "fire.count", "fire.fail", "fire.poison", "fire.watched"
ATTEMPTS = 3
LEASE = 2.5  # seconds, of WATCHED
MENDED = "fire_mended"  # the setting that says that FAIL does not fail any more


def register(name: str) -> None:
    """This hand knows the jobs; it hesitates in the middle of each as its name draws it."""
    chance = random.Random(name)

    @jobs.handler(COUNT, lease=600)
    def count(payload: dict[str, Any]) -> None:
        _note("counted", COUNT, payload, name, chance)
        time.sleep(chance.random() * 0.01)  # done, and not yet off the list

    @jobs.handler(FAIL, lease=600, max_attempts=ATTEMPTS, backoff=0.01)
    def fail(payload: dict[str, Any]) -> None:
        if Setting.objects.filter(pk=MENDED).exists():
            _note("mended", FAIL, payload, name, chance)
            return
        _note("tried", FAIL, payload, name, chance)
        raise KeyError("the bank is closed")

    @jobs.handler(POISON, lease=600, max_attempts=ATTEMPTS)
    def poison(payload: dict[str, Any]) -> None:
        _note("swallowed", POISON, payload, name, chance)
        die()

    @jobs.handler(WATCHED, lease=LEASE)
    def watched(payload: dict[str, Any]) -> None:
        say("holding", clock.real_now().timestamp())
        if payload["for"] == name:
            time.sleep(float(payload["seconds"]))
        _note("watched", WATCHED, payload, name, chance)


def _note(kind: str, job: str, payload: dict[str, Any], name: str, chance: random.Random) -> None:
    """What the job is for, in a transaction of its own."""
    with writing():
        held = rows(
            "SELECT fence, worker FROM core_job WHERE key = %s AND state = 'running'", [f"{job}:{payload['key']}"]
        )
        time.sleep(chance.random() * 0.006)
        data = {"key": payload["key"], "by": name, "held": held}
        journal.record(kind, subject="FIRE", actor=SYSTEM, text=f"{os.getpid()}", data=data, advance=False)


def owe(name: str, key: str, **more: Any) -> None:
    """Owe the job; call inside `writing()`."""
    jobs.enqueue(name, key=key, payload={"key": key, **more})


def heir(dead: list[str]) -> None:
    """The leases of these workers have run out."""
    before = clock.real_now() - timedelta(seconds=1)
    with writing():
        for name in dead:
            execute("UPDATE core_job SET lease_until = %s WHERE worker = %s AND state = 'running'", [before, name])


def work(name: str, dead: list[str]) -> None:
    """Do due jobs until asked to end, those of the dead too."""
    register(name)
    heir(dead)
    say("ready")
    while working():
        if not jobs.run_one(name, only=("fire",)):
            time.sleep(0.01)


def work_off(name: str, dead: list[str]) -> None:
    """Do everything that is owed, also what is to be tried again later; end when nothing is left."""
    register(name)
    heir(dead)
    while rows("SELECT 1 FROM core_job WHERE name LIKE 'fire.%%' AND state <> 'dead' LIMIT 1", []) and working():
        if not jobs.run_one(name, only=("fire",)):
            time.sleep(0.01)


def done(kind: str) -> list[dict[str, Any]]:
    """What stands in the journal of a kind, in its order."""
    return list(JournalEvent.objects.filter(kind=kind, subject="FIRE").order_by("id").values_list("data", flat=True))
