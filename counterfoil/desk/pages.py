"""The desk: queues, the order page, search, and the acts behind every button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, OWNER, PICKER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Declined, Forbidden, Invalid, Refused, StillAsking
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.core.web import staff
from counterfoil.desk import queries, words
from counterfoil.desk.acts import ACTS, BULK
from counterfoil.desk.calling import call_sheet
from counterfoil.desk.doing import WAITS, do_or_wait
from counterfoil.desk.leaving import leaving
from counterfoil.desk.narrow import narrow_of
from counterfoil.desk.on_paper import AT_ONCE, not_printed, printed_of
from counterfoil.desk.packets import packet_of, unprinted_of
from counterfoil.desk.promised import promises_of, waits_for_nothing
from counterfoil.desk.proposing import proposed_of
from counterfoil.desk.queries import Asked, Dossier, Place
from counterfoil.desk.rail import rail
from counterfoil.desk.saying import bank_away
from counterfoil.desk.slips import LEAVING, Slip, money_words, row_of, slip_of
from counterfoil.flow import map as process
from counterfoil.records.orders.declines import Tried, tries_in, tries_of
from counterfoil.records.orders.load import facts_of, find
from counterfoil.records.orders.models import Line, Order
from counterfoil.steps.charging.declines import unpaid_after_decline
from counterfoil.steps.charging.evidence import summary_of
from counterfoil.steps.charging.queries import reason_in_words
from counterfoil.steps.charging.reach import waiting
from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.sourcing.queries import coming_for

ANYBODY = (CLERK, PICKER, BUYER, BOOKKEEPER)
MOST_SAID = 600  # characters
_CHARGES = frozenset({"charge", "record-payment"})  # after which the packet is printed


class SeeOther(HttpResponseRedirect):
    """After a form: look there, with GET."""

    status_code = 303


def desk_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the desk with its rail and what the last act said. One statement, unless the rail is at hand."""
    today = shop().today()
    said, packet = request.session.pop("said", None), request.session.pop("packet", None)
    beside = context.get("rail") or rail(today, user=request.user.pk)
    base = {
        "said": said,
        "packet": packet,
        "today": today,
        "words": words,
        "here": "",
        "q": "",
        "me": request.user,
        "fragment": False,
    }
    base |= {"away": bank_away(waiting()), "now": clock.real_now(), "waits": WAITS, "back": request.get_full_path()}
    return render(request, template, {**base, **context, "rail": beside}, status=status)


def say(request: HttpRequest, text: str) -> None:
    """What the next page of this person shows once. It travels in their cookie, which has room for some sentences."""
    request.session["said"] = text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…"


