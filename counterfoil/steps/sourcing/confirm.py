"""The supplier names a date: it is kept, and whoever can no longer be served in time is named in the same step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from counterfoil.core import clock, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import shift
from counterfoil.records.orders.load import check
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.draft import take_purchase_order
from counterfoil.steps.sourcing.fields import Errors, coming_date
from counterfoil.steps.sourcing.models import PURCHASE, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.purchase import look_again, pegged_orders
from counterfoil.steps.sourcing.rules import may_confirm
from counterfoil.steps.sourcing.turns import note_touched, take_many


def confirm_purchase_order(
    *, actor: Actor, number: str, expected: date, lines: Sequence[Mapping[str, Any]] | None = None
) -> PurchaseOrder:
    """The supplier has named the date on which the goods will be here; `lines` (`{sku, expected}`) differ from it.

    May be repeated while something is outstanding: a later word replaces the earlier one, and every order that waits
    is looked at again. Raises Forbidden, Missing, Invalid (a date in the past) or Refused.
    """
    require(actor, BUYER)
    errors: Errors = []
    coming_date(expected, "expected", errors)
    own: dict[str, date] = {}
    for at, row in enumerate(lines or []):
        sku, day = str(row.get("sku", "")), row.get("expected")
        if not isinstance(day, date):
            errors.append((f"lines.{at}.expected", "a date is needed"))
            continue
        coming_date(day, f"lines.{at}.expected", errors)
        if sku in own:
            errors.append((f"lines.{at}.sku", f"{sku} stands there twice"))
        own[sku] = day
    if errors:
        raise Invalid(*errors)
    with writing():
        po = take_purchase_order(number)
        check(may_confirm(po.number, po.state))
        mine = list(PurchaseLine.objects.filter(po=po).select_related("product").order_by("pk"))
        strange = [sku for sku in own if sku not in {ln.product.sku for ln in mine}]
        if strange:
            raise Invalid(*[("lines", f"{sku} is not on {number}") for sku in strange])
        dates = {ln.pk: own.get(ln.product.sku, expected) for ln in mine}
        if all(ln.expected == dates[ln.pk] for ln in mine) and po.state == "confirmed" and po.expected == expected:
            return po
        for line in mine:
            line.expected = dates[line.pk]
        PurchaseLine.objects.bulk_update(mine, ["expected"])
        _confirmed(po, expected, actor)
        _tell_waiting(po, mine, actor)
    return po


def _confirmed(po: PurchaseOrder, expected: date, actor: Actor) -> None:
    if po.state == "sent":
        shift(PURCHASE, "confirm", po, part=0)
    po.expected = expected
    po.confirmed_at, po.confirmed_by = clock.business_now(), actor.name
    po.save(update_fields=["expected", "confirmed_at", "confirmed_by"])


def _tell_waiting(po: PurchaseOrder, lines: Sequence[PurchaseLine], actor: Actor) -> None:
    """Every order that waits for it learns the date."""
    laid = Allotment(orders=take_many(pegged_orders(po)), products=[ln.product_id for ln in lines])
    look_again(laid, lines)
    touched = laid.save(actor=actor)
    word = f"{po.supplier.name} confirmed {po.number} for {say_date(po.expected)}"
    note_touched("goods_confirmed", touched, actor=actor, reason=word)
    journal.record(
        "purchase_order_confirmed",
        subject=po.number,
        actor=actor,
        text=word,
        data={
            "lines": [{"sku": ln.product.sku, "expected": f"{ln.expected}"} for ln in lines],
            "waiting": [t.order.number for t in touched],
        },
        advance=False,
    )
