"""Amendments: the only way an order changes after it was placed, so their pictures follow one another without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

from counterfoil.core.db import rows
from counterfoil.flow.amend.pictures import same_goods_and_money, whole_picture
from counterfoil.records.orders.models import Amendment


def unbroken() -> list[str]:
    """Each amendment found the order as the one before left it, and the last left it as it is now."""
    found: list[str] = []
    rows_ = Amendment.objects.select_related("order").order_by("order_id", "number")
    for _, group in groupby(rows_.iterator(chunk_size=200), key=lambda made: made.order_id):
        found += _chain(list(group))
    return found


def _chain(made: list[Amendment]) -> Iterator[str]:
    order = made[0].order
    if [one.number for one in made] != list(range(1, len(made) + 1)):
        yield f"{order.number}: amendments are numbered {[one.number for one in made]}"
    for one, other in pairwise(made):
        if not same_goods_and_money(one.after, other.before):
            yield f"{order.number}: something changed between amendment {one.number} and {other.number}"
    # A cancelled order keeps its lines readable: what is over stands in `cancelled`.
    if order.cancelled_at is None and not same_goods_and_money(made[-1].after, whole_picture(order)):
        yield f"{order.number}: it is no longer as amendment {made[-1].number} left it"


def given_back() -> list[str]:
    """What went back because less was to be paid is a part of what went back."""
    return [
        f"{number} part {part}: {given} was given back as paid too much, {back} went back in all"
        for number, part, given, back in rows(
            "SELECT o.number, p.number, p.given_back, p.refunded + p.refund_owed FROM orders_part p "
            "JOIN orders_order o ON o.id = p.order_id "
            "WHERE p.given_back < 0 OR p.given_back > p.refunded + p.refund_owed"
        )
    ]
