"""Reading what a form sent: texts as the actions want them, or Invalid with the form's own field name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from counterfoil.core.errors import Invalid
from counterfoil.core.money import parse_amount, show
from counterfoil.core.text import clean

Form = Mapping[str, str]
MOST_UNITS = 1_000_000


def text_of(form: Form, name: str, *, needed: str = "", kind: Callable[[str], str] = clean) -> str:
    """A field's text by its kind (`core/text.py`): prose, unless told otherwise, with card numbers masked.

    Raises Invalid for what the kind refuses and, with `needed`, with that sentence for an empty one.
    """
    try:
        value = kind(str(form.get(name, "")))
    except ValueError as error:
        raise Invalid((name, str(error))) from None
    if needed and not value:
        raise Invalid((name, needed))
    return value


def date_of(form: Form, name: str) -> date:
    """A date field, as browsers send it. Raises Invalid."""
    found = maybe_date(form, name)
    if found is None:
        raise Invalid((name, "choose a date"))
    return found


def maybe_date(form: Form, name: str) -> date | None:
    """A date field that may stay empty."""
    value = text_of(form, name)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid((name, "this is no date; write it as 2026-11-24")) from None


def maybe_moment(form: Form, name: str, zone: str) -> datetime | None:
    """A day and time of the shop's clock, as browsers send it, in UTC; it may stay empty."""
    value = text_of(form, name)
    if not value:
        return None
    try:
        given = datetime.fromisoformat(value)
        # The first and the last day that there are have no such time everywhere.
        return (given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid((name, "this is no day and time; write it as 2026-11-24T10:30")) from None


def whole_of(form: Form, name: str, *, least: int = 0) -> int:
    """A whole number of at least `least`. Raises Invalid."""
    found = maybe_whole(form, name, least=least)
    if found is None:
        raise Invalid((name, "give a number"))
    return found


def maybe_whole(form: Form, name: str, *, least: int = 0) -> int | None:
    """A whole number that may be left out."""
    value = text_of(form, name)
    if not value:
        return None
    try:
        found = int(value)
    except ValueError:
        raise Invalid((name, "give a whole number")) from None
    if not least <= found <= MOST_UNITS:
        raise Invalid((name, f"must be between {least:,} and {MOST_UNITS:,}"))
    return found


def amount_of(form: Form, name: str, currency: str) -> int:
    """An amount as people write it, `184.20`, in minor units. Raises Invalid."""
    found = maybe_amount(form, name, currency)
    if found is None:
        raise Invalid((name, "give an amount"))
    return found


def maybe_amount(form: Form, name: str, currency: str) -> int | None:
    """An amount that may be left out."""
    value = text_of(form, name).replace(",", "").lstrip("$€£¥")
    if not value:
        return None
    try:
        return parse_amount(value, currency)
    except ValueError:
        raise Invalid((name, f"write an amount such as {show(12350, currency)}")) from None


def indexed(form: Form, prefix: str) -> dict[str, str]:
    """Fields such as `quantity:SKU-1`, by what follows the colon; empty ones are left out."""
    start = f"{prefix}:"
    return {name[len(start) :]: str(value).strip() for name, value in form.items() if name.startswith(start) and value}


def several(text: str, known: Callable[[list[str]], set[str]]) -> list[str]:
    """The names that one field holds, with commas or spaces between them.

    A name may have either in it: what `known` finds is one name as it stands.
    """
    if not text or text in known([text]):
        return [text] if text else []
    pieces = [piece for part in text.split(",") if (piece := part.strip())]
    whole = known(pieces)
    return [name for piece in pieces for name in ([piece] if piece in whole else piece.split())]
