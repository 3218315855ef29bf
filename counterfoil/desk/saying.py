"""Dates, ages and counts as people in the shop say them; the exact time stands in the tooltip."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from counterfoil.core import clock
from counterfoil.core.shop import shop
from counterfoil.steps.charging.reach import Waiting


def say_date(value: date | None, *, year: bool = False) -> str:
    """Tue 24 Nov; the year is said when it is not this one, or when asked for."""
    if value is None:
        return ""
    plain = f"{value:%a} {value.day} {value:%b}"
    return f"{plain} {value.year}" if year or value.year != shop().today().year else plain


def near_day(value: date | None) -> str:
    """today, tomorrow, Wed (within six days), else Tue 24 Nov."""
    if value is None:
        return ""
    away = (value - shop().today()).days
    if away in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[away + 1]
    return f"{value:%a}" if 1 < away < 7 else say_date(value)


def aloud(value: date) -> str:
    """today, tomorrow, on Thursday (within six days), else on Thursday, 10 December: as one says it."""
    away = (value - shop().today()).days
    if away in (0, 1):
        return ("today", "tomorrow")[away]
    return f"on {value:%A}" if 1 < away < 7 else f"on {value:%A}, {value.day} {value:%B}"


def day(value: date | None) -> Markup:
    """`near_day` as a <time> with the whole date on hover."""
    if value is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), say_date(value, year=True), near_day(value)
    )


def moment(value: datetime | None) -> Markup:
    """today 09:12, Mon 23 Nov 09:12: where the shop stands, exact on hover."""
    if value is None:
        return Markup("")
    local = value.astimezone(ZoneInfo(shop().timezone))
    on = local.date()
    said = near_day(on) if -2 < (on - shop().today()).days < 2 else say_date(on)
    return Markup('<time datetime="{}" title="{}">{} {}</time>').format(
        value.isoformat(), f"{say_date(on, year=True)}, {local:%H:%M:%S %Z}", said, f"{local:%H:%M}"
    )


def near_moment(value: datetime) -> str:
    """today 08:00, Thu 08:00 (within six days), else Tue 24 Nov 08:00: where the shop stands."""
    local = value.astimezone(ZoneInfo(shop().timezone))
    return f"{near_day(local.date())} {local:%H:%M}"


def time_of_day(value: datetime) -> Markup:
    """09:12 today, 22 Nov on other days; exact on hover. For the narrow column of a timeline."""
    local = value.astimezone(ZoneInfo(shop().timezone))
    short = f"{local:%H:%M}" if local.date() == shop().today() else f"{local.day} {local:%b}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), f"{say_date(local.date(), year=True)}, {local:%H:%M:%S %Z}", short
    )


def span(seconds: float) -> str:
    """40 min, 26 h, 3 days."""
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def ago(value: datetime | None) -> Markup:
    """How old something is, as a <time>."""
    if value is None:
        return Markup("")
    age = span((clock.business_now() - value).total_seconds())
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), value.isoformat(" "), escape(age)
    )


def units(count: int, one: str, many: str = "") -> str:
    """1 -> '1 order', 3 -> '3 orders'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def bank_away(waiting: Waiting | None) -> Markup:
    """The bank cannot be reached since today 14:02; 12 charges wait and go by themselves. Empty when it can."""
    if waiting is None:
        return Markup("")
    kinds = [units(n, word) for n, word in ((waiting.charges, "charge"), (waiting.refunds, "refund")) if n]
    one = waiting.charges + waiting.refunds == 1
    goes = f"{' and '.join(kinds)} {'waits and goes' if one else 'wait and go'} by {'itself' if one else 'themselves'}"
    return Markup("The bank cannot be reached since {}; {}.").format(
        moment(waiting.since), goes if kinds else "what is owed goes by itself when it is back"
    )
