"""The builder of a question: several choices, similar wines at hand, the consequence of each before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk.acts import MOST_CHOICES, choices_of
from counterfoil.desk.doing import do_or_wait
from counterfoil.desk.pages import SeeOther, desk_page, say, staff_of
from counterfoil.desk.reading import Form
from counterfoil.desk.telephone import FOUND, counted
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.similar import Similar, similar_to_each
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Hold, Line, Order
from counterfoil.steps.alternatives.previews import Consequence, consequences
from counterfoil.steps.alternatives.rules import KINDS
from counterfoil.steps.checkout import shelf


@dataclass(frozen=True)
class Lacking:
    """A line that lacks goods, with wines in stock that are like it."""

    line: Line
    missing: int
    similar: list[Similar]


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, number: str) -> HttpResponse:
    """Build the question. POST draws it again with its consequences, takes up a suggestion, or asks the customer."""
    order = find(number)
    form: dict[str, str] = request.POST.dict() if request.method == "POST" else {}
    if "take" in form:
        form, taken = _taken(form)
        full = [f"all {MOST_CHOICES} choices are taken: make one of them nothing first"] if taken is None else []
        return _page(request, order, form, taken=taken, trouble=full, status=422 if full else 200)
    if form.get("do") == "send":
        try:
            done = do_or_wait(order.number, "propose", form, staff_of(request))
        except Invalid as error:
            return _page(request, order, form, status=422, errors=dict(error.errors))
        except Refused as error:
            return _page(request, order, form, status=409, trouble=[b.message for b in error.blockers])
        except (Forbidden, Missing) as error:
            return _page(request, order, form, status=403, trouble=[str(error)])
        if done.deed is None:
            say(request, done.text)
        return SeeOther(f"/desk/orders/{order.number}#question")
    return _page(request, order, form)


def _taken(form: Form) -> tuple[dict[str, str], int | None]:
    """A suggestion, or a wine that was found, goes into the first free choice; which that is, None when all are taken.

    `line id|sku|units`; without a line it is for the one that the search is for.
    """
    line, _, rest = form["take"].partition("|")
    sku, _, units = rest.rpartition("|")
    free = next((i for i in range(MOST_CHOICES) if not form.get(f"kind:{i}")), None)
    kept = {name: value for name, value in form.items() if name != "take"}
    if free is None:
        return kept, None
    made = {"kind": "substitute", "line": line or form.get("instead", ""), "sku": sku, "quantity": units}
    return {**kept, **{f"{name}:{free}": value for name, value in made.items()}, "wine": ""}, free


def _page(
    request: HttpRequest,
    order: Order,
    form: Mapping[str, str],
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    trouble: list[str] | None = None,
    taken: int | None = None,
) -> HttpResponse:
    lines = list(
        Line.objects.filter(order=order, quantity__gt=0)
        .select_related("part", "product__family")
        .defer("product__art", "product__description")
        .order_by("position")
    )
    shown = [i for i in range(MOST_CHOICES) if i < 1 or form.get(f"kind:{i}") or form.get(f"kind:{i - 1}")]
    drawn, wrong = _drawn(order, form)
    count, looked_for = _looked_for(form, lines)
    context: dict[str, Any] = {
        "here": order.queue,
        "order": order,
        "lines": lines,
        "several": len({ln.part_id for ln in lines}) > 1,
        "lacking": _lacking(lines),
        "kinds": KINDS if _held(order) else [kind for kind in KINDS if kind != "as_is"],
        "rows": shown,
        "drawn": drawn,
        "errors": {**wrong, **(errors or {})} if request.method == "POST" else {},
        "trouble": trouble or [],
        "form": mask_tree(dict(form)),
        "offers": shelf.offers(looked_for, limit=FOUND, by_sku=True) if len(looked_for) > 1 else [],
        "count": count,
        "taken": taken,
        "deliveries": shop().deliveries,
        "days": shop().proposal_days,
        "rule": shop().substitute_price,
    }
    return desk_page(request, "desk/offer.html", context, status=status)


def _looked_for(form: Mapping[str, str], lines: list[Line]) -> tuple[int, str]:
    """How many of which wine: '6 pinot'; without a number as many as the line lacks that it is for, or has."""
    text = form.get("wine", "")
    count, words = counted(text)
    chosen = next((ln for ln in lines if str(ln.pk) == form.get("instead", "")), lines[0] if lines else None)
    if words != text.strip() or chosen is None:
        return count, words
    return max(1, chosen.open_units) if chosen.open_units > 0 else chosen.quantity, words


def _held(order: Order) -> bool:
    return Hold.objects.filter(order=order, released_at=None, kind=Hold.WEATHER).exists()


def _lacking(lines: list[Line]) -> list[Lacking]:
    """Of each line that lacks goods what is like it: in as many statements for twenty lines as for one."""
    missing = [ln for ln in lines if ln.open_units > 0]
    wanted: dict[Product, int] = {}
    for line in missing:
        wanted[line.product] = max(line.open_units, wanted.get(line.product, 0))
    similar = similar_to_each(wanted, limit=4)
    return [Lacking(ln, ln.open_units, similar[ln.product_id]) for ln in missing]


def _drawn(order: Order, form: Mapping[str, str]) -> tuple[dict[int, Consequence], dict[str, str]]:
    """By row of the form, what the customer would read; and what is wrong, by the form's fields."""
    filled = [i for i in range(MOST_CHOICES) if form.get(f"kind:{i}")]
    drawn: dict[int, Consequence] = {}
    wrong: dict[str, str] = {}
    for i in filled:
        alone = {name: value for name, value in form.items() if name.endswith(f":{i}")}
        try:
            choices = choices_of(alone, order, most=MOST_CHOICES)
        except Invalid as error:
            wrong |= dict(error.errors)
            continue
        (drawn[i],) = consequences(order.number, choices)
        wrong |= {f"{name}:{i}": words for name, words in drawn[i].errors}
    return drawn, wrong
