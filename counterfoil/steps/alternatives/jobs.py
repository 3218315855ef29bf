"""Work that this step owes."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.steps.alternatives.actions import expire_proposals


@jobs.handler("alternatives.expire")
def expire(payload: dict[str, Any]) -> None:
    """Close an order's question whose time is over."""
    expire_proposals(order=str(payload["order"]))
