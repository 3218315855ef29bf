"""Which account an order belongs to. Placed while logged in it does at once; a guest's may be brought in by a link."""

from __future__ import annotations

from counterfoil.core import journal
from counterfoil.core.actor import customer
from counterfoil.core.db import writing
from counterfoil.records.customers.models import Account
from counterfoil.records.orders.models import Order


def claim_orders(*, account: Account) -> int:
    """Bring orders that were placed with the account's address as a guest into the account; returns how many.

    Whoever calls this has proven that the address is theirs, by a link that was mailed to it.
    """
    with writing():
        found = list(
            Order.objects.filter(customer__email_key=account.email_key, account=None, finished=True).order_by("id")
        )
        mine = [o for o in found if o.email.lower() == account.email_key]
        Order.objects.filter(pk__in=[o.pk for o in mine]).update(account=account)
        journal.record_many(
            "order_claimed", actor=customer(account.name), advance=False,
            events=[journal.Event(o.number, f"Brought into the account of {account.email}", o.version) for o in mine],
        )  # fmt: skip
    return len(mine)
