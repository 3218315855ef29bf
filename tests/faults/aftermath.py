"""After the killing: `age` lets the leases of the dead run out, `tell` prints what the shop knows of each order.

`python -m tests.faults.aftermath prepare|age|tell`, on the database that DATABASE_URL names.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta


def prepare() -> None:
    """A shop with two wines; prints the owner's key."""
    from django.core.management import call_command

    from tests.support import Api, product

    call_command("migrate", verbosity=0)
    api = Api("owner")
    for sku in ("PINOT-21", "SYRAH-19"):
        product(api, sku, stock=100_000)
    print(api.key)


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


if __name__ == "__main__":
    import django

    django.setup()
    {"prepare": prepare, "age": age, "tell": tell}[sys.argv[1]]()
