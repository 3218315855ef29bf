"""Money: ours, the order's and the processor's are one number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests
from django.conf import settings

from counterfoil.core import clock
from counterfoil.core.db import rows


def parts() -> list[str]:
    """What a part says was charged, refunded and is owed is the sum of its charges and refunds."""
    found = []
    for number, part, charged, refunded, owed, took, gave, owes in rows(
        "SELECT o.number, p.number, p.charged, p.refunded, p.refund_owed, "
        "COALESCE((SELECT SUM(c.amount) FROM orders_charge c WHERE c.part_id = p.id AND c.state = 'succeeded'), 0), "
        "COALESCE((SELECT SUM(r.amount) FROM orders_refund r WHERE r.part_id = p.id AND r.state = 'succeeded'), 0), "
        "COALESCE((SELECT SUM(r.amount) FROM orders_refund r WHERE r.part_id = p.id AND r.state <> 'succeeded'), 0) "
        "FROM orders_part p JOIN orders_order o ON o.id = p.order_id"
    ):
        said, done = (charged, refunded, owed), (int(took), int(gave), int(owes))
        if said != done:
            found.append(f"{number} part {part}: charged, refunded, owed are {said}, its records sum to {done}")
        if refunded + owed > charged:
            found.append(f"{number} part {part}: more goes back than was charged")
    # What the customer's bank has taken back in a dispute is not with us.
    kept_of = (
        "p.charged - p.refunded - p.refund_owed - COALESCE((SELECT SUM(d.held) FROM charging_dispute d "
        "JOIN orders_charge c ON c.id = d.charge_id WHERE c.part_id = p.id), 0)"
    )
    for number, part, kept, total in rows(
        f"SELECT o.number, p.number, {kept_of}, p.total FROM orders_part p "
        f"JOIN orders_order o ON o.id = p.order_id WHERE {kept_of} > p.total "
        f"OR (o.cancelled_at IS NOT NULL AND {kept_of} > 0)"
    ):
        found.append(f"{number} part {part}: we keep {kept} of what was charged, and it costs {total} or is cancelled")
    for (number,) in rows(
        "SELECT number FROM orders_order WHERE total <> subtotal + shipping + tax + rounding OR "
        "total <> (SELECT SUM(p.total) FROM orders_part p WHERE p.order_id = orders_order.id)"
    ):
        found.append(f"{number}: the amounts do not add up to the total")
    return found


def read_ledger() -> dict[str, Any] | str:
    """The sandbox's ledger in short; empty where there is no sandbox, or why it cannot be read."""
    if not settings.SANDBOX_URL:
        return ""
    try:
        answer = requests.get(f"{settings.SANDBOX_URL}/_ledger", params={"summary": "1"}, timeout=(3, 30))
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
    except requests.RequestException as error:
        return f"the processor's ledger cannot be read: {type(error).__name__}"
    return body


def processor() -> list[str]:
    """Every charge and refund of ours is one success at the sandbox's ledger, and the other way round."""
    body = read_ledger()
    if not isinstance(body, dict):
        return [body] if body else []
    theirs: dict[str, Any] = {i["id"]: i for i in body["payment_intents"]}
    found = []
    ours: dict[str, tuple[str, int, int]] = {}
    for number, intent, amount, back in rows(
        "SELECT o.number, c.intent_id, c.amount, COALESCE((SELECT SUM(r.amount) FROM orders_refund r "
        "WHERE r.charge_id = c.id AND r.state = 'succeeded' AND r.refund_id NOT IN ('by hand', 'by dispute')), 0) "
        "FROM orders_charge c JOIN orders_part p ON p.id = c.part_id JOIN orders_order o ON o.id = p.order_id "
        "WHERE c.state = 'succeeded' AND c.intent_id <> '' AND c.method IN ('card', 'link')"
    ):
        ours[intent] = (number, int(amount), int(back))
    for intent, (number, amount, back) in ours.items():
        there = theirs.get(intent)
        if there is None:
            found.append(f"{number}: we charged {amount}, the processor knows no {intent}")
        elif (there["amount_captured"], there["amount_refunded"]) != (amount, back):
            found.append(
                f"{number}: captured and refunded are {amount}, {back} here and {there['amount_captured']}, "
                f"{there['amount_refunded']} at the processor"
            )
    found += _holds(theirs)
    known = {str(n) for (n,) in rows("SELECT number FROM orders_order")}
    tokens = {str(t)[:20] for (t,) in rows("SELECT token FROM orders_order")}
    for intent, there in theirs.items():
        marks = there.get("metadata") or {}
        # The sandbox may serve another database too: its keys carry the order's own token.
        mine = marks.get("order") in known and any(
            t in str(marks.get("charge") or marks.get("link") or "") for t in tokens
        )
        if there["amount_captured"] and mine and intent not in ours:
            found.append(f"{marks['order']}: the processor captured {there['amount_captured']}, we do not know of it")
    return found


