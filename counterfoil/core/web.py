"""What every page and API door shares: problem+json, security headers, who is asking, rate limits."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
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
# What an error page says: what it means in words, and what to do next.
WORDS: dict[int, tuple[str, str]] = {
    400: ("We could not read what your browser sent.", "Go back, load the page again and send it once more."),
    403: ("This is not yours to do with this log-in.", "Ask the owner of the shop, or log in as somebody who may."),
    404: ("There is nothing here.", "Check the address, or open the link from your mail once more: it must be whole."),
    405: ("This address is only sent to by a form.", "Go back and use the button on the page."),
    409: ("This cannot be done as things stand.", "Go back and look at what is there now."),
    413: ("What you sent is too large.", "Send a smaller file. Very long lists are for the command line."),
    422: ("Some of what was sent is wrong.", "Go back and correct it."),
    429: ("That was too often in a short time.", "Wait a few minutes and try again."),
    500: (
        "The mistake is ours, and what you had done before is safe.",
        "Try once more. If it comes again, tell the shop the code below: the log has the reason under it.",
    ),
    503: ("The shop's database does not answer. Nothing was lost.", "Wait a few seconds and load the page again."),
}  # fmt: skip
MOST_UPLOAD = 5_242_880  # bytes of a form with a file; nothing that a page asks for is larger
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
        elif _length_of(request) > MOST_UPLOAD:
            return error_page(request, 413, "")
        elif not storable(request.path):
            return error_page(request, 404, "")
        response = self.get_response(request)
        ours = response.get("Content-Type", "").startswith("application/")
        if is_api(request) and not ours and response.status_code >= 400:
            # Django's own 400, 404 and 405 pages come as HTML.
            made = problem(response.status_code, TITLES.get(response.status_code, "Error"))
            if response.has_header("Allow"):
                made["Allow"] = response["Allow"]
            return made
        if response.status_code == 405 and not is_api(request) and not ours and not _is_page(response):
            made = error_page(request, response.status_code, "")
            if response.has_header("Allow"):
                made["Allow"] = response["Allow"]
            return made
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = problem_of(error)
        if is_api(request):
            if known is None:
                code = fault(request, error)
                return problem(500, f"an error of ours; it is in the log as {code}", reference=code)
            return known
        if known is None:
            if isinstance(error, SuspiciousOperation | PermissionDenied | BadRequest | MultiPartParserError):
                return None  # Django's own answers, which become pages above
            return error_page(request, 500, "", reference=fault(request, error))
        # What a database says of itself is for the log.
        return error_page(request, known.status_code, "" if known.status_code == 503 else str(error))


def fault(request: HttpRequest, error: BaseException | None) -> str:
    """Log a fault of ours under a code of its own, with its stack; the code is all that a stranger sees."""
    code = secrets.token_hex(4).upper()
    exc = error if error is not None else True
    log.error("fault %s at %s %s", code, request.method, iri_to_uri(request.path), exc_info=exc)
    return code


def error_page(request: HttpRequest, status: int, detail: str, *, reference: str = "", title: str = "") -> HttpResponse:
    """A page that says what is wrong and what to do next. It asks the database nothing."""
    means, todo = WORDS.get(status, ("", ""))
    detail = mask_cards(detail).strip()
    context = {
        "status": status,
        "title": title or TITLES.get(status, "Error"),
        "detail": f"{detail[:1].upper()}{detail[1:]}" if detail else means,
        "todo": todo,
        "reference": reference,
        "desk": request.path.startswith("/desk"),
    }
    answer = render(request, "error.html", context, status=status)
    if status == 503:
        answer["Retry-After"] = "5"
    return answer


def _length_of(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _is_page(response: HttpResponse) -> bool:
    """Whether a view of ours has drawn it; Django's own refusals are empty or a heading."""
    return not response.streaming and b"<link" in response.content[:2000]


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
        if settings.SESSION_COOKIE_SECURE:
            # The shop's address is https: browsers that have seen it once never ask without again.
            response.setdefault("Strict-Transport-Security", "max-age=31536000")
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
            response = view(request, *args, **kwargs)
            response.setdefault("Cache-Control", "private, no-cache")
            return response

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
    """Where the caller is, for limits. Of a proxy's header only what our own have written is believed.

    Of IPv6 the first half: the other half is whatever the caller's own machine wants it to be.
    """
    heard = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and len(heard) >= settings.PROXIES:
        return _network(heard[-settings.PROXIES])
    return _network(str(request.META.get("REMOTE_ADDR") or "unknown"))


def _network(address: str) -> str:
    try:
        known = ip_address(address.strip("[]"))
    except ValueError:
        return address[:100]
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((known.packed, 64), strict=False))
