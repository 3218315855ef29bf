"""The desk: queues, the order page, search, and the acts behind every button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Declined, Forbidden, Invalid, Missing, Refused, StillAsking
from counterfoil.core.models import Document
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import queries, words
from counterfoil.desk.acts import ACTS, BULK
from counterfoil.desk.promised import promises_of, waits_for_nothing
from counterfoil.desk.queries import Asked, Place
from counterfoil.desk.saying import bank_away
from counterfoil.desk.slips import Slip, money_words, row_of, slip_of
from counterfoil.records.orders.declines import Tried, tries_of
from counterfoil.records.orders.load import facts_of, find
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.availability import days_of_lines, soon
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.declines import unpaid_after_decline
from counterfoil.steps.charging.evidence import summary_of
from counterfoil.steps.charging.queries import reason_in_words
from counterfoil.steps.charging.reach import waiting
from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.sourcing.queries import coming_for

ANYBODY = (CLERK, PICKER, BUYER, BOOKKEEPER)
MOST_BULK = 50


class SeeOther(HttpResponseRedirect):
    """After a form: look there, with GET."""

    status_code = 303


class Proposed(NamedTuple):
    """A ship date, as a form shows it, and why it is not sooner."""

    day: str
    why: list[str]


def desk_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the desk with its rail and what the last act said. One statement, unless the rail is at hand."""
    today = shop().today()
    said = request.session.pop("said", None)
    rail = context.get("rail") or queries.rail(today)
    base = {"said": said, "today": today, "words": words, "rail": rail, "here": "", "q": "", "me": request.user}
    base["away"] = bank_away(waiting())
    return render(request, template, {**base, **context, "rail": rail}, status=status)


def say(request: HttpRequest, text: str) -> None:
    """What the next page of this person shows once."""
    request.session["said"] = text


