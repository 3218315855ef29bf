"""Kinds of fields on a page of settings: how a value is shown in its field, and how the field is read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from counterfoil.core.logos import as_setting
from counterfoil.core.money import parse_amount, plain
from counterfoil.core.text import clean, clean_email, clean_phone
from counterfoil.gateways.storefront.countries import country_code, state_code
from counterfoil.steps.checkout.countries import COUNTRIES

# value -> (what it is called, what follows from it)
Options = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Field:
    """One field: the setting's name (in rows the column's), its words, and how it is shown and read."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    width: str = "half"
    options: Options = field(default_factory=dict)
    least: int = 0
    most: int = 0
    needed: bool = False
    rows: int = 3  # lines of an area
    listed: str = ""  # the id of a list of suggestions on the page

    def shown(self, value: Any, currency: str) -> str:
        """The value as its field holds it."""
        return _SHOWN.get(self.kind, _plainly)(value, currency)

    def read(self, text: str, currency: str) -> Any:
        """The value of what was typed. Raises ValueError with words for the field."""
        return _READ[self.kind](self, text, currency)


def _plainly(value: Any, _currency: str) -> str:
    return "" if value is None else str(value)


def _rate(value: Any, _currency: str) -> str:
    if value is None:
        return ""
    whole, part = divmod(int(value), 10_000)
    return f"{whole}.{part:04}".rstrip("0") if part else str(whole)


_SHOWN: dict[str, Callable[[Any, str], str]] = {
    "lines": lambda value, _: "\n".join(value),
    "numbers": lambda value, _: ", ".join(map(str, value)),
    "codes": lambda value, _: " ".join(value),
    "rate": _rate,
    "amount": lambda value, currency: "" if value is None else plain(int(value), currency),
    "tick": lambda value, _: "on" if value else "",
    "country": lambda value, _: COUNTRIES.get(value or "", value or ""),
    "anywhere": lambda value, _: COUNTRIES.get(value or "", value or ""),
    "picture": lambda value, _: str(value.get("name", "")),
}


def _text(asked: Field, text: str, _currency: str) -> str:
    found = clean(text)
    if asked.needed and not found:
        raise ValueError("this is needed")
    return found


def _prose(asked: Field, text: str, currency: str) -> str:
    return _text(asked, text.replace("\r\n", "\n"), currency)


def _lines(asked: Field, text: str, currency: str) -> list[str]:
    return [line.strip() for line in _prose(asked, text, currency).split("\n") if line.strip()]


def _whole(asked: Field, text: str, _currency: str) -> int:
    try:
        found = int(clean(text))
    except ValueError:
        raise ValueError("give a whole number") from None
    if found < asked.least:
        raise ValueError(f"at least {asked.least}")
    if found > asked.most:
        raise ValueError(f"at most {asked.most}")
    return found


def _numbers(_asked: Field, text: str, _currency: str) -> list[int]:
    try:
        return [int(word) for word in clean(text).replace(",", " ").split()]
    except ValueError:
        raise ValueError("whole numbers with commas between them") from None


def _choice(asked: Field, text: str, _currency: str) -> str:
    if text not in asked.options:
        raise ValueError(
            "choose one of them" if len(asked.options) > 4 else f"choose one of {', '.join(asked.options)}"
        )
    return text


def _rate_of(_asked: Field, text: str, _currency: str) -> int:
    try:
        found = Decimal(clean(text).removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError("a rate such as 7.25") from None
    if not found.is_finite() or not 0 <= found <= 100:
        raise ValueError("from 0 to 100")
    ppm = found * 10_000
    if ppm != ppm.to_integral_value():
        raise ValueError("at most four decimals")
    return int(ppm)


def _amount_of(_asked: Field, text: str, currency: str) -> int:
    given = clean(text).replace(",", "").lstrip("$€£¥ ")
    try:
        return parse_amount(given, currency)
    except ValueError:
        raise ValueError(f"an amount such as {plain(1500, currency)}") from None


def _country(_asked: Field, text: str, _currency: str) -> str:
    found = country_code(clean(text))
    if found is None:
        raise ValueError("a country's name or its two letters")
    return found


def _anywhere(asked: Field, text: str, currency: str) -> str:
    return "*" if text.strip() == "*" else _country(asked, text, currency)


_READ: dict[str, Callable[[Field, str, str], Any]] = {
    "text": _text,
    "prose": _prose,
    "lines": _lines,
    "email": lambda asked, text, currency: _needed(asked, clean_email(text)),
    "phone": lambda asked, text, currency: _needed(asked, clean_phone(text)),
    "whole": _whole,
    "numbers": _numbers,
    "codes": lambda asked, text, currency: clean(text).replace(",", " ").split(),
    "choice": _choice,
    "select": _choice,
    "date": lambda asked, text, currency: clean(text),
    "time": lambda asked, text, currency: clean(text)[:5],
    "rate": _rate_of,
    "amount": _amount_of,
    "tick": lambda asked, text, currency: bool(text),
    "country": _country,
    "anywhere": _anywhere,
    "picture": lambda asked, text, currency: as_setting(text),
}


def _needed(asked: Field, text: str) -> str:
    if asked.needed and not text:
        raise ValueError("this is needed")
    return text


def state_of(country: str, text: str) -> str:
    """A state as addresses have it: 'Utah' -> 'UT'."""
    return state_code(country, text.strip())
