"""Counts: sheets to print, what was counted, and bottles that somebody did not find."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Refused
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_key, clean_sku
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.naming import sku_of
from counterfoil.desk.pages import SeeOther, desk_page, pdf_answer, say
from counterfoil.desk.reading import Form, indexed, maybe_date, maybe_moment, several, text_of, whole_of
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.models import Place
from counterfoil.steps.sourcing.actions import apply_count, close_count, drop_count, enter_count, make_count_sheet
from counterfoil.steps.sourcing.models import CountSheet, CountTask
from counterfoil.steps.sourcing.sheets import find_sheet, variances

READERS = (CLERK, BUYER, PICKER, BOOKKEEPER)
STATES = {
    "open": ("warn", "◔", "open"),
    "applied": ("ok", "✓", "applied"),
    "dropped": ("", "✕", "not counted"),
}


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """What is to be counted; POST makes a sheet."""
    if request.method != "POST":
        return _index(request)
    form = request.POST.dict()
    try:
        made = make_count_sheet(
            actor=actor_of_page(request),
            bins=several(text_of(form, "bins", kind=clean_key), _bins),
            skus=several(text_of(form, "skus", kind=clean_sku), _skus),
            blind=bool(text_of(form, "blind")),
        )
    except Invalid as error:
        # A bin or a SKU among several is named by its place; the form has one field for all of them.
        return _index(request, {field.partition(".")[0]: words for field, words in error.errors}, status=422)
    except Forbidden as error:
        return _index(request, trouble=str(error), status=403)
    return SeeOther(f"/desk/counts/{made.number}")


def _bins(names: list[str]) -> set[str]:
    """Those of these that are bins in which something lies, or has its place."""
    lying = Place.objects.filter(bin__in=names).values_list("bin", flat=True)
    return {*lying, *Product.objects.filter(bin__in=names).values_list("bin", flat=True)}


def _skus(names: list[str]) -> set[str]:
    return set(Product.objects.filter(sku__in=names).values_list("sku", flat=True))


def _index(
    request: HttpRequest, errors: dict[str, str] | None = None, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    missed = CountTask.objects.filter(closed_at=None).select_related("product").defer("product__art")
    context = {
        "here": "counts",
        "missed": list(missed.order_by("made_at")[:100]),
        "sheets": [*CountSheet.objects.filter(state="open").order_by("-id")[:100]],
        "closed": [*CountSheet.objects.exclude(state="open").order_by("-id")[:20]],
        "states": STATES,
        "errors": errors or {},
        "trouble": trouble,
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/counts.html", context, status=status)


@staff(*READERS)
@require_POST
def found(request: HttpRequest, task: int) -> HttpResponse:
    """How many of the bottles that somebody did not find are there after all."""
    name = f"found:{task}"
    try:
        closed = close_count(task=task, found=whole_of(request.POST.dict(), name), actor=actor_of_page(request))
    except Invalid as error:
        return _index(request, {name: error.errors[0][1]}, status=422)
    except (Refused, Forbidden) as error:
        return _index(request, trouble=str(error), status=403 if isinstance(error, Forbidden) else 409)
    lost = closed.missing - (closed.found or 0)
    say(request, f"{closed.product.sku}: {closed.found} are back on the shelf, {lost} are booked as lost.")
    return SeeOther("/desk/counts")


@staff(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One sheet: what was expected, what was counted, the difference before it is applied."""
    sheet = find_sheet(number)
    if request.method != "POST":
        return _one(request, sheet)
    form, actor = request.POST.dict(), actor_of_page(request)
    names: list[str] = []
    try:
        verb = form.get("do", "")
        if verb == "enter":
            lines = _lines(sheet, form, names)
            at = maybe_moment(form, "counted_at", shop().timezone)
            enter_count(actor=actor, sheet=number, counted=lines, counted_at=at)
            said = f"{number}: what was counted is entered. Nothing has changed on the shelf yet."
        elif verb == "apply":
            apply_count(actor=actor, sheet=number, reason=text_of(form, "reason"))
            said = f"{number} is applied: the ledger says what is there."
        elif verb == "drop":
            drop_count(actor=actor, sheet=number)
            said = f"{number} is closed. Nothing has changed."
        else:
            raise Invalid(("do", "there is no such act"))
    except Invalid as error:
        return _one(request, sheet, _by_field(error, names), status=422)
    except (Refused, Forbidden) as error:
        return _one(request, sheet, trouble=str(error), status=403 if isinstance(error, Forbidden) else 409)
    say(request, said)
    return SeeOther(f"/desk/counts/{number}")


def _lines(sheet: CountSheet, form: Form, names: list[str]) -> list[dict[str, Any]]:
    """What the form says was counted; `names` gets the form's name of each line."""
    rows = {str(row.pk): row for row in sheet.rows.select_related("product")}
    lines: list[dict[str, Any]] = []
    for pk, count in indexed(form, "counted").items():
        if pk in rows and count.strip():
            row, name = rows[pk], f"counted:{pk}"
            lines.append({"sku": row.product.sku, "bin": row.bin, "lot": row.lot, "counted": _count(form, name)})
            names.append(name)
    sku = sku_of(form, "sku")
    if sku:
        lines.append(
            {
                "sku": sku,
                "bin": text_of(form, "bin", kind=clean_key),
                "lot": text_of(form, "lot", kind=clean_key),
                "counted": _count(form, "units"),
                "best_before": maybe_date(form, "best_before"),
                "take_in": bool(text_of(form, "take_in")),
            }
        )
        names.append("units")
    if not lines:
        raise Invalid(("lines", "write down what was counted"))
    return lines


def _count(form: Form, name: str) -> int:
    """A count as the action judges it: what is below zero is refused there, at this field."""
    text = text_of(form, name)
    try:
        return int(text.replace("−", "-"))
    except ValueError:
        raise Invalid((name, "a whole number")) from None


def _by_field(error: Invalid, names: list[str]) -> dict[str, str]:
    """Errors of the action's lines at the fields that the form has for them."""
    out: dict[str, str] = {}
    for field, words in error.errors:
        pieces = field.split(".")
        if len(pieces) == 3 and pieces[0] == "lines" and int(pieces[1]) < len(names):
            name = names[int(pieces[1])]
            field = pieces[2] if name == "units" and pieces[2] != "counted" else name
        out[field] = words
    return out


def _one(
    request: HttpRequest,
    sheet: CountSheet,
    errors: dict[str, str] | None = None,
    *,
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    rows = variances(sheet)
    context = {
        "here": "counts",
        "sheet": sheet,
        "rows": rows,
        "entered": [r for r in rows if r.difference is not None],
        "value": sum(r.value for r in rows),
        "currency": shop().currency,
        "states": STATES,
        "errors": errors or {},
        "trouble": trouble or "; ".join((errors or {}).get(f, "") for f in ("lines", "do") if f in (errors or {})),
        "form": mask_tree(request.POST.dict()),
    }
    return desk_page(request, "desk/count.html", context, status=status)


@staff(*READERS)
@require_safe
def paper(request: HttpRequest, number: str) -> HttpResponse:
    """The sheet to be printed."""
    found_ = documents.find(find_sheet(number).number)
    return pdf_answer(found_.number, documents.pdf(found_))
