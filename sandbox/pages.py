"""The hosted page: where a customer picks a test card, and answers the bank's question. No script, no card number."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from sandbox import intents, money, sessions, setups
from sandbox.errors import ApiError, Json
from sandbox.processor import Processor
from sandbox.store import Store

CHOICES = (
    ("pm_card_visa", "Visa ending 4242", "works"),
    ("pm_card_mastercard", "Mastercard ending 4444", "works"),
    ("pm_card_chargeCustomerFail", "Visa ending 0341", "can be saved, is declined when charged"),
    ("pm_card_visa_chargeDeclined", "Visa ending 0002", "is refused, also when saved"),
    ("pm_card_authenticationRequiredOnSetup", "Visa ending 3155", "asks for 3-D Secure once, then works"),
    ("pm_card_authenticationRequired", "Visa ending 3184", "asks for 3-D Secure now and at every charge"),
)
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGES = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
_PAGES.trim_blocks = _PAGES.lstrip_blocks = True
_PAGES.globals |= {"style": Markup(_STYLE), "choices": CHOICES}  # noqa: S704 - our own file, not input


def _page(template: str, onward: str | None, status: int = 200, **values: Any) -> Response:
    """Render. A form's redirect is bound by `form-action` too, so the shop's own origin must stand in it."""
    parts = urlsplit(onward or "")
    allowed = f"'self' {parts.scheme}://{parts.netloc}" if onward else "'self'"
    response = Response(_PAGES.get_template(template).render(**values), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {allowed}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"  # the address is the customer's secret
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _onward(address: str) -> Response:
    return Response("", 303, {"Location": address, "Cache-Control": "no-store"})


class HostedPages:
    """The pages of one processor, under the name of one shop."""

    def __init__(self, processor: Processor, shop: str) -> None:
        self._processor = processor
        self._shop = shop

    def pay(self, request: Request, identifier: str) -> Response:
        """GET and POST /pay/{session id}."""
        form: Mapping[str, str] = request.form if request.method == "POST" else {}
        try:
            outcome, intent = self._processor.at_page(lambda store: self._act(store, identifier, form))
        except ApiError:
            return self._notice("There is no such payment page.", None, 404)
        session = outcome.session
        if session["status"] == "complete":
            return _onward(sessions.success_address(session))
        if session["status"] == "expired":
            return self._notice("This payment page has expired. Nothing was charged.", session["cancel_url"], 410)
        if intent and intent["status"] == "requires_action":
            return self._bank(session["success_url"], self._what(session))
        return self._cards(session, outcome.message, form.get("card", CHOICES[0][0]))

    @staticmethod
    def _act(store: Store, identifier: str, form: Mapping[str, str]) -> tuple[sessions.Outcome, Json | None]:
        session = store.get("checkout.session", identifier, in_path=True)
        outcome = sessions.Outcome(session)
        if "authentication" in form:
            outcome = sessions.authenticate(store, session, form["authentication"] == "complete")
        elif "card" in form or form:
            waiting = sessions.intent_of(store, session)
            if not waiting or waiting["status"] != "requires_action":
                accepted = form.get("terms") == "accepted"
                outcome = sessions.pay(store, session, form.get("card", ""), terms_accepted=accepted)
        return outcome, sessions.intent_of(store, outcome.session)

    def _what(self, session: Json) -> str:
        if session["mode"] == "setup":
            return "Save a card"
        return f"Pay {money.shown(session['amount_total'], session['currency'])}"

    def _cards(self, session: Json, message: str | None, chosen: str) -> Response:
        lines = [
            (f"{line['quantity']} × {line['description']}", money.shown(line["amount_total"], line["currency"]))
            for line in session["_lines"]
        ]
        texts = session["custom_text"] or {}
        return _page(
            "pay.html",
            session["success_url"],
            shop=self._shop,
            what=self._what(session),
            saving=session["mode"] == "setup",
            total=None if session["mode"] == "setup" else money.shown(session["amount_total"], session["currency"]),
            lines=lines,
            message=message,
            chosen=chosen,
            terms=sessions.wants_terms(session),
            terms_text=(texts.get("terms_of_service_acceptance") or {}).get("message"),
            consent=(texts.get("submit") or {}).get("message"),
            cancel_url=session["cancel_url"],
        )

    def _bank(self, onward: str | None, what: str) -> Response:
        return _page("authenticate.html", onward, shop=self._shop, what=what)

    def _notice(self, text: str, back: str | None, status: int) -> Response:
        return _page("notice.html", None, status, shop=self._shop, text=text, back=back)

    def authenticate(self, request: Request, identifier: str) -> Response:
        """GET and POST /authenticate/{intent id}: 3-D Secure of an intent confirmed over the API with a return_url."""
        answer = request.form.get("authentication") if request.method == "POST" else None
        try:
            intent = self._processor.at_page(lambda store: self._ask(store, identifier, answer))
        except ApiError:
            return self._notice("There is nothing to authenticate here.", None, 404)
        if intent["status"] == "requires_action":
            return self._bank(intent["_return_url"], "Confirm that it is you")
        passed = intent["status"] in ("succeeded", "requires_capture")
        address = str(intent["_return_url"])
        query = {intent["object"]: intent["id"], "redirect_status": "succeeded" if passed else "failed"}
        return _onward(f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}")

    @staticmethod
    def _ask(store: Store, identifier: str, answer: str | None) -> Json:
        kind = "setup_intent" if identifier.startswith("seti_") else "payment_intent"
        intent = store.get(kind, identifier, in_path=True)
        if not intent.get("_return_url"):
            return store.get("authentication", identifier, in_path=True)  # never asked for: not found
        if answer and intent["status"] == "requires_action":
            act = setups.authenticate if kind == "setup_intent" else intents.authenticate
            try:
                act(store, intent, answer == "complete")
            except ApiError as refused:
                if not refused.commits:
                    raise
        return store.get(kind, identifier)
