"""Charges and what they leave on the balance."""

from __future__ import annotations

from sandbox import balance
from sandbox.cards import CARDS, Decline
from sandbox.errors import Json
from sandbox.store import Store

CUSTOMER_PRESENT_SECONDS = 7 * 86_400  # how long an authorisation holds
OFF_SESSION_SECONDS = 5 * 86_400 - 6 * 3_600  # 4 days 18 hours


def open_charge(store: Store, intent: Json, method: Json, *, why: Decline | None, off_session: bool) -> Json:
    """The charge of one attempt: failed if there is a reason `why`, else authorised (and not yet captured)."""
    now = store.now()
    card: Json = {key: method["card"][key] for key in ("brand", "last4", "exp_month", "exp_year", "funding", "country")}
    card |= {"fingerprint": method["card"]["fingerprint"], "network": method["card"]["brand"], "wallet": None}
    if why is None:
        card["authorization_code"] = f"{sum(map(ord, intent['id'])) * 7919 % 1_000_000:06d}"
    if why is None and intent["capture_method"] == "manual":
        card["capture_before"] = now + (OFF_SESSION_SECONDS if off_session else CUSTOMER_PRESENT_SECONDS)
    return store.save(
        {
            "id": store.new_id("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "captured": False,
            "created": now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": why.code if why else None,
            "failure_message": why.message if why else None,
            "livemode": False,
            "metadata": intent["metadata"],
            "outcome": _outcome(why),
            "paid": why is None,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": "card", "card": card},
            "receipt_email": intent["receipt_email"],
            "receipt_url": None,
            "refunded": False,
            "status": "failed" if why else "succeeded",
            "_card": method["_card"],
        }
    )


def _outcome(why: Decline | None) -> Json:
    if why is None:
        return {"network_status": "approved_by_network", "reason": None, "risk_level": "normal", "type": "authorized"}
    return {
        "network_status": "declined_by_network",
        "reason": why.decline_code,
        "risk_level": "normal",
        "type": "issuer_declined",
    }


def settle(store: Store, charge: Json, amount: int) -> Json:
    """Capture `amount` minor units: the money now counts, and the balance shows it."""
    card = CARDS[charge["_card"]]
    entry = balance.entry(
        store,
        "charge",
        amount,
        of=charge,
        currency=charge["currency"],
        fee=balance.fee_of(amount, charge["currency"]),
        available_on=store.now() if card.available_at_once else None,
    )
    charge |= {"captured": True, "amount_captured": amount, "balance_transaction": entry["id"]}
    charge["_due_at"] = store.now() if card.disputed_as else None  # its holder goes to the bank before the next call
    return store.save(charge)
