"""Which path does what: the routes of the API, lists with paging, and `expand`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule

from sandbox import cards, disputes, intents, params, refunds, sessions, setups
from sandbox.errors import ApiError, Json, not_found, refused_parameter
from sandbox.store import Store, public

Handler = Callable[..., Any]


def _retrieve(kind: str) -> Handler:
    def handler(store: Store, identifier: str, given: Json) -> Json:
        params.check(given, {"client_secret": params.STRING, **cards.EXPAND})
        return store.get(kind, identifier, in_path=True)

    return handler


_COLUMNS = ("customer", "payment_intent")
_PAGING: dict[str, Any] = {
    "limit": params.INTEGER,
    "starting_after": params.STRING,
    "ending_before": params.STRING,
    "created": params.ANYTHING,
    **cards.EXPAND,
}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _list(kind: str, url: str, *filters: str) -> Handler:
    """A list, newest first, filtered by equality on `filters` (names of fields) and by `created`."""
    spec = {**_PAGING, **dict.fromkeys(filters, params.STRING)}
    if kind == "event":
        spec["types"] = [params.STRING]
    if kind == "payout":
        spec["arrival_date"] = params.ANYTHING

    def handler(store: Store, given: Json) -> Json:
        wanted = params.check(given, spec)
        limit = wanted.get("limit", 10)
        if not 1 <= limit <= 100:
            raise refused_parameter("limit is from 1 to 100", "limit", "parameter_invalid_integer")
        where, values = ["type = ?"], [kind]
        for name in filters:
            if name in wanted:
                where.append(_condition(kind, name))
                values.append(wanted[name])
        if wanted.get("types"):
            where.append(f"json_extract(data, '$.type') IN ({','.join('?' * len(wanted['types']))})")
            values += wanted["types"]
        _between("created", "created", wanted.get("created"), where, values)
        _between("arrival_date", "json_extract(data, '$.arrival_date')", wanted.get("arrival_date"), where, values)
        return _page(store, wanted, where, values, kind=kind, limit=limit, url=url)

    return handler


def _condition(kind: str, name: str) -> str:
    """A filter as SQL: a column, a field of the object, the payout of a balance entry, or a pattern of types."""
    if name in _COLUMNS:
        return f"{name} = ?"
    if (kind, name) == ("balance_transaction", "payout"):
        return "json_extract(data, '$._payout') = ?"
    return f"json_extract(data, '$.{name}') {'GLOB' if (kind, name) == ('event', 'type') else '='} ?"


def _between(name: str, column: str, bound: Any, where: list[str], values: list[Any]) -> None:
    """A moment, or bounds of it (`gt`, `gte`, `lt`, `lte`)."""
    if bound is None:
        return
    bounds = bound if isinstance(bound, dict) else {"": bound}
    for word, moment in bounds.items():
        if word and word not in _COMPARE:
            raise refused_parameter(f"Received unknown parameter: {name}[{word}]", name, "parameter_unknown")
        where.append(f"{column} {_COMPARE.get(word, '=')} ?")
        values.append(params.check({name: moment}, {name: params.INTEGER})[name])


def _page(store: Store, wanted: Json, where: list[str], values: list[Any], *, kind: str, limit: int, url: str) -> Json:
    backwards = "ending_before" in wanted
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in wanted:
            where.append(f"seq {sign} ?")
            values.append(store.position(kind, wanted[name], name))
    order = "seq ASC" if backwards else "seq DESC"
    found = store.select(" AND ".join(where), values, order, limit + 1)
    page = found[:limit][::-1] if backwards else found[:limit]
    return {"object": "list", "data": page, "has_more": len(found) > limit, "url": url}


def _methods_of(store: Store, identifier: str, given: Json) -> Json:
    store.get("customer", identifier, in_path=True)
    handler = _list("payment_method", f"/v1/customers/{identifier}/payment_methods", "customer", "type")
    return dict(handler(store, {**given, "customer": identifier}))


_LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "customers": ("customer", ("email",)),
    "payment_methods": ("payment_method", ("customer", "type")),
    "setup_intents": ("setup_intent", ("customer", "payment_method")),
    "payment_intents": ("payment_intent", ("customer",)),
    "charges": ("charge", ("customer", "payment_intent")),
    "refunds": ("refund", ("payment_intent", "charge")),
    "checkout/sessions": ("checkout.session", ("customer", "payment_intent", "status")),
    "events": ("event", ("type",)),
    "disputes": ("dispute", ("charge", "payment_intent")),
    "balance_transactions": ("balance_transaction", ("source", "type", "currency", "payout")),
    "payouts": ("payout", ("status", "destination")),
}


def _routes() -> Map:
    rules = []
    for path, (kind, filters) in _LISTS.items():
        rules.append(Rule(f"/v1/{path}", methods=["GET"], endpoint=_list(kind, f"/v1/{path}", *filters)))
        if kind != "payment_method":
            rules.append(Rule(f"/v1/{path}/<identifier>", methods=["GET"], endpoint=_retrieve(kind)))
    for path, handler in {
        "customers": cards.create_customer,
        "setup_intents": setups.create,
        "setup_intents/<identifier>/confirm": setups.confirm,
        "setup_intents/<identifier>/cancel": setups.cancel,
        "payment_intents": intents.create,
        "payment_intents/<identifier>/confirm": intents.confirm,
        "payment_intents/<identifier>/capture": intents.capture,
        "payment_intents/<identifier>/cancel": intents.cancel,
        "payment_methods/<identifier>/attach": cards.attach,
        "payment_methods/<identifier>/detach": cards.detach,
        "refunds": refunds.create,
        "disputes/<identifier>": disputes.update,
        "disputes/<identifier>/close": disputes.close,
        "checkout/sessions": sessions.create,
        "checkout/sessions/<identifier>/expire": sessions.expire,
    }.items():
        rules.append(Rule(f"/v1/{path}", methods=["POST"], endpoint=handler))
    rules.append(Rule("/v1/payment_methods/<identifier>", methods=["GET"], endpoint=cards.retrieve_payment_method))
    rules.append(Rule("/v1/customers/<identifier>/payment_methods", methods=["GET"], endpoint=_methods_of))
    rules.append(Rule("/v1/checkout/sessions/<identifier>/line_items", methods=["GET"], endpoint=_line_items))
    return Map(rules, strict_slashes=False, redirect_defaults=False)


def _line_items(store: Store, identifier: str, given: Json) -> Json:
    params.check(given, {"limit": params.INTEGER, **cards.EXPAND})
    return line_items(store.get("checkout.session", identifier, in_path=True))


def line_items(session: Json) -> Json:
    """The session's lines as a list object."""
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": session["_lines"], "has_more": False, "url": url}


