"""Close the day: the sheet as it stands, the button that freezes it, and the frozen ones."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core import clock, documents
from counterfoil.core.actor import BOOKKEEPER, CLERK
from counterfoil.core.errors import Missing, Refused
from counterfoil.core.models import Document
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.closing import KIND, close_day, figures, sheet_of, sheets
from counterfoil.desk.day_rules import sections
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say


@staff(CLERK, BOOKKEEPER)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Today's sheet, or that of a day that was closed; POST closes today."""
    settings = shop()
    trouble = ""
    if request.method == "POST":
        try:
            made = close_day(actor=actor_of_page(request))
        except Refused as error:
            trouble = str(error)
        else:
            say(request, "The day is closed. These figures stay as they are.")
            return SeeOther(f"/desk/close?day={made.number.removeprefix('DAY-')}")
    closed = sheets()
    asked = request.GET.get("day", "")
    frozen = next((d for d in closed if d.number == f"DAY-{asked or settings.today().isoformat()}"), None)
    if asked and frozen is None:
        frozen = _find(asked)
    told = dict(frozen.content["figures"]) if frozen else figures(settings, clock.business_now(), closed[:1])
    context = {
        "here": "close",
        "frozen": frozen,
        "figures": told,
        "sections": sections(told),
        "closed": [(d, date.fromisoformat(d.number.removeprefix("DAY-"))) for d in closed],
        "trouble": trouble,
    }
    return desk_page(request, "desk/close.html", context, status=409 if trouble else 200)


def _find(asked: str) -> Document:
    try:
        found = sheet_of(date.fromisoformat(asked))
    except ValueError:
        found = None
    if found is None:
        raise Missing("that day has not been closed")
    return found


@staff(CLERK, BOOKKEEPER)
@require_safe
def paper(request: HttpRequest, day: str) -> HttpResponse:
    """A frozen sheet as it is filed."""
    found = _find(day)
    return pdf_answer(found.number, documents.pdf(found))


@staff(CLERK, BOOKKEEPER)
@require_POST
def print_paper(request: HttpRequest, day: str) -> HttpResponse:
    """The same for the printer: noted with who and when."""
    found = _find(day)
    assert found.kind == KIND
    return pdf_answer(found.number, documents.print_pdf(found, actor_name=actor_of_page(request).name))
