"""What stands beside every page of the desk, in one statement: the queues' counts, the person's own acts and filters.

The polled address asks the same statement, with the numbers of the open list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import listed, moment, rows
from counterfoil.desk.saying import near_day, span
from counterfoil.desk.words import QUEUES
from counterfoil.steps.charging import reach

SUMMED = 1000  # beyond that many orders a queue's head gives no sum: it would have to read them all
COUNTED = tuple(q.code for q in QUEUES.values() if q.counted)
# An order that waits for its Undo, or is being worked on by a run, is in no list.
IN_NO_LIST = (
    "NOT EXISTS (SELECT 1 FROM desk_deed d WHERE d.order_id = orders_order.id AND d.state IN ('waiting', 'running'))"
)


@dataclass(frozen=True)
class Going:
    """An act of this person's that goes out at `due`, and can be undone until then."""

    id: int
    order: str
    verb: str
    due: datetime


@dataclass(frozen=True)
class NotDone:
    """An act of this person's that was refused when it was to go out."""

    id: int
    order: str
    verb: str
    why: str


@dataclass(frozen=True)
class Running:
    """A run of this person's that is not finished."""

    id: int
    verb: str
    rows: int
    left: int


@dataclass(frozen=True)
class Kept:
    """A filter that this person keeps."""

    id: int
    name: str
    queue: str
    query: str


@dataclass(frozen=True)
class Rail:
    """Counts of every counted queue, how many are past their date, and the head of the queue looked at."""

    counts: dict[str, int]
    late: dict[str, int]
    oldest: datetime | None = None
    sums: list[tuple[str, int]] = field(default_factory=list)  # currency, minor units
    since: dict[str, datetime] = field(default_factory=dict)  # by queue, since when its oldest order is there
    next: dict[str, date] = field(default_factory=dict)  # by queue, the next deadline, today at the soonest
    going: list[Going] = field(default_factory=list)  # the newest first
    refused: list[NotDone] = field(default_factory=list)
    runs: list[Running] = field(default_factory=list)
    filters: list[Kept] = field(default_factory=list)  # by name
    tell: int = 0  # things that customers without an e-mail address are to be told
    fresh: list[str] = field(default_factory=list)  # the numbers of what has come into the queue since it was drawn
    gone: list[str] = field(default_factory=list)  # those of the numbers shown that are not in it any more

    def stands(self, queue: str) -> str:
        """How long the oldest order of a queue has been there, and its next deadline: '26 h · Tue'."""
        if not self.counts.get(queue):
            return ""
        since, day = self.since.get(queue), self.next.get(queue)
        age = span((clock.business_now() - since).total_seconds()) if since else ""
        # Beside "Charged, goods due" a bare day would be taken for that of the goods.
        when = f"{'ships ' if queue == 'charged_waiting' else ''}{near_day(day)}" if day else ""
        return " · ".join(part for part in (age, when) if part)


@dataclass
class _Ask:
    """One statement of several branches: text, text, count, count, text, sum."""

    branches: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, sql: str, *params: Any) -> None:
        self.branches.append(sql)
        self.params += params


def rail(
    today: date,
    queue: str = "",
    *,
    user: int | None = None,
    drawn: datetime | None = None,
    shown: Sequence[str] = (),
) -> Rail:
    """One statement: counts, oldest and next come from indexes alone. Now and then it also asks what waits for the
    bank. Of a list that was `drawn` at a moment (business time) it says what has come into the queue since then, and
    which of the orders `shown` are not in it any more.
    """
    ask = _Ask()
    _counts(ask, today)
    if queue:
        # Text on both sides of the union, since PostgreSQL wants one type a column.
        ask.add(
            f"SELECT '=', currency, COUNT(*), 0, {_text('MIN(queue_since)')}, SUM(total) FROM (SELECT currency, "
            "queue_since, total FROM orders_order WHERE queue = %s "
            f"ORDER BY deadline, leave_by, id LIMIT {SUMMED}) AS head GROUP BY currency",
            queue,
        )
    if user is not None:
        _own(ask, user)
    if user is not None and drawn is None:
        _kept(ask, user)
    if drawn is not None:
        _list(ask, queue, drawn, shown)
    asked = reach.is_stale()
    if asked:
        statement, more = reach.look()
        ask.add(statement, *more)
    found = rows(" UNION ALL ".join(ask.branches), ask.params)
    if asked:
        reach.learn([(str(r[1]), int(r[2]), r[4] or "") for r in found if r[0] == "!"])
    return _read(found)


