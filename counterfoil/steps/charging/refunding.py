"""Having the processor pay a refund. Its key is stored before each call; what was done stands in the intent's list."""

from __future__ import annotations

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import OutcomeUnknown, Returned, Wrong
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Refund
from counterfoil.steps.charging.keys import KEY_LIFE, next_key
from counterfoil.steps.charging.offline import owe_back
from counterfoil.steps.charging.refund import CARD, apply_refund


def send_refund(*, refund_id: int) -> None:
    """Have the processor pay a refund, or ask how it stands. Safe to call at any time.

    What a person holds is only noted on its slip: they pay it back. Raises the gateway's errors when it cannot be
    asked, and jobs.Later while it is pending there.
    """
    refund = Refund.objects.select_related("charge", "part__order").get(pk=refund_id)
    if refund.state == "succeeded":
        return
    if refund.charge.method not in CARD:
        owe_back(refund)
        return
    old = clock.real_now() - refund.made_at > KEY_LIFE
    if refund.refund_id:
        # The bank has it: asked by its id, and never sent a second time, whatever its list says.
        found: Returned | None = gateway().get_refund(refund.refund_id)
    else:
        found = _look(refund) if old else None  # its key may be forgotten: look before sending
    if found is None and old:
        # Nothing was paid under it, and what comes late would be a second one: never sent under this key again.
        refund = _rename(refund, "The bank has paid nothing back for hours; the refund is tried again")
    if found is None:
        try:
            found = _send(refund)
        except OutcomeUnknown as error:
            if not error.replayed or refund.state != "pending":
                raise
            # It will repeat that error for as long as it remembers the key. What was done stands in its list.
            failed = "The processor failed and has paid nothing back; the refund is tried again"
            found = _look(refund) or _send(_rename(refund, failed))
    apply_refund(refund, found)
    if found.status == "pending":
        raise jobs.Later(30, "the processor has not paid it yet")


def _look(refund: Refund) -> Returned | None:
    return gateway().find_refund(intent_id=refund.charge.intent_id, reference={"refund": refund.key})


def _send(refund: Refund) -> Returned:
    mark = {"refund": refund.key}
    try:
        return gateway().refund(intent_id=refund.charge.intent_id, amount=refund.amount, reference=mark, key=refund.key)
    except Wrong as error:
        return Returned("", "failed", refund.amount, str(error)[:300])


def _rename(refund: Refund, why: str) -> Refund:
    """Nothing happened under its key: stored under a new one before it is sent again. Once, whoever comes first."""
    key = next_key(refund.key)
    with writing():
        taken = take(refund.part.order.number)
        same = Refund.objects.filter(pk=refund.pk, key=refund.key, state="pending", refund_id="")
        renamed = same.update(key=key, made_at=clock.real_now())
        if not renamed:
            raise jobs.Later(5, "another process is sending this refund")
        note(
            taken,
            "refund_tried_again",
            actor=SYSTEM,
            text=why,
            data={"refund": refund.pk},
        )
    refund.refresh_from_db()
    return refund
