"""A yes that comes when the day that was offered is over: the day that counts then, and the choice in words of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from counterfoil.core.shop import Shop, shop
from counterfoil.steps.alternatives.kinds import say_day


def offered_day(choice: Mapping[str, Any]) -> date | None:
    """The day that the choice names, as it was offered."""
    given = choice.get("date")
    return date.fromisoformat(str(given)[:10]) if given else None


def day_on(choice: Mapping[str, Any], today: date, settings: Shop | None = None) -> date | None:
    """The day that a yes promises which comes `today`: the one offered, or the next working day once that is over."""
    day = offered_day(choice)
    return day if day is None or day >= today else (settings or shop()).working_day(today)


def words_on(choice: Mapping[str, Any], today: date, settings: Shop | None = None) -> str:
    """The choice as a yes that comes `today` would have it: its own words, with the day that counts."""
    text, offered, day = str(choice["text"]), offered_day(choice), day_on(choice, today, settings)
    if offered is None or day is None or day == offered:
        return text
    now = say_day(day)
    return text.replace(say_day(offered), now).replace(f" instead of {now}", "")
