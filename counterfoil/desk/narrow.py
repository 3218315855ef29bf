"""What narrows a queue's list: a channel, words, an amount. From a page's address, into a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.http import urlencode

from counterfoil.core.cards import mask_cards
from counterfoil.core.money import DECIMALS, MAX_AMOUNT
from counterfoil.core.text import storable

LOOKED_AT = 5000  # orders of a queue, the soonest first: a filter looks at no more
MOST = 100  # characters of a field


@dataclass(frozen=True)
class Narrow:
    """The fields as they were typed; `wrong` says which of them means nothing, and counts as empty."""

    ch: str = ""
    t: str = ""
    least: str = ""
    most: str = ""
    wrong: Mapping[str, str] | None = None

    @property
    def on(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.ch or self.t or self.least or self.most)

    @property
    def query(self) -> str:
        """For an address, without the question mark; empty when nothing is asked for."""
        return urlencode({name: getattr(self, name) for name in FIELDS if getattr(self, name)})

    def condition(self) -> tuple[str, list[Any]]:
        """SQL on `orders_order`, and its parameters."""
        parts, params = ["1 = 1"], list[Any]()
        if self.ch:
            parts.append("channel = %s")
            params.append(self.ch)
        if self.t:
            sql, more = _says(self.t)
            parts.append(sql)
            params += more
        for text, sign in ((self.least, ">="), (self.most, "<=")):
            value = _amount(text)
            if value is not None:
                sql, more = _minor(value)
                parts.append(f"total {sign} {sql}")
                params += more
        return " AND ".join(parts), params


FIELDS = ("ch", "t", "least", "most")


def narrow_of(given: Mapping[str, str]) -> Narrow:
    """From the fields of a page's address. What cannot be a filter is left out, and named."""
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in FIELDS:
        text = " ".join(str(given.get(name, "")).split())[:MOST]
        if not text or not storable(text):
            continue
        if name in {"least", "most"} and _amount(text) is None:
            wrong[name] = "write an amount such as 120.00"
            continue
        found[name] = mask_cards(text)
    return Narrow(**found, wrong=wrong)


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text.strip("$€£¥₩₹₫ ").replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value < MAX_AMOUNT // 1000 else None


def _minor(value: Decimal) -> tuple[str, list[Any]]:
    """An amount in minor units of whatever currency an order has."""
    whens, params = [], list[Any]()
    for places in (0, 3):
        codes = sorted(code for code, n in DECIMALS.items() if n == places)
        whens.append(f"WHEN currency IN ({', '.join(['%s'] * len(codes))}) THEN %s")
        params += [*codes, int(value.scaleb(places))]
    return f"CASE {' '.join(whens)} ELSE %s END", [*params, int(value.scaleb(2))]


def _says(text: str) -> tuple[str, list[Any]]:
    """Name, e-mail, number or a wine of the order has these letters in it."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # SQLite folds ASCII only, so other letters are found as they were typed.
    patterns = list(dict.fromkeys([f"%{escaped}%", f"%{escaped.lower()}%"]))

    def has(*columns: str) -> tuple[str, list[str]]:
        tests, params = [], []
        for column in columns:
            for pattern in patterns:
                tests.append(f"LOWER({column}) LIKE %s ESCAPE '\\' OR {column} LIKE %s ESCAPE '\\'")
                params += [pattern, pattern]
        return " OR ".join(tests), params

    own, first = has("name", "email", "number")
    lines, second = has("l.name", "l.sku")
    sql = f"({own} OR EXISTS (SELECT 1 FROM orders_line l WHERE l.order_id = orders_order.id AND ({lines})))"
    return sql, [*first, *second]
