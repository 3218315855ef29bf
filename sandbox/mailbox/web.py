"""The HTTP side: the mails as JSON, their parts as files, and a page for people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.http import dump_options_header
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.mailbox.page import page
from sandbox.mailbox.reading import read
from sandbox.mailbox.store import Search, Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST = 200
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
SHOWN_IN_BROWSER = {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"}

ROUTES = Map(
    [
        Rule("/", endpoint="page", methods=["GET"]),
        Rule("/healthz", endpoint="health", methods=["GET"]),
        Rule("/messages", endpoint="messages", methods=["GET"]),
        Rule("/messages/<int:number>", endpoint="message", methods=["GET"]),
        Rule("/messages/<int:number>/html", endpoint="html", methods=["GET"]),
        Rule("/messages/<int:number>/raw", endpoint="raw", methods=["GET"]),
        Rule("/messages/<int:number>/attachments/<int:n>", endpoint="attachment", methods=["GET"]),
    ],
    # A redirect would name an absolute path, which is wrong behind a proxy that serves this under a prefix.
    redirect_defaults=False,
    merge_slashes=False,
)


class Mailbox:
    """The WSGI application over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.answers: dict[str, Callable[..., Response]] = {
            "page": self.page,
            "health": self.health,
            "messages": self.messages,
            "message": self.message,
            "html": self.html,
            "raw": self.raw,
            "attachment": self.attachment,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            response = self.answers[endpoint](request, **values)
        except HTTPException as error:
            response = as_json({"error": error.description or error.name}, status=error.code or 500)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def health(self, _request: Request) -> Response:
        """Alive, and the store can be read."""
        return as_json({"status": "ok", "messages": self.store.count()})

    def messages(self, request: Request) -> Response:
        """The list as JSON, newest first."""
        return as_json({"messages": self.store.list(asked(request))})

    def message(self, _request: Request, number: int) -> Response:
        """One mail as JSON."""
        return as_json(self._found(number))

    def html(self, _request: Request, number: int) -> Response:
        """The HTML part as it was sent, shut in so that it can run and fetch nothing."""
        html = self._found(number)["html"]
        if html is None:
            raise NotFound("this mail has no HTML part")
        response = Response(html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response

    def raw(self, _request: Request, number: int) -> Response:
        """The bytes as they came over SMTP, as text a browser shows."""
        return Response(self._raw(number), mimetype="text/plain")

    def attachment(self, _request: Request, number: int, n: int) -> Response:
        """One attached file; `n` counts from 0 in the order of the mail."""
        files = read(self._raw(number)).attachments
        if n >= len(files):
            raise NotFound("no such attachment")
        kind = files[n].content_type if MEDIA_TYPE.fullmatch(files[n].content_type) else "application/octet-stream"
        shown = kind in SHOWN_IN_BROWSER
        response = Response(files[n].content, content_type=kind)
        plain = "".join(c if " " <= c <= "~" else "_" for c in files[n].filename)
        exact = quote(files[n].filename.encode("utf-8", "replace"), safe="")
        response.headers["Content-Disposition"] = dump_options_header(
            "inline" if shown else "attachment", {"filename": plain, "filename*": f"UTF-8''{exact}"}
        )
        if not shown:  # a browser's own PDF viewer does not work inside this policy
            response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response

    def page(self, request: Request) -> Response:
        """The page for people: the list and one mail."""
        search = asked(request)
        chosen = request.args.get("id", "")
        mails = self.store.list(search)
        if chosen:
            mail = self.store.get(int(chosen)) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 16 else None
            if mail is None:
                raise NotFound("no such mail")
        else:
            mail = mails[0] if mails else None
        response = Response(page(mails, mail, search, self.store.count()), mimetype="text/html")
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    def _found(self, number: int) -> dict[str, Any]:
        mail = self.store.get(number) if number < 2**63 else None
        if mail is None:
            raise NotFound("no such mail")
        return mail

    def _raw(self, number: int) -> bytes:
        raw = self.store.raw(number) if number < 2**63 else None
        if raw is None:
            raise NotFound("no such mail")
        return raw


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer, readable by people too: letters beyond ASCII stand as they are."""
    return Response(json.dumps(value, ensure_ascii=False) + "\n", status=status, mimetype="application/json")


def asked(request: Request) -> Search:
    """The search in the query string. `after` is a mail's number or a time; BadRequest says what is wrong."""
    limit = request.args.get("limit", "").strip() or "50"
    after = request.args.get("after", "").strip()
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 9 and 1 <= int(limit) <= MOST):
        raise BadRequest(f"limit is a whole number from 1 to {MOST}")
    after_id, after_time = 0, ""
    if after.isascii() and after.isdecimal() and len(after) < 16:
        after_id = int(after)
    elif after:
        after_time = as_utc(after)
    return Search(
        to=request.args.get("to", "").strip(),
        subject=request.args.get("subject", "").strip(),
        after_id=after_id,
        after_time=after_time,
        limit=int(limit),
    )


def as_utc(value: str) -> str:
    """An ISO 8601 time as UTC in the form the store sorts by; without an offset it is taken as UTC."""
    try:
        # In a query string an unescaped plus arrives as a space.
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest("after is the number of a mail or an ISO 8601 time") from None
    return moment.isoformat(timespec="microseconds")
