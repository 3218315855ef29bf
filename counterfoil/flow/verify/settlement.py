"""What becomes of card money after it was taken: fees, disputes and payouts, here and at the processor."""

from __future__ import annotations

from typing import Any

from counterfoil.core.db import rows
from counterfoil.core.money import show
from counterfoil.flow.verify.money import read_ledger
from counterfoil.steps.charging.clearing import agreements


def clearing() -> list[str]:
    """In each currency clearing is what the processor owes us, or every difference has a name and a good reason."""
    found = []
    for one in agreements():
        for reason in one.named:
            if not reason.waits:
                found.append(f"{reason.order or one.currency}: {reason.text}")
        if one.unnamed:
            found.append(
                f"card clearing holds {show(one.books, one.currency)}, the processor owes us "
                f"{show(one.processor, one.currency)}, and {show(one.unnamed, one.currency)} of it has no name"
            )
    return found


def processor() -> list[str]:
    """Disputes, payouts and fees that we have are those of the sandbox's ledger; the balance is ours to the cent."""
    body = read_ledger()
    if not isinstance(body, dict):
        return []
    intents = _intents()
    found = [*_disputes(body, intents), *_fees(body)]
    known = {str(p): (int(a), str(s)) for p, a, s in rows("SELECT payout_id, amount, status FROM charging_payout")}
    for payout in body["payouts"]:
        ours = known.get(payout["id"])
        if ours is not None and ours[0] != payout["amount"]:
            found.append(f"payout {payout['id']} is {ours[0]} here and {payout['amount']} at the processor")
    return found or _balances(body, intents)


def _intents() -> dict[str, str]:
    """Every charge of ours at the processor, with its order's number."""
    return {
        str(intent): str(number)
        for intent, number in rows(
            "SELECT c.intent_id, o.number FROM orders_charge c JOIN orders_part p ON p.id = c.part_id "
            "JOIN orders_order o ON o.id = p.order_id WHERE c.state = 'succeeded' AND c.intent_id <> ''"
        )
    }


_SAYS = {"warning_needs_response": "open", "needs_response": "open", "warning_under_review": "answered",
         "under_review": "answered", "warning_closed": "closed"}  # fmt: skip


def _disputes(body: dict[str, Any], intents: dict[str, str]) -> list[str]:
    ours = {
        str(dispute): (int(amount), str(state))
        for dispute, amount, state in rows("SELECT dispute_id, amount, state FROM charging_dispute")
    }
    found = []
    for there in body["disputes"]:
        number = intents.get(there["payment_intent"])
        if number is None:
            continue
        says = (there["amount"], _SAYS.get(there["status"], there["status"]))
        here = ours.get(there["id"])
        if here is None:
            found.append(f"{number}: the customer's bank disputes {there['amount']}, and we do not know of it")
        elif here != says:
            found.append(f"{number}: the dispute is {here} here and {says} at the processor")
    return found


def _fees(body: dict[str, Any]) -> list[str]:
    """Each charge's fee, as far as its line of the balance has been read."""
    theirs = {i["id"]: i.get("fee") for i in body["payment_intents"]}
    return [
        f"{number}: the fee is {fee} here and {theirs[intent]} at the processor"
        for intent, number, fee in rows(
            "SELECT c.intent_id, o.number, e.fee FROM charging_balanceentry e "
            "JOIN orders_charge c ON c.id = e.charge_id JOIN orders_part p ON p.id = c.part_id "
            "JOIN orders_order o ON o.id = p.order_id WHERE e.kind = 'charge'"
        )
        if theirs.get(intent) is not None and int(fee) != theirs[intent]
    ]


def _balances(body: dict[str, Any], intents: dict[str, str]) -> list[str]:
    """Where the whole account is ours and everything was read: clearing is the processor's balance."""
    if any(i["amount_captured"] and i["id"] not in intents for i in body["payment_intents"]):
        return []  # the sandbox serves another shop too
    known = {str(p) for (p,) in rows("SELECT payout_id FROM charging_payout WHERE lines")}
    found = []
    for one in agreements():
        total = body["totals"].get(one.currency.lower(), {"balance": 0})
        waits = one.named or any(p["id"] not in known for p in body["payouts"] if p["currency"] == one.currency.lower())
        if not waits and one.books != total["balance"]:
            found.append(
                f"card clearing holds {show(one.books, one.currency)}, the processor's balance is "
                f"{show(total['balance'], one.currency)}"
            )
    return found
