"""The doors of what waits: undo it, or take note that it was refused."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.doing import WAITS, undo
from counterfoil.desk.models import Deed
from counterfoil.desk.pages import ANYBODY, SeeOther, back_of, desk_page, say, staff_of


@staff(*ANYBODY)
@require_POST
def undo_deed(request: HttpRequest, deed: int) -> HttpResponse:
    """Take back an act that has not gone out."""
    try:
        found = undo(deed, actor=actor_of_page(request))
    except Refused as error:
        say(request, str(error))
        return _answer(request, {})
    say(request, f"Undone: {WAITS.get(found.verb, found.verb).lower()} of {found.order.number}.")
    return _answer(request, {"undone": {"order": found.order.number}})


@staff(*ANYBODY)
@require_safe
def toasts(request: HttpRequest) -> HttpResponse:
    """What this person has set going, alone: when the script has heard that it has changed."""
    return desk_page(request, "desk/toasts.html", {"fragment": True})


@staff(*ANYBODY)
@require_POST
def seen(request: HttpRequest, deed: int) -> HttpResponse:
    """Who asked for it has taken note of a refusal."""
    with writing():
        Deed.objects.filter(pk=deed, user=staff_of(request), state=Deed.REFUSED).update(seen=True)
    return _answer(request, {})


def _answer(request: HttpRequest, happened: dict[str, dict[str, str]]) -> HttpResponse:
    """The toasts alone for the script, else back to where the button was."""
    if request.headers.get("HX-Target") != "toasts":
        return SeeOther(back_of(request, "/desk/"))
    answer = desk_page(request, "desk/toasts.html", {"fragment": True})
    if happened:
        answer["HX-Trigger"] = json.dumps(happened)
    return answer
