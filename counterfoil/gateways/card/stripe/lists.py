"""Stripe's lists: everything made there, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from counterfoil.gateways.card.protocol import Intent, Returned
from counterfoil.gateways.card.stripe.client import StripeClient
from counterfoil.gateways.card.stripe.wire import asking, intent_of, returned_of


class Lists(StripeClient):
    """What `reconcile` compares ours with."""

    def list_intents(self, since: datetime) -> Iterator[Intent]:
        with asking():
            listed = self._client.payment_intents.list(
                {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.latest_charge"]}
            )
            found = [intent_of(made) for made in listed.auto_paging_iter()]
        yield from found

    def list_refunds(self, since: datetime) -> Iterator[Returned]:
        with asking():
            listed = self._client.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [returned_of(made) for made in listed.auto_paging_iter()]
        yield from found
