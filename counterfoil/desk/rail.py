"""What stands beside every page of the desk, in one statement: the queues' counts, the person's own acts and filters.

The polled address asks the same statement, with the numbers of the open list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import moment, rows
from counterfoil.core.money import show
from counterfoil.desk import rail_branches as branches
from counterfoil.desk.narrow import Narrow
from counterfoil.desk.rail_branches import SUMMED, Looking
from counterfoil.desk.saying import near_day, span, units
from counterfoil.steps.charging import reach


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
    matching: int | None = None  # how many of the queue a filter lets through; None: nothing is filtered
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
    due: list[tuple[int, int]] = field(default_factory=list)  # what must leave today: cut-off, orders
    due_by: list[tuple[int, str]] = field(default_factory=list)  # the first of these by name: cut-off, number

    def head(self, queue: str) -> str:
        """What stands over a queue's list: '12 orders · oldest 26 h · $1,204.00'; filtered '3 of 12 orders · …'."""
        count = self.counts.get(queue, 0) - (self.tell if queue == "call" else 0)
        said = [units(count, "order")]
        if self.matching is not None:
            # Counted with what waits for its Undo, or without: of fewer than there are it never is.
            said = [f"{self.matching:,} of {units(max(count, self.matching), 'order')}"]
        if self.oldest is not None:
            said.append(f"oldest {span((clock.business_now() - self.oldest).total_seconds())}")
        sums = [show(total, currency) for currency, total in self.sums]
        if sums and (count <= SUMMED or self.matching is not None):
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


def rail(
    today: date,
    queue: str = "",
    *,
    user: int | None = None,
    looking: Looking | None = None,
    narrow: Narrow | None = None,
) -> Rail:
    """One statement: counts, oldest and next come from indexes alone. Now and then it also asks what waits for the
    bank. Of what somebody is `looking` at it says what has come into the queue since then as far as the list's filter
    lets it through, which of its orders are not in it any more, and what versions they have by now. With a filter, or
    `looking` through one, the queue's head is of what that lets through.
    """
    narrow = looking.narrow if looking is not None else narrow
    narrow = narrow if narrow is not None and narrow.on else None
    ask = branches.Ask()
    branches.counts(ask, today)
    if queue:
        branches.head(ask, queue, narrow)
    if queue in branches.LEAVING:
        branches.leaving(ask, queue, today)
    if user is not None:
        branches.own(ask, user)
    if user is not None and looking is None:
        branches.kept(ask, user)
    if looking is not None:
        if queue:
            branches.of_list(ask, queue, looking)
        branches.versions(ask, looking)
    asked = reach.is_stale()
    if asked:
        statement, more = reach.look()
        ask.add(statement, *more)
    found = rows(" UNION ALL ".join(ask.branches), ask.params)
    if asked:
        reach.learn([(str(r[1]), int(r[2]), r[4] or "") for r in found if r[0] == "!"])
    return _read(found, filtered=bool(queue) and narrow is not None)


def _read_list(out: Rail, code: str, name: str, count: Any, more: Any) -> None:
    """Rows about the list that is looked at."""
    if code == "v":
        out.versions[name] = int(count)
    elif code == "l":
        out.fresh.append(name)
    elif code == "g":
        out.gone.append(name)
    elif code == "c":
        out.due.append((int(count), int(more)))
    elif code == "m":
        out.due_by.append((int(count), name))


def _read(found: Sequence[Sequence[Any]], *, filtered: bool) -> Rail:
    out = Rail({}, {})
    matching = 0
    ages: list[datetime] = []
    sums: dict[str, int] = {}
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
            sums[name] = sums.get(name, 0) + int(total)
            matching += int(count)
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
        elif code == "w":
            who = (*name.partition("|")[::2], at)
        else:
            _read_list(out, code, name, count, more)
    out.due.sort()
    out.sums.extend(sorted(((c, total) for c, total in sums.items() if total), key=lambda s: -s[1]))
    out.going.sort(key=lambda g: -g.id)
    out.filters.sort(key=lambda f: f.name.casefold())
    out.runs.sort(key=lambda r: r.id)
    out.counts.update({name: max(0, count) for name, count in out.counts.items()})
    return replace(out, oldest=min(ages, default=None), who=who, matching=matching if filtered else None)
