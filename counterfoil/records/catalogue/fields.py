"""Reading what outsiders send about products and suppliers: each mistake is noted at its field."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.core.text import clean

Errors = list[tuple[str, str]]
MOST_INT = 2_147_483_647
SUBJECT = 40  # as long as a journal row's subject may be


def text_field(
    value: object,
    field: str,
    most: int,
    errors: Errors,
    *,
    needed: bool = False,
    kind: Callable[[str], str] = clean,
) -> str:
    """A text of at most `most` characters, by its kind (`core/text.py`); otherwise an error is noted."""
    try:
        text = kind(str(value or ""))
    except ValueError as error:
        errors.append((field, str(error)))
        return ""
    if needed and not text:
        errors.append((field, "this is needed"))
    if len(text) > most:
        errors.append((field, f"at most {most} characters"))
    return text


def number_field(value: object, field: str, errors: Errors, *, most: int = MOST_INT) -> int:
    """A whole number from 0; otherwise an error is noted and 0 stands in for it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        errors.append((field, f"a whole number from 0 to {most} is needed"))
        return 0
    return value
