"""Payouts: at every midnight of business time, what is available goes to the shop's bank, one payout a currency."""

from __future__ import annotations

from sandbox import balance
from sandbox.errors import Json
from sandbox.events import emit
from sandbox.store import Store

_UNPAID = (
    "type = 'balance_transaction' AND json_extract(data, '$._payout') IS NULL "
    "AND json_extract(data, '$.available_on') <= ?"
)


def at_midnight(store: Store, entry: Json) -> None:
    """The clock has reached the midnight at which `entry`, and what else is available by then, is paid out."""
    pay_out(store, int(entry["_due_at"]))


def pay_out(store: Store, moment: int, only: str | None = None) -> list[Json]:
    """Pay out what is available at `moment` (business seconds), in one currency or in all of them.

    What is less than nothing stays on the balance until it is made up for.
    """
    by_currency: dict[str, list[Json]] = {}
    for entry in store.select(_UNPAID, (moment,), "seq"):
        if only in (None, entry["currency"]):
            _available(store, entry)
            by_currency.setdefault(entry["currency"], []).append(entry)
    return [
        _pay(store, currency, entries, moment)
        for currency, entries in sorted(by_currency.items())
        if sum(entry["net"] for entry in entries) > 0
    ]


def _available(store: Store, entry: Json) -> None:
    if entry["status"] == "available" and entry.get("_due_at") is None:
        return
    entry |= {"status": "available", "_due_at": None}
    store.save(entry)
    if entry["reporting_category"].startswith("dispute"):  # a dispute shows its entries in full
        dispute = store.get("dispute", entry["source"])
        for shown in dispute["balance_transactions"]:
            if shown["id"] == entry["id"]:
                shown["status"] = "available"
        store.save(dispute)


def _pay(store: Store, currency: str, entries: list[Json], moment: int) -> Json:
    total = sum(entry["net"] for entry in entries)
    payout = _blank(store, currency, total, moment)
    for entry in entries:
        store.save(entry | {"_payout": payout["id"]})
    own = balance.entry(store, "payout", -total, of=payout, currency=currency, available_on=moment, payout=payout["id"])
    payout["balance_transaction"] = own["id"]
    store.save(payout)
    emit(store, "payout.created", payout)
    fault = store.faults.take("payout_fails", "/v1/payouts", "POST")
    payout |= {"status": "paid", "_due_at": store.now() + int(fault.seconds) if fault else None}
    payout["trace_id"] = {"status": "supported", "value": f"sandbox{payout['id'][-10:]}"}
    store.save(payout)
    emit(store, "payout.paid", payout)
    return payout


def _blank(store: Store, currency: str, total: int, moment: int) -> Json:
    return {
        "id": store.new_id("po"),
        "object": "payout",
        "amount": total,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": moment // balance.DAY * balance.DAY,
        "automatic": True,
        "balance_transaction": None,
        "created": moment,
        "currency": currency,
        "description": "Daily payout",
        "destination": "ba_sandbox",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def fail(store: Store, payout: Json) -> Json:
    """The bank sent the payout back: its money is on the balance again and goes out with the next one."""
    back = balance.entry(
        store, "payout_failure", payout["amount"], of=payout, currency=payout["currency"], available_on=store.now()
    )
    payout |= {"status": "failed", "failure_code": "account_closed", "_due_at": None}
    payout |= {"failure_message": "The bank account has been closed.", "failure_balance_transaction": back["id"]}
    store.save(payout)
    emit(store, "payout.failed", payout)
    return payout
