"""What other steps owe the books."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.records.orders.models import Refund
from counterfoil.steps.invoicing.actions import issue_credit_note


@jobs.handler("invoicing.credit_note")
def credit_note_job(payload: dict[str, Any]) -> None:
    """The credit note of a refund: `{"refund": id}`. One decided before the invoice is credited with that."""
    refund = Refund.objects.select_related("part__order").get(pk=int(payload["refund"]))
    if not refund.after_invoice:
        return
    issue_credit_note(order=refund.part.order.number, part=refund.part.number, refund_id=refund.pk, actor=SYSTEM)
