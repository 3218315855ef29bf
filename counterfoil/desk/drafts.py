"""A purchase order before it is sent: its lines, costs, date and note are changed, then it goes out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from counterfoil.core.actor import BUYER
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.naming import sku_of
from counterfoil.desk.ordering import at_form, lines_of_form, own_field
from counterfoil.desk.pages import SeeOther, say
from counterfoil.desk.purchasing import refused
from counterfoil.desk.reading import maybe_amount, maybe_date, text_of, whole_of
from counterfoil.steps.sourcing.actions import change_draft, discard_draft, send_purchase_order
from counterfoil.steps.sourcing.queries import find_purchase_order


@staff(BUYER)
@require_POST
def act(request: HttpRequest, number: str) -> HttpResponse:
    """Keep what was written; `do` says what then: `send` it, or `discard` it instead."""
    form = request.POST.dict()
    skus: list[str] = []
    try:
        if form.get("do") == "discard":
            discard_draft(actor=actor_of_page(request), number=number)
            say(request, f"{number} is discarded.")
            return SeeOther("/desk/purchase-orders")
        po = find_purchase_order(number)
        lines, skus = lines_of_form(form, po.currency)
        extra = sku_of(form, "sku")
        if extra:
            added: dict[str, Any] = {"sku": extra, "quantity": whole_of(form, "units", least=1)}
            cost = maybe_amount(form, "cost", po.currency)
            lines.append(added if cost is None else {**added, "cost": cost})
            skus.append("")
        po = change_draft(
            actor=actor_of_page(request),
            number=number,
            lines=lines,
            expected=maybe_date(form, "expected"),
            note=text_of(form, "note"),
            rate=text_of(form, "rate"),
        )
        if form.get("do") == "send":
            po = send_purchase_order(actor=actor_of_page(request), number=number)
            say(request, f"{po.number} goes to {po.supplier.name}.")
        else:
            say(request, "Kept. Nothing has been sent yet.")
    except Invalid as error:
        named = {own_field(at_form(field, skus)): words for field, words in error.errors}
        return refused(request, number, error, named)
    except Refused as error:
        return refused(request, number, error)
    return SeeOther(f"/desk/purchase-orders/{po.number}")
