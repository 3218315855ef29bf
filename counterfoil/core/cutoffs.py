"""Until when a carrier takes parcels: one time of the shop's clock for each carrier, on the shop's working days."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NO_CUT_OFF = 24 * 60
"""Minutes of a day: what has no cut-off sorts behind everything that has one."""
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def minutes_of(at: str) -> int:
    """'16:30' -> 990. Raises ValueError."""
    found = _TIME.fullmatch(at)
    if found is None:
        raise ValueError(f"{at!r} is no time of day; write it as 16:30")
    return int(found[1]) * 60 + int(found[2])


def time_words(minutes: int) -> str:
    """990 -> '16:30'."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def same_carrier(one: str, other: str) -> bool:
    """Whether two names mean one carrier, whatever their case, spaces and punctuation."""
    return _key(one) == _key(other) != ""


def leaves_by(method: str, deliveries: Sequence[Mapping[str, Any]], cut_offs: Sequence[Mapping[str, Any]]) -> int:
    """Minutes of the day until which a parcel of this delivery method must be ready; NO_CUT_OFF where nobody says."""
    carrier = carrier_of(method, deliveries)
    found = [minutes_of(str(row["at"])) for row in cut_offs if same_carrier(str(row["carrier"]), carrier)]
    return min(found, default=NO_CUT_OFF)


def carrier_of(method: str, deliveries: Sequence[Mapping[str, Any]]) -> str:
    """Who takes the parcels of a delivery method; "" where the shop has not said."""
    return next((str(row.get("carrier", "")) for row in deliveries if row.get("method") == method), "")


def check_cut_offs(values: Mapping[str, Any]) -> None:
    """Refuse cut-offs and carriers of deliveries that make no sense. Raises ValueError naming the setting."""
    for delivery in values.get("deliveries", ()):
        name = delivery.get("carrier", "")
        if not isinstance(name, str) or len(name) > 40:
            raise ValueError("deliveries: a carrier's name has at most 40 characters")
    seen: set[str] = set()
    for row in values.get("cut_offs", ()):
        if not isinstance(row, Mapping) or set(row) != {"carrier", "at"}:
            raise ValueError("cut_offs: each has a carrier and a time (at)")
        key = _key(str(row["carrier"]))
        if not key or len(str(row["carrier"])) > 40:
            raise ValueError("cut_offs: name the carrier, in at most 40 characters")
        if key in seen:
            raise ValueError(f"cut_offs: {row['carrier']} is named twice")
        seen.add(key)
        try:
            minutes_of(str(row["at"]))
        except ValueError as error:
            raise ValueError(f"cut_offs: {error}") from None


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
