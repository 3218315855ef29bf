"""What the card processor sent to the bank, what it kept, and whether clearing agrees."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.core.web import staff
from counterfoil.desk.pages import desk_page
from counterfoil.steps.charging.clearing import agreements
from counterfoil.steps.charging.queries import find_payout, last_compared, lines_of_payout, payouts_page, unpaid_lines

NAMED = 20  # reasons of a difference that are listed
PAGE = 30


@staff(CLERK, PICKER, BUYER, BOOKKEEPER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Whether clearing agrees, what waits to be paid out, and the payouts by date."""
    before = request.GET.get("before", "")
    page = payouts_page(before=int(before) if before.isdecimal() and len(before) < 18 else 0, limit=PAGE + 1)
    context = {
        "here": "payouts",
        "agreements": agreements(),
        "named": NAMED,
        "waiting": unpaid_lines(),
        "payouts": page[:PAGE],
        "more": page[PAGE - 1].row.pk if len(page) > PAGE else 0,
        "compared": last_compared(),
    }
    return desk_page(request, "desk/payouts.html", context)


@staff(CLERK, PICKER, BUYER, BOOKKEEPER)
@require_safe
def one(request: HttpRequest, payout: str) -> HttpResponse:
    """One payout: fee and net of every transaction in it."""
    found = find_payout(payout) if storable(payout) else None
    if found is None:
        raise Missing("there is no such payout")
    context = {"here": "payouts", "payout": found, "lines": lines_of_payout(found.row)}
    return desk_page(request, "desk/payout.html", context)
