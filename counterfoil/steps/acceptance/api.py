"""The sales order, and every paper of an order."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, CHANNEL, CLERK, require
from counterfoil.core.api import actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.models import Document
from counterfoil.core.text import storable
from counterfoil.records.orders.api import READERS, order_reply, readable
from counterfoil.records.orders.load import find
from counterfoil.records.orders.present import moment
from counterfoil.steps.acceptance.actions import document_of, make_sales_order

acceptance = router()
PDF = {**answers(), 200: bytes}


def pdf_answer(document: Document) -> HttpResponse:
    answer = HttpResponse(documents.pdf(document), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{document.number}.pdf"'
    answer["ETag"] = f'"{document.sha256}"'
    return answer


@acceptance.post("/orders/{number}/sales-order", response=answers(200))
def post_sales_order(request: HttpRequest, number: str) -> HttpResponse:
    make_sales_order(order=number, actor=actor_of(request))
    return order_reply(request, find(number))


@acceptance.get("/orders/{number}/documents", response=answers(200))
def get_documents(request: HttpRequest, number: str) -> HttpResponse:
    order = readable(number, actor_of(request))
    papers = Document.objects.filter(subject=order.number).exclude(kind__in=documents.CONFIDENTIAL)
    found = papers.defer("content").order_by("id")
    return reply(
        {
            "documents": [
                {
                    "number": d.number,
                    "kind": d.kind,
                    "part": d.part,
                    "version": d.version,
                    "sha256": d.sha256,
                    "issued_at": moment(d.issued_at),
                }
                for d in found
            ]
        }
    )


@acceptance.get("/orders/{number}/documents/{kind}.pdf", response=PDF)
def get_document(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    """The newest document of a kind on an order."""
    order = readable(number, actor_of(request))
    found = document_of(order=order.number, kind=kind) if kind in documents.PUBLIC_KINDS else None
    if found is None:
        raise Missing(f"{number} has no {kind}")
    return pdf_answer(found)


@acceptance.get("/documents/{number}.pdf", response=PDF)
def get_document_by_number(request: HttpRequest, number: str) -> HttpResponse:
    actor = actor_of(request)
    require(actor, *READERS)
    if not storable(number):
        raise Missing("there is no such document")
    found = documents.find(number)
    if found.kind in documents.CONFIDENTIAL:
        require(actor, CLERK, BOOKKEEPER)
    if actor.role == CHANNEL:
        readable(found.subject, actor)
    return pdf_answer(found)
