"""Changing an order at the desk: drawn first, then done, undone, or its parts brought together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.agreed import changes_of, open_lines
from counterfoil.desk.doing import do_or_wait
from counterfoil.desk.pages import SeeOther, desk_page, say, staff_of
from counterfoil.desk.reading import Form
from counterfoil.desk.saying import say_date
from counterfoil.flow import amend
from counterfoil.flow.amend import Preview
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Order, Part


@dataclass(frozen=True)
class Doing:
    """One of the three pages: its heading, what draws it, and the act that does it, with what that wants to know."""

    title: str
    button: str
    draw: Callable[[Form], Preview]
    verb: str
    more: dict[str, str] = field(default_factory=dict)
    ready: bool = False  # it can be drawn without a form
    extra: dict[str, Any] = field(default_factory=dict)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, number: str) -> HttpResponse:
    """A clerk changes what the customer agreed to."""
    order, actor = find(number), actor_of_page(request)
    doing = Doing(
        f"Change {number}",
        "Change the order",
        lambda form: amend.preview_amendment(order=number, actor=actor, changes=changes_of(form, order)),
        "amend",
        extra={"editing": True},
    )
    return _page(request, order, doing)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, number: str, amendment: int) -> HttpResponse:
    """Put the order back to what it was before its newest amendment."""
    order, actor = find(number), actor_of_page(request)
    doing = Doing(
        f"Undo change {amendment} of {number}",
        "Undo it",
        lambda form: amend.preview_undo(order=number, number=amendment, actor=actor),
        "change-back",
        {"amendment": str(amendment)},
        ready=True,
    )
    return _page(request, order, doing)


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, number: str, part: int) -> HttpResponse:
    """Bring a part back into another one that is not charged either: the one that `?into=` names, else the first."""
    order, actor = find(number), actor_of_page(request)
    others = Part.objects.filter(order=order, lines__quantity__gt=0).exclude(number=part)
    named = request.GET.get("into", "")
    into = int(named) if named.isdecimal() and len(named) < 7 else 0
    into = into or others.order_by("number").values_list("number", flat=True).first() or 1
    doing = Doing(
        f"Ship part {part} of {number} with part {into}",
        "Bring them together",
        lambda form: amend.preview_merge(order=number, part=part, into=into, actor=actor),
        "merge",
        {"part": str(part), "into": str(into)},
        ready=True,
    )
    return _page(request, order, doing)


def _page(request: HttpRequest, order: Order, doing: Doing) -> HttpResponse:
    form: dict[str, str] = request.POST.dict() if request.method == "POST" else {}
    drawn: Preview | None = None
    errors: dict[str, str] = {}
    trouble: list[str] = []
    status = 200
    try:
        if form.get("do") == "apply":
            done = do_or_wait(order.number, doing.verb, {**form, **doing.more}, staff_of(request))
            if done.deed is None:
                say(request, done.text)
            return SeeOther(f"/desk/orders/{order.number}#changes")
        if form or doing.ready:
            drawn = doing.draw(form)
    except Invalid as error:
        errors, status = dict(error.errors), 422
        trouble = [words for _, words in error.errors]
    except Refused as error:
        trouble, status = [b.message for b in error.blockers], 409
    except (Forbidden, Missing) as error:
        trouble, status = [str(error)], 403 if isinstance(error, Forbidden) else 404
    if form.get("do") == "apply" and status in {409, 422}:
        # Drawn anew from the order as it stands now, with what was entered.
        drawn, redrawn = _redrawn(doing, form)
        trouble += [words for words in redrawn if words not in trouble]
    fresh = find(order.number)
    context = {
        "here": fresh.queue,
        "order": fresh,
        "doing": doing,
        "editing": bool(doing.extra.get("editing")),
        "lines": open_lines(fresh) if doing.extra.get("editing") else [],
        "drawn": drawn,
        "compared": compared(drawn, fresh.currency) if drawn else [],
        "money": money_of(drawn) if drawn else {},
        "errors": errors,
        "trouble": trouble,
        "form": mask_tree(form),
        "deliveries": shop().deliveries,
    }
    return desk_page(request, "desk/amend.html", context, status=status)


def _redrawn(doing: Doing, form: Form) -> tuple[Preview | None, list[str]]:
    try:
        return doing.draw(form), []
    except (Invalid, Refused, Forbidden, Missing) as error:
        return None, [str(error)]


def compared(drawn: Preview, currency: str) -> list[tuple[str, str, str, str]]:
    """Line by line and sum by sum: what, before, after, and where the goods of it are."""
    old = {line["id"]: line for line in drawn.before["lines"]}
    found = []
    for line in drawn.after["lines"]:
        was = old.get(line["id"])
        if not line["quantity"] and not (was and was["quantity"]):
            continue
        found.append((line["name"], _units(was, currency), _units(line, currency), _goods(line)))
    parts = len(drawn.after["parts"]) > 1
    for part in drawn.after["parts"]:
        was = next((p for p in drawn.before["parts"] if p["number"] == part["number"]), None)
        label = f"Part {part['number']}, promised" if parts else "Promised"
        before = _day((was or {}).get("promise"))
        after = _day(part["promise"]) if part["live"] else "ends"
        if before != after or not parts:
            found.append((label, before, after, ""))
    for name, label in (("shipping", drawn.after["order"]["method"]), ("tax", "Tax"), ("total", "Total")):
        found.append(
            (label, show(drawn.before["order"][name], currency), show(drawn.after["order"][name], currency), "")
        )
    return found


def _day(value: str | None) -> str:
    return say_date(date.fromisoformat(value)) if value else "no date"


def _units(line: Mapping[str, Any] | None, currency: str) -> str:
    return f"{line['quantity']} × {show(line['unit_price'], currency)}" if line and line["quantity"] else "–"


def _goods(line: Mapping[str, Any]) -> str:
    if not line["quantity"]:
        return ""
    if line["reserved"] >= line["quantity"]:
        return "on the shelf"
    said = [f"{line['reserved']} on the shelf"] if line["reserved"] else []
    said += [f"{line['due']} on order"] if line["due"] else []
    said += [f"{line['short']} to be bought in"] if line["short"] else []
    return ", ".join(said)


def money_of(drawn: Preview) -> dict[str, int]:
    """What was paid, what goes back and what is still to be taken, minor units."""
    return {
        "paid": sum(int(p["paid"]) for p in drawn.before["parts"]),
        "refunded": drawn.refunded,
        "due": sum(int(p["due"]) for p in drawn.after["parts"] if p["live"]),
        "extra": drawn.due,
    }
