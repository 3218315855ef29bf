"""Units that are not there after all: whoever was promised last goes without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.db.models import F

from counterfoil.core.actor import Actor
from counterfoil.core.db import in_writing, writing
from counterfoil.core.errors import blocked
from counterfoil.records.orders.models import Line
from counterfoil.records.orders.offers import give_up_offered, offered_of
from counterfoil.records.stock.models import Balance
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.rules import turn
from counterfoil.steps.sourcing.turns import take_many

T = TypeVar("T")
_TRIES = 5


class _Moved(Exception):
    """Between choosing the orders and locking the shelf, somebody else took or gave units: look again."""


def losing(products: Mapping[int, int], act: Callable[[Allotment], T]) -> T:
    """Run `act` in one transaction, with the orders at hand that go without when these products lose so many units.

    Orders are taken before the shelf is locked, as everywhere; who is needed is known for certain only afterwards, so
    that it may have to be tried again. Inside somebody else's transaction it is tried once.
    """
    for _ in range(1 if in_writing() else _TRIES):
        try:
            with writing():
                orders = take_many([*_last_promised(products), *_thinking(products)])
                return act(Allotment(orders=orders, products=products))
        except _Moved:
            continue
    raise blocked("someone_else", "others are working on the same units at this moment: try again")


def _last_promised(products: Mapping[int, int]) -> list[int]:
    """The orders whose reservations would have to go: newest promise first, as many as cover every unit lost."""
    free = dict(
        Balance.objects.filter(product_id__in=list(products)).values_list("product_id", F("on_hand") - F("reserved"))
    )
    left = {pk: units - max(0, free.get(pk, 0)) for pk, units in products.items()}
    if not any(units > 0 for units in left.values()):
        return []
    found = (
        Line.objects.filter(product_id__in=[pk for pk, units in left.items() if units > 0], reserved__gt=0)
        .order_by(F("part__promise_date").desc(nulls_first=True), F("order__placed_at").desc(), "-pk")
        .values_list("product_id", "order_id", "reserved")
    )
    out: list[int] = []
    for product, order, reserved in found:
        if left[product] > 0:
            out.append(order)
            left[product] -= reserved
    return out


def _thinking(products: Mapping[int, int]) -> list[int]:
    """The orders for which units of these products are kept while their customers think."""
    return [row.proposal.order_id for row in offered_of(products)]


def let_go(laid: Allotment, product: int, units: int, *, actor: Actor, why: str) -> int:
    """Free so many reserved units that `units` can leave the shelf; how many that were.

    First what is only kept for customers who think about it, then what is promised, the newest promise first.
    """
    balance = laid.balances[product]
    need = max(0, units - balance.free)
    freed = give_up_offered(product, need, laid.orders, actor=actor, why=why) if need else 0
    balance.reserved -= freed
    holders = [ln for ln in laid.lines.values() if ln.product_id == product and ln.reserved > 0]
    for line in sorted(holders, key=lambda ln: turn(laid.want(ln, ln.reserved)), reverse=True):
        some = min(line.reserved, need - freed)
        if some > 0:
            laid.give_back(line, some)
            freed += some
    if freed < need:
        raise _Moved
    return freed
