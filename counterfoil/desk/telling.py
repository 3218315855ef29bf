"""What customers without an e-mail address are still to be told on the telephone."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK
from counterfoil.core.errors import Refused
from counterfoil.core.models import Telling
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.gateways.mail.telling import open_tellings, said_in
from counterfoil.records.orders.models import Order
from counterfoil.steps.alternatives.telling import record_told


@dataclass(frozen=True)
class Call:
    """One customer to ring, and all that they are to be told: each with its words."""

    order: Order
    things: list[tuple[Telling, str]]


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """An order each, the one that has waited longest first; POST says that one thing was told."""
    if request.method == "POST":
        return _told(request)
    found = open_tellings()
    orders = {o.number: o for o in Order.objects.filter(number__in={t.subject for t in found})}
    calls: dict[str, Call] = {}
    for telling in found:
        call = calls.setdefault(telling.subject, Call(orders[telling.subject], []))
        call.things.append((telling, said_in(telling)))
    return desk_page(request, "desk/tell.html", {"here": "call", "calls": list(calls.values()), "count": len(found)})


def _told(request: HttpRequest) -> HttpResponse:
    given = request.POST.get("telling", "")
    back = f"/desk/orders/{request.POST['order']}" if request.POST.get("order", "").startswith("CF-") else "/desk/tell"
    try:
        order = record_told(
            telling=int(given) if given.isdecimal() and len(given) < 18 else 0,
            actor=actor_of_page(request),
            needed=request.POST.get("how") != "moot",
        )
    except Refused as error:
        say(request, f"{error}.")
    else:
        say(request, f"{order.number}: written down.")
    return SeeOther(back)
