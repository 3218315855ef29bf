"""Disputes: what customers went to their bank about, the evidence pack, and the answer."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from counterfoil.core.actor import BOOKKEEPER, CLERK, require
from counterfoil.core.api import Body, Essay, actor_of, answers, reply, router
from counterfoil.core.errors import StillAsking
from counterfoil.core.text import storable
from counterfoil.steps.charging import actions
from counterfoil.steps.charging.evidence import evidence_pdf
from counterfoil.steps.charging.queries import disputes_page, find_dispute, present_dispute

disputes = router()
MOST = 2**62


class EvidenceIn(Body):
    text: Essay = ""


class DisputeWish(Schema):
    state: Annotated[str, Field(max_length=20)] = ""
    after: Annotated[int, Field(ge=0, le=MOST)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@disputes.get("/disputes", response=answers(200))
def list_disputes(request: HttpRequest, wish: Query[DisputeWish]) -> HttpResponse:
    """Disputes, oldest first; `next` is what `after` wants for the next page."""
    require(actor_of(request), CLERK, BOOKKEEPER)
    if not storable(wish.state):
        return reply({"disputes": [], "next": None})
    page = disputes_page(state=wish.state, after=wish.after, limit=wish.limit + 1)
    more = len(page) > wish.limit
    page = page[: wish.limit]
    return reply({"disputes": [present_dispute(row) for row in page], "next": page[-1].pk if more else None})


@disputes.get("/disputes/{dispute}", response=answers(200))
def get_dispute(request: HttpRequest, dispute: int) -> HttpResponse:
    require(actor_of(request), CLERK, BOOKKEEPER)
    return reply(present_dispute(find_dispute(dispute)))


@disputes.get("/disputes/{dispute}/evidence.pdf", response=answers(200))
def get_evidence(request: HttpRequest, dispute: int) -> HttpResponse:
    """The evidence pack: as it was sent, else as everything stands now."""
    require(actor_of(request), CLERK, BOOKKEEPER)
    name, pdf = evidence_pdf(find_dispute(dispute))
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


@disputes.post("/disputes/{dispute}/evidence", response=answers(200, 202))
def post_evidence(request: HttpRequest, dispute: int, body: EvidenceIn | None = None) -> HttpResponse:
    """Send the evidence to the bank, once and for good; 202 while the bank has not answered."""
    actor, text = actor_of(request), body.text if body else ""
    try:
        return reply(present_dispute(actions.send_evidence(dispute=dispute, actor=actor, text=text)))
    except StillAsking:
        return reply(present_dispute(find_dispute(dispute)), 202)


@disputes.post("/disputes/{dispute}/acceptance", response=answers(200, 202))
def post_acceptance(request: HttpRequest, dispute: int) -> HttpResponse:
    """Give in; 202 while the bank has not answered."""
    try:
        return reply(present_dispute(actions.accept_loss(dispute=dispute, actor=actor_of(request))))
    except StillAsking:
        return reply(present_dispute(find_dispute(dispute)), 202)
