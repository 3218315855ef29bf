"""The secret link of an order: whoever has it may read the order, answer for its customer, and pay."""

from __future__ import annotations

import secrets

from counterfoil.core import jobs
from counterfoil.records.orders.models import Order, PayLink, Proposal

MARK = 20  # letters that stay: at the card processor they mark what is this order's, and make the keys of its calls


def renew_link(taken: Order) -> str:
    """Give an order another link, inside `writing()`, the order taken; its caller saves it. Returns the old token.

    What an old link led to stops too: our questions get other tokens, and card pages that stand open are closed.
    """
    old = taken.token
    taken.token = old[:MARK] + secrets.token_urlsafe(16)
    for asked in Proposal.objects.filter(order=taken).order_by("pk"):
        Proposal.objects.filter(pk=asked.pk).update(token=secrets.token_urlsafe(32))
    for link in PayLink.objects.filter(order=taken, state__in=PayLink.OPEN).order_by("pk"):
        jobs.enqueue("charging.close_link", key=str(link.pk), payload={"link": link.pk})
    return old
