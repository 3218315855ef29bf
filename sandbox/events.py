"""Events: what happened, written in the same transaction as the thing that happened."""

from __future__ import annotations

from sandbox.errors import Json, wrong_state
from sandbox.faults import EVENT_KINDS
from sandbox.store import API_VERSION, Store, public


def emit(store: Store, kind: str, thing: Json) -> Json:
    """Record an event of type `kind` with `thing` as it is now, and queue its delivery if a webhook is wanted."""
    with store.faults.lot("events", kind, None, EVENT_KINDS):
        return _emit(store, kind, thing)


def _emit(store: Store, kind: str, thing: Json) -> Json:
    outage = store.faults.take("webhooks_off", kind) if store.webhooks else None
    lost = outage is not None and outage.then == "never"
    event = store.save(
        {
            "id": store.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": store.now(),
            "data": {"object": public(thing)},
            "livemode": False,
            "pending_webhooks": int(store.webhooks and not lost),
            "request": dict(store.request),
            "type": kind,
        }
    )
    if outage and not lost:
        store.connection.execute("INSERT INTO held VALUES (?, ?)", (event["id"], int(outage.until or store.now())))
    elif store.webhooks and not outage:
        _dispatch(store, event["id"], kind)
    return event


def _dispatch(store: Store, event_id: str, kind: str) -> None:
    """Usually one delivery, at once; as the faults in force say otherwise."""
    late = store.faults.take("webhooks_late", kind)
    wait = late.seconds if late else 0.0
    waiting = store.connection.execute("SELECT delivery FROM swaps WHERE overtaken_by IS NULL").fetchone()
    swap = None if waiting else store.faults.take("webhooks_out_of_order", kind)
    first = queue(store, event_id, max(wait, swap.seconds if swap else 0.0))
    if waiting:
        store.connection.execute("UPDATE swaps SET overtaken_by = ? WHERE delivery = ?", (first, waiting[0]))
    elif swap:
        store.connection.execute("INSERT INTO swaps VALUES (?, NULL)", (first,))
    if store.faults.take("webhooks_twice", kind):
        queue(store, event_id, wait)


def queue(store: Store, event_id: str, wait: float = 0.0) -> int:
    """One more delivery of the event, `wait` real seconds from now; its number."""
    at = store.clock() + wait
    cursor = store.connection.execute(
        "INSERT INTO deliveries (event, first_at, next_at) VALUES (?, ?, ?)", (event_id, at, at)
    )
    return int(cursor.lastrowid or 0)


def release_held(store: Store) -> None:
    """Send what an outage of the webhooks held back, oldest first, when its time is over."""
    over = store.connection.execute("SELECT event FROM held WHERE until <= ? ORDER BY rowid", (store.now(),)).fetchall()
    for (event_id,) in over:
        queue(store, event_id)
    if over:
        store.connection.execute("DELETE FROM held WHERE until <= ?", (store.now(),))


def resend(store: Store, event_id: str | None) -> int:
    """Deliver an event once more, or (None) every event that never arrived and is not on its way; how many."""
    if not store.webhooks:
        raise wrong_state("This sandbox has no webhook address.")
    if event_id is not None:
        found = [store.get("event", event_id, "event")]
    else:
        found = store.select(
            "type = 'event' AND id NOT IN (SELECT event FROM held) AND id NOT IN "
            "(SELECT event FROM deliveries WHERE delivered_at IS NOT NULL OR next_at IS NOT NULL)",
            (),
            "seq",
        )
    for event in found:
        store.save(event | {"pending_webhooks": 1})
        queue(store, event["id"])
    return len(found)
