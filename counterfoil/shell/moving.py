"""`counterfoil clock advance`: business time moves for the shop and for the sandbox together."""

from __future__ import annotations

import sys
from datetime import timedelta

import requests
from django.conf import settings

from counterfoil.core import clock
from counterfoil.core.db import writing


def advance_clock(by: timedelta) -> int:
    """Move business time forward; refused outside demo and tests. Returns the exit code."""
    if not (settings.DEMO or settings.TESTING):
        print("the clock moves in a demo and in tests only; this is neither", file=sys.stderr)
        return 2
    with writing():
        offset = clock.advance_business_time(by)
    tell_sandbox(offset)
    print(f"business time is now {clock.business_now():%a %d %b %Y, %H:%M} UTC")
    return 0


def tell_sandbox(offset: float) -> None:
    """Give the sandbox our offset, in seconds, so that both see the same day. Without a sandbox nothing happens."""
    if settings.SANDBOX_URL:
        answer = requests.post(f"{settings.SANDBOX_URL}/_clock", json={"offset_seconds": int(offset)}, timeout=(3, 10))
        answer.raise_for_status()