@staff(*ANYBODY)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first queue with something in it that is theirs to do: what is stuck before what is next."""
    counts, role = rail(shop().today()).counts, staff_of(request).role
    waits = [code for code in words.FIRST if counts.get(code)]
    theirs = [code for code in waits if role == OWNER or role in words.WHOSE.get(process.QUEUES[code].action, ())]
    first = next(iter([*theirs, *waits]), "review")
    return HttpResponseRedirect(f"/desk/queues/{first}")


@staff(*ANYBODY)
@require_safe
def queue(request: HttpRequest, code: str) -> HttpResponse:
    """One queue: its orders, soonest deadline first, and the slip of the one selected."""
    known = words.QUEUES.get(code)
    if known is None:
        raise Http404("there is no such queue")
    wanted = request.GET.get("order", "")
    if of_aside(request):
        return aside(request, code, _chosen([], wanted))
    after = Place.parse(request.GET.get("after", ""))
    narrow = narrow_of(request.GET.dict())
    orders, more = queries.queue_page(code, after, narrow=narrow if narrow.on else None)
    chosen = _chosen(orders, wanted)
    briefs = queries.briefs_of(orders)
    known_of = queries.lines_and_events(chosen) if chosen else None
    lines = known_of[0] if known_of else []
    declined = [ln.part for found in briefs.values() for ln in found if ln.decline_class]
    tried = tries_of([*declined, *(ln.part_id for ln in lines if ln.part.decline_class)])
    slip = _slip(chosen, known_of, tried) if chosen else None
    beside = rail(shop().today(), code, user=request.user.pk, narrow=narrow)
    review = code == "review"
    unprinted = {o.number for o in orders} - printed_of(orders) if review else set[str]()
    context = {
        "rows": [row_of(o, briefs[o.pk], tried) for o in orders],
        "rail": beside,
        "count": beside.counts.get(code, len(orders)) - (beside.tell if code == "call" else 0),
        "leaving": leaving(beside),
        "more": more,
        "after": after,
        "bulk": [b for b in BULK.get(code, ()) if staff_of(request).role in {OWNER, *b[2]}],
        "not_printed": unprinted,
        # What one press prints is the whole list, also what stands on its other pages.
        "to_print": len(not_printed(AT_ONCE + 1, narrow)) if review and (more or after) else len(unprinted),
        "at_once": AT_ONCE,
        "narrow": narrow,
        "keep": f"&{narrow.query}" if narrow.on else "",
        "drawn": int(clock.business_now().timestamp()),
        **_beside(code, slip),
        "asked_for": bool(wanted),
        "next_order": _next_of(orders, chosen),
    }
    if chosen is not None:
        place = f"&after={after}" if after else ""
        context["back"] = f"/desk/queues/{code}?order={chosen.number}{place}{context['keep']}"
    return desk_page(request, "desk/queue.html", context)


def _beside(code: str, slip: Slip | None) -> dict[str, Any]:
    """What the slip beside the list wants."""
    proposed = proposed_of(slip)
    return {
        "here": code,
        "queue": words.QUEUES[code],
        "slip": slip,
        "chosen": slip.order if slip else None,
        "proposed": proposed.day,
        "why": proposed.why,
        "asked_for": True,
        "next_order": "",
    }


def of_aside(request: HttpRequest) -> bool:
    """Whether only the slip beside the list is wanted: the script asks for it, and swaps it in."""
    return request.headers.get("HX-Target") == "aside"


def aside(request: HttpRequest, code: str, chosen: Order | None, *, status: int = 200, **more: Any) -> HttpResponse:
    """The slip alone, with what the last act said and what waits for its Undo."""
    context = {**_beside(code, _slip(chosen) if chosen else None), "fragment": True, **more}
    answer = desk_page(request, "desk/aside.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    answer["Vary"] = "HX-Target"
    if status == 200 and "X-Redraw" not in request.headers:
        answer["HX-Push-Url"] = request.get_full_path()
    return answer


def _next_of(orders: list[Order], chosen: Order | None) -> str:
    """The number of the order below the chosen one; empty at the end of the list."""
    numbers = [o.number for o in orders]
    at = numbers.index(chosen.number) + 1 if chosen and chosen.number in numbers else len(numbers)
    return numbers[at] if at < len(numbers) else ""


def _chosen(orders: list[Order], wanted: str) -> Order | None:
    """The order asked for, even when it has left the queue meanwhile: its slip must not vanish under the cursor."""
    if wanted:
        here = next((o for o in orders if o.number == wanted), None)
        return here or (Order.objects.filter(number=wanted).first() if storable(wanted) else None)
    return orders[0] if orders else None


def _slip(
    order: Order,
    known_of: tuple[list[Line], list[JournalEvent]] | None = None,
    tried: Mapping[int, Tried] | None = None,
    asked: Asked | None = None,
    file: Dossier | None = None,
) -> Slip:
    """The slip. What the caller has read already, lines and events and what lies in `file`, is not read again."""
    lines, events = known_of or queries.lines_and_events(order)
    declined = [ln.part_id for ln in lines if ln.part.decline_class]
    if tried is None:
        tried = tries_of(declined) if file is None else tries_in(c for c in file.charges if c.part_id in declined)
    asked = asked or queries.asked_of(order)
    due = [ln.pk for ln in lines if ln.due]
    coming = coming_for(due) if due else {}
    sheets = unprinted_of(order) if order.queue in LEAVING else None
    may_try = bool(declined) and not asked.holds and _may_try(order, lines)
    slip = slip_of(order, lines, asked, events, tried, may_try=may_try, coming=coming, sheets=sheets)
    question = asked.question[0] if asked.question else ""
    known = (file.calls, file.proposals) if file else (None, ())
    sheet = call_sheet(order, lines, question, *known)
    return replace(slip, glance=asked.glance, sheet=sheet)


def _may_try(order: Order, lines: list[Any]) -> bool:
    """Whether the card that was declined may be charged now, by whoever may charge."""
    facts = facts_of(order, lines)
    return any(unpaid_after_decline(part) and not may_charge(facts, part) for part in facts.parts)


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
    file = queries.dossier(order)
    slip = _slip(order, asked=asked, file=file)
    show = request.GET.get("show", "")
    begins = words.TIMELINES[show][1] if show in words.TIMELINES else ()
    proposed = proposed_of(slip)
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
    if verb not in ACTS:
        raise Http404("there is no such act")
    order = find(number)
    try:
        done = do_or_wait(order.number, verb, request.POST.dict(), staff_of(request))
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
    if done.deed is None:
        say(request, done.text)
    if verb in _CHARGES and packet_of(order):
        request.session["packet"] = order.number
    return SeeOther(back_of(request, f"/desk/orders/{order.number}"))


def staff_of(request: HttpRequest) -> User:
    """The person at the keyboard, behind a `staff` door."""
    user = request.user
    assert isinstance(user, User)
    return user


def _again(
    request: HttpRequest, number: str, verb: str, status: int, title: str, reasons: list[str], errors: dict[str, str]
) -> HttpResponse:
    order = find(number)
    if of_aside(request):
        told: dict[str, Any] = {"trouble": title, "reasons": reasons, "errors": errors, "verb": verb}
        told |= {"form": mask_tree(request.POST.dict()), "back": back_of(request, f"/desk/orders/{number}")}
        return aside(request, order.queue, order, status=status, **told)
    return _order_page(request, order, status=status, title=title, reasons=reasons, errors=errors, verb=verb)


def _loose(error: Invalid) -> list[str]:
    return [message for _, message in error.errors]


def back_of(request: HttpRequest, otherwise: str) -> str:
    """Where the form came from, if that is a page of the desk."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/desk/")
    return wanted if safe else otherwise


def pdf_answer(name: str, body: bytes) -> HttpResponse:
    """A PDF to be shown in the browser; never kept by a cache that others share."""
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-cache"
    return response
