"""Disputes: a customer goes to the bank. An inquiry only asks; a chargeback takes the money until it is decided."""

from __future__ import annotations

from typing import Any

from sandbox import balance, params
from sandbox.cards import CARDS, EXPAND
from sandbox.errors import Json, not_found, refused_parameter, wrong_state
from sandbox.events import emit
from sandbox.store import Store, public

RESPONSE_DAYS = 8  # the answer is due at the end of this day, UTC
INQUIRY_DAYS = 120  # an inquiry that comes to nothing ends after so many days
REASONS = (
    *("credit_not_processed", "duplicate", "fraudulent", "general", "noncompliant", "product_not_received"),
    *("product_unacceptable", "subscription_canceled", "unrecognized"),
)
CLOSED = ("won", "lost", "warning_closed")
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost", "escalate_inquiry_evidence": "escalated"}
_NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}  # Visa's; an inquiry's is the part before "."
_FILES = (
    *("cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation"),
    *("receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file"),
)
_TEXTS = (
    *("access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal"),
    *("customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation"),
    *("service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number"),
    "uncategorized_text",
)
_LONGEST_EVIDENCE = 150_000  # characters, all fields together
_UPDATE: dict[str, Any] = {
    "evidence": {**dict.fromkeys(_TEXTS, params.TEXT), **dict.fromkeys(_FILES, params.STRING)},
    "metadata": params.ANYTHING,
    "submit": params.BOOLEAN,
    **EXPAND,
}


def is_inquiry(dispute: Json) -> bool:
    """Whether the bank only asks so far."""
    return str(dispute["status"]).startswith("warning_")


def from_card(store: Store, charge: Json) -> None:
    """The test card behind this captured charge is one whose holder disputes it."""
    store.save(charge | {"_due_at": None})
    card = CARDS[charge["_card"]]
    if card.disputed_as and charge["amount_captured"] > charge["amount_refunded"]:
        begin(store, charge | {"_due_at": None}, card.disputed_as, inquiry=card.inquiry)


def on_demand(store: Store, intent_id: str, reason: str, *, inquiry: bool) -> Json:
    """A dispute of a captured payment, raised by a test; 400 if there is nothing (more) to dispute."""
    if reason not in REASONS:
        raise refused_parameter(f"reason must be one of {', '.join(REASONS)}", "reason")
    intent = store.get("payment_intent", intent_id, "payment_intent")
    charge = store.find(intent["latest_charge"] or "")
    if charge is None or not charge["captured"] or charge["amount_captured"] == charge["amount_refunded"]:
        raise wrong_state("Nothing of this payment is with the shop: there is nothing to dispute.")
    earlier = store.find(charge.get("_dispute") or "")
    if earlier and earlier["status"] not in ("won", "warning_closed"):
        raise wrong_state("This payment is disputed already.", "charge_disputed")
    return begin(store, charge, reason, inquiry=inquiry)


