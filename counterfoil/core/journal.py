"""The append-only journal: what happened to an order and who did it, in the same transaction as the change itself.

Writing a row schedules `flow.advance` for that order: the only subscription in the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import Actor
from counterfoil.core.db import after_commit, in_writing
from counterfoil.core.machine import Move
from counterfoil.core.models import JournalEvent

AT_ONCE = 20  # orders of one act that are looked at in its own process, right after its commit
# Set by flow at start-up: core cannot import upwards, and the job below does the same should the process die.
_advance_now: Callable[[str], None] | None = None


def on_event(call: Callable[[str], None]) -> None:
    """Register what runs right after the commit of an event, with the order's number."""
    global _advance_now
    _advance_now = call


def record(
    kind: str,
    *,
    subject: str,
    actor: Actor,
    text: str,
    version: int = 0,
    part: int | None = None,
    data: dict[str, Any] | None = None,
    moves: Iterable[Move] = (),
    advance: bool = True,
    at: datetime | None = None,
) -> JournalEvent:
    """Append one event; must stand in the transaction of the change. `kind` is in the past tense.

    `advance=False` for events that change nothing that a queue depends on, and for subjects that are no orders.
    """
    if not in_writing():
        raise RuntimeError("a journal row stands in the transaction of its change")
    event = JournalEvent.objects.create(
        subject=subject,
        part=part,
        version=version,
        kind=kind,
        at=at or clock.business_now(),
        recorded_at=clock.real_now(),
        actor_kind=actor.kind,
        actor=actor.name,
        text=text,
        data=data or {},
        moves=[m.as_json() for m in moves],
    )
    if advance:
        schedule_advance(subject)
    return event


def schedule_advance(subject: str) -> None:
    """Have `flow.advance` look at this order: at once after the commit, and by a job if the process dies before."""
    jobs.enqueue("flow.advance", key=subject, payload={"order": subject}, delay=2.0)
    if _advance_now is not None:
        call = _advance_now
        after_commit(lambda: call(subject))


def schedule_many(subjects: Iterable[str]) -> None:
    """The same for many orders. Whoever caused it waits for the first few only; workers take the others at once."""
    wanted = {subject: {"order": subject} for subject in subjects}
    few = len(wanted) <= AT_ONCE
    jobs.enqueue_many("flow.advance", payloads=wanted, delay=2.0 if few else 0)
    if few and _advance_now is not None:
        call = _advance_now
        for subject in wanted:
            after_commit(partial(call, subject))


@dataclass(frozen=True)
class Event:
    """One row for `record_many`: what is the order's own."""

    subject: str
    text: str
    version: int = 0
    part: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()


def record_many(kind: str, *, actor: Actor, events: Iterable[Event], advance: bool = True) -> None:
    """Append one event of a kind for each of several subjects, with one insert; see `record` for the rest."""
    if not in_writing():
        raise RuntimeError("a journal row stands in the transaction of its change")
    todo = list(events)
    now, real = clock.business_now(), clock.real_now()
    JournalEvent.objects.bulk_create(
        JournalEvent(
            subject=event.subject,
            part=event.part,
            version=event.version,
            kind=kind,
            at=now,
            recorded_at=real,
            actor_kind=actor.kind,
            actor=actor.name,
            text=event.text,
            data=event.data,
            moves=[m.as_json() for m in event.moves],
        )
        for event in todo
    )
    if advance:
        schedule_many(event.subject for event in todo)