@staff(*ANYBODY)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first queue with something in it: what is stuck before what is next."""
    counts = queries.rail(shop().today()).counts
    first = next((code for code in words.FIRST if counts.get(code)), "review")
    return HttpResponseRedirect(f"/desk/queues/{first}")


@staff(*ANYBODY)
@require_safe
def queue(request: HttpRequest, code: str) -> HttpResponse:
    """One queue: its orders, soonest deadline first, and the slip of the one selected."""
    known = words.QUEUES.get(code)
    if known is None:
        raise Http404("there is no such queue")
    after = Place.parse(request.GET.get("after", ""))
    orders, more = queries.queue_page(code, after)
    chosen = _chosen(orders, request.GET.get("order", ""))
    briefs, lines = queries.listed(orders, chosen)
    declined = [ln.part for found in briefs.values() for ln in found if ln.decline_class]
    tried = tries_of([*declined, *(ln.part_id for ln in lines if ln.part.decline_class)])
    slip = _slip(chosen, lines, tried) if chosen else None
    rail = queries.rail(shop().today(), code)
    proposed = _proposed(slip)
    context = {
        "here": code,
        "queue": known,
        "rows": [row_of(o, briefs[o.pk], tried) for o in orders],
        "rail": rail,
        "head": rail.sums,
        "count": rail.counts.get(code, len(orders)),
        "more": more,
        "after": after,
        "chosen": chosen,
        "asked_for": bool(request.GET.get("order")),
        "slip": slip,
        "bulk": BULK.get(code),
        "proposed": proposed.day,
        "why": proposed.why,
        "back": request.get_full_path(),
    }
    return desk_page(request, "desk/queue.html", context)


def _chosen(orders: list[Order], wanted: str) -> Order | None:
    """The order asked for, even when it has left the queue meanwhile: its slip must not vanish under the cursor."""
    if wanted:
        here = next((o for o in orders if o.number == wanted), None)
        return here or Order.objects.filter(number=wanted).first()
    return orders[0] if orders else None


def _slip(
    order: Order,
    lines: list[Any] | None = None,
    tried: Mapping[int, Tried] | None = None,
    asked: Asked | None = None,
) -> Slip:
    lines = lines if lines is not None else queries.lines_of(order)
    declined = [ln.part_id for ln in lines if ln.part.decline_class]
    if tried is None:
        tried = tries_of(declined)
    asked, events = asked or queries.asked_of(order), queries.events_of(order)
    due = [ln.pk for ln in lines if ln.due]
    coming = coming_for(due) if due else {}
    return slip_of(order, lines, asked, events, tried, may_try=bool(declined) and _may_try(order), coming=coming)


def _may_try(order: Order) -> bool:
    """Whether the card that was declined may be charged now, by whoever may charge."""
    facts = facts_of(order)
    return any(unpaid_after_decline(part) and not may_charge(facts, part) for part in facts.parts)


def _proposed(slip: Slip | None) -> Proposed:
    """The ship date that the review form proposes: when the last line can ship, and for each that waits, why then."""
    if slip is None or slip.verb != "review":
        return Proposed(soon(shop()).isoformat(), [])
    days = days_of_lines(slip.lines)
    waits = [(ln, days[ln.pk]) for ln in slip.lines if ln.pk in days and days[ln.pk].waits]
    known = [found.day for found in days.values() if found.day is not None]
    latest = max(known, default=soon(shop()))
    return Proposed(latest.isoformat(), [f"{ln.name}: {found.why}" for ln, found in waits])


@staff(*ANYBODY)
@require_safe
def order_page(request: HttpRequest, number: str) -> HttpResponse:
    """One order in full: slip, timeline, money, papers, and a form for every act."""
    return _order_page(request, find(number))


def _order_page(
    request: HttpRequest,
    order: Order,
    *,
    status: int = 200,
    title: str = "",
    reasons: list[str] | None = None,
    errors: dict[str, str] | None = None,
    verb: str = "",
) -> HttpResponse:
    asked, log = queries.asked_and_log(order)
    slip = _slip(order, asked=asked)
    show = request.GET.get("show", "")
    begins = words.TIMELINES[show][1] if show in words.TIMELINES else ()
    file = queries.dossier(order)
    proposed = _proposed(slip)
    context = {
        "here": order.queue,
        "order": order,
        "slip": slip,
        "money": money_words(order, slip.parts, sum(d.held for d in file.disputes)),
        "file": file,
        "log": log,
        "show": show if begins else "",
        "timeline": [row for row in slip.timeline if not begins or row[2].kind.startswith(begins)],
        "summary": summary_of,
        "reason_of": reason_in_words,
        "proposed": proposed.day,
        "why": proposed.why,
        "told": promises_of(slip.asked),
        "replaceable": waits_for_nothing(slip.asked),
        "trouble": title,
        "reasons": reasons or [],
        "errors": errors or {},
        "verb": verb,
        "form": mask_tree(request.POST.dict()) if request.method == "POST" else {},
        "deliveries": shop().deliveries,
        "back": f"/desk/orders/{order.number}",
    }
    return desk_page(request, "desk/order.html", context, status=status)


@staff(*ANYBODY)
@require_POST
def act(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """Do what a button says; on a refusal the order's page says why, at the field or on top."""
    doing = ACTS.get(verb)
    if doing is None:
        raise Http404("there is no such act")
    order = find(number)
    try:
        said = doing(order.number, request.POST.dict(), actor_of_page(request))
    except Refused as error:
        return _again(request, number, verb, 409, "Not possible now", [b.message for b in error.blockers], {})
    except Invalid as error:
        return _again(request, number, verb, 422, "Please look at this again", _loose(error), dict(error.errors))
    except Declined as error:
        return _again(request, number, verb, 402, "The bank said no", [str(error)], {})
    except StillAsking as error:
        return _again(request, number, verb, 202, "The bank has not answered yet", [str(error)], {})
    except Forbidden as error:
        return _again(request, number, verb, 403, "Not yours to do", [str(error)], {})
    say(request, said)
    return SeeOther(_back(request, f"/desk/orders/{order.number}"))


def _again(
    request: HttpRequest, number: str, verb: str, status: int, title: str, reasons: list[str], errors: dict[str, str]
) -> HttpResponse:
    return _order_page(request, find(number), status=status, title=title, reasons=reasons, errors=errors, verb=verb)


