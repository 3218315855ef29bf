"""Stripe's disputes, balance transactions and payouts: what becomes of money after it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from counterfoil.core.cards import mask_cards
from counterfoil.gateways.card.protocol import Disputed, Evidence, Movement, PaidOut
from counterfoil.gateways.card.stripe.client import StripeClient
from counterfoil.gateways.card.stripe.wire import asking, id_of

_DISPUTES = {
    "warning_needs_response": "open",
    "needs_response": "open",
    "warning_under_review": "answered",
    "under_review": "answered",
    "won": "won",
    "lost": "lost",
    "warning_closed": "closed",
    "prevented": "closed",
}
_PAYOUTS = {"pending": "under_way", "in_transit": "under_way", "paid": "paid", "failed": "failed"}
_MOVEMENTS = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failed",
    "payment_failure_refund": "refund_failed",
    "payout": "payout",
    "payout_failure": "payout_failed",
    "payout_cancel": "payout_failed",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
}
_LONGEST = 20_000  # characters of one text


class Settlement(StripeClient):
    """See `protocol.CardGateway`."""

    def list_disputes(self, since: datetime) -> Iterator[Disputed]:
        with asking():
            listed = self._client.disputes.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [disputed_of(made) for made in listed.auto_paging_iter()]
        yield from found

    def get_dispute(self, dispute_id: str) -> Disputed:
        with asking():
            return disputed_of(self._client.disputes.retrieve(dispute_id))

    def answer_dispute(self, dispute_id: str, evidence: Evidence, *, key: str) -> Disputed:
        fields = {
            "customer_name": evidence.customer_name,
            "customer_email_address": evidence.customer_email,
            "billing_address": evidence.billing_address,
            "shipping_address": evidence.shipping_address,
            "product_description": evidence.product_description,
            "shipping_carrier": evidence.shipping_carrier,
            "shipping_date": evidence.shipping_date,
            "shipping_tracking_number": evidence.tracking_number,
            "uncategorized_text": evidence.text,
        }
        told: Any = {"evidence": {name: text[:_LONGEST] for name, text in fields.items() if text}, "submit": True}
        # Given twice it is refused, not counted twice: so another key does no harm.
        disputes = self._client.disputes
        return disputed_of(self.harmless(lambda k: disputes.update(dispute_id, told, {"idempotency_key": k}), key))

    def accept_dispute(self, dispute_id: str, *, key: str) -> Disputed:
        disputes = self._client.disputes
        return disputed_of(self.harmless(lambda k: disputes.close(dispute_id, {}, {"idempotency_key": k}), key))

    def list_movements(self, since: datetime) -> Iterator[Movement]:
        return self._movements({"created": {"gte": int(since.timestamp())}})

    def movements_of_payout(self, payout_id: str) -> Iterator[Movement]:
        return self._movements({"payout": payout_id})

    def _movements(self, which: dict[str, Any]) -> Iterator[Movement]:
        wanted: Any = {**which, "limit": 100, "expand": ["data.source"]}
        with asking():
            listed = self._client.balance_transactions.list(wanted)
            found = [movement_of(made) for made in listed.auto_paging_iter()]
        yield from found

    def list_payouts(self, since: datetime) -> Iterator[PaidOut]:
        with asking():
            listed = self._client.payouts.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [paid_out_of(made) for made in listed.auto_paging_iter()]
        yield from found

    def get_payout(self, payout_id: str) -> PaidOut:
        with asking():
            return paid_out_of(self._client.payouts.retrieve(payout_id))


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def movement_of(made: Any, intent_id: str = "") -> Movement:
    """One balance transaction; `intent_id` where the caller knows whose it is."""
    kind = _MOVEMENTS.get(str(made.type), "other")
    category = str(getattr(made, "reporting_category", "") or "")
    if category in {"dispute", "dispute_reversal"}:
        kind = "dispute" if category == "dispute" else "dispute_reversed"
    source = getattr(made, "source", None)
    return Movement(
        id=made.id,
        kind=kind,
        source_id=id_of(source),
        amount=int(made.amount),
        fee=int(made.fee),
        net=int(made.net),
        currency=str(made.currency).upper(),
        made_at=_moment(made.created),
        available_on=_moment(made.available_on),
        intent_id=intent_id or id_of(getattr(source, "payment_intent", None)),
        text=mask_cards(str(getattr(made, "description", "") or "")),
    )


def disputed_of(made: Any) -> Disputed:
    intent_id = id_of(getattr(made, "payment_intent", None))
    due = getattr(made.evidence_details, "due_by", None)
    moved = getattr(made, "balance_transactions", None) or []
    return Disputed(
        id=made.id,
        # A status that we do not know wants a person: it stays open.
        status=_DISPUTES.get(str(made.status), "open"),
        inquiry=str(made.status).startswith("warning_"),
        intent_id=intent_id,
        charge_id=id_of(getattr(made, "charge", None)),
        amount=int(made.amount),
        currency=str(made.currency).upper(),
        reason=str(made.reason),
        opened_at=_moment(made.created),
        due_by=_moment(due) if due else None,
        movements=tuple(movement_of(line, intent_id) for line in moved),
    )


def paid_out_of(made: Any) -> PaidOut:
    return PaidOut(
        id=made.id,
        status=_PAYOUTS.get(str(made.status), "cancelled"),
        amount=int(made.amount),
        currency=str(made.currency).upper(),
        arrives_on=_moment(made.arrival_date).date(),
        made_at=_moment(made.created),
        failure=mask_cards(str(getattr(made, "failure_message", "") or "")),
    )
