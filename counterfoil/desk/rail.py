"""What stands beside every page of the desk, in one statement: the queues' counts, the person's own acts and filters.

The polled address asks the same statement, with the numbers of the open list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import listed, moment, rows
from counterfoil.core.money import show
from counterfoil.desk.narrow import Narrow
from counterfoil.desk.saying import near_day, span, units
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
class Looking:
    """What somebody has before them: a list as it was `drawn` at a moment (business time), and an order.

    `shown`: the orders of the list by number, and `order` beside it or alone, each with its version where it is known.
    """

    drawn: datetime
    shown: Mapping[str, int | None] = field(default_factory=dict)
    narrow: Narrow = field(default_factory=Narrow)
    order: str = ""
    version: int = 0


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
    versions: dict[str, int] = field(default_factory=dict)  # of what is looked at
    # Who has worked on the order looked at since it was drawn, a person before ourselves: actor's kind, name, when.
    who: tuple[str, str, datetime | None] | None = None

    def head(self, queue: str) -> str:
        """What stands over a queue's list: '12 orders · oldest 26 h · $1,204.00'."""
        count = self.counts.get(queue, 0) - (self.tell if queue == "call" else 0)
        said = [units(count, "order")]
        if self.oldest is not None:
            said.append(f"oldest {span((clock.business_now() - self.oldest).total_seconds())}")
        sums = [show(total, currency) for currency, total in self.sums]
        if sums and count <= SUMMED:
            said.append(" and ".join([", ".join(sums[:-1]), sums[-1]] if sums[1:] else sums))
        return " · ".join(said)

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
    looking: Looking | None = None,
) -> Rail:
    """One statement: counts, oldest and next come from indexes alone. Now and then it also asks what waits for the
    bank. Of what somebody is `looking` at it says what has come into the queue since then as far as the list's filter
    lets it through, which of its orders are not in it any more, and what versions they have by now.
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
    if user is not None and looking is None:
        _kept(ask, user)
    if looking is not None:
        if queue:
            _list(ask, queue, looking)
        _versions(ask, looking)
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


def _list(ask: _Ask, queue: str, looking: Looking) -> None:
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


def _versions(ask: _Ask, looking: Looking) -> None:
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


def _read(found: Sequence[Sequence[Any]]) -> Rail:
    out = Rail({}, {})
    ages: list[datetime] = []
    who: tuple[str, str, datetime | None] | None = None
    for code, name, count, more, text, total in found:
        at = moment(text) if text and code in {"s", "=", "d", "w"} else None
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
        elif code == "v":
            out.versions[name] = int(count)
        elif code == "w":
            who = (*name.partition("|")[::2], at)
        elif code == "l":
            out.fresh.append(name)
        elif code == "g":
            out.gone.append(name)
    out.sums.sort(key=lambda s: -s[1])
    out.going.sort(key=lambda g: -g.id)
    out.filters.sort(key=lambda f: f.name.casefold())
    out.runs.sort(key=lambda r: r.id)
    out.counts.update({name: max(0, count) for name, count in out.counts.items()})
    return replace(out, oldest=min(ages, default=None), who=who)
