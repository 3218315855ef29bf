"""What every page and API door shares: problem+json, security headers, who is asking, rate limits."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import urlencode

from counterfoil.core import errors
from counterfoil.core.access.keys import actor_of
from counterfoil.core.actor import Actor, require
from counterfoil.core.cards import mask_cards
from counterfoil.core.text import storable

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
View = TypeVar("View", bound=Callable[..., HttpResponse])
MAX_BODY = 1_048_576  # bytes; an order with hundreds of lines is far smaller
TITLES = {
    400: "The request could not be read",
    401: "No or wrong key",
    402: "The card was declined",
    403: "Not yours to do",
    404: "Not found",
    405: "Method not allowed",
    409: "Refused",
    413: "Too large",
    422: "Some fields are wrong",
    429: "Too many requests",
    500: "Something broke on our side",
    503: "The database is away",
}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'{extra}; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


def problem(
    status: int,
    detail: str,
    *,
    blockers: list[dict[str, str]] | None = None,
    fields: list[dict[str, str]] | None = None,
    **more: Any,
) -> HttpResponse:
    """An RFC 9457 answer in the shape that the contract promises. What it repeats of the request bears no card."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": mask_cards(detail),
        "blockers": blockers or [],
        "errors": [{name: mask_cards(text) for name, text in field.items()} for field in fields or []],
        **more,
    }
    answer = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    if status == 503:
        answer["Retry-After"] = "5"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def problem_of(error: Exception) -> HttpResponse | None:
    """The API's answer to an action's exception; None when it is no answer but a fault."""
    match error:
        case errors.Refused():
            return problem(409, str(error), blockers=[b.as_json() for b in error.blockers])
        case errors.Invalid():
            return problem(422, str(error), fields=[{"field": f, "message": m} for f, m in error.errors])
        case errors.Missing() | Http404():
            return problem(404, str(error) or "there is no such thing")
        case errors.Forbidden():
            return problem(403, str(error))
        case errors.Declined():
            return problem(402, str(error), decline_code=error.code)
        case OperationalError() | InterfaceError():
            log.error("database away: %s", type(error).__name__)
            return problem(503, "the database cannot be reached at the moment; try again in a few seconds")
    return None


def is_api(request: HttpRequest) -> bool:
    """Whether this request is answered in JSON."""
    return request.path.startswith("/api/")


class ProblemMiddleware:
    """The last net: whatever escapes is answered in the asker's language, and never shows a stack to a stranger."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api(request):
            try:
                length = int(request.META.get("CONTENT_LENGTH") or 0)
            except ValueError:
                return problem(400, "Content-Length is not a number")
            if length > MAX_BODY:
                return problem(413, f"the body has {length} bytes; at most {MAX_BODY} are read")
            if length < 0:
                return problem(400, "Content-Length is not a number")
            if not storable(request.path):
                return problem(404, "nothing has a name with such characters in it")
        response = self.get_response(request)
        ours = response.get("Content-Type", "").startswith("application/")
        if is_api(request) and not ours and response.status_code >= 400:
            # Django's own 400, 404 and 405 pages come as HTML.
            made = problem(response.status_code, TITLES.get(response.status_code, "Error"))
            if response.has_header("Allow"):
                made["Allow"] = response["Allow"]
            return made
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = problem_of(error)
        if is_api(request):
            if known is None:
                log.error("unexpected error at %s", request.path, exc_info=error)
                return problem(500, "an error of ours; it is in the log")
            return known
        if known is None:
            return None
        return error_page(request, known.status_code, str(error))


def error_page(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A page that says what is wrong and what to do."""
    context = {"status": status, "title": TITLES.get(status, "Error"), "detail": mask_cards(detail)}
    return render(request, "error.html", context, status=status)


class SecurityHeaders:
    """Strict CSP (no inline script or style) and friends on every answer that does not bring its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            # The card page is another site: the redirect after a form counts as the form's target.
            extra = settings.CARD_PAGE_ORIGIN
            response["Content-Security-Policy"] = CSP.format(extra=f" {extra}" if extra else "")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
        return response


def bearer(request: HttpRequest) -> Actor | None:
    """The actor behind `Authorization: Bearer KEY`; looked up once per request."""
    if hasattr(request, "_bearer"):
        known: Actor | None = request._bearer
        return known
    header = request.headers.get("Authorization", "")
    scheme, _, key = header.partition(" ")
    found = actor_of(key.strip()) if scheme.lower() == "bearer" and key.strip() else None
    request._bearer = found  # type: ignore[attr-defined]
    return found


def staff(*roles: str) -> Callable[[View], View]:
    """A page for people who work here; with `roles`, for those roles (and the owner) only."""

    def wrap(view: View) -> View:
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = request.user
            if not user.is_authenticated or getattr(user, "role", "customer") == "customer":
                return HttpResponseRedirect(f"/desk/login?{urlencode({'next': request.get_full_path()})}")
            if roles:
                require(actor_of_page(request), *roles)
            return view(request, *args, **kwargs)

        return door  # type: ignore[return-value]

    return wrap


def actor_of_page(request: HttpRequest) -> Actor:
    """The person at the keyboard. Raises Forbidden when nobody is logged in."""
    user = request.user
    if not user.is_authenticated:
        raise errors.Forbidden("log in first")
    actor: Actor = user.actor
    return actor


class Limiter:
    """At most `count` attempts per `seconds` and key in this process; old keys are forgotten."""

    all: ClassVar[list[Limiter]] = []

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        Limiter.all.append(self)
        self._seen: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Count one attempt; False when there were too many."""
        now = time.monotonic()
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen = {k: v for k, v in self._seen.items() if v and now - v[-1] < self.seconds}
            recent = [t for t in self._seen.get(key, []) if now - t < self.seconds]
            if len(recent) >= self.count:
                self._seen[key] = recent
                return False
            self._seen[key] = [*recent, now]
            return True

    def clear(self) -> None:
        self._seen.clear()


def address_of(request: HttpRequest) -> str:
    """The caller's network address, for limits. A proxy's header is not believed."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")
