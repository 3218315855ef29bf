"""The card processor. Which one is a matter of settings."""

from __future__ import annotations

import functools

from django.conf import settings

from counterfoil.gateways.card import breaker
from counterfoil.gateways.card.protocol import CardGateway, NotDone
from counterfoil.gateways.card.stripe.gateway import StripeGateway


@functools.lru_cache(maxsize=4)
def _stripe(api_key: str, api_base: str, secret: str, read_seconds: float) -> StripeGateway:
    return StripeGateway(api_key, api_base, secret, read_seconds)


def gateway() -> CardGateway:
    """The processor that the environment names. Raises NotDone when it names none."""
    if not settings.STRIPE_API_KEY:
        raise NotDone("STRIPE_API_KEY is not set: cards wait until it is", seconds=60)
    return _stripe(
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_WEBHOOK_SECRET, settings.CARD_READ_SECONDS
    )


def away() -> breaker.Away | None:
    """Since when, as this process has seen it, the processor does not answer; None while it does."""
    return breaker.of(settings.STRIPE_API_BASE or "stripe").away()
