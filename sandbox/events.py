"""Events: what happened, written in the same transaction as the thing that happened."""

from __future__ import annotations

from sandbox.errors import Json
from sandbox.store import API_VERSION, Store, public


def emit(store: Store, kind: str, thing: Json) -> Json:
    """Record an event of type `kind` with `thing` as it is now, and queue its delivery if a webhook is wanted."""
    deliveries = _deliveries(store, kind) if store.webhooks else []
    event = store.save(
        {
            "id": store.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": store.now(),
            "data": {"object": public(thing)},
            "livemode": False,
            "pending_webhooks": min(1, len(deliveries)),
            "request": dict(store.request),
            "type": kind,
        }
    )
    for wait in deliveries:
        at = store.clock() + wait
        store.connection.execute(
            "INSERT INTO deliveries (event, first_at, next_at) VALUES (?, ?, ?)", (event["id"], at, at)
        )
    return event


def _deliveries(store: Store, kind: str) -> list[float]:
    """How many seconds to wait before each delivery; usually one delivery, at once."""
    if store.faults.take("webhooks_off", kind):
        return []
    late = store.faults.take("webhooks_late", kind)
    first = late.seconds if late else 0.0
    return [first, first] if store.faults.take("webhooks_twice", kind) else [first]
