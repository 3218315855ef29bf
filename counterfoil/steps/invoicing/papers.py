"""What stands on an invoice and on a credit note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from counterfoil.core import clock
from counterfoil.core.models import Document
from counterfoil.core.money import show
from counterfoil.records.orders.models import Charge, Line, Order, Part, Refund, Shipment
from counterfoil.records.orders.slip import order_paper, priced_lines, rate_text, say_moment, totals
from counterfoil.steps.invoicing.rules import Settlement


def invoice(order: Order, part: Part, lines: Sequence[Line], met: Settlement) -> dict[str, Any]:
    """The part as it was supplied, with the sales order that it was and how it is paid."""
    return {
        **order_paper(order, at=clock.business_now()),
        "currency": order.currency,
        "amount": show(part.total, order.currency),
        "lines": [{**line, "status": None} for line in priced_lines(lines, order.currency)],
        "totals": totals(part, order.currency),
        "tax_lines": _tax_lines(part, lines, order.currency),
        "sales_order_number": part.sales_order_number,
        "shipped_text": _shipped(part),
        "due_text": _due(order, met),
        "payment_text": _paid(order, part, met),
    }


def _shipped(part: Part) -> str | None:
    when = say_moment(part.shipped_at) if part.shipped_at else ""
    carriers = Shipment.objects.filter(packages__part=part).order_by("id").distinct()
    how = ", ".join(f"{s.carrier} {s.tracking_number}" for s in carriers)
    return "; ".join(words for words in (when, how) if words) or None


def _tax_lines(part: Part, lines: Sequence[Line], currency: str) -> list[dict[str, str]] | None:
    """Tax by rate; left out where the order came with a tax of its own that its lines do not add up to."""
    live = [ln for ln in lines if ln.quantity]
    if not part.tax or sum(ln.tax for ln in live) != part.tax:
        return None
    rates = sorted({ln.tax_ppm for ln in live if ln.tax_ppm})
    found = []
    for rate in rates:
        mine = [ln for ln in live if ln.tax_ppm == rate]
        found.append(
            {
                "label": f"Tax {rate_text(rate)}",
                "base": show(sum(ln.net for ln in mine), currency),
                "amount": show(sum(ln.tax for ln in mine), currency),
            }
        )
    return found or None


def _due(order: Order, met: Settlement) -> str | None:
    if not met.receivable:
        return None
    when = "on delivery" if order.payment_method == "on_delivery" else "on receipt"
    return f"{show(met.receivable, order.currency)} {when}"


def _paid(order: Order, part: Part, met: Settlement) -> str:
    words = [_charge_words(charge) for charge in Charge.objects.filter(part=part, state="succeeded").order_by("id")]
    if met.returns:
        words.append(f"{show(met.returns, order.currency)} refunded before this invoice was made")
    if met.receivable:
        words.append(f"{show(met.receivable, order.currency)} to be paid")
    return "; ".join(words) or "Nothing to pay"


def _charge_words(charge: Charge) -> str:
    amount = show(charge.amount, charge.currency)
    if charge.last4:
        how = f"by card, {charge.brand or 'card'} ending in {charge.last4}"
    else:
        how = {"card": "by card", "link": "by card", "terminal": "at the terminal", "cheque": "by cheque"}.get(
            charge.method, "on delivery"
        )
    when = f", {say_moment(charge.settled_at)}" if charge.settled_at else ""
    return f"{amount} paid {how}{when}"


def credit_note(order: Order, lines: Sequence[Line], refund: Refund, billed: Document) -> dict[str, Any]:
    """What goes back to the customer of one invoice. Carries the refund's id, by which it is made only once."""
    return {
        **_credit(order, lines, refund, billed),
        "refund": refund.pk,
        "refund_text": f"{show(refund.amount, refund.currency)}, {_back(refund.charge)}",
    }


def given_credit_note(order: Order, lines: Sequence[Line], given: Refund, billed: Document) -> dict[str, Any]:
    """What had gone back before the invoice was made is taken off it; the money has moved, or is on its way."""
    when = f"{show(given.amount, given.currency)}, before the invoice was made"
    return {**_credit(order, lines, given, billed), "refund_text": when}


def unpaid_credit_note(order: Order, part: Part, billed: Document, reason: str) -> dict[str, Any]:
    """The invoice of a parcel that came back unpaid is taken back whole; no money moves."""
    whole = Refund(part=part, amount=part.total, tax=part.tax, currency=order.currency, reason=reason)
    return {**_credit(order, [], whole, billed), "refund_text": "Nothing was paid, and nothing is owed any more"}


def _credit(order: Order, lines: Sequence[Line], refund: Refund, billed: Document) -> dict[str, Any]:
    net = refund.amount - refund.tax
    rows = _credited_lines(lines, refund)
    rounding = sum(int(entry.get("rounding", 0)) for entry in refund.lines)
    if sum(amount for _, amount in rows) + rounding > net:  # another refund gives back the rest of these lines
        rows, rounding = [], 0
    listed = sum(amount for _, amount in rows)
    sums = [
        ("Goods", listed), ("Rounding as agreed", rounding), ("Other", net - listed - rounding), ("Tax", refund.tax),
    ]  # fmt: skip
    return {
        **order_paper(order, at=clock.business_now()),
        "currency": refund.currency,
        "amount": show(refund.amount, refund.currency),
        "lines": [row for row, _ in rows],
        "totals": [
            *({"label": label, "amount": show(amount, refund.currency)} for label, amount in sums if amount),
            {"label": "Credited", "amount": show(refund.amount, refund.currency), "strong": True},
        ],
        "invoice_number": billed.number,
        "invoice_date_text": str(billed.content.get("date_text", "")) or None,
        "reason": refund.reason,
    }


def _credited_lines(lines: Sequence[Line], refund: Refund) -> list[tuple[dict[str, Any], int]]:
    """The refunded lines at their price on the order, each with its net amount; none for a refund by amount."""
    by_sku = {ln.sku: ln for ln in lines}
    found = []
    for entry in refund.lines:
        line = by_sku.get(str(entry["sku"]))
        if line is None:
            continue
        quantity = int(entry["quantity"])
        net = quantity * line.unit_price
        row = {
            "sku": line.sku,
            "name": line.name,
            "quantity": quantity,
            "unit_price": show(line.unit_price, refund.currency),
            "amount": show(net, refund.currency),
            "tax_rate": rate_text(line.tax_ppm) or None,
        }
        found.append((row, net))
    return found


def _back(charge: Charge) -> str:
    if charge.last4:
        return f"to {charge.brand or 'the card'} ending in {charge.last4}"
    return "to the card" if charge.method in {"card", "link"} else "as it was paid"
