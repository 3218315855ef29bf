"""Papers at the desk: looked at, or printed, which is noted with who and when."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, CLERK, require
from counterfoil.core.errors import Missing
from counterfoil.core.models import Document
from counterfoil.core.papers.bundle import bundled
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import words
from counterfoil.desk.narrow import narrow_of
from counterfoil.desk.on_paper import AT_ONCE, not_printed
from counterfoil.desk.pages import ANYBODY, SeeOther, pdf_answer, say
from counterfoil.records.orders.load import find
from counterfoil.steps.acceptance.actions import web_orders

# What a person wants on paper at an order's stop; everywhere else it is the web order.
PAPERS = {"pick": "pick-list", "pack": "packing-slip", "ship": "packing-slip", "done": "invoice", "transit": "invoice"}


@staff(*ANYBODY)
@require_safe
def document(request: HttpRequest, number: str, ref: str) -> HttpResponse:
    """A paper of an order, by its number or, the newest, by its kind."""
    order = find(number)
    found = documents.newest(order.number, ref) if ref in words.DOCUMENTS else documents.find(ref)
    if found is None or found.subject != order.number:
        raise Missing(f"{order.number} has no such paper yet")
    _may_see(request, found)
    return pdf_answer(found.number, documents.pdf(found))


@staff(*ANYBODY)
@require_POST
def print_document(request: HttpRequest, number: str, ref: str) -> HttpResponse:
    """The same for the printer: noted with who and when, and marked REPRINT from the second time on."""
    order = find(number)
    found = documents.find(ref)
    if found.subject != order.number:
        raise Missing(f"{order.number} has no such paper")
    _may_see(request, found)
    return pdf_answer(found.number, documents.print_pdf(found, actor_name=actor_of_page(request).name))


def _may_see(request: HttpRequest, found: Document) -> None:
    """Papers about the shop's own doings are for who answers for the money. Raises Forbidden."""
    if found.kind in documents.CONFIDENTIAL:
        require(actor_of_page(request), CLERK, BOOKKEEPER)


@staff(*ANYBODY)
@require_POST
def print_order(request: HttpRequest, number: str) -> HttpResponse:
    """The paper of the stop where an order stands: in the review the order as it came in."""
    order = find(number)
    found = documents.newest(number, PAPERS[order.queue]) if order.queue in PAPERS else None
    found = found or web_orders(orders=[number])[0]
    return pdf_answer(found.number, documents.print_pdf(found, actor_name=actor_of_page(request).name))


@staff(CLERK)
@require_POST
def print_new(request: HttpRequest) -> HttpResponse:
    """Of the orders to be reviewed, narrowed as the list is, those that nobody has printed: one PDF, each marked."""
    narrow = narrow_of(request.POST.dict())
    found = web_orders(orders=not_printed(AT_ONCE, narrow))
    bodies = dict(zip([d.pk for d in found], documents.pdfs(found), strict=True))
    # Rendered first: what cannot be drawn is not marked. Who was slower prints what the other has not.
    fresh = documents.mark_printed(found, actor_name=actor_of_page(request).name)
    if not fresh:
        say(request, "Every order here has been printed.")
        return SeeOther(f"/desk/queues/review{f'?{narrow.query}' if narrow.on else ''}")
    return pdf_answer("web-orders", bundled(bodies[d.pk] for d in fresh))
