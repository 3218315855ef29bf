"""Work owed, in the same database as the reason for it.

A job row is inserted in the transaction that owes the work, so neither exists without the other. A worker takes a row
by giving it a lease and a higher fence; it beats while it works; whoever lost the lease can no longer write it. Every
handler may run twice (a crash after the work, before the row is gone), so every handler asks the facts first.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError

from counterfoil.core import clock
from counterfoil.core.cards import mask_cards
from counterfoil.core.db import execute, in_writing, is_postgres, listed, rows, writing
from counterfoil.core.models import Job

log = logging.getLogger(__name__)
MOST_ROWS = 10_000  # of a statement
Handler = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Kind:
    """How a job of one name is run. `lease` in seconds must outlive every time limit inside the handler."""

    handler: Handler
    lease: float
    max_attempts: int
    backoff: float


_kinds: dict[str, Kind] = {}


class Later(Exception):
    """A handler says: not yet, ask again in `seconds`. Does not count as a failure."""

    def __init__(self, seconds: float, why: str) -> None:
        self.seconds = seconds
        super().__init__(why)


def handler(
    name: str, *, lease: float = 60, max_attempts: int = 12, backoff: float = 2
) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this name. Failures back off: 2, 4, 8 ... seconds, at most an hour."""

    def keep(call: Handler) -> Handler:
        _kinds[name] = Kind(call, lease, max_attempts, backoff)
        return call

    return keep


def paced(seconds: float) -> float:
    """How long a wait of so many seconds is here: `JOB_PACE` times as long."""
    return seconds * settings.JOB_PACE


def known_names() -> frozenset[str]:
    """The names that have handlers."""
    return frozenset(_kinds)


def enqueue(name: str, *, key: str, payload: dict[str, Any], delay: float = 0) -> None:
    """Owe a piece of work; call inside `writing()`. A queued job of the same name and key is not doubled.

    The conflicting row is touched, not skipped: the touch waits for a worker that is just taking it, after which the
    row is running and a new one is queued. Skipping would lose the wake-up.
    """
    if not in_writing():
        raise RuntimeError("a job row stands in the transaction that owes it")
    now = clock.real_now()
    execute(
        "INSERT INTO core_job (name, key, payload, state, run_at, attempts, fence, worker, last_error, created_at) "
        f"VALUES (%s, %s, {_json()}, 'queued', %s, 0, 0, '', '', %s) "
        "ON CONFLICT (key) WHERE state = 'queued' DO UPDATE SET run_at = "
        "CASE WHEN core_job.run_at < excluded.run_at THEN core_job.run_at ELSE excluded.run_at END",
        [name, f"{name}:{key}", json.dumps(payload), now + timedelta(seconds=paced(delay)), now],
    )


def enqueue_many(name: str, *, payloads: Mapping[str, dict[str, Any]], delay: float = 0) -> None:
    """The same for many pieces of work of one name, by key, with one statement for thousands of them."""
    if not in_writing():
        raise RuntimeError("a job row stands in the transaction that owes it")
    now = clock.real_now()
    run_at = now + timedelta(seconds=paced(delay))
    keys = sorted(payloads)  # in one order, so that two of us cannot lock each other out
    for start in range(0, len(keys), MOST_ROWS):
        some = keys[start : start + MOST_ROWS]
        given, values = listed(("text", "text"), [(f"{name}:{key}", json.dumps(payloads[key])) for key in some])
        payload = "w.column2::jsonb" if is_postgres() else "w.column2"
        execute(
            "INSERT INTO core_job (name, key, payload, state, run_at, attempts, fence, worker, last_error, created_at) "
            f"SELECT %s, w.column1, {payload}, 'queued', {_moment()}, 0, 0, '', '', {_moment()} "
            f"FROM {given} WHERE true "
            "ON CONFLICT (key) WHERE state = 'queued' DO UPDATE SET run_at = "
            "CASE WHEN core_job.run_at < excluded.run_at THEN core_job.run_at ELSE excluded.run_at END",
            [name, run_at, now, *values],
        )


def _moment() -> str:
    return "%s::timestamptz" if is_postgres() else "%s"


def _json() -> str:
    return "%s::jsonb" if is_postgres() else "%s"


def settle(name: str, key: str) -> None:
    """Remove a queued job whose work the present transaction does itself."""
    execute("DELETE FROM core_job WHERE key = %s AND state = 'queued'", [f"{name}:{key}"])


@dataclass
class Claim:
    """A job that this worker holds for now."""

    id: int
    name: str
    payload: dict[str, Any]
    fence: int
    attempts: int


