"""The customer's way to the hosted card page and back."""

from __future__ import annotations

import contextlib
import hmac

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from counterfoil.core.errors import Missing, Refused
from counterfoil.core.text import storable
from counterfoil.core.web import Limiter, address_of, error_page
from counterfoil.gateways.card.protocol import CardError
from counterfoil.records.orders.models import Order, PayLink
from counterfoil.steps.charging.actions import finish_session, open_card_page

_tries = Limiter(30, 60)


def _order(token: str) -> Order:
    """The one order that this link opens. Raises Missing."""
    found = Order.objects.filter(token=token).first() if storable(token) else None
    if found is None or not hmac.compare_digest(found.token.encode(), token.encode()):
        raise Missing("this link opens no order; please use the one from our mail")
    return found


def to_card_page(request: HttpRequest, token: str) -> HttpResponse:
    """Send the customer to the hosted page at which they give a card."""
    order = _order(token)
    if not _tries.allows(address_of(request)):
        return error_page(request, 429, "Too many tries; please wait a minute.")
    try:
        url = open_card_page(order=order.number)
    except Refused:
        return HttpResponseRedirect(f"/orders/{order.token}")
    except CardError:
        text = "The card page cannot be reached at the moment. Your order is safe; try again in a minute."
        return error_page(request, 503, text, title="No card page just now")
    answer = HttpResponseRedirect(url)
    answer.status_code = 303
    return answer


def card_done(request: HttpRequest, token: str) -> HttpResponse:
    """Back from the hosted page: look at what came of it, then show the order. The webhook does the same."""
    order = _order(token)
    session = request.GET.get("session", "")[:120]
    link = PayLink.objects.filter(session_id=session, order=order).first() if storable(session) else None
    if link is not None:
        # Should the processor not answer: its webhook, or the sweep of unfinished check-outs, will tell.
        with contextlib.suppress(CardError):
            finish_session(session_id=session)
    answer = HttpResponseRedirect(f"/orders/{order.token}")
    answer.status_code = 303
    return answer


urlpatterns = [
    path("orders/<str:token>/card", to_card_page, name="card"),
    path("orders/<str:token>/pay", to_card_page, name="pay"),
    path("orders/<str:token>/card/done", card_done, name="card_done"),
]
