"""Charges and what they leave on the balance."""

from __future__ import annotations

from sandbox.cards import Decline
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
    entry = balance_entry(store, charge, "charge", amount, charge["id"], fee=fee_of(amount))
    charge |= {"captured": True, "amount_captured": amount, "balance_transaction": entry["id"]}
    return store.save(charge)


def fee_of(amount: int) -> int:
    """The processor's fee in minor units: 2.9 %, rounded half up, and 30; never more than the amount."""
    return min(amount, (amount * 29 + 500) // 1000 + 30)


def balance_entry(store: Store, charge: Json, kind: str, amount: int, source: str, *, fee: int = 0) -> Json:
    """One entry of the balance: `amount` minor units, negative when money goes back."""
    now = store.now()
    return store.save(
        {
            "id": store.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + 2 * 86_400,
            "created": now,
            "currency": charge["currency"],
            "description": charge["description"],
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [{"amount": fee, "currency": charge["currency"], "type": "stripe_fee"}] if fee else [],
            "net": amount - fee,
            "reporting_category": kind,
            "source": source,
            "status": "pending",
            "type": kind,
            "_charge": charge["id"],
        }
    )
