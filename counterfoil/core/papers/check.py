"""Content against its schema, before anything is drawn."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from counterfoil.core.papers.content import SCHEMAS, BarCode, LastFour, Moment, Picture, Prose
from counterfoil.core.papers.text import clean


class UnknownKind(KeyError):
    """No such paper; the message lists those there are."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"unknown paper {self.kind!r}; there are: {', '.join(sorted(SCHEMAS))}"


class ContentError(ValueError):
    """A field is missing or unfit; `field` is its path, such as "lines[2].bin"."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def moment(text: str, field: str = "issued_at") -> datetime:
    """The date-time in `text`; ContentError unless it is ISO 8601 with an offset, 1970-9999."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ContentError(field, f"must be an ISO 8601 date-time, not {text!r}") from None
    if when.tzinfo is None:
        raise ContentError(field, f"needs an offset such as Z: {text!r}")
    if when.year < 1971 or when.year > 9998:
        raise ContentError(field, f"is no date of business: {text!r}")
    return when


def _moment(text: str, field: str) -> str:
    moment(text, field)
    return text


def _last_four(text: str, field: str) -> str:
    # The text itself is kept out of the message: it may be a whole card number on its way to a log.
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ContentError(field, "must be exactly the last four digits")
    return text


def _bar_code(text: str, field: str) -> str:
    # Longer than 24, its bars would be too thin (under a quarter of a millimetre) for a hand scanner.
    if not re.fullmatch(r"[!-~]([ -~]{0,22}[!-~])?", text):
        raise ContentError(field, f"must be 1 to 24 printable ASCII characters, not {text!r}")
    return text


def _picture(text: str, field: str) -> str:
    if not re.fullmatch(r"[a-p]{32}", text):
        raise ContentError(field, f"must be the name of a logo, not {text!r}")
    return text


def _prose(text: str, _field: str) -> str:
    return clean(text, line_breaks=True)


_SPECIAL = {Moment: _moment, LastFour: _last_four, BarCode: _bar_code, Picture: _picture, Prose: _prose}


@cache
def _fields(schema: type) -> dict[str, tuple[Any, bool]]:
    """Each key of a TypedDict with its type and whether it must be there."""
    hints = get_type_hints(schema, include_extras=True)
    return {
        key: (get_args(hint)[0], False) if get_origin(hint) is NotRequired else (hint, True)
        for key, hint in hints.items()
    }


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise ContentError(field, f"must be text, not {type(value).__name__}")
    return value


def _checked(value: object, hint: Any, field: str) -> object:
    """`value` cleaned and pruned to what `hint` names; raises ContentError with the path in `field`."""
    if hint is str:
        return clean(_text(value, field))
    if get_origin(hint) is Annotated:
        return _SPECIAL[hint](_text(value, field), field)
    if hint is bool:
        if not isinstance(value, bool):
            raise ContentError(field, f"must be true or false, not {type(value).__name__}")
        return value
    if hint is int:
        return _count(value, field)
    if get_origin(hint) is list:
        if not isinstance(value, list | tuple):
            raise ContentError(field, f"must be a list, not {type(value).__name__}")
        (inner,) = get_args(hint)
        return [_checked(entry, inner, f"{field}[{i}]") for i, entry in enumerate(value)]
    assert is_typeddict(hint), hint
    return _record(value, hint, field)


def _count(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ContentError(field, f"must be a whole number, not {type(value).__name__}")
    if not 0 <= value <= 9_999_999:
        raise ContentError(field, f"must be between 0 and 9,999,999, not {value}")
    return value


def _record(value: object, schema: type, field: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise ContentError(field or "content", f"must be a mapping, not {type(value).__name__}")
    record: dict[str, object] = {}
    for key, (hint, required) in _fields(schema).items():
        path = f"{field}.{key}" if field else key
        if value.get(key) is not None:
            record[key] = _checked(value[key], hint, path)
        elif required:
            raise ContentError(path, "is missing")
    return record


def checked(kind: str, content: Mapping[str, object]) -> dict[str, object]:
    """`content` as the paper `kind` may print it: complete, cleaned, and nothing else.

    Raises UnknownKind, or ContentError that names the first unfit field.
    """
    schema = SCHEMAS.get(kind)  # type: ignore[call-overload]  # any string may come in from a URL
    if schema is None:
        raise UnknownKind(kind)
    return _record(content, schema, "")
