"""The processor's webhooks are hints: verified, stored, answered at once; then the object itself is fetched."""

from __future__ import annotations

from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.cards import mask_tree
from counterfoil.core.db import writing
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Intent, Wrong
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, PayLink, Refund
from counterfoil.steps.charging.balance import ask_soon, take_payout
from counterfoil.steps.charging.capture import book_capture
from counterfoil.steps.charging.cards import adopt_session, finish_session
from counterfoil.steps.charging.differences import charge_of, is_ours, order_of
from counterfoil.steps.charging.disputes import look_at_dispute
from counterfoil.steps.charging.holding import look_at_holds
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.refund import apply_refund
from counterfoil.steps.charging.sending import send_charge


def receive(body: bytes, signature: str) -> None:
    """Store one event, once per event id. Raises ValueError when it is not signed by the processor."""
    event = mask_tree(gateway().read_event(body, signature))
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
        return _look_at_intent(event)
    if kind.startswith("refund."):
        refund = Refund.objects.filter(refund_id=event.object_id).select_related("charge", "part__order").first()
        if refund is None:
            return _not_ours_yet(event)
        found = gateway().find_refund(intent_id=refund.charge.intent_id, reference={"refund": refund.key})
        if found is not None:
            apply_refund(refund, found)
        ask_soon()
        return "refund looked at"
    try:
        if kind.startswith("charge.dispute."):
            return "dispute looked at" if look_at_dispute(event.object_id) else _not_ours_yet(event)
        if kind.startswith("payout."):
            taken = take_payout(gateway().get_payout(event.object_id))
            return "payout looked at" if taken is not None else "not ours"
    except Wrong:  # the processor itself does not know it
        return _not_ours_yet(event)
    return "nothing to do"


def _look_at_intent(event: InboxEvent) -> str:
    charge = Charge.objects.filter(intent_id=event.object_id).select_related("part__order").order_by("id").first()
    if charge is None:
        return _look_at_unknown(event)
    if charge.state in {"confirming", "capturing"}:
        send_charge(charge.pk)
    elif charge.state == "held":
        look_at_holds(order=charge.part.order.number, intent_id=charge.intent_id)
    elif charge.state in {"declined", "withdrawn", "lapsed"}:
        _late_success(charge.part.order.number, gateway().get_intent(charge.intent_id))
    if event.type == "payment_intent.succeeded":
        ask_soon()  # what the processor kept of it
    return "charge looked at"


def _look_at_unknown(event: InboxEvent) -> str:
    """No charge of ours has this id; but it may carry our mark."""
    try:
        intent = gateway().get_intent(event.object_id)
    except Wrong:
        return _not_ours_yet(event)
    order = order_of(intent)
    if order is None and not (intent.reference.get("order") or is_ours(intent)):
        return "not ours"
    if order is not None and intent.reference.get("link"):
        return "the page that it was paid at tells"
    if order is not None and order.cancelled_at is not None:
        _late_success(order.number, intent)
        return "charge looked at"
    # Marked with an order that is not here (yet), or with one of ours that has no such charge (yet).
    outcome = _not_ours_yet(event, again=20 if order is None else 5)
    if is_ours(intent) and charge_of(intent) is None and intent.status in {"done", "held"}:
        with writing():
            jobs.enqueue("charging.reconcile", key="unmatched", payload={})  # which makes it a row for a person
        return "matches nothing: compared with the processor"
    return outcome


def _late_success(number: str, intent: Intent) -> None:
    """Money that was taken although we had closed the charge: it is booked, and what is not due goes back by itself."""
    if intent.status == "done" and intent.captured:
        with writing():
            book_capture(take(number), intent, actor=SYSTEM)


def _not_ours_yet(event: InboxEvent, again: float = 5) -> str:
    """The event may be faster than our own note of the object: keep it for a while before calling it a stranger's."""
    age = (clock.real_now() - event.received_at).total_seconds()
    if age < jobs.paced(120):
        raise jobs.Later(again, "the object is not known here yet")
    return "not ours"
