"""What the desk asks every few seconds while somebody looks at it: one statement, a few hundred bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from counterfoil.core import clock
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk import queries, words
from counterfoil.desk.leaving import leaving
from counterfoil.desk.narrow import narrow_of
from counterfoil.desk.on_paper import printed_of
from counterfoil.desk.pages import ANYBODY, staff_of
from counterfoil.desk.rail import Rail, rail
from counterfoil.desk.rail_branches import Looking
from counterfoil.desk.saying import near_moment
from counterfoil.desk.slips import row_of
from counterfoil.records.orders.declines import tries_of
from counterfoil.records.orders.models import Order

MOST_SHOWN = 60
# An order's number and the version that is shown of it: CF-1047~12
_SHOWN = re.compile(r"([A-Za-z0-9-]{1,20})(?:~(\d{1,9}))?")


@staff(*ANYBODY)
@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """The rail's counts; of the open list what is new, has gone or was changed, and its head; whether the order that
    is open was changed, and by whom; the person's own acts.
    """
    code = request.GET.get("queue", "")
    code = code if code in words.QUEUES else ""
    shown = _shown(request.GET.get("shown", ""), MOST_SHOWN) if code else {}
    order, version = next(iter(_shown(request.GET.get("open", ""), 1).items()), ("", None))
    looking = Looking(_drawn(request), shown, narrow_of(request.GET.dict()), order, version or 0)
    now = rail(shop().today(), code, user=request.user.pk, looking=looking)
    real = clock.real_now()
    answer = JsonResponse(
        {
            "rail": {
                q.code: [now.counts.get(q.code, 0), now.late.get(q.code, 0), now.stands(q.code)]
                for q in words.QUEUES.values()
                if q.counted
            },
            "new": [number for number in now.fresh if number not in shown],
            "gone": now.gone,
            "changed": {n: v for n, v in now.versions.items() if shown.get(n) not in {None, v}},
            "head": now.head(code) if code else "",
            "leaving": leaving(now),
            "open": _open(now, order, version, staff_of(request).name),
            "going": {str(g.id): max(0, round((g.due - real).total_seconds())) for g in now.going},
            "refused": [r.id for r in now.refused],
            "runs": [r.id for r in now.runs],
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _open(now: Rail, order: str, version: int | None, me: str) -> dict[str, Any] | None:
    """That the order somebody looks at has another version by now, and whose work that is; None while it has not."""
    newer = now.versions.get(order)
    if newer is None or version is None or newer == version:
        return None
    kind, by, at = now.who or ("", "", None)
    theirs = kind not in {"", "system"} and by != me
    return {"number": order, "version": newer, "by": by, "theirs": theirs,
            "at": near_moment(at).removeprefix("today ") if at else ""}  # fmt: skip


def _shown(text: str, most: int) -> dict[str, int | None]:
    found = (_SHOWN.fullmatch(one) for one in text.split(",")[:most])
    return {one[1]: int(one[2]) if one[2] else None for one in found if one}


def _drawn(request: HttpRequest) -> datetime:
    """When the list was drawn, business time, as seconds; now where it does not say."""
    text = request.GET.get("drawn", "")
    if not text.isdecimal() or len(text) > 10:
        return clock.business_now()
    return datetime.fromtimestamp(int(text), UTC)


@staff(*ANYBODY)
@require_safe
def rows_again(request: HttpRequest) -> HttpResponse:
    """Rows of a list that were changed, to be drawn again where they stand."""
    code = request.GET.get("queue", "")
    if code not in words.QUEUES:
        raise Http404("there is no such queue")
    orders = list(Order.objects.filter(number__in=_shown(request.GET.get("shown", ""), MOST_SHOWN), queue=code))
    briefs = queries.briefs_of(orders)
    tried = tries_of([ln.part for found in briefs.values() for ln in found if ln.decline_class])
    context = {
        "code": code,
        "rows": [row_of(o, briefs[o.pk], tried) for o in orders],
        "not_printed": {o.number for o in orders} - printed_of(orders) if code == "review" else set(),
    }
    answer = render(request, "desk/rows_again.html", context)
    answer["Cache-Control"] = "no-store"
    return answer
