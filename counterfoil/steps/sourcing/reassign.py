"""A reservation goes from one order to another, because somebody says why."""

from __future__ import annotations

from counterfoil.core.actor import BUYER, CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.stock.fields import Errors, product_of, reason_of, units_of
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.turns import note_touched, take_many


def move_reservation(
    *, actor: Actor, order: str, from_order: str, sku: str, quantity: int, reason: str
) -> tuple[Order, Order]:
    """Give `order` reserved units of `from_order`, against the turn that its promise would have.

    Both orders' journals say so, with the reason. The giver waits again, and what is on order covers it as far as it
    goes. Raises Forbidden, Missing, Invalid (`quantity`: the giver holds fewer, or the taker wants fewer) or Refused
    when one of them is cancelled or has been fetched.
    """
    require(actor, CLERK, BUYER)
    errors: Errors = []
    units = units_of(quantity, errors)
    why = reason_of(reason, errors, "say why the other order has to wait")
    if order == from_order:
        errors.append(("from_order", "this is the same order"))
    if errors:
        raise Invalid(*errors)
    taker, giver = find(order), find(from_order)
    product = product_of(sku)
    with writing():
        held = take_many([taker.pk, giver.pk])
        laid = Allotment(orders=held, products=[product.pk])
        for one in (giver, taker):
            if held[one.pk].cancelled_at is not None:
                raise blocked("cancelled", f"{one.number} is cancelled")
        wants = [ln for ln in laid.mine(product.pk) if ln.order_id == taker.pk and ln.open_units > 0]
        holds = [ln for ln in laid.mine(product.pk) if ln.order_id == giver.pk and ln.reserved > 0]
        _check(units, sku, holds, wants, from_order, order)
        for line, some in _spread(units, holds, [ln.reserved for ln in holds]):
            laid.give_back(line, some)
        for line, some in _spread(units, wants, [ln.open_units for ln in wants]):
            laid.reserve(line, some)
        laid.cover()
        touched = laid.save(actor=actor)
        for one, words in ((giver, f"{units} × {sku} given to {order}"), (taker, f"{units} × {sku} from {from_order}")):
            mine = [t for t in touched if t.order.pk == one.pk]
            note_touched("reservation_moved", mine, actor=actor, reason=f"{words}, because: {why}")
    return held[taker.pk], held[giver.pk]


def _check(units: int, sku: str, holds: list[Line], wants: list[Line], from_order: str, order: str) -> None:
    there, wanted = sum(ln.reserved for ln in holds), sum(ln.open_units for ln in wants)
    if there < units:
        raise Invalid(("quantity", f"{from_order} has {there or 'none'} of {sku} reserved and not fetched yet"))
    if wanted < units:
        raise Invalid(("quantity", f"{order} waits for {wanted or 'none'} of {sku}"))


def _spread(units: int, lines: list[Line], room: list[int]) -> list[tuple[Line, int]]:
    out: list[tuple[Line, int]] = []
    for line, most in zip(lines, room, strict=True):
        some = min(units, most)
        if some:
            out.append((line, some))
            units -= some
    return out
