"""What the bank has otherwise than we do, or asks us: with its age, who looks after it, and what can be done."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import jobs
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Refused, StillAsking
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.steps.charging.actions import own_difference, resolve_difference
from counterfoil.steps.charging.differences import TITLES, advice_on, open_differences, remedies_of
from counterfoil.steps.charging.queries import open_disputes, reason_in_words

LABELS = {
    ("captured_unknown", "take_over"): "Book it here",
    ("captured_unknown", "refund_it"): "Give it back",
    ("held_unknown", "let_go"): "Let it go",
    ("amount_differs", "take_over"): "Book it as the bank has it",
    ("missing_there", "take_over"): "Book that it was not taken",
    ("refund_unknown", "take_over"): "Book the refund",
    ("refund_missing", "take_over"): "It is still owed",
    ("entry_unknown", "take_over"): "Book it as a fee",
    ("refund_differs", "ask"): "Ask the bank again",
    ("slip_alone", "take_over"): "Book the slip",
    ("slip_missing", "take_over"): "Enter the slip",
    ("slip_differs", "take_over"): "Book what the slip says",
    ("return_differs", "take_over"): "It was handed back",
    ("payout_unknown", "ask"): "Ask for its lines again",
    ("payout_failed", "ask"): "Ask the bank again",
    ("clearing_differs", "ask"): "Ask the bank again",
}
SAID = {
    "take_over": "Booked; both sides agree on this now.",
    "refund_it": "The money is on its way back.",
    "ask": "Asked again; it differs no longer.",
    "let_go": "The bank holds it no longer.",
    "note": "Closed with your note.",
}


@staff(CLERK, PICKER, BUYER, BOOKKEEPER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every open difference, oldest first, and every dispute that waits for our answer."""
    return _index(request)


def _index(request: HttpRequest, *, status: int = 200, trouble: str = "") -> HttpResponse:
    rows = []
    for row in open_differences():
        clicks = [(remedy, LABELS[row.kind, remedy]) for remedy in remedies_of(row) if remedy != "note"]
        rows.append((row, TITLES[row.kind], clicks, advice_on(row)))
    asked = [dispute for dispute in open_disputes() if dispute.wants_answer]
    # As the rail counts: an order once, whatever there is about it; what belongs to no order by itself.
    matters = {row.order_number or row.pk for row, *_ in rows} | {dispute.order.number for dispute in asked}
    context = {
        "here": "bank", "rows": rows, "asked": asked, "matters": len(matters), "reason": reason_in_words,
        "trouble": trouble,
    }  # fmt: skip
    return desk_page(request, "desk/bank.html", context, status=status)


@staff(CLERK, BOOKKEEPER)
@require_POST
def act(request: HttpRequest, difference: int) -> HttpResponse:
    """Take it on (`mine`), or settle it by one of its remedies."""
    actor = actor_of_page(request)
    remedy = request.POST.get("remedy", "")
    try:
        if remedy == "mine":
            own_difference(difference=difference, actor=actor)
        else:
            resolve_difference(difference=difference, actor=actor, remedy=remedy, reason=request.POST.get("reason", ""))
    except Invalid as error:
        return _index(request, status=422, trouble="; ".join(m for _, m in error.errors))
    except Refused as error:
        return _index(request, status=409, trouble=str(error))
    except StillAsking as error:
        return _index(request, status=202, trouble=str(error))
    say(request, "It is yours." if remedy == "mine" else SAID[remedy])
    return SeeOther("/desk/bank")


@staff(CLERK, BOOKKEEPER)
@require_POST
def compare(request: HttpRequest) -> HttpResponse:
    """Compare now, not only tonight; the worker does it."""
    with writing():
        jobs.enqueue("charging.reconcile", key="asked", payload={})
    say(request, "We are comparing with the bank; look again in a moment.")
    return SeeOther("/desk/bank")
