"""Many shipments from a carrier's file: done by the worker, a result for each row; what is refused can be mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core.actor import CLERK, PICKER
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk.models import FileParcel, ShipFile
from counterfoil.desk.pages import SeeOther, desk_page, say, staff_of
from counterfoil.desk.reading import text_of
from counterfoil.desk.saying import units
from counterfoil.desk.scanning import scanned_text, shown
from counterfoil.desk.ship_file import MOST_ROWS, FileRow, read_file, refused_csv
from counterfoil.desk.ship_run import begin_file, stop_file
from counterfoil.desk.shipping import Bench, bench_page
from counterfoil.gateways.carrier.tracking import CARRIERS

NEWEST = 12  # parcels shown while the file goes on; afterwards all of them


@staff(CLERK, PICKER)
@require_POST
def send_file(request: HttpRequest) -> HttpResponse:
    """Have a job ship what a file says, or the rows of it that were mended on the page."""
    columns: dict[str, str] = {}
    try:
        form = request.POST.dict()
        columns = {name: text_of(form, f"column_{name}") for name in ("order", "tracking")}
        given = request.FILES.get("file")
        if isinstance(given, UploadedFile):
            rows = read_file(given.read(), columns)
            usual = text_of(form, "carrier")
            rows = [FileRow(r.line, r.order, r.tracking, r.carrier or usual) for r in rows]
        else:
            mended = _mended(form)
            if form.get("do") == "download":
                return _download(mended)
            rows = [row for row, _ in mended]
    except Invalid as error:
        return bench_page(request, Bench(errors=dict(error.errors)), columns=columns, status=422)
    return SeeOther(f"/desk/ship/file/{begin_file(rows, staff_of(request)).pk}")


@staff(CLERK, PICKER)
@require_safe
def file_page(request: HttpRequest, file: int) -> HttpResponse:
    """How far a file is, then what came of each row, with a form for those that were refused."""
    found = _find(file)
    parcels = list(FileParcel.objects.filter(file=found).select_related("order").order_by("id"))
    left = sum(p.state in FileParcel.OPEN for p in parcels)
    done = [p for p in parcels if p.state == FileParcel.DONE]
    context = {
        "here": "ship-bench",
        "file": found,
        "total": len(parcels),
        "left": left,
        "count": len(done),
        "done": sorted(done, key=lambda p: p.done_at or found.made_at, reverse=True)[:NEWEST] if left else done,
        "refused": [p for p in parcels if p.state in {FileParcel.REFUSED, FileParcel.UNDONE}],
        "known": [c.name for c in CARRIERS],
    }
    if request.headers.get("HX-Target") == "run":
        answer = render(request, "desk/ship_file_body.html", context)
        if not left:
            answer["HX-Refresh"] = "true"  # the whole page: its form, and the focus at the first field to mend
        return answer
    return desk_page(request, "desk/ship_file.html", context)


@staff(CLERK, PICKER)
@require_POST
def stop(request: HttpRequest, file: int) -> HttpResponse:
    """Ship no more of it: what has left has left."""
    stopped = stop_file(_find(file))
    say(request, f"Stopped: {units(stopped, 'row')} not shipped." if stopped else "There was nothing left to stop.")
    return SeeOther(f"/desk/ship/file/{file}")


def _find(pk: int) -> ShipFile:
    found = ShipFile.objects.select_related("user").filter(pk=pk).first()
    if found is None:
        raise Missing("there is no such file")
    return found


def _mended(form: Mapping[str, str]) -> list[tuple[FileRow, str]]:
    """The rows of the page's own form, each with why it was refused."""
    rows = []
    for n in range(MOST_ROWS):
        if f"tracking:{n}" not in form and f"order:{n}" not in form:
            continue
        cells = [scanned_text(form.get(f"{name}:{n}", "")) for name in ("order", "tracking", "carrier")]
        line = form.get(f"line:{n}", "")
        if any(cells):
            row = FileRow(int(line) if line.isdecimal() and len(line) < 6 else n + 1, *cells)
            rows.append((row, scanned_text(form.get(f"why:{n}", ""))))
    if not rows:
        raise Invalid(("file", "choose a file"))
    return rows


def _download(rows: Sequence[tuple[FileRow, str]]) -> HttpResponse:
    masked = [
        (FileRow(r.line, mask_cards(r.order), shown(r.tracking), mask_cards(r.carrier)), mask_cards(why))
        for r, why in rows
    ]
    answer = HttpResponse(refused_csv(masked), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="refused-{shop().today().isoformat()}.csv"'
    return answer
