"""The print queue: what is to be printed, what waits, what was printed by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from counterfoil.core import documents
from counterfoil.core.actor import CLERK, PICKER
from counterfoil.core.errors import Missing
from counterfoil.core.models import Document, Printing
from counterfoil.core.papers.bundle import bundled
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import words
from counterfoil.desk.packets import GOODS, KINDS, PACKING, Sheet, due_now, packet_of, unprinted, waits_for
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say
from counterfoil.records.orders.load import find

AT_ONCE = 200  # papers in one PDF
RUNS = 8  # of what was printed, the newest
LOOKED_AT = 600  # papers that were printed, the newest


@dataclass(frozen=True)
class Run:
    """What came out of the printer at one press: by whom, when, and whether all of it had been printed before."""

    id: int  # of its first printing
    at: datetime
    actor: str
    papers: list[Document]
    again: bool

    @property
    def orders(self) -> int:
        """Of how many orders."""
        return len({paper.subject for paper in self.papers})


@staff(CLERK, PICKER)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What is to be printed; POST prints all of it, all of a kind, or one paper, or one press again, in one PDF."""
    if request.method == "POST":
        return _print(request)
    settings = shop()
    sheets = unprinted()
    due = due_now(sheets)
    waiting = [s for s in sheets if waits_for(s, settings) == GOODS]
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
        "printed": _runs(),
        "names": words.DOCUMENTS,
    }
    return desk_page(request, "desk/print.html", context)


def _printed() -> QuerySet[Printing]:
    """What was printed, but for papers of the shop's own doings."""
    return Printing.objects.exclude(document__kind__in=documents.CONFIDENTIAL)


def _runs() -> list[Run]:
    """The newest presses, each with all of its papers, in the order in which they came out: one statement."""
    before = Printing.objects.filter(document=OuterRef("document"), id__lt=OuterRef("id"))
    found = _printed().select_related("document").defer("document__content").annotate(again=Exists(before))
    runs = []
    for (at, actor), rows in groupby(found.order_by("-id")[:LOOKED_AT], key=lambda p: (p.at, p.actor)):
        mine = list(rows)[::-1]
        runs.append(Run(mine[0].pk, at, actor, [p.document for p in mine], all(p.again for p in mine)))
        if len(runs) == RUNS:
            break
    return runs


def _reprint(request: HttpRequest, first: str) -> HttpResponse:
    """All of one press once more, with its mark. Raises Missing."""
    run = _printed().filter(pk=first).first() if first.isdecimal() and len(first) < 19 else None
    if run is None:
        raise Missing("nothing was printed like that")
    mine = _printed().filter(at=run.at, actor=run.actor).select_related("document").order_by("id")[:AT_ONCE]
    bodies = documents.reprint([p.document for p in mine], actor_name=actor_of_page(request).name)
    return pdf_answer("reprint", bundled(bodies))


def _by_day(sheets: Sequence[Sheet]) -> list[tuple[date | None, list[Sheet]]]:
    """The charged parts that wait for goods, one sheet each, by the day on which those come; the unknown day last."""
    parts = {(s.order, s.part): s for s in sheets}.values()
    days: dict[date | None, list[Sheet]] = {}
    for sheet in sorted(parts, key=lambda s: (s.due is None, s.due or date.max)):
        days.setdefault(sheet.due, []).append(sheet)
    return list(days.items())


def _print(request: HttpRequest) -> HttpResponse:
    if request.POST.get("again"):
        return _reprint(request, request.POST["again"])
    kind, number = request.POST.get("kind", ""), request.POST.get("number", "")
    wanted = [s for s in due_now(unprinted()) if kind in ("", s.kind) and number in ("", s.number)]
    return _print_sheets(request, wanted, kind or number or "packets", "/desk/print")


@staff(CLERK, PICKER)
@require_POST
def print_packet(request: HttpRequest, number: str) -> HttpResponse:
    """All papers of one order that are to be printed now, in one PDF."""
    order = find(number)
    return _print_sheets(request, packet_of(order), order.number, f"/desk/orders/{order.number}")


def _print_sheets(request: HttpRequest, wanted: Sequence[Sheet], name: str, otherwise: str) -> HttpResponse:
    found = _documents(wanted[:AT_ONCE])
    bodies = dict(zip([d.pk for d in found], documents.pdfs(found), strict=True))
    # Rendered first: what cannot be drawn is not marked. Who was slower prints what the other has not.
    fresh = documents.mark_printed(found, actor_name=actor_of_page(request).name)
    if not fresh:
        say(request, "All of this has been printed by now.")
        return SeeOther(otherwise)
    return pdf_answer(name, bundled(bodies[d.pk] for d in fresh))


def _documents(sheets: Sequence[Sheet]) -> list[Document]:
    by_id = Document.objects.in_bulk([s.id for s in sheets])
    return [by_id[s.id] for s in sheets]
