"""The customer at a glance: which order of theirs it is, what they took instead, what they usually spend, our note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core.money import show
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Order

LOOKED_AT = 200  # earlier orders at most
PREFERS = {Customer.TELEPHONE: "prefers the telephone", Customer.MAIL: "prefers mail"}


@dataclass(frozen=True)
class Glance:
    """`says` are the facts in words, the strongest first; `unusual` when the total is far from their usual one."""

    says: list[str]
    unusual: str
    note: str
    prefers: str

    @property
    def prefers_words(self) -> str:
        return PREFERS.get(self.prefers, "")


# Branches of a statement that the slip asks anyway: the customer ("gc"), their earlier orders ("go"), and what they
# took instead on one of them: a choice of our question ("gp"), or a change that a clerk agreed with them ("ga").
_BRANCHES = (
    " UNION ALL SELECT 'gc', {none}, note, prefers, NULL{more} FROM customers_customer WHERE id = %s "
    "UNION ALL SELECT 'go', {total}, currency, '', NULL{more} FROM (SELECT currency, total FROM orders_order "
    "WHERE customer_id = %s AND id < %s AND finished AND cancelled_at IS NULL ORDER BY id DESC LIMIT {limit}) AS old "
    "UNION ALL SELECT 'gp', {choice}, CAST(choices AS TEXT) || '\n' || CAST(id AS TEXT), number, NULL{more} FROM "
    "(SELECT p.choices, o.id, o.number, p.choice FROM orders_order o JOIN orders_proposal p ON p.order_id = o.id "
    "WHERE o.customer_id = %s AND o.id < %s "
    "AND p.state = 'accepted' AND p.choice IS NOT NULL ORDER BY p.id DESC LIMIT 5) AS answered "
    "UNION ALL SELECT 'ga', {none}, CAST(changes AS TEXT) || '\n' || CAST(before AS TEXT) || '\n' || "
    "CAST(after AS TEXT) || '\n' || CAST(id AS TEXT), number, NULL{more} FROM "
    "(SELECT a.changes, a.before, a.after, o.id, o.number FROM orders_order o JOIN orders_amendment a "
    "ON a.order_id = o.id WHERE o.customer_id = %s AND o.id < %s AND a.kind = 'clerk' "
    "AND CAST(a.changes AS TEXT) LIKE '%%\"substitute\"%%' "
    "AND NOT EXISTS (SELECT 1 FROM orders_amendment u WHERE u.undoes_id = a.id) ORDER BY a.id DESC LIMIT 3) AS agreed"
)


def branches(order: Order, *, as_text: bool, more: str = "") -> tuple[str, list[int]]:
    """What to add to the statement, and its parameters. `as_text`: its second column is text."""
    names = {"none": "0", "total": "total", "choice": "choice"}
    cells = {name: f"CAST({cell} AS TEXT)" if as_text else cell for name, cell in names.items()}
    who, pk = order.customer_id, order.pk
    return _BRANCHES.format(**cells, more=more, limit=LOOKED_AT), [who, who, pk, who, pk, who, pk]


def glance_of(order: Order, found: Sequence[Sequence[Any]]) -> Glance:
    """The glance from the rows of these branches, among others."""
    note, prefers = next(((str(r[2]), str(r[3])) for r in found if r[0] == "gc"), ("", ""))
    totals = [(str(r[2]), int(r[1])) for r in found if r[0] == "go"]
    says = [history_words(totals), _last_taken(found)]
    return Glance([s for s in says if s], unusual_words(order.total, order.currency, totals), note, prefers)


def _last_taken(found: Sequence[Sequence[Any]]) -> str:
    """What they took instead the last time: of the newest order on which they did."""
    taken: list[tuple[int, str]] = []
    for kind, choice, text, number, *_ in found:
        if kind in {"gp", "ga"}:
            first, *pictures, order = (json.loads(line) for line in str(text).split("\n"))
            words = (
                took_words(first, int(choice), str(number))
                if kind == "gp"
                else swapped_words(first, pictures[0], pictures[1], str(number))
            )
            taken += [(order, words)] if words else []
    return max(taken, key=lambda t: t[0], default=(0, ""))[1]


def history_words(totals: Sequence[tuple[str, int]]) -> str:
    """4th order, $612.00 so far."""
    if not totals:
        return "First order"
    sums: dict[str, int] = {}
    for currency, total in totals:
        sums[currency] = sums.get(currency, 0) + total
    spent = " and ".join(show(total, currency) for currency, total in sums.items())
    many = len(totals) >= LOOKED_AT
    return f"{f'More than {LOOKED_AT} orders' if many else f'{ordinal(len(totals) + 1)} order'}, {spent} so far"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def took_words(choices: Sequence[dict[str, object]], choice: int, number: str) -> str:
    """Took 2 × Copper Gate Syrah 2020 instead of 2019 (CF-1023); empty where it was no substitute."""
    taken = choices[choice] if 0 <= choice < len(choices) else {}
    if taken.get("kind") != "substitute":
        return ""
    words = str(taken.get("text", "")).partition(",")[0]
    return f"took {words} ({number})" if words else ""


def swapped_words(changes: Sequence[dict[str, Any]], before: dict[str, Any], after: dict[str, Any], number: str) -> str:
    """The same of a change that was agreed on, from the order as it was and as it became."""
    for change in changes:
        if change.get("kind") != "substitute":
            continue
        line, sku = str(change.get("line", "")).casefold(), str(change.get("sku", "")).casefold()
        old = next((ln for ln in before["lines"] if line in {str(ln["id"]), ln["sku"].casefold()}), None)
        new = next((ln for ln in after["lines"] if ln["sku"].casefold() == sku), None)
        if old is not None and new is not None:
            units = change.get("quantity") or old["quantity"]
            return f"took {units} × {new['name']} instead of {_old_words(old['name'], new['name'])} ({number})"
    return ""


def _old_words(old: str, new: str) -> str:
    """Of another vintage of the same wine the year is enough."""
    wine, _, year = old.rpartition(" ")
    return year if wine and year.isdecimal() and new.rpartition(" ")[0] == wine else old


def unusual_words(total: int, currency: str, totals: Sequence[tuple[str, int]]) -> str:
    """'usually about $62.00': from two earlier orders on, where this one is twice that or more, or half or less."""
    same = sorted(t for c, t in totals if c == currency)
    if len(same) < 2:
        return ""
    usual = same[len(same) // 2] if len(same) % 2 else (same[len(same) // 2 - 1] + same[len(same) // 2]) // 2
    if usual <= 0 or usual / 2 < total < usual * 2:
        return ""
    return f"usually about {show(usual, currency)}"
