"""Refunds: never more than was captured and not yet refunded."""

from __future__ import annotations

from sandbox import balance, disputes, params
from sandbox.cards import CARDS, EXPAND
from sandbox.errors import Json, refused_parameter, wrong_state
from sandbox.events import emit
from sandbox.store import Store

_CREATE = {
    "payment_intent": params.STRING,
    "charge": params.STRING,
    "amount": params.INTEGER,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": params.METADATA,
    **EXPAND,
}


def create(store: Store, given: Json) -> Json:
    """POST /v1/refunds."""
    wanted = params.check(given, _CREATE)
    charge = _charge(store, wanted)
    disputes.before_refund(store, charge)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["refunded"] or left == 0:
        raise wrong_state(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
    amount = wanted.get("amount", left)
    if amount < 1:
        raise refused_parameter("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        raise wrong_state(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount_too_large",
            param="amount",
        )
    refund = _pay_back(store, charge, amount, wanted)
    emit(store, "refund.created", refund)
    charge = store.get("charge", charge["id"])
    emit(store, "charge.refunded", charge)
    disputes.after_refund(store, charge)
    return refund


def _charge(store: Store, wanted: Json) -> Json:
    """The captured charge that is meant."""
    named = wanted.get("charge")
    if not named and not wanted.get("payment_intent"):
        raise refused_parameter("One of the following params should be provided: payment_intent or charge.", None)
    if wanted.get("payment_intent"):
        intent = store.get("payment_intent", wanted["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise wrong_state(
                f"This PaymentIntent ({intent['id']}) has no captured charge to refund.",
                "payment_intent_unexpected_state",
            )
        if named and named != intent["latest_charge"]:
            raise refused_parameter("The charge is not the one of the payment intent.", "charge")
        named = intent["latest_charge"]
    charge = store.get("charge", str(named), "charge")
    if not charge["captured"]:
        raise wrong_state(f"Charge {charge['id']} has not been captured: cancel it instead.", "charge_not_refundable")
    return charge


def _pay_back(store: Store, charge: Json, amount: int, wanted: Json) -> Json:
    refund: Json = {"id": store.new_id("re"), "description": charge["description"]}
    entry = balance.entry(store, "refund", -amount, of=refund, currency=charge["currency"])
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    store.save(charge)
    fault = store.faults.take("refund_fails", "/v1/refunds", "POST")
    fate = "fail" if fault else CARDS[charge["_card"]].refunds
    return store.save(
        {
            "id": refund["id"],
            "object": "refund",
            "amount": amount,
            "balance_transaction": entry["id"],
            "charge": charge["id"],
            "created": store.now(),
            "currency": charge["currency"],
            "destination_details": {"card": {"type": "refund", "reference_status": "pending"}, "type": "card"},
            "metadata": wanted.get("metadata", {}),
            "payment_intent": charge["payment_intent"],
            "reason": wanted.get("reason"),
            "receipt_number": None,
            "status": "pending" if fate == "wait" else "succeeded",
            "_due_at": None if fate == "succeed" else store.now() + int(fault.seconds if fault else 0),
        }
    )


def by_clock(store: Store, refund: Json) -> None:
    """What the bank made of a refund: one that was waiting is through, one that had succeeded comes back."""
    if refund["status"] != "pending":
        fail(store, refund)
        return
    refund |= {"status": "succeeded", "_due_at": None}
    store.save(refund)
    emit(store, "refund.updated", refund)


def fail(store: Store, refund: Json) -> Json:
    """The customer's bank sent the money back: it counts as captured again."""
    charge = store.get("charge", refund["charge"])
    entry = balance.entry(store, "refund_failure", refund["amount"], of=refund, currency=refund["currency"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    store.save(charge)
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card", "_due_at": None}
    refund["failure_balance_transaction"] = entry["id"]
    store.save(refund)
    emit(store, "refund.updated", refund)
    emit(store, "refund.failed", refund)
    return refund
