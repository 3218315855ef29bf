"""Before and after the killing, on the database that DATABASE_URL names: `python -m tests.faults.aftermath WORD`.

`prepare` and `open` make a shop, `age` lets the leases of the dead run out, `tell` and `account` print what the shop
knows of each order, of its money and of its shelves.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections import Counter
from datetime import timedelta
from typing import Any


def prepare() -> None:
    """A shop with two wines; prints the owner's key."""
    from django.core.management import call_command

    from tests.support import Api, product

    call_command("migrate", verbosity=0)
    api = Api("owner")
    for sku in ("PINOT-21", "SYRAH-19"):
        product(api, sku, stock=100_000)
    print(api.key)


def open_shop() -> None:
    """A shop for many lives, with the settings given as JSON; prints the owner's key and password."""
    from django.core.management import call_command

    from counterfoil.core.access.models import User
    from tests.faults.plans import CHEAPER, OPENING, RARE, SKUS
    from tests.support import Api, product

    call_command("migrate", verbosity=0)
    change()
    api = Api("owner")
    for sku in SKUS:
        product(api, sku, stock=OPENING)
    product(api, CHEAPER, stock=OPENING, price=1900)
    product(api, RARE)
    password = secrets.token_urlsafe(16)
    User.objects.create_user("olga@example.com", password, name="Olga", role="owner")
    print(json.dumps({"key": api.key, "password": password}))


def change() -> None:
    """The owner decides otherwise: settings, given as JSON."""
    from counterfoil.core import shop
    from counterfoil.core.db import writing

    with writing():
        shop.change(**json.loads(sys.argv[2]))


def age() -> None:
    """Minutes pass: what was held by the dead is free, what was to be tried later is due."""
    from counterfoil.core import clock
    from counterfoil.core.db import execute, writing

    before = clock.real_now() - timedelta(seconds=1)
    with writing():
        left = execute("UPDATE core_job SET lease_until = %s WHERE state = 'running'", [before])
        execute("UPDATE core_job SET run_at = %s WHERE state = 'queued'", [before])
    print(left)


def tell() -> None:
    """Each order with its token, its state and its money; and what is still owed."""
    from counterfoil.core.models import Job
    from counterfoil.records.orders.models import Order

    orders = {
        o.number: {
            "token": o.token[:20],
            "cancelled": o.cancelled_at is not None,
            "review": o.review,
            "email": o.email,
            "lines": o.lines.count(),
            "parts": [(p.money, p.charged, p.refunded, p.refund_owed) for p in o.parts.all()],
            "charges": sorted(c.state for p in o.parts.all() for c in p.charges.all()),
        }
        for o in Order.objects.prefetch_related("parts__charges", "lines")
    }
    print(json.dumps({"orders": orders, "jobs": list(Job.objects.values_list("name", "state", "last_error"))}))


def owed() -> None:
    """How much is still in motion: jobs, charges that are being asked about, orders that time has moved."""
    from counterfoil.core import clock
    from counterfoil.core.db import rows

    queries: tuple[tuple[str, list[Any]], ...] = (
        ("SELECT COUNT(*) FROM core_job WHERE state <> 'dead'", []),
        ("SELECT COUNT(*) FROM orders_part WHERE money IN ('charging', 'unknown')", []),
        ("SELECT COUNT(*) FROM orders_order WHERE next_check_at <= %s", [clock.business_now()]),
    )
    print(sum(int(rows(query, values)[0][0]) for query, values in queries))


def account() -> None:
    """Everything that a proof wants: orders with charges, refunds and what happened to them; jobs; shelves."""
    from counterfoil.core.models import Job, JournalEvent
    from counterfoil.records.orders.models import Order
    from counterfoil.records.stock.models import Balance

    happened: dict[str, Counter[str]] = {}
    paid: dict[str, set[int]] = {}
    for subject, kind, data in JournalEvent.objects.values_list("subject", "kind", "data"):
        happened.setdefault(subject, Counter())[kind] += 1
        if kind == "refund_succeeded":
            paid.setdefault(subject, set()).add(int(data["refund"]))
    orders = []
    for order in Order.objects.prefetch_related("parts__charges", "parts__refunds__charge", "lines").order_by("id"):
        parts = list(order.parts.all())
        orders.append(
            {
                "number": order.number,
                "reference": order.reference,
                "token": order.token[:20],
                "email": order.email,
                "queue": order.queue,
                "cancelled": order.cancelled_at is not None,
                "parts": [_part(p) for p in parts],
                "shipped": dict(_shipped(order)),
                "happened": {
                    **happened.get(order.number, {}),
                    "refunds_paid": len(paid.get(order.number, ())),
                    "shipments": order.shipments.count(),
                },
            }
        )
    shelves = {
        b.product.sku: {"on_hand": b.on_hand, "reserved": b.reserved, "picked": b.picked}
        for b in Balance.objects.select_related("product")
    }
    jobs = list(Job.objects.values_list("name", "key", "state", "last_error"))
    print(json.dumps({"orders": orders, "shelves": shelves, "jobs": jobs}))


def _part(part: Any) -> dict[str, Any]:
    return {
        "number": part.number,
        "money": part.money,
        "parcel": part.parcel,
        "total": part.total,
        "charged": part.charged,
        "refunded": part.refunded,
        "owed": part.refund_owed,
        "charges": [
            {
                "key": c.create_key,
                "state": c.state,
                "amount": c.amount,
                "intent": c.intent_id,
                "supplement": c.supplement,
            }
            for c in part.charges.all()
        ],
        "refunds": [
            {"key": r.key, "state": r.state, "amount": r.amount, "id": r.refund_id, "intent": r.charge.intent_id}
            for r in part.refunds.all()
        ],
    }


def _shipped(order: Any) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in order.lines.all():
        units[line.sku] += line.shipped
    return units


if __name__ == "__main__":
    import django

    django.setup()
    words = (age, tell, owed, account, change)
    {"prepare": prepare, "open": open_shop, **{word.__name__: word for word in words}}[sys.argv[1]]()
