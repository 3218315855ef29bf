"""One choice as it was asked for: reading its fields, finding its line, collecting what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from counterfoil.core.text import storable
from counterfoil.steps.alternatives.rules import GONE
from counterfoil.steps.alternatives.state import LineState, OrderState, PartState

MAX_UNITS = 100_000


@dataclass
class Wish:
    """One choice as it was asked for, with its place for the field paths."""

    at: str
    raw: Mapping[str, Any]
    errors: list[tuple[str, str]] = field(default_factory=list)

    def wrong(self, name: str, words: str) -> None:
        self.errors.append((f"{self.at}.{name}" if name else self.at, words))

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "must be a whole number")
        elif not least <= value <= most:
            self.wrong(name, f"must be from {least} to {most}")
        else:
            return value
        return None

    def text(self, name: str) -> str | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > 100 or not storable(value):
            self.wrong(name, "must be a text of 1 to 100 characters")
            return None
        return value.strip()

    def day(self, today: date) -> date | None:
        value = self.raw.get("date")
        if value is None:
            return None
        try:
            found = value if type(value) is date else date.fromisoformat(str(value))
        except ValueError:
            self.wrong("date", "must be a date such as 2026-12-04")
            return None
        if found < today:
            self.wrong("date", f"{found} is in the past; today is {today}")
            return None
        if (found - today).days > 3660:
            self.wrong("date", f"{found} is more than ten years away")
            return None
        return found


def line_of(wish: Wish, order: OrderState, *, needed: bool) -> tuple[PartState, LineState] | None:
    """The line that is meant, by SKU or id; the only one where none is named and one is needed."""
    wanted = wish.raw.get("line")
    everywhere = [(p, ln) for p in order.parts for ln in p.lines if ln.money.quantity]
    if wanted is None:
        if needed and len(everywhere) == 1:
            found = everywhere
        else:
            if needed:
                wish.wrong("line", "say which line, by SKU or id")
            return None
    else:
        found = [(p, ln) for p, ln in everywhere if ln.sku == wanted]
        found = found or [(p, ln) for p, ln in everywhere if str(ln.id) == str(wanted)]
    if not found:
        wish.wrong("line", f"the order has no line {wanted}")
        return None
    free = [(p, ln) for p, ln in found if p.here and ln.free]
    if not free:
        gone = found[0][0].parcel in GONE or found[0][1].shipped
        wish.wrong("line", f"{found[0][1].sku} has been {'shipped' if gone else 'picked'} already")
        return None
    return free[0]


def units_of(wish: Wish, line: LineState, default: int) -> int | None:
    before = len(wish.errors)
    given = wish.whole("quantity", least=1, most=MAX_UNITS)
    if len(wish.errors) > before:
        return None
    if given is not None and given > line.free:
        wish.wrong("quantity", f"only {line.free} of {line.sku} can still be changed")
        return None
    return default if given is None else given
