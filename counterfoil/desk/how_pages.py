"""`/how-it-works`: the process told from its own tables, and in a demo one invented order followed through it."""

from __future__ import annotations

from typing import Any

from django.conf import settings as env
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from counterfoil.core import documents
from counterfoil.core.models import Document
from counterfoil.core.shop import shop
from counterfoil.core.web import CSP
from counterfoil.desk import followed, how
from counterfoil.desk.pages import pdf_answer


def _words() -> dict[str, Any]:
    """What both pages draw with."""
    return {"places": how.PLACES, "mail_words": how.MAILS, "paper_words": how.PAPERS, "axes": how.AXES}


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """Every step: who acts, what is made, what the customer sees, and where the money is."""
    settings = shop()
    context = {
        **_words(),
        "rule": how.charge_rule(settings),
        "taken_when": how.charge_moment(settings),
        "steps": how.steps(settings),
        "between": how.between(settings),
        "held": settings.card_at_checkout == "authorise",
        "follow": env.DEMO,
    }
    return render(request, "how/how.html", context)


def _followed() -> followed.Story:
    """The order that may be followed. In a real shop there is none: everybody may read this page."""
    found = followed.story() if env.DEMO else None
    if found is None:
        raise Http404("there is no order to follow here")
    return found


@require_safe
def follow(request: HttpRequest) -> HttpResponse:
    """One finished order of the demo, step by step: its journal, mails and papers as they are."""
    found = _followed()
    response = render(request, "how/follow.html", {**_words(), "story": found, "order": found.order})
    # A mail is shown in a frame of its own.
    response["Content-Security-Policy"] = f"{CSP.format(extra='')}; frame-src 'self'"
    response["X-Robots-Tag"] = "noindex"
    return response


def _paper(number: str) -> Document:
    order = followed.chosen() if env.DEMO else None
    found = documents.find(number) if order is not None else None
    if order is None or found is None or found.subject != order.number or found.kind in documents.CONFIDENTIAL:
        raise Http404("there is no such paper to look at")
    return found


@require_safe
def follow_paper(request: HttpRequest, number: str) -> HttpResponse:
    """A paper of that order, of the house's own ones too: it is invented."""
    found = _paper(number)
    return pdf_answer(found.number, documents.pdf(found))


@require_safe
def follow_picture(request: HttpRequest, number: str) -> HttpResponse:
    """The first page of such a paper, small."""
    found = _paper(number)
    response = HttpResponse(documents.picture(found), content_type="image/png")
    response["Cache-Control"] = "public, max-age=86400"
    return response
