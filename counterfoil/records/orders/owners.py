"""Which account an order belongs to. Placed while logged in it does at once; a guest's may be brought in by a link."""

from __future__ import annotations

from django.db.models import Q

from counterfoil.core import journal
from counterfoil.core.actor import customer
from counterfoil.core.db import writing
from counterfoil.records.customers.models import Account
from counterfoil.records.orders.models import Order


def claim_orders(*, account: Account) -> int:
    """Bring orders that were placed with the account's address as a guest into the account; returns how many.

    Whoever calls this has proven that the address is theirs, by a link that was mailed to it.
    """
    guests = Order.objects.filter(account=None, finished=True)
    # An order whose address was put right may still be of the customer for whom its card is kept. Looked for before
    # anything is locked: no index knows an address in every spelling.
    spelt = list(guests.filter(email__iexact=account.email_key).values_list("pk", flat=True))
    with writing():
        found = guests.filter(Q(customer__email_key=account.email_key) | Q(pk__in=spelt)).order_by("id")
        mine = [o for o in found if o.email.lower() == account.email_key]
        Order.objects.filter(pk__in=[o.pk for o in mine]).update(account=account)
        journal.record_many(
            "order_claimed", actor=customer(account.name), advance=False,
            events=[journal.Event(o.number, f"Brought into the account of {account.email}", o.version) for o in mine],
        )  # fmt: skip
    return len(mine)
