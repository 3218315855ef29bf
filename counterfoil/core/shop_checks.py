"""What may be stored of the shop's own facts: names, places, calendar, taxes, deliveries. Errors name row and column.

What follows a decline is checked in `core/retries.py`, the law of promised dates in `core/promises.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from counterfoil.core.money import DECIMALS, MAX_AMOUNT, PPM
from counterfoil.core.text import is_email

MOST_ROWS = 500
PAPERS = ("letter", "a4")
NAME_OF_LOGO = re.compile(r"[a-p]{32}")
Check = Callable[[str, Any], None]


def check_shop_settings(values: Mapping[str, Any]) -> None:
    """Raises ValueError, `setting.row.column: what is wrong`, for a fact of the shop that makes no sense."""
    for name, value in values.items():
        check = _CHECKS.get(name)
        if check is not None:
            check(name, value)


def _text(most: int, *, needed: str = "") -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or len(value) > most:
            raise ValueError(f"{name}: at most {most:,} characters")
        if needed and not value.strip():
            raise ValueError(f"{name}: {needed}")

    return check


def _whole(least: int, most: int) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{name}: a whole number from {least} to {most:,}")

    return check


def _one_of(known: tuple[str, ...]) -> Check:
    def check(name: str, value: Any) -> None:
        if value not in known:
            raise ValueError(f"{name}: one of {', '.join(known)}")

    return check


def _list(name: str, value: Any, most: int = MOST_ROWS) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: a list")
    if len(value) > most:
        raise ValueError(f"{name}: at most {most} of them")
    return list(value)


def _address(name: str, value: Any) -> None:
    for line in _list(name, value, 6):
        _text(100)(name, line)


def _email(name: str, value: Any) -> None:
    if not isinstance(value, str) or not is_email(value) or "." not in value.rpartition("@")[2]:
        raise ValueError(f"{name}: an e-mail address such as shop@example.com")


def _zone_of_time(name: str, value: Any) -> None:
    if value not in available_timezones():
        raise ValueError(f"{name}: a time zone such as America/Los_Angeles")


def _currency(name: str, value: Any) -> None:
    if value not in DECIMALS:
        raise ValueError(f"{name}: a currency that the card processor settles, such as USD")


def _working_days(name: str, value: Any) -> None:
    days = _list(name, value, 7)
    if not days:
        raise ValueError(f"{name}: at least one day")
    if any(isinstance(d, bool) or d not in range(7) for d in days) or len(set(days)) != len(days):
        raise ValueError(f"{name}: each day of the week once")


def _holidays(name: str, value: Any) -> None:
    seen = set()
    for at, day in enumerate(_list(name, value)):
        try:
            date.fromisoformat(day)
        except (TypeError, ValueError):
            raise ValueError(f"{name}.{at}.day: a date such as 2026-12-25") from None
        if day in seen:
            raise ValueError(f"{name}.{at}.day: this day is there already")
        seen.add(day)


def _row(where: str, row: Any, needed: set[str], optional: set[str]) -> Mapping[str, Any]:
    if not isinstance(row, Mapping) or not needed <= set(row) <= needed | optional:
        raise ValueError(f"{where}: wants {', '.join(sorted(needed))}")
    return row


def _country(where: str, row: Mapping[str, Any]) -> None:
    country = row["country"]
    if not (isinstance(country, str) and len(country) == 2 and country.isalpha() and country.isupper()):
        raise ValueError(f"{where}.country: choose a country")
    state = row.get("state", "")
    if not isinstance(state, str) or len(state) > 60:
        raise ValueError(f"{where}.state: a state's code such as CA")


def _zones(name: str, value: Any) -> None:
    seen: set[tuple[str, str]] = set()
    whole: set[str] = set()
    for at, given in enumerate(_list(name, value)):
        where = f"{name}.{at}"
        row = _row(where, given, {"country", "rates"}, {"state"})
        _country(where, row)
        country, state = row["country"], row.get("state", "")
        if (country, state) in seen:
            raise ValueError(f"{where}.country: this destination is there already")
        if country in whole:
            raise ValueError(f"{where}.state: the row for the whole country comes after those of its states")
        seen.add((country, state))
        if not state:
            whole.add(country)
        if not isinstance(row["rates"], Mapping):
            raise ValueError(f"{where}: wants rates by tax class")
        for kind, rate in row["rates"].items():
            if not isinstance(rate, int) or isinstance(rate, bool) or not 0 <= rate <= PPM:
                raise ValueError(f"{where}.rate {kind}: from 0 to 100 per cent")


def _deliveries(name: str, value: Any) -> None:
    seen = set()
    for at, given in enumerate(_list(name, value, 50)):
        where = f"{name}.{at}"
        row = _row(where, given, {"method", "price"}, {"days", "carrier"})
        _text(100, needed="say what it is called")(f"{where}.method", row["method"])
        if row["method"] in seen:
            raise ValueError(f"{where}.method: another one is called so")
        seen.add(row["method"])
        price = row["price"]
        if not isinstance(price, int) or isinstance(price, bool) or not 0 <= price <= MAX_AMOUNT // 100:
            raise ValueError(f"{where}.price: an amount, 0 for free")
        if "days" in row:
            _whole(0, 60)(f"{where}.days", row["days"])


def _not_served(name: str, value: Any) -> None:
    for at, given in enumerate(_list(name, value)):
        where = f"{name}.{at}"
        row = _row(where, given, {"country", "reason"}, {"state"})
        _country(where, row)
        _text(300, needed="the customer reads why")(f"{where}.reason", row["reason"])


def _logo(name: str, value: Any) -> None:
    if value == {}:
        return
    if not isinstance(value, Mapping) or set(value) != {"name", "width", "height"}:
        raise ValueError(f"{name}: a logo that was kept, or none")
    if not isinstance(value["name"], str) or not NAME_OF_LOGO.fullmatch(value["name"]):
        raise ValueError(f"{name}: choose the file once more")
    for side in ("width", "height"):
        _whole(1, 400)(name, value[side])


def _mail_words(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: words by kind of mail")
    for kind, words in value.items():
        if not isinstance(words, Mapping) or not set(words) <= {"subject", "opening", "closing"}:
            raise ValueError(f"{name}.{kind}: subject, opening and closing")
        for part, text in words.items():
            _text(2000)(f"{name}.{kind}.{part}", text)


def _truth(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name}: yes or no")


_CHECKS: dict[str, Check] = {
    "name": _text(100, needed="the shop needs a name"),
    "address": _address,
    "logo": _logo,
    "tax_number": _text(100),
    "email": _email,
    "phone": _text(40),
    "terms": _text(10_000),
    "currency": _currency,
    "timezone": _zone_of_time,
    "paper": _one_of(PAPERS),
    "mail_words": _mail_words,
    "working_days": _working_days,
    "holidays": _holidays,
    "charge_within_days": _whole(0, 30),
    "ship_within_days": _whole(0, 60),
    "authorisation_warning_days": _whole(0, 30),
    "sales_order_by_hand": _truth,
    "stock_check_by_hand": _truth,
    "zones": _zones,
    "deliveries": _deliveries,
    "not_served": _not_served,
    "proposal_days": _whole(1, 60),
    "substitute_price": _one_of(("own", "lower", "ordered")),
}
