"""Finding a wine: words, and what it may be narrowed to. One statement reads what is listed, the rest is counted here.

Words are found the same way on every database, with and without accents. What is searched is kept in the process for
some seconds, as the settings are; price, stock and ship day of what was found are always read afresh.
"""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from counterfoil.core.db import rows
from counterfoil.core.money import decimals
from counterfoil.core.text import storable

PAGE = 24
TTL = 10.0  # seconds that a process searches its copy of what is listed
SHOWN = 12  # values of a facet beside those chosen
MOST_WORDS = 8
FACETS = ("producer", "region", "grape", "vintage")
SORTS = {"maker": "By maker", "low": "Price, lowest first", "high": "Price, highest first", "new": "Newest vintage"}


@dataclass(frozen=True)
class Sought:
    """What somebody looks for. Prices in minor units of the shop's currency; an empty tuple narrows nothing."""

    text: str = ""
    producer: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    grape: tuple[str, ...] = ()
    vintage: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    in_stock: bool = False
    sort: str = "maker"
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything but words narrows it."""
        facets = self.producer or self.region or self.grape or self.vintage
        return bool(facets) or self.low is not None or self.high is not None or self.in_stock

    @property
    def anything(self) -> bool:
        return not self.text and not self.narrowed


class Wine(NamedTuple):
    """A listed product as far as it is searched."""

    id: int
    sku: str
    name: str
    producer: str
    family: str
    region: str
    grape: str
    vintage: str
    price: int
    spare: int
    text: str


@dataclass(frozen=True)
class Value:
    """One value of a facet: how many finds it would leave, and whether it is chosen."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Found:
    """A page of ids, how many there are in all, and what it can be narrowed to."""

    ids: list[int]
    total: int
    page: int
    pages: int
    facets: dict[str, list[Value]]


def read(form: Mapping[str, str], lists: Callable[[str], list[str]], currency: str) -> Sought:
    """What the address of a search says; what makes no sense in it narrows nothing."""
    text = form.get("q", "").strip()[:100]
    page = form.get("page", "")
    facets = {name: tuple(v for v in list(dict.fromkeys(lists(name)))[:20] if storable(v)) for name in FACETS}
    return Sought(
        text=text if storable(text) else "",
        **facets,
        low=price_of(form.get("low", ""), currency),
        high=price_of(form.get("high", ""), currency),
        in_stock=bool(form.get("in_stock")),
        sort=form["sort"] if form.get("sort") in SORTS else "maker",
        page=int(page) if page.isdecimal() and len(page) < 5 and int(page) else 1,
    )


def price_of(text: str, currency: str) -> int | None:
    """'25' or '25.50' -> minor units; None for what is no price."""
    whole, dot, part = text.strip().partition(".")
    places = decimals(currency)
    if not (whole.isdecimal() and len(whole) < 8 and (not dot or (part.isdecimal() and len(part) <= places))):
        return None
    minor = f"{whole}{part.ljust(places, '0')}"
    return int(minor)


def fold(text: str) -> str:
    """Without case and accents: what is typed `rose` finds Rosé."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


@dataclass(frozen=True)
class Cellar:
    """What is listed, by maker, name and vintage; beside each its words, folded; and how often each value stands."""

    wines: list[Wine]
    texts: list[str]
    counts: dict[str, Counter[str]]


_held: tuple[float, Cellar] | None = None


def cellar() -> Cellar:
    """What is listed, at most ten seconds old."""
    global _held
    now = time.monotonic()
    if _held is None or now - _held[0] > TTL:
        _held = (now, laid_out(listed_wines()))
    return _held[1]


def forget() -> None:
    """Drop this process's copy: between tests."""
    global _held
    _held = None


def laid_out(wines: Iterable[Wine]) -> Cellar:
    """Put in order once what many searches go through."""
    known = sorted(wines, key=_order("maker"))
    texts = [fold(f"{w.name} {w.producer} {w.region} {w.grape} {w.text}") for w in known]
    counts = {name: Counter(getattr(w, name) for w in known) for name in FACETS}
    return Cellar(known, texts, counts)


