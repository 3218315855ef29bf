"""In the demo, the hosted card page and the mailbox answer through the shop's own port, so that a shop run on another
machine can be tried. Only the pages that a customer sees are passed on, never the sandbox's own doors."""

from __future__ import annotations

import requests
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from counterfoil.core.models import JournalEvent
from counterfoil.desk.followed import chosen

_PASS_IN = ("Content-Type", "Accept", "Accept-Language", "User-Agent")
_PASS_OUT = ("Content-Type", "Content-Security-Policy", "Location", "Cache-Control", "Content-Disposition")
_CARD_PAGES = ("pay/", "authenticate/")


def _forward(request: HttpRequest, base: str, path: str) -> HttpResponse:
    if not base or request.method not in {"GET", "POST", "HEAD"}:
        raise Http404("not a demo")
    headers = {name: request.headers[name] for name in _PASS_IN if name in request.headers}
    try:
        found = requests.request(
            request.method,
            f"{base.rstrip('/')}/{path}",
            params=request.META.get("QUERY_STRING") or None,
            data=request.body if request.method == "POST" else None,
            headers=headers,
            timeout=(3, 30),
            allow_redirects=False,
        )
    except requests.RequestException:
        return HttpResponse("the demo's other half is not running", status=503, content_type="text/plain")
    answer = HttpResponse(found.content, status=found.status_code)
    for name in _PASS_OUT:
        if name in found.headers:
            answer[name] = found.headers[name]
    # The mailbox shows a mail in a frame of its own.
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@csrf_exempt
def card_page(request: HttpRequest, path: str) -> HttpResponse:
    """The sandbox processor's hosted pages."""
    # A sign that is escaped twice is read once more on the way.
    if not path.startswith(_CARD_PAGES) or ".." in path or "%" in path:
        raise Http404("not a card page")
    return _forward(request, settings.SANDBOX_URL, path)


def mailbox(request: HttpRequest, path: str = "") -> HttpResponse:
    """The demo's mailbox, page and JSON."""
    if ".." in path:
        raise Http404("no such mail")
    return _forward(request, settings.MAILBOX_URL, path)


def followed_mail(request: HttpRequest, event: int) -> HttpResponse:
    """A mail of the order that `/how-it-works/follow` tells of, as it arrived. Others stay in the box."""
    order = chosen()
    row = JournalEvent.objects.filter(pk=event, subject=order.number, kind="mail_sent").first() if order else None
    if row is None or not settings.MAILBOX_URL:
        raise Http404("there is no such mail to look at")
    asked = {"to": row.data["to"], "subject": row.data["subject"], "limit": "200"}
    try:
        found = requests.get(f"{settings.MAILBOX_URL.rstrip('/')}/messages", params=asked, timeout=(3, 10))
        kept = [m["id"] for m in found.json()["messages"] if m["message_id"] == row.data["message_id"]]
    except (requests.RequestException, ValueError, KeyError):
        return HttpResponse("the demo's mailbox is not running", status=503, content_type="text/plain")
    if not kept:
        raise Http404("this mail is no longer in the demo's mailbox")
    return _forward(request, settings.MAILBOX_URL, f"messages/{kept[-1]}/html")
