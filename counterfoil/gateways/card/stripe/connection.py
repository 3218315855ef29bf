"""The wire to Stripe: short time limits, no repeats of its own, and a breaker before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import stripe

from counterfoil.core.shop import shop
from counterfoil.gateways.card.breaker import Away, Breaker
from counterfoil.gateways.card.protocol import NotDone

CONNECT_SECONDS, READ_SECONDS = 3.0, 8.0


class Connection(stripe.RequestsClient):
    """HTTP for the SDK. While the breaker is open no call leaves the house: NotDone, with the time of the next try."""

    def __init__(self, breaker: Breaker, read_seconds: float = READ_SECONDS) -> None:
        super().__init__(timeout=(CONNECT_SECONDS, read_seconds))
        self._breaker = breaker

    def request(  # type: ignore[override]  # as the SDK's own RequestsClient
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One call; raises NotDone, or the SDK's APIConnectionError."""
        try:
            probe = self._breaker.permit()
        except Away as away:
            raise not_tried(away) from None
        try:
            body, status, answered = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError:
            self._breaker.failed(probe=probe)
            raise
        if (status == 429 or status >= 500) and not is_replayed(answered):
            self._breaker.failed(probe=probe)
        else:
            self._breaker.answered()
        return body, status, answered


def not_tried(away: Away) -> NotDone:
    """In the shop's own time."""
    zone = ZoneInfo(shop().timezone)
    since, again = away.since.astimezone(zone), away.again_at.astimezone(zone)
    text = f"the bank cannot be reached since {since:%H:%M}; we try again at {again:%H:%M:%S}"
    return NotDone(text, seconds=max(away.seconds, 0.1))


def is_replayed(headers: Mapping[str, str] | None) -> bool:
    """Whether an answer was stored under its idempotency key at an earlier call, and is only repeated."""
    return any(name.lower() == "idempotent-replayed" and value == "true" for name, value in (headers or {}).items())
