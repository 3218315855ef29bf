"""Goods have come: count them in, and give them to whoever waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core import clock, jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.machine import shift
from counterfoil.core.money import decimals, show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_key
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import check
from counterfoil.records.stock.fields import check_date, key_of
from counterfoil.records.stock.ledger import Change
from counterfoil.steps.sourcing.allotment import Allotment, Touched
from counterfoil.steps.sourcing.draft import take_purchase_order
from counterfoil.steps.sourcing.fields import Errors, products_of, say_rate, whole, words_of
from counterfoil.steps.sourcing.lead_times import learn_lead_time
from counterfoil.steps.sourcing.models import PURCHASE, GoodsReceipt, PurchaseLine, PurchaseOrder, ReceiptLine
from counterfoil.steps.sourcing.purchase import look_again, pegged_orders
from counterfoil.steps.sourcing.rules import in_shop_currency, may_receive
from counterfoil.steps.sourcing.turns import note_touched, open_allotment


@dataclass(frozen=True)
class Counted:
    """Units of one product as they were counted: `received` includes `damaged`."""

    received: int
    damaged: int
    note: str = ""
    lot: str = ""
    bin: str | None = None  # None: the product's
    best_before: date | None = None


@dataclass(frozen=True)
class Arrived:
    """Units of one purchase line in one receipt. `awaited` of them were outstanding, the others are a surplus."""

    line: PurchaseLine
    received: int
    damaged: int
    awaited: int
    note: str = ""
    lot: str = ""
    bin: str | None = None
    best_before: date | None = None

    @property
    def good(self) -> int:
        return self.received - self.damaged

    @property
    def surplus(self) -> int:
        return self.received - self.awaited


def receive_goods(
    *,
    actor: Actor,
    purchase_order: str,
    lines: Sequence[Mapping[str, Any]],
    token: str | None = None,
    explain_surplus: bool = False,
) -> GoodsReceipt:
    """Count goods in: `lines` are `{sku, received, damaged?, note?, lot?, bin?, best_before?}`.

    `received` includes `damaged`. They are put into `bin` (default: the product's) as `lot` (default: none). Good units
    go to the lines they were ordered for, oldest promise first, then to whoever else waits; damaged ones are
    quarantined and stay in the inventory at their cost until they are written off. More than is outstanding is taken in
    as extra, free for anybody, and noted as such; with `explain_surplus` (the desk's form, where it is mostly a slip of
    the pen) only if the line's `note` says why. `ready_orders` are the orders whose last unit has just come. A `token`
    is counted in once: the same one again gives the first receipt, marked `repeated`. Raises Forbidden, Missing,
    Invalid, or Refused when nothing is outstanding.
    """
    require(actor, BUYER)
    kept = _token(token)
    if kept and (known := _known(kept, purchase_order)) is not None:
        return known
    counted = _read(lines)
    with writing():
        po = take_purchase_order(purchase_order)
        # Asked again under the purchase order's lock: a double click has two of us here at the same moment.
        if kept and (known := _known(kept, po.number)) is not None:
            return known
        check(may_receive(po.number, po.state))
        receipt = GoodsReceipt.objects.create(po=po, at=clock.business_now(), actor=actor.name, token=kept)
        learn_lead_time(po.supplier_id)
        arrived = _count_in(po, receipt, counted, explain_surplus)
        touched = _give_out(po, receipt, arrived, actor)
        receipt.ready_orders = [t.order.number for t in touched if t.ready]
        receipt.save(update_fields=["ready_orders"])
        _journal(po, receipt, arrived, actor)
    return receipt


def _token(given: str | None) -> str | None:
    if not given:
        return None
    try:
        kept = clean_key(given)
    except ValueError as error:
        raise Invalid(("token", str(error))) from None
    if not 8 <= len(kept) <= 64:
        raise Invalid(("token", "8 to 64 characters that nobody used before"))
    return kept


def _known(token: str, number: str) -> GoodsReceipt | None:
    """The receipt that this very form made before. Refused when it was another purchase order's."""
    found = GoodsReceipt.objects.filter(token=token).select_related("po").first()
    if found is None:
        return None
    if found.po.number != number:
        raise blocked("someone_else", f"this form was used for {found.po.number}; open {number} again", by=found.actor)
    found.repeated = True
    return found


def _read(lines: Sequence[Mapping[str, Any]]) -> dict[str, Counted]:
    errors: Errors = []
    products_of(lines, errors)
    counted: dict[str, Counted] = {}
    for at, row in enumerate(lines):
        received = whole(row.get("received"), f"lines.{at}.received", errors)
        damaged = row.get("damaged")
        damaged = 0 if damaged is None else whole(damaged, f"lines.{at}.damaged", errors, least=0)
        if damaged > received:
            errors.append((f"lines.{at}.damaged", "more are damaged than were received"))
        note = words_of(str(row.get("note") or ""), f"lines.{at}.note", errors, most=500)
        mine: Errors = []
        lot, bin_ = key_of(row.get("lot"), "lot", mine), key_of(row.get("bin"), "bin", mine)
        errors += [(f"lines.{at}.{field}", words) for field, words in mine]
        counted[str(row.get("sku", ""))] = Counted(received, damaged, note, lot or "", bin_, row.get("best_before"))
    if errors:
        raise Invalid(*errors)
    return counted


def _count_in(po: PurchaseOrder, receipt: GoodsReceipt, counted: Mapping[str, Counted], explain: bool) -> list[Arrived]:
    mine = {ln.product.sku: ln for ln in PurchaseLine.objects.filter(po=po).select_related("product").order_by("pk")}
    arrived: list[Arrived] = []
    errors: Errors = []
    for at, (sku, seen) in enumerate(counted.items()):
        if sku not in mine:
            errors.append((f"lines.{at}.sku", f"{sku} is not on {po.number}"))
            continue
        line = mine[sku]
        found = Arrived(
            line, seen.received, seen.damaged, min(seen.received, line.outstanding), seen.note, seen.lot, seen.bin,
            seen.best_before,
        )  # fmt: skip
        if explain and found.surplus and not found.note:
            words = f"{line.outstanding} of {sku} are outstanding: count again, or say in the note why more is taken in"
            errors.append((f"lines.{at}.received", words))
        arrived.append(found)
    if errors:
        raise Invalid(*errors)
    for found in arrived:
        found.line.received += found.received
        found.line.damaged += found.damaged
    PurchaseLine.objects.bulk_update([a.line for a in arrived], ["received", "damaged"])
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=receipt, purchase_line=a.line, received=a.received, damaged=a.damaged, surplus=a.surplus,
            expected=a.line.expected, note=a.note,
        )
        for a in arrived
    )  # fmt: skip
    if not any(line.outstanding for line in mine.values()):
        shift(PURCHASE, "receive", po, part=0)
    _post(po, receipt, arrived)
    return arrived


