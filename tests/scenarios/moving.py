"""A sandbox processor of a scenario's own, whose clock moves together with the shop's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from counterfoil.flow.advance import sweep
from counterfoil.shell.moving import advance_clock
from sandbox.server import at_hand
from tests.support import settle


@contextmanager
def own_sandbox(settings: Any, folder: Path) -> Iterator[str]:
    """Its address. Cards are charged there while it runs."""
    with at_hand(folder, api_key="sk_test_sandbox") as address:
        settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_sandbox", "whsec_test"
        settings.STRIPE_API_BASE = settings.SANDBOX_URL = address
        yield address


def time_passes(**time: float) -> None:
    """So much later, for the shop and for the bank; what is due by then is done, as a worker does it."""
    assert advance_clock(timedelta(**time)) == 0
    sweep()
    settle()
