"""The books for the bookkeeper: what stands on each account, and a file for another program."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import BOOKKEEPER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Invalid
from counterfoil.core.web import staff
from counterfoil.desk.pages import desk_page
from counterfoil.desk.reading import maybe_date, text_of
from counterfoil.records.books.export import FORMATS, books, file_name
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.books.models import Posting

NAMES = {
    "quickbooks": "QuickBooks Online",
    "xero": "Xero",
    "beancount": "Beancount",
    "hledger": "hledger",
    "csv": "Comma-separated, for anything else",
}


@staff(BOOKKEEPER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Balances, and the form to download the entries."""
    return _index(request)


def _index(request: HttpRequest, *, status: int = 200, errors: dict[str, str] | None = None) -> HttpResponse:
    sums = Posting.objects.values_list("account", "currency").annotate(Sum("amount")).order_by()
    rows = sorted(((CHART[account], currency, amount) for account, currency, amount in sums if amount), key=_by_code)
    context = {
        "here": "books",
        "rows": rows,
        "formats": [(form, NAMES[form]) for form in FORMATS],
        "form": mask_tree(request.GET.dict()),
        "errors": errors or {},
    }
    return desk_page(request, "desk/books.html", context, status=status)


def _by_code(row: tuple[object, ...]) -> tuple[str, str]:
    return str(getattr(row[0], "code", "")), str(row[1])


@staff(BOOKKEEPER)
@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """The entries of some days as a file; for Xero, which takes little at a time, as several in an archive."""
    given = request.GET.dict()
    try:
        form, since, until = text_of(given, "format"), maybe_date(given, "from"), maybe_date(given, "to")
        if form not in FORMATS:
            raise Invalid(("format", "choose a format"))
        if since is not None and until is not None and since > until:
            raise Invalid(("to", "the last day is before the first"))
    except Invalid as error:
        return _index(request, status=422, errors=dict(error.errors))
    files, _ = books(form, since=since, until=until)
    if form == "xero":
        return _archive(["".join(pieces) for pieces in files], since, until)
    # Piece by piece: the books of years do not fit into memory.
    answer: Any = StreamingHttpResponse(next(files), content_type="text/plain; charset=utf-8")
    return _named(answer, file_name(form, since=since, until=until))


def _archive(texts: list[str], since: date | None, until: date | None) -> HttpResponse:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, text in enumerate(texts, start=1):
            # Without a moment of its own: the same books give the same archive.
            archive.writestr(zipfile.ZipInfo(file_name("xero", number, since=since, until=until)), text)
    answer = HttpResponse(held.getvalue(), content_type="application/zip")
    return _named(answer, f"{file_name('xero', since=since, until=until).removesuffix('.csv')}.zip")


def _named(answer: HttpResponse, name: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