def listed_wines() -> list[Wine]:
    """Everything in the shop window: one statement."""
    found = rows(
        "SELECT p.id, p.sku, p.name, f.producer, f.name, f.region, f.grape, p.vintage, p.price, "
        "b.on_hand - b.reserved - b.waiting, p.description FROM catalogue_product p "
        "LEFT JOIN catalogue_family f ON f.id = p.family_id LEFT JOIN stock_balance b ON b.product_id = p.id "
        "WHERE p.listed"
    )
    return [
        Wine(
            int(r[0]), r[1], r[2], r[3] or "", r[4] or "", r[5] or "", r[6] or "", str(r[7] or ""), int(r[8]),
            int(r[9] or 0), r[10],
        )
        for r in found
    ]  # fmt: skip


def find(sought: Sought, known: Cellar) -> Found:
    """The page that was asked for, and the counts of every facet as if that facet alone were free. Pure."""
    chosen = {name: frozenset(getattr(sought, name)) for name in FACETS}
    passing, counts = (known.wines, known.counts) if sought.anything else _narrowed(sought, known, chosen)
    if sought.sort != "maker":  # by maker they lie already
        passing = sorted(passing, key=_order(sought.sort))
    pages = max(1, -(-len(passing) // PAGE))
    page = min(sought.page, pages)
    ids = [w.id for w in passing[(page - 1) * PAGE : page * PAGE]]
    facets = {name: _values(name, counts[name], chosen[name]) for name in FACETS}
    return Found(ids, len(passing), page, pages, facets)


def _narrowed(
    sought: Sought, known: Cellar, chosen: Mapping[str, frozenset[str]]
) -> tuple[list[Wine], dict[str, Counter[str]]]:
    words = fold(sought.text).split()[:MOST_WORDS]
    asked = [name for name in FACETS if chosen[name]]
    passing: list[Wine] = []
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for wine, text in zip(known.wines, known.texts, strict=True):
        if not (_has(wine, text, words) and _fits(wine, sought)):
            continue
        missed = [name for name in asked if getattr(wine, name) not in chosen[name]]
        if not missed:
            passing.append(wine)
        elif len(missed) == 1:
            counts[missed[0]][getattr(wine, missed[0])] += 1
    for name in FACETS:
        counts[name].update(getattr(wine, name) for wine in passing)
    return passing, counts


def _has(wine: Wine, text: str, words: list[str]) -> bool:
    """Every word in its text somewhere; a number of the shop's own only whole."""
    return all(word in text or word == wine.sku.lower() for word in words)


def _fits(wine: Wine, sought: Sought) -> bool:
    if sought.low is not None and wine.price < sought.low:
        return False
    if sought.high is not None and wine.price > sought.high:
        return False
    return not sought.in_stock or wine.spare > 0


def _order(sort: str) -> Callable[[Wine], tuple[object, ...]]:
    """By maker, name and vintage, the newest first; what has no maker comes last."""

    def newest(wine: Wine) -> int:
        return -int(wine.vintage or 0)

    if sort in {"low", "high"}:
        sign = 1 if sort == "low" else -1
        return lambda w: (sign * w.price, w.name, w.id)
    if sort == "new":
        return lambda w: (newest(w), w.producer == "", w.producer, w.name, w.id)
    return lambda w: (w.producer == "", w.producer, w.family, newest(w), w.name, w.id)


def _values(name: str, counts: Counter[str], chosen: frozenset[str]) -> list[Value]:
    """The values with most finds, and those chosen, in the order of the alphabet; vintages the newest first."""
    known = [value for value, _ in counts.most_common() if value]
    kept = set(known[:SHOWN]) | {v for v in chosen if v in counts}
    return [Value(v, counts[v], v in chosen) for v in sorted(kept, key=fold, reverse=name == "vintage")]