def _loose(error: Invalid) -> list[str]:
    return [message for _, message in error.errors]


def _back(request: HttpRequest, otherwise: str) -> str:
    """Where the form came from, if that is a page of the desk."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/desk/")
    return wanted if safe else otherwise


@staff(*ANYBODY)
@require_POST
def bulk(request: HttpRequest, code: str) -> HttpResponse:
    """An act on the ticked rows: first a page that names count and sum, then a result for each row."""
    chosen = BULK.get(code)
    if chosen is None:
        raise Http404("this queue has no act for several orders at once")
    verb, label = chosen
    numbers = list(dict.fromkeys(request.POST.getlist("order")))[:MOST_BULK]
    orders = list(Order.objects.filter(number__in=numbers).order_by("deadline", "id"))
    context: dict[str, Any] = {"here": code, "queue": words.QUEUES[code], "label": label, "orders": orders}
    if not orders:
        say(request, "Tick at least one order first.")
        return SeeOther(f"/desk/queues/{code}")
    if request.POST.get("sure") != "yes":
        sums: dict[str, int] = {}
        for order in orders:
            sums[order.currency] = sums.get(order.currency, 0) + order.total
        context |= {"sums": sorted(sums.items()), "proposed": _proposed(None).day, "results": None}
        return desk_page(request, "desk/bulk.html", context)
    form = {k: v for k, v in request.POST.dict().items() if k not in {"version", "part"}}
    context["results"] = [_one(request, order, verb, form) for order in orders]
    return desk_page(request, "desk/bulk.html", context)


def _one(request: HttpRequest, order: Order, verb: str, form: dict[str, str]) -> tuple[Order, bool, str]:
    """One order of a bulk act; its refusal does not stop the others."""
    try:
        return order, True, ACTS[verb](order.number, form, actor_of_page(request))
    except (Refused, Invalid, Declined, StillAsking, Forbidden, Missing) as error:
        return order, False, str(error)


@staff(*ANYBODY)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Orders by whatever people have at hand; a single hit opens at once."""
    text = request.GET.get("q", "").strip()
    found = queries.search(text)
    if len(found) == 1 and found[0].number == text.upper():
        return HttpResponseRedirect(f"/desk/orders/{found[0].number}")
    briefs, _ = queries.listed(found)
    wines = Balance.objects.select_related("product").defer("product__art").filter(product__name__icontains=text)
    context = {
        "q": mask_cards(text),
        "rows": [row_of(o, briefs[o.pk]) for o in found],
        "products": list(wines.order_by("product__name")[:12]) if len(text) > 2 else [],
    }
    return desk_page(request, "desk/search.html", context)


@staff(*ANYBODY)
@require_safe
def document(request: HttpRequest, number: str, ref: str) -> HttpResponse:
    """A paper of an order, by its number or, the newest, by its kind."""
    order = find(number)
    found = documents.newest(order.number, ref) if ref in words.DOCUMENTS else documents.find(ref)
    if found is None or found.subject != order.number:
        raise Missing(f"{order.number} has no such paper yet")
    _may_see(request, found)
    return pdf_answer(found.number, documents.pdf(found))


@staff(*ANYBODY)
@require_POST
def print_document(request: HttpRequest, number: str, ref: str) -> HttpResponse:
    """The same for the printer: noted with who and when, and marked REPRINT from the second time on."""
    order = find(number)
    found = documents.find(ref)
    if found.subject != order.number:
        raise Missing(f"{order.number} has no such paper")
    _may_see(request, found)
    return pdf_answer(found.number, documents.print_pdf(found, actor_name=actor_of_page(request).name))


def _may_see(request: HttpRequest, found: Document) -> None:
    """Papers about the shop's own doings are for who answers for the money. Raises Forbidden."""
    if found.kind in documents.CONFIDENTIAL:
        require(actor_of_page(request), CLERK, BOOKKEEPER)


def pdf_answer(name: str, body: bytes) -> HttpResponse:
    """A PDF to be shown in the browser; never kept by a cache that others share."""
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-cache"
    return response
