"""The branches of the rail's one statement: what it counts, what is a person's own, what is new in a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from counterfoil.core.db import listed
from counterfoil.desk.narrow import LOOKED_AT, Narrow
from counterfoil.desk.words import QUEUES

SUMMED = 1000  # beyond that many orders a queue's head gives no sum: it would have to read them all
COUNTED = tuple(q.code for q in QUEUES.values() if q.counted)
LEAVING = ("pick", "pack", "ship")  # queues whose head says what must leave today, by which cut-off
# An order that waits for its Undo, or is being worked on by a run, is in no list.
IN_NO_LIST = (
    "NOT EXISTS (SELECT 1 FROM desk_deed d WHERE d.order_id = orders_order.id AND d.state IN ('waiting', 'running'))"
)


@dataclass(frozen=True)
class Looking:
    """What somebody has before them: a list as it was `drawn` at a moment (business time), and an order.

    `shown`: the orders of the list by number, and `order` beside it or alone, each with its version where it is known.
    """

    drawn: datetime
    shown: Mapping[str, int | None] = field(default_factory=dict)
    narrow: Narrow = field(default_factory=Narrow)
    order: str = ""
    version: int = 0


@dataclass
class Ask:
    """One statement of several branches: text, text, count, count, text, sum."""

    branches: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, sql: str, *params: Any) -> None:
        self.branches.append(sql)
        self.params += params


def _text(expression: str) -> str:
    return f"CAST({expression} AS TEXT)"


def counts(ask: Ask, today: date) -> None:
    marks = ", ".join(["%s"] * len(COUNTED))
    ask.add(
        f"SELECT 'q', queue, COUNT(*), "
        # What was charged and cannot be shipped is late from the first moment on.
        "SUM(CASE WHEN deadline < %s OR queue = 'cannot_ship' THEN 1 ELSE 0 END), "
        f"{_text('MIN(CASE WHEN deadline >= %s THEN deadline END)')}, 0 "
        f"FROM orders_order WHERE queue IN ({marks}) GROUP BY queue",
        today, today, *COUNTED,
    )  # fmt: skip
    given, values = listed(("text",), [(code,) for code in COUNTED])
    ask.add(
        "SELECT 's', w.column1, 0, 0, "
        f"{_text('(SELECT MIN(o.queue_since) FROM orders_order o WHERE o.queue = w.column1)')}, 0 FROM {given}",
        *values,
    )
    # What the bank has otherwise and belongs to no order, or to one that stands elsewhere (an unfinished check-out),
    # waits in the same place: each order once, as `desk/bank.py` counts them.
    ask.add(
        "SELECT 'q', 'bank_differs', COUNT(*), 0, NULL, 0 FROM ("
        f"SELECT DISTINCT CASE WHEN d.order_number = '' THEN {_text('d.id')} ELSE d.order_number END AS what "
        "FROM charging_difference d WHERE d.closed_at IS NULL AND NOT EXISTS ("
        "SELECT 1 FROM orders_order o WHERE o.number = d.order_number AND o.queue = 'bank_differs')"
        ") AS elsewhere HAVING COUNT(*) > 0"
    )
    # What customers without an e-mail address are to be told stands beside what there is to call about.
    ask.add("SELECT 't', 'call', COUNT(*), 0, NULL, 0 FROM core_telling WHERE told_at IS NULL HAVING COUNT(*) > 0")
    ask.add(
        # CROSS: SQLite begins with the few acts that wait, and not with every order there is.
        "SELECT 'q', o.queue, -COUNT(*), 0, NULL, 0 FROM desk_deed d CROSS JOIN orders_order o "
        "WHERE o.id = d.order_id AND d.state IN ('waiting', 'running') GROUP BY o.queue"
    )


def own(ask: Ask, user: int) -> None:
    ask.add(
        f"SELECT 'd', {_text('d.id')} || '|' || o.number || '|' || d.verb, 0, 0, {_text('d.due_at')}, 0 "
        "FROM desk_deed d JOIN orders_order o ON o.id = d.order_id "
        "WHERE d.user_id = %s AND d.state = 'waiting' AND d.run_id IS NULL",
        user,
    )
    ask.add(
        f"SELECT 'r', {_text('d.id')} || '|' || o.number || '|' || d.verb || '|' || d.message, 0, 0, NULL, 0 "
        "FROM desk_deed d JOIN orders_order o ON o.id = d.order_id "
        "WHERE d.user_id = %s AND d.state = 'refused' AND NOT d.seen AND d.run_id IS NULL",
        user,
    )
    ask.add(
        f"SELECT 'n', {_text('d.run_id')} || '|' || MIN(d.verb), COUNT(*), "
        "SUM(CASE WHEN d.state IN ('waiting', 'running') THEN 1 ELSE 0 END), NULL, 0 FROM desk_deed d "
        "WHERE d.run_id IN (SELECT run_id FROM desk_deed WHERE user_id = %s AND state IN ('waiting', 'running') "
        "AND run_id IS NOT NULL) GROUP BY d.run_id",
        user,
    )


def kept(ask: Ask, user: int) -> None:
    ask.add(
        f"SELECT 'f', {_text('id')} || '|' || queue || '|' || name || '|' || query, 0, 0, NULL, 0 "
        "FROM desk_savedfilter WHERE user_id = %s",
        user,
    )


def leaving(ask: Ask, queue: str, today: date) -> None:
    """What of a queue must leave today, by cut-off, and the first of it by name: one index range each."""
    due = f"FROM orders_order WHERE queue = %s AND deadline <= %s AND {IN_NO_LIST}"
    ask.add(f"SELECT 'c', '', leave_by, COUNT(*), NULL, 0 {due} GROUP BY leave_by", queue, today)
    ask.add(
        "SELECT 'm', number, leave_by, 0, NULL, 0 FROM (SELECT number, leave_by "
        f"{due} ORDER BY deadline, leave_by, id LIMIT 50) AS soonest",
        queue, today,
    )  # fmt: skip


def of_list(ask: Ask, queue: str, looking: Looking) -> None:
    condition, params = looking.narrow.condition()
    ask.add(
        "SELECT 'l', number, 0, 0, NULL, 0 FROM (SELECT number FROM orders_order "
        f"WHERE queue = %s AND queue_since > %s AND {IN_NO_LIST} AND {condition} LIMIT 100) AS fresh",
        queue, looking.drawn, *params,
    )  # fmt: skip
    if looking.shown:
        ask.add(
            "SELECT 'g', number, 0, 0, NULL, 0 FROM orders_order "
            f"WHERE number IN ({', '.join(['%s'] * len(looking.shown))}) AND (queue <> %s OR NOT ({IN_NO_LIST}))",
            *looking.shown,
            queue,
        )


def versions(ask: Ask, looking: Looking) -> None:
    numbers = dict.fromkeys([*looking.shown, *([looking.order] if looking.order else [])])
    if numbers:
        ask.add(
            "SELECT 'v', number, version, 0, NULL, 0 FROM orders_order "
            f"WHERE number IN ({', '.join(['%s'] * len(numbers))})",
            *numbers,
        )
    if looking.order:
        ask.add(
            f"SELECT 'w', actor_kind || '|' || actor, 0, 0, {_text('at')}, 0 FROM (SELECT actor_kind, actor, at "
            "FROM core_journalevent WHERE subject = %s AND version > %s "
            "ORDER BY CASE actor_kind WHEN 'system' THEN 1 ELSE 0 END, id DESC LIMIT 1) AS worked",
            looking.order,
            looking.version,
        )


def head(ask: Ask, queue: str, narrow: Narrow | None = None) -> None:
    """Orders, oldest and sum per currency of a queue, or of those of its list that a filter lets through."""
    if narrow is not None:
        condition, params = narrow.condition()
        here = f"SELECT id FROM orders_order WHERE queue = %s AND {IN_NO_LIST}"
        dated = f"{here} AND deadline IS NOT NULL ORDER BY deadline, leave_by, id LIMIT {LOOKED_AT}"
        undated = f"{here} AND deadline IS NULL ORDER BY leave_by, id LIMIT {LOOKED_AT}"
        ask.add(
            f"SELECT '=', currency, COUNT(*), 0, {_text('MIN(queue_since)')}, SUM(total) FROM orders_order "
            f"WHERE id IN (SELECT id FROM ({dated}) AS d UNION ALL SELECT id FROM ({undated}) AS u) "
            f"AND {condition} GROUP BY currency",
            queue, queue, *params,
        )  # fmt: skip
        return
    # Text on both sides of the union, since PostgreSQL wants one type a column.
    ask.add(
        f"SELECT '=', currency, COUNT(*), 0, {_text('MIN(queue_since)')}, SUM(total) FROM (SELECT currency, "
        "queue_since, total FROM orders_order WHERE queue = %s "
        f"ORDER BY deadline, leave_by, id LIMIT {SUMMED}) AS head GROUP BY currency",
        queue,
    )
    # What waits for its Undo is counted no more, and is in no sum.
    ask.add(
        "SELECT '=', o.currency, COUNT(*), 0, NULL, -SUM(o.total) FROM desk_deed d CROSS JOIN orders_order o "
        "WHERE o.id = d.order_id AND d.state IN ('waiting', 'running') AND o.queue = %s GROUP BY o.currency",
        queue,
    )
