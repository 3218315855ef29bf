"""What the desk asks about kept promises: by week, by supplier, by product. A statement each, whatever stands there.

Judged is the first date that a customer was given, and whether the part had left by the end of that day at the shop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import is_postgres, rows
from counterfoil.core.shop import Shop

BEFORE, AFTER = 11, 4  # weeks that are shown, before this one and after it
MOST_PRODUCTS = 25


@dataclass(frozen=True)
class Kept:
    """Promises of a week, a supplier or a product: `late` were shipped after their day, `open` are still here."""

    name: str
    in_time: int = 0
    late: int = 0
    overdue: int = 0  # not shipped, and the day is over
    open: int = 0  # not shipped, and the day is still to come
    days: int = 0  # that the late and the overdue are behind, all together; of suppliers and products

    @property
    def promised(self) -> int:
        return self.in_time + self.late + self.overdue + self.open

    @property
    def rate(self) -> int | None:
        """Of those whose day is over, how many per cent left in time; None of none."""
        over = self.in_time + self.late + self.overdue
        return round(100 * self.in_time / over) if over else None

    @property
    def behind(self) -> float:
        """How many days each that is late or overdue is behind, on average."""
        return round(self.days / (self.late + self.overdue), 1) if self.late + self.overdue else 0.0

    @property
    def shares(self) -> list[tuple[str, float, float]]:
        """Of those whose day is over: the kind, where it begins and how wide it is, in per cent of a bar."""
        over = self.in_time + self.late + self.overdue
        found, at = [], 0.0
        for kind, count in (("in-time", self.in_time), ("sent-late", self.late), ("overdue", self.overdue)):
            if count:
                width = 100 * count / over
                found.append((kind, round(at, 1), round(width, 1)))
                at += width
        return found


@dataclass(frozen=True)
class Week(Kept):
    """One week by the Monday that it begins with."""

    monday: date = date.min


def _in_time(settings: Shop) -> tuple[str, list[Any]]:
    """In SQL: whether the part left before the end of the promised day where the shop stands.

    SQLite knows no zones: there the shop's present distance from UTC stands for that of every day, so that a box that
    left within an hour of midnight may be counted to the wrong day for half of the year.
    """
    if is_postgres():
        return "g.shipped_at < ((q.date + 1)::timestamp AT TIME ZONE %s)", [settings.timezone]
    start = clock.start_of_day(settings.today(), settings.timezone)
    minutes = start.hour * 60 + start.minute
    minutes -= 24 * 60 if start.date() < settings.today() else 0
    return "g.shipped_at < datetime(q.date, '+1 day', %s)", [f"{minutes:+d} minutes"]


def _days_behind(settings: Shop) -> tuple[str, list[Any]]:
    """In SQL: from the promised day to the one on which the part left, where the shop stands, or to today."""
    today = settings.today()
    if is_postgres():
        left = "COALESCE((g.shipped_at AT TIME ZONE %s)::date, %s::date)"
        return f"GREATEST(0, {left} - q.date)", [settings.timezone, today]
    _, (minutes,) = _in_time(settings)
    back = minutes.translate(str.maketrans("+-", "-+"))  # from UTC to the shop's clock
    left = "COALESCE(date(g.shipped_at, %s), %s)"
    return f"MAX(0, CAST(julianday({left}) - julianday(q.date) AS INTEGER))", [back, today]


def _sums(what: str, settings: Shop) -> tuple[str, list[Any]]:
    """The four sums of `what`, in SQL, with their parameters."""
    in_time, params = _in_time(settings)
    gone = "g.shipped_at IS NOT NULL"
    today = settings.today()
    sums = (
        f"SUM(CASE WHEN {gone} AND {in_time} THEN {what} ELSE 0 END), "
        f"SUM(CASE WHEN {gone} AND NOT ({in_time}) THEN {what} ELSE 0 END), "
        f"SUM(CASE WHEN NOT ({gone}) AND q.date < %s THEN {what} ELSE 0 END), "
        f"SUM(CASE WHEN NOT ({gone}) AND q.date >= %s THEN {what} ELSE 0 END)"
    )
    return sums, [*params, *params, today, today]


_FROM = "FROM orders_promise q JOIN orders_part g ON g.id = q.part_id JOIN orders_order o ON o.id = g.order_id "
_WHERE = "WHERE q.version = 1 AND q.date >= %s AND q.date < %s AND o.cancelled_at IS NULL AND NOT o.closed_history"


def window(settings: Shop) -> tuple[date, date]:
    """The first Monday shown, and the day after the last week."""
    monday = settings.today() - timedelta(days=settings.today().weekday())
    return monday - timedelta(weeks=BEFORE), monday + timedelta(weeks=AFTER + 1)


def by_week(settings: Shop) -> list[Week]:
    """Parts by the week of their first promise; every week of the window, also an empty one."""
    first, end = window(settings)
    sums, params = _sums("1", settings)
    found = rows(f"SELECT q.date, {sums} {_FROM}{_WHERE} GROUP BY q.date", [*params, first, end])
    weeks = {first + timedelta(weeks=n): [0] * 4 for n in range((end - first).days // 7)}
    for day, *counts in found:
        on = date.fromisoformat(day[:10]) if isinstance(day, str) else day
        held = weeks[on - timedelta(days=on.weekday())]
        for at, count in enumerate(counts):
            held[at] += int(count or 0)
    return [
        Week(f"{monday.day} {monday:%b}", in_time, late, overdue, still, monday=monday)
        for monday, (in_time, late, overdue, still) in weeks.items()
    ]


def by_supplier(settings: Shop) -> list[Kept]:
    """Units by who supplies them, most that are late first."""
    return _by("COALESCE(s.name, '')", "LEFT JOIN catalogue_supplier s ON s.id = c.supplier_id ", settings, 200)


def by_product(settings: Shop) -> list[Kept]:
    """Units by product, most that are late first."""
    return _by("c.name", "", settings, MOST_PRODUCTS)


def _by(name: str, join: str, settings: Shop, most: int) -> list[Kept]:
    first, end = window(settings)
    sums, params = _sums("l.quantity", settings)
    behind, more = _days_behind(settings)
    params += more
    found = rows(
        f"WITH t (name, a, b, c, d, days) AS (SELECT {name}, {sums}, SUM(l.quantity * {behind}) {_FROM}"
        "JOIN orders_line l ON l.part_id = g.id "
        f"AND l.quantity > 0 JOIN catalogue_product c ON c.id = l.product_id {join}{_WHERE} GROUP BY 1) "
        f"SELECT * FROM t ORDER BY b + c DESC, a + d DESC, name LIMIT {most}",
        [*params, first, end],
    )
    return [Kept(str(said), *(int(count or 0) for count in counts)) for said, *counts in found]


# --- the drawing ----------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 240, 36, 34, 12


@dataclass(frozen=True)
class Bar:
    """A piece of a column: what it stands for, and where it is drawn."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """Columns of promises by week, as numbers for an SVG of `WIDTH` by `HEIGHT`."""

    bars: list[Bar]
    labels: list[tuple[float, str, bool]]  # x, text, whether it is this week
    grid: list[tuple[float, int]]  # y, count
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def draw(weeks: Iterable[Week], today: date) -> Chart:
    """Stack what was in time, late, overdue and still open, from below."""
    shown = list(weeks)
    most = max((w.promised for w in shown), default=0)
    step = _step(most)
    top = max(step, -(-most // step) * step)
    room = HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT) / max(1, len(shown))
    bars, labels = [], []
    for at, week in enumerate(shown):
        x, y = LEFT + at * slot + slot * 0.18, float(HEIGHT - BOTTOM)
        for kind, count in (
            ("in-time", week.in_time), ("sent-late", week.late), ("overdue", week.overdue), ("open", week.open),
        ):  # fmt: skip
            height = room * count / top
            if count:
                y -= height
                bars.append(Bar(kind, round(x, 1), round(y, 1), round(slot * 0.64, 1), round(height, 1)))
        this = week.monday <= today < week.monday + timedelta(days=7)
        beside = abs((today - week.monday).days - 3) <= 10  # this week's label stands there
        if this or (at % 2 == 0 and not beside):
            labels.append((round(LEFT + at * slot + slot / 2, 1), week.name, this))
    grid = [(round(HEIGHT - BOTTOM - room * n / top, 1), n) for n in range(0, top + 1, step)]
    return Chart(bars, labels, grid)


def _step(most: int) -> int:
    """A round distance between the lines of the grid: four or five of them."""
    size = 1
    while most > size * 5:
        size = size * 2 if str(size)[0] in "15" else size * 5 // 2
    return size
