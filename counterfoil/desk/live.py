"""What the desk asks every few seconds while somebody looks at it: one statement, a few hundred bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from counterfoil.core import clock
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk import words
from counterfoil.desk.pages import ANYBODY
from counterfoil.desk.rail import rail

MOST_SHOWN = 60
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,20}")


@staff(*ANYBODY)
@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """The rail's counts; of the open list what is new at its beginning and what has gone; the person's own acts."""
    code = request.GET.get("queue", "")
    code = code if code in words.QUEUES else ""
    shown = [n for n in request.GET.get("shown", "").split(",")[:MOST_SHOWN] if _NUMBER.fullmatch(n)]
    if code:
        now = rail(shop().today(), code, user=request.user.pk, drawn=_drawn(request), shown=shown)
    else:
        now = rail(shop().today(), user=request.user.pk)
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
            "going": {str(g.id): max(0, round((g.due - real).total_seconds())) for g in now.going},
            "refused": [r.id for r in now.refused],
            "runs": [r.id for r in now.runs],
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _drawn(request: HttpRequest) -> datetime:
    """When the list was drawn, business time, as seconds; now where it does not say."""
    text = request.GET.get("drawn", "")
    if not text.isdecimal() or len(text) > 10:
        return clock.business_now()
    return datetime.fromtimestamp(int(text), UTC)