def _post(po: PurchaseOrder, receipt: GoodsReceipt, arrived: Sequence[Arrived]) -> None:
    """Inventory takes what the order says that the goods cost, in the shop's currency at the order's own rate.

    Rounded once a line, so that the receipts of a line that comes in two halves differ from one by a unit at most.
    """
    currency = shop().currency if _turned_over(po) else po.currency
    cost = sum(_worth(po, a, currency) for a in arrived)
    at = f" ({show(_cost(arrived), po.currency)} at {say_rate(po.rate_ppm)})" if po.rate_ppm is not None else ""
    post(
        cause=f"receipt:{receipt.pk}",
        kind="goods_receipt",
        subject=po.number,
        text=f"Goods received from {po.supplier.name[: 290 - len(at)]}{at}"[:300],
        currency=currency,
        amounts={"inventory": cost, "goods_received": -cost},
    )


def _turned_over(po: PurchaseOrder) -> bool:
    """Whether its costs are told in the shop's currency: one of before the shop changed it has no rate to do so by."""
    return po.rate_ppm is not None or po.currency == shop().currency


def _worth(po: PurchaseOrder, a: Arrived, currency: str) -> int:
    """What the units of a line cost, good or damaged, in minor units of this currency."""
    return in_shop_currency(
        a.received * a.line.price, rate_ppm=po.rate_ppm, places=decimals(po.currency), shop_places=decimals(currency)
    )


def _cost(arrived: Sequence[Arrived]) -> int:
    return sum(a.received * a.line.price for a in arrived)


def _give_out(po: PurchaseOrder, receipt: GoodsReceipt, arrived: Sequence[Arrived], actor: Actor) -> list[Touched]:
    """Put the units on the shelf and promise them: first to whom they were meant for, then by the oldest promise."""
    laid, more = open_allotment(
        [a.line.product_id for a in arrived],
        also=pegged_orders(po),
        arriving={a.line.product_id: a.good for a in arrived},
    )
    for at, a in enumerate(arrived):
        _shelve(laid, po, receipt, a, f"lines.{at}")
        laid.serve(a.line.pk, a.good)
    look_again(laid, [a.line for a in arrived])
    laid.settle()
    touched = laid.save(actor=actor)
    note_touched("goods_received", touched, actor=actor, reason=f"{po.number} has come")
    if more:
        for product_id in laid.products:
            jobs.enqueue("sourcing.fill", key=str(product_id), payload={"product": product_id})
    return touched


def _shelve(laid: Allotment, po: PurchaseOrder, receipt: GoodsReceipt, a: Arrived, field: str) -> None:
    where = a.line.product.bin if a.bin is None else a.bin
    check_date(a.line.product_id, where, a.lot, a.best_before, field=f"{field}.best_before")
    laid.change(
        Change(
            a.line.product_id,
            "received",
            f"receipt:{receipt.pk}:{a.line.pk}",
            on_hand=a.good,
            quarantined=a.damaged,
            due_in=-a.awaited,
            subject=po.number,
            bin=where,
            lot=a.lot,
            best_before=a.best_before,
            # What cannot be told in the shop's currency is in the books in its own, and worth nothing on the shelf.
            value=_worth(po, a, shop().currency) if _turned_over(po) else 0,
            reason="; ".join(t for t in (f"{a.damaged} damaged" if a.damaged else "", a.note) if t)[:500],
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
        if a.note:
            said[-1] += f" ({a.note})"
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
