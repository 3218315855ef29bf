"""The doors for tests: the clock, faults, and what only a bank or a customer can do. They have no key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox import cards, disputes, events, payouts
from sandbox.errors import Json, refused_parameter
from sandbox.money import currency_of
from sandbox.processor import Processor
from sandbox.store import public

_ROUTES = Map(
    [
        Rule("/healthz", methods=["GET"], endpoint="healthz"),
        Rule("/_ledger", methods=["GET"], endpoint="ledger"),
        Rule("/_clock", methods=["GET", "POST"], endpoint="clock"),
        Rule("/_faults", methods=["GET", "POST", "DELETE"], endpoint="faults"),
        Rule("/_cards", methods=["POST"], endpoint="cards"),
        Rule("/_disputes", methods=["POST"], endpoint="disputes"),
        Rule("/_payouts", methods=["POST"], endpoint="payouts"),
        Rule("/_webhooks/resend", methods=["POST"], endpoint="resend"),
    ]
)


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body, ensure_ascii=False, indent=2), status, headers, mimetype="application/json")


class Doors:
    """Answers the paths of `_ROUTES`; others raise `werkzeug.exceptions.NotFound`."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    def answer(self, request: Request) -> Response:
        """One call. `ApiError` 400 for a body that makes no sense."""
        endpoint, _ = _ROUTES.bind_to_environ(request.environ).match()
        doors: dict[str, Callable[[Request], Json]] = {
            "healthz": lambda _: {"status": "ok", "now": self._processor.store.now()},
            "ledger": self._ledger,
            "clock": self._clock,
            "faults": self._faults,
            "cards": self._cards,
            "disputes": self._disputes,
            "payouts": self._payouts,
            "resend": self._resend,
        }
        return as_json(doors[endpoint](request))

    def _ledger(self, request: Request) -> Json:
        return self._processor.statement() if request.args.get("summary") == "1" else self._processor.ledger()

    def _clock(self, request: Request) -> Json:
        if request.method == "POST":
            seconds = _body(request).get("offset_seconds")
            if not isinstance(seconds, int) or isinstance(seconds, bool) or abs(seconds) > 10**10:
                raise refused_parameter("offset_seconds is a whole number", "offset_seconds")
            self._processor.set_clock(seconds)
        store = self._processor.store
        return {"offset_seconds": store.offset_seconds, "now": store.now()}

    def _faults(self, request: Request) -> Json:
        faults = self._processor.faults
        if request.method == "POST":
            order = _body(request)
            if "seed" in order:
                faults.misbehave(order)
            else:
                faults.add(order)
        elif request.method == "DELETE":
            self._processor.heal()
        return {"faults": faults.listed(), "seeded": faults.seeded(), "struck": dict(faults.struck)}

    def _cards(self, request: Request) -> Json:
        """A bank thinks anew of a card that is saved: from now on it behaves as the test card `behaves_as` does."""
        given = _body(request, "payment_method", "behaves_as")
        identifier, name = _text(given, "payment_method"), _text(given, "behaves_as")
        return public(self._processor.at_page(lambda store: cards.behave_as(store, identifier, name)))

    def _disputes(self, request: Request) -> Json:
        """A customer goes to the bank (`payment_intent`), or the bank decides (`dispute` and `verdict`)."""
        given = _body(request, "payment_intent", "reason", "inquiry", "dispute", "verdict")
        inquiry = given.get("inquiry", False)
        if not isinstance(inquiry, bool):
            raise refused_parameter("inquiry is true or false", "inquiry")
        if "dispute" in given:
            identifier, verdict = _text(given, "dispute"), _text(given, "verdict")
            found = self._processor.at_page(lambda store: disputes.on_decision(store, identifier, verdict))
        else:
            intent, reason = _text(given, "payment_intent"), _text({"reason": "fraudulent", **given}, "reason")
            found = self._processor.at_page(lambda store: disputes.on_demand(store, intent, reason, inquiry=inquiry))
        return public(found)

    def _payouts(self, request: Request) -> Json:
        """Pay out what is available now, of one `currency` or of all, without waiting for midnight."""
        given = _body(request, "currency")
        currency = currency_of(_text(given, "currency")) if "currency" in given else None
        made = self._processor.at_page(lambda store: payouts.pay_out(store, store.now(), currency))
        return {"payouts": [public(payout) for payout in made]}

    def _resend(self, request: Request) -> Json:
        """Send one `event` again, or all that never arrived."""
        given = _body(request, "event")
        event = _text(given, "event") if "event" in given else None
        return {"queued": self._processor.at_page(lambda store: events.resend(store, event))}


def _text(given: Json, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise refused_parameter(f"{name} is text", name)
    return value


def _body(request: Request, *fields: str) -> Json:
    """The JSON object that was sent; with `fields`, nothing else is in it, and it may be left out."""
    data = request.get_data()
    try:
        body = json.loads(data) if data or not fields else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refused_parameter("The body is a JSON object.", None)
    if fields and (unknown := set(body) - set(fields)):
        raise refused_parameter(f"Unknown field: {min(unknown)}", min(unknown))
    return body
