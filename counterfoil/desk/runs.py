"""One act on many orders: a page that names count and sum, then a run with a result for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import clock, jobs
from counterfoil.core.access.models import User
from counterfoil.core.actor import require
from counterfoil.core.db import execute, writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import doing, queries, words
from counterfoil.desk.acts import BULK
from counterfoil.desk.doing import WAITS, going_out, kept_form
from counterfoil.desk.models import Deed, Run
from counterfoil.desk.pages import ANYBODY, SeeOther, desk_page, say, staff_of
from counterfoil.desk.proposing import proposed_days
from counterfoil.desk.reading import Form, maybe_date, text_of
from counterfoil.flow.map import parts_at
from counterfoil.records.orders.load import facts_of_many
from counterfoil.records.orders.models import Order, Part

MOST = 800  # orders in one run
NEWEST = 12  # results shown while a run goes on; afterwards all of them


@dataclass(frozen=True)
class Wanted:
    """An order that is to be worked on, the date that is proposed for it, and what would be moved of its money."""

    order: Order
    day: date | None
    amount: int


@staff(*ANYBODY)
@require_POST
def bulk(request: HttpRequest, code: str) -> HttpResponse:
    """An act on the ticked rows, or on the whole queue: asks first, with count and sums, then begins a run."""
    acts = {verb: (label, roles) for verb, label, roles in BULK.get(code, ())}
    verb = request.POST.get("verb") or next(iter(acts), "")
    if verb not in acts:
        raise Http404("this queue has no such act for several orders at once")
    label, roles = acts[verb]
    require(actor_of_page(request), *roles)
    ticked = _ticked(request.POST.getlist("order"))
    if request.POST.get("all") == "yes":
        ticked = dict.fromkeys(queries.numbers_of(code, MOST))
    orders = list(Order.objects.filter(number__in=ticked).order_by("deadline", "id")[:MOST])
    if not orders:
        say(request, "Tick at least one order first.")
        return SeeOther(f"/desk/queues/{code}")
    errors: dict[str, str] = {}
    form = request.POST.dict()
    if form.get("sure") == "yes":
        try:
            run = begin(code, verb, orders, _forms(verb, orders, ticked, form), staff_of(request))
            return SeeOther(f"/desk/runs/{run.pk}")
        except Invalid as error:
            errors = dict(error.errors)
    wanted = _wanted(verb, orders)
    context = {
        "here": code, "queue": words.QUEUES[code], "verb": verb, "label": label, "wanted": wanted,
        "sums": _sums(wanted), "errors": errors, "reason": kept_form(form).get("reason", ""),
        "seconds": doing.undo_seconds() if verb in WAITS else 0, "most": MOST if len(orders) == MOST else 0,
    }  # fmt: skip
    return desk_page(request, "desk/bulk.html", context, status=422 if errors else 200)


def _ticked(values: Sequence[str]) -> dict[str, str | None]:
    """Numbers, each with the date that was shown beside it (`CF-1047~2026-11-24`), if any."""
    found = [value.partition("~") for value in values[:MOST]]
    return {number: day or None for number, _, day in found}


def _wanted(verb: str, orders: Sequence[Order]) -> list[Wanted]:
    days = proposed_days(orders) if verb == "approve" else {}
    left = {"refund": _refundable, "charge": _unpaid}[verb](orders) if verb in {"refund", "charge"} else {}
    return [Wanted(o, days.get(o.pk), left.get(o.pk, 0) if verb in {"refund", "charge"} else o.total) for o in orders]


def _unpaid(orders: Sequence[Order]) -> dict[int, int]:
    """What is still to be charged, by order id: of one that has become dearer only by how much."""
    unpaid = Part.objects.filter(order__in=orders).exclude(money="charged")
    left: dict[int, dict[int, int]] = {}
    for part in unpaid:
        left.setdefault(part.order_id, {})[part.number] = part.total - part.paid
    # Of several parts only those that are charged now; what waits for its goods is not.
    facts = facts_of_many([o for o in orders if len(left.get(o.pk, {})) > 1])
    at_hand = {pk: parts_at(found, "charge") for pk, found in facts.items()}
    return {
        pk: sum(amount for number, amount in parts.items() if number in at_hand.get(pk, parts))
        for pk, parts in left.items()
    }


def _refundable(orders: Sequence[Order]) -> dict[int, int]:
    """What is left of what was charged, by order id: one statement. The gate asks again, with disputes."""
    left = Part.objects.filter(order__in=orders).values("order_id")
    left = left.annotate(left=Sum(F("charged") - F("refunded") - F("refund_owed")))
    return {int(row["order_id"]): int(row["left"]) for row in left}


def _sums(wanted: Sequence[Wanted]) -> list[tuple[str, int]]:
    sums: Counter[str] = Counter()
    for one in wanted:
        sums[one.order.currency] += one.amount
    return sorted(sums.items())


def _forms(verb: str, orders: Sequence[Order], ticked: Mapping[str, str | None], form: Form) -> dict[int, Form]:
    """The form of each row, by order id. Raises Invalid by the page's field."""
    if verb == "approve":
        all_on = maybe_date(form, "ship_estimate")
        days = proposed_days(orders)
        own = {o.pk: _day(ticked.get(o.number)) or days[o.pk] for o in orders}
        return {o.pk: {"ship_estimate": (all_on or own[o.pk]).isoformat()} for o in orders}
    if verb == "refund":
        reason = text_of(form, "reason", needed="say why the money goes back")
        return {o.pk: {"everything": "yes", "reason": reason} for o in orders}
    return {o.pk: {} for o in orders}


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def begin(code: str, verb: str, orders: Sequence[Order], forms: Mapping[int, Form], user: User) -> Run:
    """Write down a run with its rows, and the job that does it, in one transaction."""
    for last in (False, True):
        try:
            return _begin(code, verb, orders, forms, user)
        except IntegrityError:  # somebody has an act on one of them since we looked
            if last:
                raise
    raise AssertionError


