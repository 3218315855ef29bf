"""The processor's webhooks are hints: verified, stored, answered at once; then the object itself is fetched."""

from __future__ import annotations

from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.db import writing
from counterfoil.gateways.card import gateway
from counterfoil.records.orders.models import Charge, PayLink, Refund
from counterfoil.steps.charging.cards import adopt_session, finish_session
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.refund import apply_refund
from counterfoil.steps.charging.sending import send_charge


def receive(body: bytes, signature: str) -> None:
    """Store one event, once per event id. Raises ValueError when it is not signed by the processor."""
    event = gateway().read_event(body, signature)
    about: dict[str, Any] = (event.get("data") or {}).get("object") or {}
    with writing():
        InboxEvent.objects.bulk_create(
            [
                InboxEvent(
                    event_id=str(event["id"])[:120],
                    type=str(event.get("type", ""))[:80],
                    object_id=str(about.get("id", ""))[:120],
                    received_at=clock.real_now(),
                )
            ],
            ignore_conflicts=True,
        )
        jobs.enqueue("charging.inbox", key=str(event["id"])[:120], payload={"event": str(event["id"])[:120]})


def handle(event_id: str) -> None:
    """Look at what an event is about, at the processor, and bring ours in line. May run any number of times."""
    event = InboxEvent.objects.filter(event_id=event_id, handled_at=None).first()
    if event is None:
        return
    outcome = _look_into(event)
    with writing():
        InboxEvent.objects.filter(pk=event.pk, handled_at=None).update(
            handled_at=clock.real_now(), outcome=outcome[:200]
        )


def _look_into(event: InboxEvent) -> str:
    kind = event.type
    if kind.startswith("checkout.session."):
        if not PayLink.objects.filter(session_id=event.object_id).exists():
            return "page taken in" if adopt_session(session_id=event.object_id) else _not_ours_yet(event)
        finish_session(session_id=event.object_id)
        return "session looked at"
    if kind.startswith("payment_intent."):
        charge = Charge.objects.filter(intent_id=event.object_id).order_by("id").first()
        if charge is None:
            return _not_ours_yet(event)
        if charge.state == "confirming":
            send_charge(charge.pk)
        return "charge looked at"
    if kind.startswith("refund."):
        refund = Refund.objects.filter(refund_id=event.object_id).select_related("charge", "part__order").first()
        if refund is None:
            return _not_ours_yet(event)
        found = gateway().find_refund(intent_id=refund.charge.intent_id, reference={"refund": refund.key})
        if found is not None:
            apply_refund(refund, found)
        return "refund looked at"
    return "nothing to do"


def _not_ours_yet(event: InboxEvent) -> str:
    """The event may be faster than our own note of the object: keep it for a while before calling it a stranger's."""
    age = (clock.real_now() - event.received_at).total_seconds()
    if age < 120:
        raise jobs.Later(5, "the object is not known here yet")
    return "not ours"
