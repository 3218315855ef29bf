"""What customers went to their bank about: each with its deadline, its owner, and the evidence that we have."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.web import staff
from counterfoil.desk.pages import desk_page, pdf_answer
from counterfoil.steps.charging.evidence import evidence_pdf
from counterfoil.steps.charging.queries import decided_disputes, find_dispute, open_disputes, reason_in_words


@staff(CLERK, PICKER, BUYER, BOOKKEEPER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Undecided ones, soonest deadline first, then what the bank has decided lately."""
    context = {
        "here": "disputes",
        "open": open_disputes(),
        "decided": decided_disputes(50),
        "reason": reason_in_words,
    }
    return desk_page(request, "desk/disputes.html", context)


@staff(CLERK, BOOKKEEPER)
@require_safe
def evidence(request: HttpRequest, dispute: int) -> HttpResponse:
    """The evidence pack: as it was sent, else as everything stands now."""
    return pdf_answer(*evidence_pdf(find_dispute(dispute)))