def claim(worker: str, *, now: datetime | None = None, only: tuple[str, ...] = ()) -> Claim | None:
    """Take the most overdue job, or one whose worker has died (its lease ran out). None when nothing is due."""
    now = now or clock.real_now()
    rooms = " AND (" + " OR ".join(["name LIKE %s"] * len(only)) + ")" if only else ""
    likes = [f"{room}.%" for room in only]
    skip = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    if not rows(
        "SELECT 1 FROM core_job WHERE ((state = 'queued' AND run_at <= %s) OR (state = 'running' AND lease_until < %s))"
        + rooms
        + " LIMIT 1",
        [now, now, *likes],
    ):
        return None
    got: list[tuple[Any, ...]] = []
    with writing():
        found = rows(
            "SELECT id, name, state, attempts FROM core_job WHERE state = 'queued' AND run_at <= %s"
            f"{rooms} ORDER BY run_at, id LIMIT 1{skip}",
            [now, *likes],
        ) or rows(
            "SELECT id, name, state, attempts FROM core_job WHERE state = 'running' AND lease_until < %s"
            f"{rooms} ORDER BY id LIMIT 1{skip}",
            [now, *likes],
        )
        if not found:
            return None
        id_, name, state, attempts = found[0]
        kind = _kinds.get(name)
        if state == Job.RUNNING and attempts >= (kind.max_attempts if kind else 1):
            # It never comes back to say that it failed: taking it again and again would kill every worker in turn.
            execute(
                "UPDATE core_job SET state = 'dead', fence = fence + 1, lease_until = NULL, last_error = %s "
                "WHERE id = %s",
                [f"its worker died {attempts} times while doing it", id_],
            )
        else:
            lease = now + timedelta(seconds=paced(kind.lease if kind else 60))
            got = rows(
                "UPDATE core_job SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = %s, "
                "worker = %s WHERE id = %s RETURNING id, name, payload, fence, attempts",
                [lease, worker, id_],
            )
    if not got:
        return claim(worker, now=now, only=only)
    id_, name, payload, fence, attempts = got[0]
    return Claim(id_, name, payload if isinstance(payload, dict) else json.loads(payload), fence, attempts)


def beat(held: Claim, *, now: datetime | None = None) -> bool:
    """Extend the lease; False when another worker has taken the job meanwhile."""
    kind = _kinds.get(held.name)
    until = (now or clock.real_now()) + timedelta(seconds=paced(kind.lease if kind else 60))
    with writing():
        return (
            execute(
                "UPDATE core_job SET lease_until = %s WHERE id = %s AND fence = %s AND state = 'running'",
                [until, held.id, held.fence],
            )
            == 1
        )


def finish(held: Claim) -> bool:
    """The work is done: the row goes. False when the fence says that somebody else owns it now."""
    with writing():
        return (
            execute("DELETE FROM core_job WHERE id = %s AND fence = %s AND state = 'running'", [held.id, held.fence])
            == 1
        )


def put_back(held: Claim, error: str, *, seconds: float | None = None) -> None:
    """The work failed: queue it again later, or lay it on the dead list when its attempts are used up.

    With `seconds` the handler asked for it; that uses up no attempt.
    """
    kind = _kinds.get(held.name)
    limit = kind.max_attempts if kind else 1
    dead = seconds is None and held.attempts >= limit
    wait = seconds if seconds is not None else min(3600.0, (kind.backoff if kind else 2) * 2 ** (held.attempts - 1))
    try:
        with writing():
            execute(
                "UPDATE core_job SET state = %s, run_at = %s, lease_until = NULL, last_error = %s, "
                "attempts = attempts - %s WHERE id = %s AND fence = %s AND state = 'running'",
                [
                    Job.DEAD if dead else Job.QUEUED,
                    clock.real_now() + timedelta(seconds=paced(wait)),
                    mask_cards(error)[-4000:],
                    1 if seconds is not None else 0,
                    held.id,
                    held.fence,
                ],
            )
    except IntegrityError:
        # A job of the same key has been queued meanwhile: it will do this one's work too.
        finish(held)


def run_one(worker: str = "here", *, only: tuple[str, ...] = ()) -> bool:
    """Take and do one due job. False when none was due."""
    held = claim(worker, only=only)
    if held is None:
        return False
    kind = _kinds.get(held.name)
    if kind is None:
        put_back(held, f"no handler is registered for {held.name}")
        return True
    stop = threading.Event()
    beater = threading.Thread(target=_keep_beating, args=(held, kind.lease, stop), daemon=True)
    beater.start()
    try:
        kind.handler(held.payload)
    except Later as later:
        put_back(held, str(later), seconds=later.seconds)
    except Exception as error:
        log.warning("job %s failed: %s", held.name, type(error).__name__)
        put_back(held, traceback.format_exc())
    else:
        finish(held)
    finally:
        stop.set()
    return True


def _keep_beating(held: Claim, lease: float, stop: threading.Event) -> None:
    from django.db import connections

    try:
        while not stop.wait(paced(lease) / 3):
            try:
                if not beat(held):
                    return
            except (DatabaseError, InterfaceError) as error:
                # The lease outlives a missed beat; the next one tries a new connection.
                log.warning("job %s missed a beat: %s", held.name, type(error).__name__)
                connections.close_all()
    finally:
        connections.close_all()


def drain(limit: int = 10_000, *, worker: str = "drain", only: tuple[str, ...] = ()) -> int:
    """Do everything that is due now, in this thread; returns how many jobs ran. Raises RuntimeError past `limit`.

    `only` names rooms (such as "charging"): jobs of other rooms are left for a worker.
    """
    for done in range(limit):
        if not run_one(worker, only=only):
            return done
    raise RuntimeError(f"still busy after {limit} jobs")


def revive(job_id: int) -> bool:
    """A person has mended the cause: put a dead job back in the queue. False when it is not dead any more.

    Where the same work has been queued again meanwhile, that one does it and the dead row goes.
    """
    try:
        with writing():
            return (
                execute(
                    "UPDATE core_job SET state = 'queued', attempts = 0, run_at = %s WHERE id = %s AND state = 'dead'",
                    [clock.real_now(), job_id],
                )
                == 1
            )
    except IntegrityError:
        with writing():
            return execute("DELETE FROM core_job WHERE id = %s AND state = 'dead'", [job_id]) == 1


def worker_name() -> str:
    """This process's name on its claims."""
    return f"{os.uname().nodename}:{os.getpid()}"
