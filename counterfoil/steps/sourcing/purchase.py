"""Buying in what is missing: the purchase order goes out, or what will never come of it is struck off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from counterfoil.core import clock, documents, jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import shift
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.catalogue.suppliers import currency_of, find_supplier
from counterfoil.records.orders.load import check
from counterfoil.records.orders.slip import paper_shop, say_date
from counterfoil.records.stock.ledger import Change
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.draft import known_costs, read_wanted, take_purchase_order
from counterfoil.steps.sourcing.fields import Errors
from counterfoil.steps.sourcing.models import PURCHASE, Peg, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.rules import may_change, may_close
from counterfoil.steps.sourcing.turns import note_touched, open_allotment


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
    *,
    actor: Actor,
    supplier: str | int,
    lines: Sequence[Mapping[str, Any]],
    expected: date | None = None,
    note: str = "",
    rate: str = "",
) -> PurchaseOrder:
    """Order goods from a supplier (a name or an id) at once; the paper goes out by mail if we know an address.

    `lines` are `{sku, quantity, cost?}`, `cost` of one in minor units of the supplier's currency, else as known (see
    `known_costs`); `rate` is what one unit of another currency costs in the shop's, such as `1.085`. The units are
    meant at once for the order lines that are short, oldest promise first. Raises Forbidden or Invalid.
    """
    require(actor, BUYER)
    errors: Errors = []
    from_whom = find_supplier(supplier, errors)
    currency = currency_of(from_whom) if from_whom else shop().currency
    wanted = read_wanted(currency=currency, lines=lines, expected=expected, note=note, rate=rate, errors=errors)
    if errors or from_whom is None:
        raise Invalid(*errors)
    costs = known_costs(from_whom, currency, [p for p, _, cost in wanted.lines if cost is None])
    with writing():
        now = clock.business_now()
        po = PurchaseOrder.objects.create(
            number=documents.next_number("purchase-order"),
            supplier=from_whom,
            state="sent",
            currency=currency,
            rate_ppm=wanted.rate_ppm,
            note=wanted.note,
            expected=expected,
            made_by=actor.name,
            made_at=now,
            sent_by=actor.name,
            sent_at=now,
        )
        made = [
            PurchaseLine(po=po, product=product, quantity=units, cost=costs.get(product.pk) if cost is None else cost)
            for product, units, cost in wanted.lines
        ]
        _complete(po, made)
        for line in made:
            line.save()
        _go_out(po, made, actor)
    return po


def send_purchase_order(*, actor: Actor, number: str) -> PurchaseOrder:
    """A draft goes to its supplier: it gets its number and paper, and its units are due in.

    Raises Forbidden, Missing, Invalid (a cost or the rate is not known), or Refused when somebody has sent it already.
    """
    require(actor, BUYER)
    with writing():
        po = take_purchase_order(number)
        check(may_change(number, po.state, sent_by=po.sent_by))
        lines = list(PurchaseLine.objects.filter(po=po).select_related("product").order_by("pk"))
        _complete(po, lines)
        shift(PURCHASE, "send", po, part=0)
        po.number = documents.next_number("purchase-order")
        po.sent_at, po.sent_by = clock.business_now(), actor.name
        po.save(update_fields=["number", "sent_at", "sent_by"])
        _go_out(po, lines, actor)
    return po


def _complete(po: PurchaseOrder, lines: Sequence[PurchaseLine]) -> None:
    """Nothing goes out at a price, or enters the books at a rate, that nobody has named."""
    errors: Errors = []
    if not lines:
        errors.append(("lines", "at least one line is needed"))
    for at, line in enumerate(lines):
        if line.cost is None:
            errors.append((f"lines.{at}.cost", f"say what one {line.product.sku} costs in {po.currency}"))
    own = shop().currency
    if po.currency != own and po.rate_ppm is None:
        errors.append(("rate", f"say what 1 {po.currency} costs in {own}: the books take the goods in at that rate"))
    if po.expected is not None and po.expected < shop().today():
        errors.append(("expected", f"{po.expected} is in the past; today is {shop().today()}"))
    if errors:
        raise Invalid(*errors)


def _go_out(po: PurchaseOrder, lines: Sequence[PurchaseLine], actor: Actor) -> None:
    _send(po, lines)
    waiting = _mean_for_orders(po, lines, actor)
    journal.record(
        "purchase_order_sent",
        subject=po.number,
        actor=actor,
        text=f"Ordered from {po.supplier.name}: " + ", ".join(f"{ln.quantity} × {ln.product.sku}" for ln in lines),
        data={"lines": [{"sku": ln.product.sku, "quantity": ln.quantity} for ln in lines], "waiting": waiting},
        advance=False,
    )


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
    total = show(sum(ln.quantity * ln.price for ln in lines), po.currency)
    rows = [
        {
            "sku": ln.product.sku,
            "name": ln.product.name,
            "quantity": ln.quantity,
            "unit_price": show(ln.price, po.currency),
            "amount": show(ln.quantity * ln.price, po.currency),
        }
        for ln in lines
    ]
    totals = [{"label": "Total", "amount": total, "strong": True}]
    documents.issue(
        "purchase-order",
        subject=po.number,
        number=po.number,
        at=po.sent_at,
        content={
            "shop": paper_shop(settings),
            "date_text": say_date((po.sent_at or po.made_at).astimezone(ZoneInfo(settings.timezone)).date()),
            "supplier": _party(po.supplier),
            "ship_to": {"name": settings.name, "lines": list(settings.address), "email": settings.email},
            "currency": po.currency,
            "amount": total,
            "lines": rows,
            "totals": totals,
            "expected": say_date(po.expected) or None,
            "message": po.note or None,
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
            "name": po.supplier.contact or po.supplier.name,
            "total": total,
            "lines": rows,
            "totals": totals,
            "expected": say_date(po.expected),
            "note": po.note,
        },
        documents=[po.number],
    )


def _party(supplier: Supplier) -> dict[str, Any]:
    party: dict[str, Any] = {"name": supplier.name, "lines": [supplier.contact] if supplier.contact else []}
    return {**party, "email": supplier.email} if supplier.email else party


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