ROUTES = _routes()

# Fields that hold an id and may be replaced by the object itself.
_EXPANDABLE = {
    *("customer", "payment_intent", "setup_intent", "payment_method", "latest_charge", "charge", "source"),
    *("balance_transaction", "failure_balance_transaction"),
}


def perform(store: Store, handler: Handler, path: Json, given: Json) -> Json:
    """Run the handler; the answer in its public shape, expanded as the caller wished."""
    answer = handler(store, *path.values(), given)
    wishes = given.get("expand", [])
    if answer["object"] == "list":
        shown = dict(answer) | {"data": [public(thing) for thing in answer["data"]]}
        for index, thing in enumerate(answer["data"]):
            for wish in wishes:
                if not wish.startswith("data."):
                    raise _cannot_expand(wish)
                _expand(store, thing, shown["data"][index], wish.removeprefix("data.").split("."), wish)
        return shown
    shown = public(answer)
    for wish in wishes:
        _expand(store, answer, shown, wish.split("."), wish)
    return shown


def _expand(store: Store, thing: Json, shown: Json, steps: list[str], wish: str) -> None:
    step, rest = steps[0], steps[1:]
    if step == "line_items" and "_lines" in thing:
        shown["line_items"] = line_items(thing)
        return
    if step not in _EXPANDABLE or step not in shown or len(rest) > 3:
        raise _cannot_expand(wish)
    value = shown[step]
    if isinstance(value, str):
        inner = store.find(value)
        if inner is None:
            raise not_found(step, value, "expand", in_path=False)
        shown[step] = value = public(inner)
    if rest and isinstance(value, dict):
        _expand(store, store.find(value["id"]) or value, value, rest, wish)


def _cannot_expand(wish: str) -> ApiError:
    return refused_parameter(f"This property cannot be expanded ({wish}).", "expand")
