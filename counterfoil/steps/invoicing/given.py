"""What had gone back of a part before its invoice, which bills all that was supplied: credited with the invoice."""

from __future__ import annotations

from counterfoil.records.orders.models import Order, Part, Refund
from counterfoil.records.orders.shares import fit_tax, tax_of
from counterfoil.steps.invoicing.rules import Settlement


def given_before(order: Order, part: Part, met: Settlement) -> Refund | None:
    """It as one refund, made for the papers and the books and kept nowhere; None where nothing had gone back.

    Its tax is that of the refunds it consists of. Where some of these were for what the part does not cost any more,
    nobody can say which, and it is the share of the amount.
    """
    if not met.returns:
        return None
    before = list(Refund.objects.filter(part=part, after_invoice=False).order_by("pk"))
    if sum(refund.amount for refund in before) == met.returns:
        told = sum(refund.tax for refund in before)
        tax = fit_tax(told, met.returns, left=part.total, tax_left=part.tax)
        reason = "; ".join(dict.fromkeys(refund.reason for refund in before))[:500]
        lines = [entry for refund in before for entry in refund.lines]
    else:
        tax = tax_of(met.returns, left=part.total, tax_left=part.tax)
        reason, lines = "Given back before the invoice", []
    return Refund(part=part, amount=met.returns, tax=tax, currency=order.currency, reason=reason, lines=lines)
