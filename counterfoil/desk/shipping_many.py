"""Many shipments from a carrier's file: a result for each row, and what was refused can be mended and tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK, PICKER, Actor
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Declined, Forbidden, Invalid, Missing, Refused, StillAsking
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import desk_page
from counterfoil.desk.reading import text_of
from counterfoil.desk.scanning import is_no_parcel, orders_named, scanned_text, shown
from counterfoil.desk.ship_file import MOST_ROWS, FileRow, read_file, refused_csv
from counterfoil.desk.shipping import Bench, bench_page
from counterfoil.gateways.carrier.labels import carriers_of, label_number
from counterfoil.gateways.carrier.tracking import CARRIERS
from counterfoil.records.orders.models import Order, Package, Shipment
from counterfoil.steps.fulfilment.actions import ship_order
from counterfoil.steps.fulfilment.actions.ship import used_words

# The cell of a row where the action's own field is mended.
_CELLS = {"tracking": "tracking", "tracking_number": "tracking", "carrier": "carrier"}


@dataclass(frozen=True)
class Result:
    """What became of one row: `order` where it was found, `shipment` where it left."""

    row: FileRow
    ok: bool
    text: str
    order: Order | None = None
    field: str = ""  # of a refused one: which of its cells is wrong


@staff(CLERK, PICKER)
@require_http_methods(["POST"])
def send_file(request: HttpRequest) -> HttpResponse:
    """Ship what a file says, or the rows of it that were mended on the page."""
    actor = actor_of_page(request)
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
    results = ship_rows(rows, actor)
    context = {
        "here": "ship-bench",
        "done": [r for r in results if r.ok],
        "refused": [_shown(r) for r in results if not r.ok],
        "known": [c.name for c in CARRIERS],
    }
    return desk_page(request, "desk/ship_file.html", context)


def ship_rows(rows: Sequence[FileRow], actor: Actor) -> list[Result]:
    """Ship row by row; one that is refused stops no other, and one that was shipped before is done."""
    found = orders_named([r.order for r in rows if r.order] + [r.order.upper() for r in rows])
    numbers = {label_number(r.tracking) for r in rows if r.tracking}
    used = {s.tracking_number: s for s in Shipment.objects.filter(tracking_number__in=numbers).select_related("order")}
    named = {o.pk: o for orders in found.values() for o in orders}
    boxes: dict[int, list[int]] = {}
    waiting = Package.objects.filter(order__in=named, unpacked_at=None, shipment=None).order_by("number")
    for pk, of_order in waiting.values_list("pk", "order_id"):
        boxes.setdefault(of_order, []).append(pk)
    times = Counter(mine[0].pk for r in rows if len(mine := found.get(r.order.upper(), [])) == 1)
    # As many labels as boxes: one each, in the order of the boxes.
    each = {pk: iter(mine) for pk, mine in boxes.items() if len(mine) > 1 and times[pk] == len(mine)}
    out: list[Result] = []
    for row in rows:
        mine = found.get(row.order.upper(), [])
        box = next(each[mine[0].pk], None) if len(mine) == 1 and mine[0].pk in each else None
        out.append(_ship_row(row, mine, used, None if box is None else [box], actor))
    return out


def _ship_row(
    row: FileRow, orders: Sequence[Order], used: Mapping[str, Shipment], some: list[int] | None, actor: Actor
) -> Result:
    number = label_number(row.tracking)
    order = orders[0] if len(orders) == 1 else None
    try:
        if not row.order or order is None:
            raise Invalid(("order", _which(row, orders)))
        if not number:
            raise Invalid(("tracking", "there is no tracking number"))
        if is_no_parcel(number):
            raise Invalid(("tracking", "this looks like a card number, and no carrier numbers its parcels like that"))
        before = used.get(number)
        if before is not None:
            if before.order_id == order.pk:
                return Result(row, True, f"was shipped with this number before, by {before.actor}", order)
            raise Invalid(("tracking", used_words(before)))
        usual = shop().carrier_of(order.shipping_method)
        whose = [row.carrier] if row.carrier else carriers_of(number, ours=shop().carriers(), usual=usual)
        if len(whose) != 1:
            raise Invalid(("carrier", f"{' or '.join(whose) or 'no carrier'} by its number: write down the carrier"))
        made = ship_order(order=order.number, actor=actor, carrier=whose[0], tracking_number=number, packages=some)
    except (Refused, Invalid, Declined, StillAsking, Missing, Forbidden) as error:
        wrong = error.errors if isinstance(error, Invalid) else []
        why = "; ".join(words for _, words in wrong) or str(error)
        return Result(row, False, why, order, _CELLS.get(wrong[0][0] if wrong else "", "order"))
    return Result(row, True, f"{made.carrier} {made.tracking_number}; the customer is told", order)


def _which(row: FileRow, orders: Sequence[Order]) -> str:
    if not row.order:
        return "there is no order number"
    if orders:
        return f"{' and '.join(o.number for o in orders)} both have this reference: write the order's number"
    return "there is no order with this number or reference"


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


def _shown(result: Result) -> dict[str, Any]:
    """A refused row as a page may repeat it."""
    row = result.row
    return {
        "line": row.line,
        "order": mask_cards(row.order),
        "tracking": shown(row.tracking),
        "carrier": mask_cards(row.carrier),
        "why": mask_cards(result.text),
        "wrong": result.field,
    }


def _download(rows: Sequence[tuple[FileRow, str]]) -> HttpResponse:
    masked = [
        (FileRow(r.line, mask_cards(r.order), shown(r.tracking), mask_cards(r.carrier)), mask_cards(why))
        for r, why in rows
    ]
    answer = HttpResponse(refused_csv(masked), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="refused-{shop().today().isoformat()}.csv"'
    return answer
