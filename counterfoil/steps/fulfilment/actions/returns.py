"""Goods come back. Money does not move here: restocking and refunding are two acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import CLERK, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import shift
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import PARCEL, Line, Order, Part
from counterfoil.records.stock.ledger import Change, lock, move, once
from counterfoil.records.stock.places import held_by, spread
from counterfoil.records.stock.worth import Pile
from counterfoil.steps.fulfilment.asked import lay_out, read
from counterfoil.steps.fulfilment.papers import lines_of
from counterfoil.steps.fulfilment.rules import choose, may_return

CONDITIONS = ("sellable", "damaged")
Share = Sequence[tuple[Line, int]]


def return_order(*, order: str, actor: Actor, lines: Sequence[Mapping[str, Any]], condition: str, reason: str) -> Order:
    """Take units back that were shipped: `sellable` ones to the shelf, `damaged` ones into quarantine.

    They go to the bin that they were picked from, as the lot that they are of.

    `lines` is `[{sku, quantity}]`, never more than was shipped and has not come back. No refund is made. Raises
    Forbidden, Missing, Invalid or Refused.
    """
    require(actor, CLERK, PICKER)
    reason = _checked(condition, reason)
    asked = read(lines)
    with writing():
        taken = take(order)
        skus = [one.sku for one in asked]
        opened, found = choose(facts_of(taken), may_return, ("shipped", "delivered", "packed"), skus=skus)
        check(found)
        parts = list(Part.objects.filter(order=taken, number__in=[p.number for p in opened]).order_by("number"))
        rows = [ln for part in parts for ln in lines_of(part)]
        share = [
            (ln, n)
            for one in asked
            for ln, n, _ in lay_out(one, rows, lambda ln: ln.shipped - ln.returned, "with the customer")
        ]
        worth = _units_return(taken, share, condition, reason, actor)
        for part in parts:
            mine = [(ln, n) for ln, n in share if ln.part_id == part.pk]
            if mine:
                _book_back(taken, part, sum(worth[ln.pk] for ln, _ in mine))
                _part_returns(taken, part, mine, [ln for ln in rows if ln.part_id == part.pk], condition, reason, actor)
        if condition == "sellable":
            for product in sorted({ln.product_id for ln, _ in share}):
                jobs.enqueue("sourcing.fill", key=str(product), payload={"product": product})
    return taken


def _checked(condition: str, reason: str) -> str:
    wrong: list[tuple[str, str]] = []
    if condition not in CONDITIONS:
        wrong.append(("condition", f"must be {' or '.join(CONDITIONS)}"))
    try:
        reason = clean(reason)
    except ValueError as error:
        wrong.append(("reason", str(error)))
    else:
        if not reason:
            wrong.append(("reason", "say why it came back"))
        elif len(reason) > 500:
            wrong.append(("reason", "is longer than 500 characters"))
    if wrong:
        raise Invalid(*wrong)
    return reason


def _units_return(order: Order, share: Share, condition: str, reason: str, actor: Actor) -> dict[int, int]:
    """With the customer -> in the house; by line, what those units cost us when they left."""
    lock(ln.product_id for ln, _ in share)
    held = held_by(order.number, [ln.pk for ln, _ in share])
    sellable = condition == "sellable"
    back = [
        (ln, at, place, units, Pile(place.shipped, place.value).part(units))
        for ln, n in share
        for at, (place, units) in enumerate(spread(n, held.get(ln.pk, []), "shipped"))
    ]
    move(
        [
            Change(
                ln.product_id,
                "returned",
                once(f"return:line:{ln.pk}:v{order.version}", at),
                shipped=-units,
                on_hand=units if sellable else 0,
                quarantined=0 if sellable else units,
                subject=order.number,
                line=ln.pk,
                reason=reason,
                # What was shipped before places were kept came from the product's bin.
                bin=place.bin or ln.product.bin,
                lot=place.lot,
                value=value,
            )
            for ln, at, place, units, value in back
        ],
        actor=actor,
    )
    for ln, n in share:
        ln.returned += n
    Line.objects.bulk_update([ln for ln, _ in share], ["returned"])
    worth = dict.fromkeys((ln.pk for ln, _ in share), 0)
    for ln, _, _, _, value in back:
        worth[ln.pk] += value
    return worth


def _book_back(order: Order, part: Part, cost: int) -> None:
    """After the invoice. Before it no cost was booked, and the invoice counts only what has not come back by then."""
    if part.books in {"invoiced", "credited"}:
        post(
            cause=f"return:{order.number}:{part.number}:v{order.version}",
            kind="return",
            subject=order.number,
            text=f"Goods back from {order.number}",
            currency=shop().currency,
            amounts={"inventory": cost, "cost_of_goods": -cost},
        )


def _part_returns(
    order: Order, part: Part, share: Share, lines: Sequence[Line], condition: str, reason: str, actor: Actor
) -> None:
    whole = part.parcel in {"shipped", "delivered"} and all(ln.returned >= ln.shipped for ln in lines)
    units = ", ".join(f"{n} × {ln.sku}" for ln, n in share)
    note(
        order,
        "order_returned" if whole else "units_returned",
        actor=actor,
        text=f"Came back, {condition}: {units}. {reason}",
        part=part,
        moves=[shift(PARCEL, "return", part, part=part.number)] if whole else [],
        data={
            "condition": condition,
            "reason": reason,
            "lines": [{"line": ln.pk, "sku": ln.sku, "quantity": n} for ln, n in share],
        },
    )