def _text(expression: str) -> str:
    return f"CAST({expression} AS TEXT)"


def _counts(ask: _Ask, today: date) -> None:
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
    # What the bank has otherwise and belongs to no order waits in the same place.
    ask.add(
        "SELECT 'q', 'bank_differs', COUNT(*), 0, NULL, 0 FROM charging_difference "
        "WHERE closed_at IS NULL AND order_number = '' HAVING COUNT(*) > 0"
    )
    # What customers without an e-mail address are to be told stands beside what there is to call about.
    ask.add("SELECT 't', 'call', COUNT(*), 0, NULL, 0 FROM core_telling WHERE told_at IS NULL HAVING COUNT(*) > 0")
    ask.add(
        "SELECT 'q', o.queue, -COUNT(*), 0, NULL, 0 FROM desk_deed d JOIN orders_order o ON o.id = d.order_id "
        "WHERE d.state IN ('waiting', 'running') GROUP BY o.queue"
    )


def _own(ask: _Ask, user: int) -> None:
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


def _kept(ask: _Ask, user: int) -> None:
    ask.add(
        f"SELECT 'f', {_text('id')} || '|' || queue || '|' || name || '|' || query, 0, 0, NULL, 0 "
        "FROM desk_savedfilter WHERE user_id = %s",
        user,
    )


def _list(ask: _Ask, queue: str, drawn: datetime, shown: Sequence[str]) -> None:
    ask.add(
        "SELECT 'l', number, 0, 0, NULL, 0 FROM (SELECT number FROM orders_order "
        f"WHERE queue = %s AND queue_since > %s AND {IN_NO_LIST} LIMIT 100) AS fresh",
        queue, drawn,
    )  # fmt: skip
    if shown:
        ask.add(
            "SELECT 'g', number, 0, 0, NULL, 0 FROM orders_order "
            f"WHERE number IN ({', '.join(['%s'] * len(shown))}) AND (queue <> %s OR NOT ({IN_NO_LIST}))",
            *shown,
            queue,
        )


def _read(found: Sequence[Sequence[Any]]) -> Rail:
    out = Rail({}, {})
    ages: list[datetime] = []
    for code, name, count, more, text, total in found:
        at = moment(text) if text and code in {"s", "=", "d"} else None
        if code == "q":
            out.counts[name] = out.counts.get(name, 0) + int(count)
            out.late[name] = out.late.get(name, 0) + int(more or 0)
            if text:
                out.next[name] = date.fromisoformat(str(text)[:10])
        elif code == "t":
            out.counts[name] = out.counts.get(name, 0) + int(count)
            out = replace(out, tell=int(count))
        elif code == "s" and at is not None:
            out.since[name] = at
        elif code == "=":
            out.sums.append((name, int(total)))
            ages += [at] if at is not None else []
        elif code == "d" and at is not None:
            pk, number, verb = name.split("|")
            out.going.append(Going(int(pk), number, verb, at))
        elif code == "r":
            pk, number, verb, why = name.split("|", 3)
            out.refused.append(NotDone(int(pk), number, verb, why))
        elif code == "n":
            pk, verb = name.split("|")
            out.runs.append(Running(int(pk), verb, int(count), int(more)))
        elif code == "f":
            pk, queue, title, query = name.split("|", 3)
            out.filters.append(Kept(int(pk), title, queue, query))
        elif code == "l":
            out.fresh.append(name)
        elif code == "g":
            out.gone.append(name)
    out.sums.sort(key=lambda s: -s[1])
    out.going.sort(key=lambda g: -g.id)
    out.filters.sort(key=lambda f: f.name.casefold())
    out.runs.sort(key=lambda r: r.id)
    out.counts.update({name: max(0, count) for name, count in out.counts.items()})
    return replace(out, oldest=min(ages, default=None))
