"""Small state machines. A transition is a compare-and-set: no row changed means that somebody else did it first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Machine:
    """One axis: its first state and its table event -> (states it may leave, state it enters).

    Keep the table commented, one line an event: it is the axis's documentation.
    """

    axis: str
    first: str
    table: Mapping[str, tuple[tuple[str, ...], str]]

    @property
    def states(self) -> frozenset[str]:
        found = {self.first}
        for sources, target in self.table.values():
            found.update(sources, (target,))
        return frozenset(found)

    def target(self, event: str, state: str) -> str | None:
        """Where `event` leads from `state`; None when it may not happen there."""
        sources, target = self.table[event]
        return target if state in sources else None

    def allows(self, source: str, target: str) -> bool:
        """Whether any event leads from `source` to `target`; the replay in `verify` asks this."""
        return any(source in sources and target == to for sources, to in self.table.values())


@dataclass(frozen=True)
class Move:
    """One axis moved; kept in the journal so that the states can be replayed from it."""

    part: int
    axis: str
    source: str
    target: str

    def as_json(self) -> dict[str, Any]:
        return {"part": self.part, "axis": self.axis, "from": self.source, "to": self.target}


class Raced(Exception):
    """The compare-and-set found another state than the one read: somebody else was first."""


def shift(machine: Machine, event: str, row: Any, *, part: int) -> Move:
    """Move `row`'s axis by `event`, as a compare-and-set on the state that `row` was read with.

    `row` is a model instance with a field named like the axis. Raises ValueError when the table forbids it and
    Raced when another writer was first. The instance is brought up to date.
    """
    source = str(getattr(row, machine.axis))
    target = machine.target(event, source)
    if target is None:
        raise ValueError(f"{machine.axis}: {event} is not possible from {source}")
    table = connection.ops.quote_name(row._meta.db_table)
    column = connection.ops.quote_name(machine.axis)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE id = %s AND {column} = %s",
            [target, row.pk, source],
        )
        if cursor.rowcount != 1:
            raise Raced(f"{machine.axis} of {row.pk} is no longer {source}")
    setattr(row, machine.axis, target)
    return Move(part, machine.axis, source, target)