def _begin(code: str, verb: str, orders: Sequence[Order], forms: Mapping[int, Form], user: User) -> Run:
    now = clock.real_now()
    seconds = doing.undo_seconds() if verb in WAITS else 0
    due = now + timedelta(seconds=jobs.paced(seconds))
    with writing():
        open_ones = Deed.objects.filter(order__in=orders, state__in=Deed.OPEN)
        busy = {d.order_id: d for d in open_ones.select_related("user")}
        run = Run.objects.create(user=user, queue=code, verb=verb, made_at=now, due_at=due)
        made = []
        for order in orders:
            deed = Deed(run=run, order=order, verb=verb, user=user, made_at=now, due_at=due)
            deed.form = kept_form(forms[order.pk])
            other = busy.get(order.pk)
            if other is not None:
                deed.state, deed.done_at, deed.message = Deed.REFUSED, now, going_out(other)
            made.append(deed)
        Deed.objects.bulk_create(made)
        jobs.enqueue("desk.run", key=str(run.pk), payload={"run": run.pk}, delay=seconds)
    return run


@staff(*ANYBODY)
@require_safe
def run_page(request: HttpRequest, run: int) -> HttpResponse:
    """How far a run is. It may be left and looked at again; what is drawn alone is what changes."""
    context = _state(run)
    if request.headers.get("HX-Target") == "run":
        return render(request, "desk/run_body.html", context)
    return desk_page(request, "desk/run.html", context)


def _state(pk: int) -> dict[str, Any]:
    run = Run.objects.select_related("user").filter(pk=pk).first()
    if run is None:
        raise Missing("there is no such run")
    deeds = list(Deed.objects.filter(run=run).select_related("order").order_by("id"))
    counts = Counter(d.state for d in deeds)
    left = sum(counts[state] for state in Deed.OPEN)
    bad = [d for d in deeds if d.state in {Deed.REFUSED, Deed.ASKED, Deed.RUNNING}]
    good = [d for d in deeds if d.state in {Deed.DONE, Deed.UNDONE}]
    if left:
        good = sorted((d for d in good if d.done_at), key=lambda d: d.done_at or d.made_at, reverse=True)[:NEWEST]
    seconds = (run.due_at - clock.real_now()).total_seconds()
    label = next(label for verb, label, _ in BULK[run.queue] if verb == run.verb)
    return {
        "here": run.queue, "queue": words.QUEUES[run.queue], "run": run, "label": label, "total": len(deeds),
        "counts": counts, "left": left, "deeds": [*bad, *good], "starts_in": max(0, round(seconds)),
        "begun": counts[Deed.DONE] + counts[Deed.ASKED] + counts[Deed.RUNNING] > 0 or seconds <= 0,
    }  # fmt: skip


@staff(*ANYBODY)
@require_POST
def stop(request: HttpRequest, run: int) -> HttpResponse:
    """Undo a run that has not begun, or stop it: rows that were done stay done."""
    found = Run.objects.select_related("user").filter(pk=run).first()
    if found is None:
        raise Missing("there is no such run")
    if found.user_id != staff_of(request).pk:
        require(actor_of_page(request), *next(roles for verb, _, roles in BULK[found.queue] if verb == found.verb))
    with writing():
        stopped = execute(
            "UPDATE desk_deed SET state = 'undone', done_at = %s WHERE run_id = %s AND state = 'waiting'",
            [clock.real_now(), run],
        )
    say(request, f"Stopped: nothing was done on {stopped} of them." if stopped else "There was nothing left to stop.")
    return SeeOther(f"/desk/runs/{run}")
