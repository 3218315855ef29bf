"""Flow's work by job."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from counterfoil.core import clock, jobs, shop
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, rows
from counterfoil.core.errors import Refused
from counterfoil.flow.advance import advance
from counterfoil.flow.amend import cancel_order


@jobs.handler("flow.advance", lease=60)
def advance_order(payload: dict[str, Any]) -> None:
    advance(payload["order"])


# By these settings it is decided where every open order stands.
MOVES_ORDERS = frozenset(
    {
        "timezone", "working_days", "holidays", "charge_within_days", "charge_on", "card_at_checkout",
        "sales_order_by_hand", "stock_check_by_hand", "authorisation_warning_days", "retry_limits", "grace_days",
        "notice_days",
    }
)  # fmt: skip
OPEN = "queue NOT IN ('done', 'cancelled')"


def owe_a_look(changed: frozenset[str]) -> None:
    """When no process believes its old copy of the settings any more, every open order is looked at again."""
    if changed & MOVES_ORDERS and rows(f"SELECT 1 FROM orders_order WHERE {OPEN} LIMIT 1"):
        after = (clock.real_now() + timedelta(seconds=shop.TTL + 1)).isoformat()
        jobs.enqueue("flow.look_again", key=after, payload={"after": after})


shop.on_change(owe_a_look)


@jobs.handler("flow.look_again", lease=60)
def look_again(payload: dict[str, Any]) -> None:
    """The owner has decided otherwise: wherever an open order stands now, the sweep finds out."""
    left = (datetime.fromisoformat(payload["after"]) - clock.real_now()).total_seconds()
    if left > 0:
        raise jobs.Later(left, "the old settings are still believed")
    execute(f"UPDATE orders_order SET next_check_at = %s WHERE {OPEN}", [clock.business_now()])


@jobs.handler("flow.cancel", lease=60)
def cancel(payload: dict[str, Any]) -> None:
    try:
        cancel_order(
            order=payload["order"],
            reason=payload["reason"],
            actor=SYSTEM,
            only_unfinished=bool(payload.get("only_unfinished")),
        )
    except Refused:
        # It was shipped (or finished) meanwhile: there is nothing left to cancel.
        return