def begin(store: Store, charge: Json, reason: str, *, inquiry: bool) -> Json:
    """A new dispute about what is captured and not refunded."""
    card, now = charge["payment_method_details"]["card"], store.now()
    code = _NETWORK_CODES.get(reason) if card["brand"] == "visa" else None
    case: Json = {
        "brand": card["brand"],
        "network": card["network"],
        "case_type": "inquiry" if inquiry else "chargeback",
    }
    case["network_reason_code"] = code.split(".")[0] if code and inquiry else code
    dispute: Json = {
        "id": store.new_id("du"),
        "object": "dispute",
        "amount": charge["amount_captured"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys((*_TEXTS, *_FILES)), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": _due_by(now),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": case["network_reason_code"],
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"type": "card", "card": case},
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
        "_due_at": now + INQUIRY_DAYS * balance.DAY if inquiry else _due_by(now) + 1,
        "_verdict": None,
    }
    store.save(charge | {"disputed": True, "_dispute": dispute["id"]})
    if not inquiry:
        _move(store, dispute, -1)
    store.save(dispute)
    emit(store, "charge.dispute.created", dispute)
    if not inquiry:
        emit(store, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def _due_by(now: int) -> int:
    return balance.next_midnight(now) + RESPONSE_DAYS * balance.DAY - 1


def _move(store: Store, dispute: Json, direction: int) -> None:
    """Take the disputed money and the fee (-1), or give both back (1)."""
    entry = balance.entry(
        store,
        "adjustment",
        direction * dispute["amount"],
        of=dispute,
        currency=dispute["currency"],
        fee=-direction * balance.dispute_fee(dispute["currency"]),
        category="dispute" if direction < 0 else "dispute_reversal",
    )
    dispute["balance_transactions"].append(public(entry))


def update(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/disputes/{id}: keep evidence, or send it to the bank (`submit`, which evidence implies). Sent once."""
    wanted = params.check(given, _UPDATE)
    dispute = store.get("dispute", identifier, in_path=True)
    _still_open(dispute)
    evidence = {name: text or None for name, text in wanted.get("evidence", {}).items()}
    sends = wanted.get("submit", bool(evidence))
    if (evidence or sends) and dispute["evidence_details"]["submission_count"]:
        raise wrong_state("Evidence for this dispute has been submitted already.")
    for name in _FILES:
        if evidence.get(name):
            raise not_found("file upload", str(evidence[name]), f"evidence[{name}]", in_path=False)
    dispute["evidence"] |= evidence
    texts = [text for name, text in dispute["evidence"].items() if name in _TEXTS and text]
    if sum(map(len, texts)) > _LONGEST_EVIDENCE:
        raise refused_parameter(f"Evidence has at most {_LONGEST_EVIDENCE} characters together.", "evidence")
    dispute["evidence_details"]["has_evidence"] = bool(texts)
    _relabel(dispute, given)
    if sends:
        _send(store, dispute)
    store.save(dispute)
    emit(store, "charge.dispute.updated", dispute)
    return dispute


def _still_open(dispute: Json) -> None:
    if dispute["status"] in CLOSED:
        raise wrong_state("This dispute is already closed")


def _relabel(dispute: Json, given: Json) -> None:
    """Metadata is merged; an empty value takes a key away, an empty whole takes all."""
    if given.get("metadata") == "":
        dispute["metadata"] = {}
    elif given.get("metadata") is not None:
        params.check({"metadata": given["metadata"]}, {"metadata": params.METADATA})
        merged = dispute["metadata"] | given["metadata"]
        dispute["metadata"] = {name: text for name, text in merged.items() if text != ""}


def _send(store: Store, dispute: Json) -> None:
    details = dispute["evidence_details"]
    details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    inquiry = is_inquiry(dispute)
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    dispute["_verdict"] = VERDICTS.get(str(dispute["evidence"]["uncategorized_text"]).strip())
    if dispute["_verdict"]:
        dispute["_due_at"] = store.now()  # the bank answers before the next call
    elif not inquiry:
        dispute["_due_at"] = None


def close(store: Store, identifier: str, given: Json) -> Json:
    """POST /v1/disputes/{id}/close: the shop gives in. An inquiry closes without loss, a chargeback is lost."""
    params.check(given, EXPAND)
    dispute = store.get("dispute", identifier, in_path=True)
    _still_open(dispute)
    return decide(store, dispute, "lost")


def by_clock(store: Store, dispute: Json) -> None:
    """The bank's answer has come, or nobody answered the bank in time, or the inquiry came to nothing."""
    decide(store, dispute, dispute["_verdict"] or "lost")


def on_decision(store: Store, identifier: str, verdict: str) -> Json:
    """The bank decides as a test says: `won`, `lost` or `escalated` (an inquiry becomes a chargeback)."""
    if verdict not in VERDICTS.values():
        raise refused_parameter(f"verdict must be one of {', '.join(VERDICTS.values())}", "verdict")
    dispute = store.get("dispute", identifier, "dispute")
    _still_open(dispute)
    if verdict == "escalated" and not is_inquiry(dispute):
        raise wrong_state("Only an inquiry can be escalated.")
    return decide(store, dispute, verdict)


def decide(store: Store, dispute: Json, verdict: str) -> Json:
    """Carry the bank's decision out."""
    dispute |= {"_due_at": None, "_verdict": None}
    inquiry = is_inquiry(dispute)
    if verdict == "escalated":
        return _escalate(store, dispute) if inquiry else store.save(dispute)
    dispute["status"] = "warning_closed" if inquiry else verdict
    dispute["is_charge_refundable"] = inquiry or verdict == "won"
    back = verdict == "won" and not inquiry
    if back:
        _move(store, dispute, 1)
    store.save(dispute)
    if back:
        emit(store, "charge.dispute.funds_reinstated", dispute)
    emit(store, "charge.dispute.closed", dispute)
    return dispute


def _escalate(store: Store, dispute: Json) -> Json:
    """The inquiry becomes a chargeback, to be answered anew, about what has not been refunded meanwhile."""
    charge = store.get("charge", dispute["charge"])
    case = dispute["payment_method_details"]["card"]
    code = _NETWORK_CODES.get(dispute["reason"]) if case["brand"] == "visa" else None
    case |= {"case_type": "chargeback", "network_reason_code": code}
    dispute |= {"status": "needs_response", "is_charge_refundable": False, "network_reason_code": code}
    dispute |= {"amount": charge["amount_captured"] - charge["amount_refunded"], "_due_at": _due_by(store.now()) + 1}
    dispute["evidence_details"] |= {"due_by": _due_by(store.now()), "submission_count": 0}
    dispute["evidence_details"]["submission_method"] = "not_submitted"
    _move(store, dispute, -1)
    store.save(dispute)
    emit(store, "charge.dispute.updated", dispute)
    emit(store, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def before_refund(store: Store, charge: Json) -> None:
    """400 `charge_disputed` if the bank has taken this money: it is not the shop's to give back."""
    dispute = store.find(charge.get("_dispute") or "")
    if dispute and not dispute["is_charge_refundable"]:
        raise wrong_state(f"Charge {charge['id']} has been charged back; a refund cannot be issued.", "charge_disputed")


def after_refund(store: Store, charge: Json) -> None:
    """An inquiry about money that the customer has back, all of it, is over."""
    dispute = store.find(charge.get("_dispute") or "")
    if dispute and charge["refunded"] and is_inquiry(dispute) and dispute["status"] not in CLOSED:
        decide(store, dispute, "lost")
