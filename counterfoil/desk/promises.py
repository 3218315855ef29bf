"""Promised against shipped: a page, drawn by the server."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk import kept
from counterfoil.desk.pages import desk_page


@staff(CLERK, BUYER, PICKER, BOOKKEEPER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """How the first dates that customers were given compare with the days on which their goods left."""
    settings = shop()
    weeks = kept.by_week(settings)
    total = kept.Kept("", *(sum(getattr(w, n) for w in weeks) for n in ("in_time", "late", "overdue", "open")))
    suppliers, products = kept.by_supplier(settings), kept.by_product(settings)
    context = {
        "here": "promises",
        "weeks": weeks,
        "total": total,
        "chart": kept.draw(weeks, settings.today()),
        "suppliers": suppliers,
        "products": products,
        "furthest": max((row.behind for row in (*suppliers, *products)), default=0),
        "this_week": next((w.monday for w in weeks if 0 <= (settings.today() - w.monday).days < 7), None),
    }
    return desk_page(request, "desk/promises.html", context)
