"""Buying in what is missing: the purchase order goes out, the supplier names a date, or the rest is struck off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from counterfoil.core import clock, documents, jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.machine import shift
from counterfoil.core.money import MAX_AMOUNT, show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.catalogue.actions import find_supplier
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.orders.load import check
from counterfoil.records.orders.slip import paper_shop, say_date
from counterfoil.records.stock.ledger import Change
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.fields import Errors, coming_date, products_of, whole
from counterfoil.steps.sourcing.models import PURCHASE, Peg, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.rules import may_close, may_confirm
from counterfoil.steps.sourcing.turns import note_touched, open_allotment, take_many


def take_purchase_order(number: str) -> PurchaseOrder:
    """Become the purchase order's one writer until this transaction ends; before any order. Raises Missing."""
    found = PurchaseOrder.objects.select_for_update(no_key=True).filter(number=number).first()
    if found is None:
        raise Missing(f"there is no purchase order {number}")
    return found


def pegged_orders(po: PurchaseOrder) -> list[int]:
    """The ids of the orders that wait for it."""
    return list(Peg.objects.filter(purchase_line__po=po).values_list("line__order_id", flat=True).distinct())


def look_again(laid: Allotment, lines: Sequence[PurchaseLine]) -> None:
    """Have the lines looked at by a job that were meant for this while we were taking the orders we knew of.

    They cannot be taken any more: orders are taken before balances are locked.
    """
    for line_id in laid.strangers(line.pk for line in lines):
        jobs.enqueue("sourcing.unpeg", key=str(line_id), payload={"line": line_id})


def create_purchase_order(
    *, actor: Actor, supplier: str | int, lines: Sequence[Mapping[str, Any]], expected: date | None = None
) -> PurchaseOrder:
    """Order goods from a supplier (a name or an id); the paper goes out by mail if we know an address.

    `lines` are `{sku, quantity, cost?}`, `cost` of one in minor units of the shop's currency, else the product's.
    The units are meant at once for the order lines that are short, oldest promise first. Raises Forbidden or Invalid.
    """
    require(actor, BUYER)
    errors: Errors = []
    from_whom = find_supplier(supplier, errors)
    products = products_of(lines, errors)
    coming_date(expected, "expected", errors)
    wanted: list[tuple[Product, int, int]] = []
    for at, row in enumerate(lines):
        product = products.get(str(row.get("sku", "")))
        quantity = whole(row.get("quantity"), f"lines.{at}.quantity", errors)
        cost = row.get("cost")
        if cost is not None:
            cost = whole(cost, f"lines.{at}.cost", errors, least=0, most=MAX_AMOUNT // 1_000_000_000)
        if product is not None:
            wanted.append((product, quantity, product.cost if cost is None else cost))
    if errors or from_whom is None:
        raise Invalid(*errors)
    with writing():
        po = PurchaseOrder.objects.create(
            number=documents.next_number("purchase-order"),
            supplier=from_whom,
            currency=shop().currency,
            expected=expected,
            made_by=actor.name,
            made_at=clock.business_now(),
        )
        made = [
            PurchaseLine.objects.create(po=po, product=product, quantity=quantity, cost=cost)
            for product, quantity, cost in wanted
        ]
        _send(po, made)
        waiting = _mean_for_orders(po, made, actor)
        journal.record(
            "purchase_order_sent",
            subject=po.number,
            actor=actor,
            text=f"Ordered from {from_whom.name}: " + ", ".join(f"{ln.quantity} × {ln.product.sku}" for ln in made),
            data={"lines": [{"sku": ln.product.sku, "quantity": ln.quantity} for ln in made], "waiting": waiting},
            advance=False,
        )
    return po


def _mean_for_orders(po: PurchaseOrder, lines: Sequence[PurchaseLine], actor: Actor) -> list[str]:
    """Enter the units as due in, and mean them for whoever is short; returns the numbers of those orders."""
    laid, _ = open_allotment([ln.product_id for ln in lines])
    for line in lines:
        laid.change(
            Change(
                line.product_id,
                "ordered",
                f"ordered:{po.number}:{line.pk}",
                due_in=line.quantity,
                subject=po.number,
            )
        )
    laid.settle()
    touched = laid.save(actor=actor)
    note_touched("goods_ordered", touched, actor=actor, reason=f"{po.number} to {po.supplier.name}")
    return [t.order.number for t in touched]


def _send(po: PurchaseOrder, lines: Sequence[PurchaseLine]) -> None:
    """Issue the paper and owe the mail that carries it."""
    settings = shop()
    total = show(sum(ln.quantity * ln.cost for ln in lines), po.currency)
    rows = [
        {
            "sku": ln.product.sku,
            "name": ln.product.name,
            "quantity": ln.quantity,
            "unit_price": show(ln.cost, po.currency),
            "amount": show(ln.quantity * ln.cost, po.currency),
        }
        for ln in lines
    ]
    totals = [{"label": "Total", "amount": total, "strong": True}]
    documents.issue(
        "purchase-order",
        subject=po.number,
        number=po.number,
        at=po.made_at,
        content={
            "shop": paper_shop(settings),
            "date_text": say_date(po.made_at.astimezone(ZoneInfo(settings.timezone)).date()),
            "supplier": _party(po.supplier),
            "ship_to": {"name": settings.name, "lines": list(settings.address), "email": settings.email},
            "currency": po.currency,
            "amount": total,
            "lines": rows,
            "totals": totals,
            "expected": say_date(po.expected) or None,
        },
    )
    owe_mail(
        "purchase_order",
        to=po.supplier.email,
        key=f"{po.number}:sent",
        context={
            "subject": f"Purchase order {po.number} from {settings.name}",
            "shop": settings.name,
            "shop_email": settings.email,
            "number": po.number,
            "name": po.supplier.name,
            "total": total,
            "lines": rows,
            "totals": totals,
            "expected": say_date(po.expected),
        },
        documents=[po.number],
    )


def _party(supplier: Supplier) -> dict[str, Any]:
    party: dict[str, Any] = {"name": supplier.name, "lines": []}
    return {**party, "email": supplier.email} if supplier.email else party


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
    if po.state == PURCHASE.first:
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


def close_purchase_order(*, actor: Actor, number: str, reason: str) -> PurchaseOrder:
    """What is outstanding will never come: it is struck off, and whoever waited for it is short again.

    Raises Forbidden, Missing, Invalid or Refused when nothing is outstanding.
    """
    require(actor, BUYER)
    try:
        reason = clean(reason)
    except ValueError as error:
        raise Invalid(("reason", str(error))) from None
    if not reason:
        raise Invalid(("reason", "say why the rest will not come"))
    with writing():
        po = take_purchase_order(number)
        check(may_close(po.number, po.state))
        mine = list(PurchaseLine.objects.filter(po=po).select_related("product").order_by("pk"))
        shift(PURCHASE, "close", po, part=0)
        laid, _ = open_allotment([ln.product_id for ln in mine], also=pegged_orders(po))
        for line in mine:
            laid.change(
                Change(
                    line.product_id,
                    "struck_off",
                    f"closed:{po.number}:{line.pk}",
                    due_in=-line.outstanding,
                    subject=po.number,
                    reason=reason[:500],
                )
            )
        look_again(laid, mine)
        laid.settle()
        touched = laid.save(actor=actor)
        note_touched("goods_not_coming", touched, actor=actor, reason=f"The rest of {po.number} will not come")
        journal.record(
            "purchase_order_closed",
            subject=po.number,
            actor=actor,
            text=f"Closed: {reason}",
            data={"waiting": [t.order.number for t in touched]},
            advance=False,
        )
    return po