def _holds(theirs: dict[str, Any]) -> list[str]:
    """What we say that the bank holds, it holds."""
    return [
        f"{number}: the bank holds nothing under {intent}, we say that it does"
        for number, intent in rows(
            "SELECT o.number, c.intent_id FROM orders_charge c JOIN orders_part p ON p.id = c.part_id "
            "JOIN orders_order o ON o.id = p.order_id WHERE c.state = 'held' AND c.expires_at > %s",
            [clock.business_now()],
        )
        if (theirs.get(str(intent)) or {}).get("status") != "requires_capture"
    ]


def held() -> list[str]:
    """An amount that the bank holds is named on its part, and on no other; none is kept for what nobody will take."""
    found = [
        f"{number} part {part}: the bank holds {amount}, the part says {said}"
        for number, part, amount, said in rows(
            "SELECT o.number, p.number, COALESCE(SUM(c.held), 0), COALESCE(p.authorisation_amount, 0) "
            "FROM orders_part p JOIN orders_order o ON o.id = p.order_id LEFT JOIN orders_charge c ON c.part_id = p.id "
            "AND c.kind = 'hold' AND NOT c.supplement AND c.state IN ('held', 'capturing') "
            "GROUP BY o.number, p.number, p.authorisation_amount "
            "HAVING COALESCE(SUM(c.held), 0) <> COALESCE(p.authorisation_amount, 0)"
        )
    ]
    for number, part in rows(
        "SELECT o.number, p.number FROM orders_part p JOIN orders_order o ON o.id = p.order_id "
        "WHERE p.money = 'authorised' AND p.authorisation_amount IS NULL"
    ):
        found.append(f"{number} part {part}: authorised, and the bank holds nothing")
    return found


def answered() -> list[str]:
    """No charge has been asked about for more than ten minutes, no card refund has been on its way for over a week."""
    now = clock.real_now()
    found = [
        f"{number}: whether {amount} was charged has been unknown since {made}"
        for number, amount, made in rows(
            "SELECT o.number, c.amount, c.made_at FROM orders_charge c JOIN orders_part p ON p.id = c.part_id "
            "JOIN orders_order o ON o.id = p.order_id "
            "WHERE (c.state IN ('intended', 'created', 'confirming', 'capturing') "
            "OR (c.state = 'held' AND c.to_capture IS NOT NULL)) AND COALESCE(c.capture_asked_at, c.made_at) < %s",
            [now - timedelta(minutes=10)],
        )
    ]
    for number, amount, made in rows(
        "SELECT o.number, r.amount, r.made_at FROM orders_refund r JOIN orders_part p ON p.id = r.part_id "
        "JOIN orders_order o ON o.id = p.order_id JOIN orders_charge c ON c.id = r.charge_id "
        "WHERE r.state = 'pending' AND c.method IN ('card', 'link') AND r.made_at < %s",
        [now - timedelta(days=7)],
    ):
        found.append(f"{number}: the refund of {amount} has been on its way since {made}")
    return found


def shipped() -> list[str]:
    """Whatever left the house was charged in full, or is to be paid on delivery."""
    return [
        f"{number} part {part}: shipped with {charged} of {total} charged"
        for number, part, charged, total in rows(
            "SELECT o.number, p.number, p.charged, p.total FROM orders_part p JOIN orders_order o ON o.id = p.order_id "
            "WHERE p.parcel IN ('shipped', 'delivered', 'returned') AND NOT o.closed_history "
            "AND o.payment_method <> 'on_delivery' AND p.charged - p.given_back < p.total"
        )
    ]
