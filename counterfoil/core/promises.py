"""The law of promised dates as dated data: by when an order must ship, and when a customer's silence counts as a yes.

Rules differ by destination and change: each row says from which day it holds, for which country, and where it was read.
Nothing here is a lawyer's reading; see `docs/promises.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

MOST_DAYS = 365
FIELDS = ("from", "country", "code", "days", "silent_days", "source")
# Delivered: the US Mail, Internet, or Telephone Order Merchandise Rule, for every destination until the shop says more.
PROMISE_RULES: tuple[dict[str, Any], ...] = (
    {"from": "2014-12-08", "country": "*", "code": "16 CFR 435", "days": 30, "silent_days": 30,
     "source": "16 CFR 435.2, as read in secondary sources in November 2026"},
)  # fmt: skip


@dataclass(frozen=True)
class PromiseRule:
    """What holds for an order: ship by the stated date or within `days` of its placing.

    Silence is consent only to a first delay, to a definite date, of at most `silent_days` (0: never).
    """

    code: str
    since: date
    days: int
    silent_days: int

    def deadline(self, placed_on: date, promised: date | None = None) -> date:
        """The legal deadline: the stated date or so many days after the placing, whichever is later."""
        latest = placed_on + timedelta(days=self.days)
        return latest if promised is None else max(promised, latest)

    def silence_consents(self, *, promised: date, offered: date | None, delays: int, in_time: bool) -> bool:
        """Whether no answer to a notice is a yes: `offered` instead of `promised` (None: nobody knows when).

        `delays` counts those that the customer has agreed to already; `in_time`: asked before the old date was over.
        """
        if offered is None or delays or not in_time:
            return False
        return (offered - promised).days <= self.silent_days


def rule_of(rules: Iterable[Mapping[str, Any]], *, country: str, on: date) -> PromiseRule:
    """The newest rule in force on that day for a destination, that of `*` where it has none; before all, the oldest."""
    known = sorted(rules, key=lambda row: str(row["from"]))
    mine = [row for row in known if row["country"] == country] or [row for row in known if row["country"] == "*"]
    in_force = [row for row in mine if date.fromisoformat(row["from"]) <= on] or mine[:1]
    row = in_force[-1]
    return PromiseRule(str(row["code"]), date.fromisoformat(row["from"]), int(row["days"]), int(row["silent_days"]))


def _check_rules(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{name}: at least one rule")
    seen = set()
    for at, row in enumerate(value):
        where = f"{name}.{at}"
        if not isinstance(row, Mapping) or set(row) != set(FIELDS):
            raise ValueError(f"{where}: wants exactly {', '.join(FIELDS)}")
        try:
            date.fromisoformat(row["from"])
        except (TypeError, ValueError):
            raise ValueError(f"{where}.from: a date such as 2026-11-24") from None
        country = row["country"]
        if country != "*" and not (isinstance(country, str) and len(country) == 2 and country.isupper()):
            raise ValueError(f"{where}.country: two capital letters such as US, or * for any other destination")
        for column in ("code", "source"):
            if not isinstance(row[column], str) or not row[column].strip() or len(row[column]) > 300:
                raise ValueError(
                    f"{where}.{column}: {'name the rule' if column == 'code' else 'say where it was read'}"
                )
        if len(row["code"]) > 40:
            raise ValueError(f"{where}.code: at most 40 characters")
        _whole(f"{where}.days", row["days"], 1)
        _whole(f"{where}.silent_days", row["silent_days"], 0)
        if (country, row["from"]) in seen:
            raise ValueError(f"{where}: two rules for {country} from the same day")
        seen.add((country, row["from"]))
    if not any(row["country"] == "*" for row in value):
        raise ValueError(f"{name}: say with the country * what holds for any other destination")


def _whole(name: str, value: Any, least: int, most: int = MOST_DAYS) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name}: a whole number from {least} to {most}")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "promise_rules": _check_rules,
    "notice_days": lambda name, value: _whole(name, value, 1, 60),
}


def check_promise_settings(values: Mapping[str, Any]) -> None:
    """Raises ValueError, naming the field, for a setting about promises that makes no sense."""
    for name, value in values.items():
        check = _CHECKS.get(name)
        if check is not None:
            check(name, value)
