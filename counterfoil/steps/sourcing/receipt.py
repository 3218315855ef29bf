"""Goods have come: count them in, and give them to whoever waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core import clock, jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import shift
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import check
from counterfoil.records.stock.ledger import Change
from counterfoil.steps.sourcing.allotment import Allotment, Touched
from counterfoil.steps.sourcing.fields import Errors, products_of, whole
from counterfoil.steps.sourcing.models import PURCHASE, GoodsReceipt, PurchaseLine, PurchaseOrder, ReceiptLine
from counterfoil.steps.sourcing.purchase import look_again, pegged_orders, take_purchase_order
from counterfoil.steps.sourcing.rules import may_receive
from counterfoil.steps.sourcing.turns import note_touched, open_allotment


@dataclass(frozen=True)
class Arrived:
    """Units of one purchase line in one receipt. `awaited` of them were outstanding, the others are a surplus."""

    line: PurchaseLine
    received: int
    damaged: int
    awaited: int

    @property
    def good(self) -> int:
        return self.received - self.damaged

    @property
    def surplus(self) -> int:
        return self.received - self.awaited


def receive_goods(*, actor: Actor, purchase_order: str, lines: Sequence[Mapping[str, Any]]) -> GoodsReceipt:
    """Count goods in against a purchase order: `lines` are `{sku, received, damaged?}`, `received` includes `damaged`.

    Good units go to the lines they were ordered for, oldest promise first, then to whoever else waits; damaged ones
    are quarantined and stay in the inventory at their cost until they are written off. More than was ordered is taken
    in as free stock. The answer's `ready_orders` are the orders whose last unit has just come. Raises Forbidden,
    Missing, Invalid, or Refused when nothing is outstanding.
    """
    require(actor, BUYER)
    errors: Errors = []
    products_of(lines, errors)
    counted: dict[str, tuple[int, int]] = {}
    for at, row in enumerate(lines):
        received = whole(row.get("received"), f"lines.{at}.received", errors)
        damaged = row.get("damaged")
        damaged = 0 if damaged is None else whole(damaged, f"lines.{at}.damaged", errors, least=0)
        if damaged > received:
            errors.append((f"lines.{at}.damaged", "more are damaged than were received"))
        counted[str(row.get("sku", ""))] = (received, damaged)
    if errors:
        raise Invalid(*errors)
    with writing():
        po = take_purchase_order(purchase_order)
        check(may_receive(po.number, po.state))
        receipt = GoodsReceipt.objects.create(po=po, at=clock.business_now(), actor=actor.name)
        arrived = _count_in(po, receipt, counted)
        touched = _give_out(po, receipt, arrived, actor)
        receipt.ready_orders = [t.order.number for t in touched if t.ready]
        _journal(po, receipt, arrived, actor)
    return receipt


def _count_in(po: PurchaseOrder, receipt: GoodsReceipt, counted: Mapping[str, tuple[int, int]]) -> list[Arrived]:
    mine = {ln.product.sku: ln for ln in PurchaseLine.objects.filter(po=po).select_related("product").order_by("pk")}
    strange = [sku for sku in counted if sku not in mine]
    if strange:
        raise Invalid(*[("lines", f"{sku} is not on {po.number}") for sku in strange])
    arrived: list[Arrived] = []
    for sku, (received, damaged) in counted.items():
        line = mine[sku]
        arrived.append(Arrived(line, received, damaged, min(received, line.outstanding)))
        line.received += received
        line.damaged += damaged
    PurchaseLine.objects.bulk_update([a.line for a in arrived], ["received", "damaged"])
    ReceiptLine.objects.bulk_create(
        ReceiptLine(receipt=receipt, purchase_line=a.line, received=a.received, damaged=a.damaged) for a in arrived
    )
    if not any(line.outstanding for line in mine.values()):
        shift(PURCHASE, "receive", po, part=0)
    cost = sum(a.received * a.line.cost for a in arrived)
    post(
        cause=f"receipt:{receipt.pk}",
        kind="goods_receipt",
        subject=po.number,
        text=f"Goods received from {po.supplier.name}"[:300],
        currency=po.currency,
        amounts={"inventory": cost, "goods_received": -cost},
    )
    return arrived


def _give_out(po: PurchaseOrder, receipt: GoodsReceipt, arrived: Sequence[Arrived], actor: Actor) -> list[Touched]:
    """Put the units on the shelf and promise them: first to whom they were meant for, then by the oldest promise."""
    laid, more = open_allotment(
        [a.line.product_id for a in arrived],
        also=pegged_orders(po),
        arriving={a.line.product_id: a.good for a in arrived},
    )
    for a in arrived:
        _shelve(laid, po, receipt, a)
        laid.serve(a.line.pk, a.good)
    look_again(laid, [a.line for a in arrived])
    laid.settle()
    touched = laid.save(actor=actor)
    note_touched("goods_received", touched, actor=actor, reason=f"{po.number} has come")
    if more:
        for product_id in laid.products:
            jobs.enqueue("sourcing.fill", key=str(product_id), payload={"product": product_id})
    return touched


def _shelve(laid: Allotment, po: PurchaseOrder, receipt: GoodsReceipt, a: Arrived) -> None:
    laid.change(
        Change(
            a.line.product_id,
            "received",
            f"receipt:{receipt.pk}:{a.line.pk}",
            on_hand=a.good,
            quarantined=a.damaged,
            due_in=-a.awaited,
            subject=po.number,
            bin=a.line.product.bin,
            reason=f"{a.damaged} damaged" if a.damaged else "",
        )
    )


def _journal(po: PurchaseOrder, receipt: GoodsReceipt, arrived: Sequence[Arrived], actor: Actor) -> None:
    said: list[str] = []
    for a in arrived:
        said.append(f"{a.received} × {a.line.product.sku}")
        if a.damaged:
            said[-1] += f", {a.damaged} of them damaged"
        if a.surplus:
            said[-1] += f", {a.surplus} more than ordered"
    journal.record(
        "goods_received",
        subject=po.number,
        actor=actor,
        text=f"Received: {'; '.join(said)}",
        data={
            "receipt": receipt.pk,
            "lines": [
                {"sku": a.line.product.sku, "received": a.received, "damaged": a.damaged, "surplus": a.surplus}
                for a in arrived
            ],
            "ready_orders": receipt.ready_orders,
        },
        advance=False,
    )
