"""What the shop's balance shows: one entry for every movement, with the processor's fee and the day it is available."""

from __future__ import annotations

from sandbox.errors import Json
from sandbox.money import THREE_DECIMALS, ZERO_DECIMALS
from sandbox.store import Store

DAY = 86_400
DAYS_UNTIL_AVAILABLE = 2


def fee_of(amount: int, currency: str) -> int:
    """The fee of a charge in minor units: 2.9 %, rounded half up, and 0.30 (nothing more in a currency without
    decimals); never more than the amount."""
    fixed = 0 if currency in ZERO_DECIMALS else 300 if currency in THREE_DECIMALS else 30
    return min(amount, (amount * 29 + 500) // 1000 + fixed)


def dispute_fee(currency: str) -> int:
    """The fee of a dispute in minor units: 15.00, or 1,500 in a currency without decimals."""
    return 15_000 if currency in THREE_DECIMALS else 1_500


def next_midnight(moment: int) -> int:
    """The first midnight (UTC) after this business second."""
    return (moment // DAY + 1) * DAY


def entry(
    store: Store,
    kind: str,
    amount: int,
    *,
    of: Json,
    currency: str,
    fee: int = 0,
    category: str | None = None,
    available_on: int | None = None,
    payout: str | None = None,
) -> Json:
    """One entry: `amount` minor units, negative when money leaves, because of the object `of`.

    Its net is paid out on the first midnight on or after `available_on` (unset: midnight in two days).
    `payout`: the payout that it already belongs to.
    """
    now = store.now()
    ready = (now // DAY + DAYS_UNTIL_AVAILABLE) * DAY if available_on is None else available_on
    details = {"amount": fee, "application": None, "currency": currency, "description": "Fee", "type": "stripe_fee"}
    return store.save(
        {
            "id": store.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": ready,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": of.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [details] if fee else [],
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": of["id"],
            "status": "pending" if ready > now else "available",
            "type": kind,
            "_payout": payout,
            "_due_at": None if payout else ready if ready > now else next_midnight(now),
        }
    )
