"""Filters that a person keeps under a name; they stand in their rail."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from counterfoil.core import clock
from counterfoil.core.db import execute, writing
from counterfoil.core.text import clean
from counterfoil.core.web import staff
from counterfoil.desk import words
from counterfoil.desk.models import SavedFilter
from counterfoil.desk.narrow import narrow_of
from counterfoil.desk.pages import ANYBODY, SeeOther, say, staff_of

MOST_KEPT = 30
LONGEST = 40  # characters of a name


@staff(*ANYBODY)
@require_POST
def keep(request: HttpRequest, code: str) -> HttpResponse:
    """Keep the filter of a queue under a name; the same name again replaces it."""
    if code not in words.QUEUES:
        raise Http404("there is no such queue")
    given = request.POST.dict()
    narrow = narrow_of(given)
    address = f"/desk/queues/{code}?{narrow.query}"
    try:
        name = " ".join(clean(given.get("name", "")).split())[:LONGEST].replace("|", "/")
    except ValueError:
        name = ""
    if not name or not narrow.on:
        say(request, "Nothing was kept: fill in the filter, and give it a name.")
        return SeeOther(address)
    user = staff_of(request)
    with writing():
        if SavedFilter.objects.filter(user=user).exclude(name=name).count() >= MOST_KEPT:
            say(request, f"You keep {MOST_KEPT} filters already; forget one first.")
            return SeeOther(address)
        SavedFilter.objects.update_or_create(
            user=user, name=name, defaults={"queue": code, "query": narrow.query, "made_at": clock.real_now()}
        )
    say(request, f"“{name}” is kept in your rail.")
    return SeeOther(address)


@staff(*ANYBODY)
@require_POST
def forget(request: HttpRequest, kept: int) -> HttpResponse:
    """Keep one of one's own no longer."""
    found = SavedFilter.objects.filter(pk=kept, user=staff_of(request)).first()
    if found is None:
        raise Http404("there is no such filter of yours")
    with writing():
        execute("DELETE FROM desk_savedfilter WHERE id = %s AND user_id = %s", [kept, staff_of(request).pk])
    say(request, f"“{found.name}” is kept no longer.")
    return SeeOther(f"/desk/queues/{found.queue}")
