"""What a clerk can offer on the telephone when a day cannot be met: pure, from rows at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core.money import show
from counterfoil.core.shop import Shop
from counterfoil.records.catalogue.similar import Similar
from counterfoil.records.orders.models import Line, Order

GONE = frozenset({"shipped", "delivered", "returned"})


@dataclass(frozen=True)
class Help:
    """Something to offer: in words, when they would have it, and what a question would be made of."""

    text: str
    arrives: date
    in_time: bool
    choice: dict[str, Any]


def faster(settings: Shop, method: str, ships: date) -> list[tuple[str, int, date]]:
    """The deliveries that are quicker than this one, with their price and the day of arrival, the cheapest first."""
    present = settings.transit_days(method)
    names = [(str(d["method"]), int(d["price"])) for d in settings.deliveries]
    found = [(m, price, settings.arrives(ships, m)) for m, price in names if settings.transit_days(m) < present]
    return sorted(found, key=lambda d: (d[1], d[2]))


def helps(
    order: Order, lines: Sequence[Line], settings: Shop, *, soon: date, similar: Sequence[Similar] = ()
) -> list[Help]:
    """What can be offered for an order that comes too late, in the order in which one would, what costs nothing first.

    `soon`: when something that is here ships. `similar`: wines in stock like the first line that lacks something.
    Nothing that is paid already is made dearer or divided.
    """
    needed = order.needed_by
    open_ = [ln for ln in lines if ln.quantity > ln.shipped and ln.part.parcel not in GONE]
    promised = max((ln.part.promise_date for ln in open_ if ln.part.promise_date), default=None)
    if needed is None or promised is None:
        return []
    lacking = [ln for ln in open_ if ln.open_units > 0]
    paid = any(ln.part.money in {"charged", "receivable"} for ln in open_)
    by = settings.arrives(soon, order.shipping_method)

    def made(text: str, day: date, **choice: Any) -> Help:
        return Help(text, day, day <= needed, choice)

    found: list[Help] = []
    if not lacking and soon < promised:
        found.append(made("Everything is here: ship it sooner", by, kind="later_date", date=soon.isoformat()))
    elif lacking and len(lacking) < len(open_) and not paid and len({ln.part_id for ln in open_}) == 1:
        text = f"Part now: {len(open_) - len(lacking)} of {len(open_)} wines are here; the rest follows"
        found.append(made(text, by, kind="split", date=promised.isoformat()))
    if lacking and similar:
        found += _instead(lacking[0], similar[0], order, by, soon, made)
    if not paid and order.currency == settings.currency:
        quicker = faster(settings, order.shipping_method, promised)
        method, price, day = next((d for d in quicker if d[2] <= needed), quicker[-1] if quicker else ("", 0, promised))
        if method:
            more = price - order.shipping
            cost = f"{show(abs(more), order.currency)} {'more' if more > 0 else 'less'}" if more else "the same price"
            found.append(
                made(f"{method} instead of {order.shipping_method}, {cost}", day, kind="expedite", method=method)
            )
    # What still comes too late is offered only where nothing better can be.
    return [h for h in found if h.in_time] or found


def _instead(line: Line, other: Similar, order: Order, by: date, soon: date, made: Any) -> list[Help]:
    """The wine in stock that is most like the one that is missing."""
    if not other.enough or other.product.currency != order.currency:
        return []
    missing = line.open_units
    price = show(other.product.price, order.currency)
    text = f"{missing} × {other.product.name} instead of {line.name}, in stock at {price}"
    choice = {"line": str(line.pk), "sku": other.product.sku, "quantity": missing, "date": soon.isoformat()}
    return [made(text, by, kind="substitute", **choice)]
