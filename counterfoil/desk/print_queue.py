"""The print queue: what is to be printed, what waits, what was printed by whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core import documents
from counterfoil.core.actor import CLERK, PICKER
from counterfoil.core.models import Document, Printing
from counterfoil.core.papers.bundle import bundled
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import words
from counterfoil.desk.packets import GOODS, KINDS, PACKING, Sheet, due_now, unprinted, waits_for
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say

AT_ONCE = 200  # papers in one PDF
SHOWN = 40  # that were printed


@staff(CLERK, PICKER)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What is to be printed; POST prints all of it, all of a kind, or one paper, in one PDF."""
    if request.method == "POST":
        return _print(request)
    settings = shop()
    sheets = unprinted()
    due = due_now(sheets)
    waiting = [s for s in sheets if waits_for(s, settings) == GOODS]
    before = Printing.objects.filter(document=OuterRef("document"), id__lt=OuterRef("id"))
    printed = Printing.objects.select_related("document").defer("document__content").annotate(again=Exists(before))
    context: dict[str, Any] = {
        "here": "print",
        "groups": [
            (kind, words.DOCUMENTS[kind], mine) for kind in KINDS if (mine := [s for s in due if s.kind == kind])
        ],
        "count": len(due),
        "orders": len({s.order for s in due}),
        "at_once": AT_ONCE,
        "waiting": _by_day(waiting),
        "at_packing": len({s.order for s in sheets if waits_for(s, settings) == PACKING}),
        "printed": list(printed.order_by("-id")[:SHOWN]),
        "names": words.DOCUMENTS,
    }
    return desk_page(request, "desk/print.html", context)


def _by_day(sheets: Sequence[Sheet]) -> list[tuple[date | None, list[Sheet]]]:
    """The charged parts that wait for goods, one sheet each, by the day on which those come; the unknown day last."""
    parts = {(s.order, s.part): s for s in sheets}.values()
    days: dict[date | None, list[Sheet]] = {}
    for sheet in sorted(parts, key=lambda s: (s.due is None, s.due or date.max)):
        days.setdefault(sheet.due, []).append(sheet)
    return list(days.items())


def _print(request: HttpRequest) -> HttpResponse:
    kind, number = request.POST.get("kind", ""), request.POST.get("number", "")
    wanted = [s for s in due_now(unprinted()) if kind in ("", s.kind) and number in ("", s.number)]
    found = _documents(wanted[:AT_ONCE])
    bodies = dict(zip([d.pk for d in found], documents.pdfs(found), strict=True))
    # Rendered first: what cannot be drawn is not marked. Who was slower prints what the other has not.
    fresh = documents.mark_printed(found, actor_name=actor_of_page(request).name)
    if not fresh:
        say(request, "All of this has been printed by now.")
        return SeeOther("/desk/print")
    return pdf_answer(kind or number or "packets", bundled(bodies[d.pk] for d in fresh))


def _documents(sheets: Sequence[Sheet]) -> list[Document]:
    by_id = Document.objects.in_bulk([s.id for s in sheets])
    return [by_id[s.id] for s in sheets]
