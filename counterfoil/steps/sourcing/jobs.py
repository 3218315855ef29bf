"""Work that other rooms ask of sourcing by name."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.steps.sourcing.actions import fill_waiting, queue_count, unpeg_line


@jobs.handler("sourcing.fill")
def fill_job(payload: dict[str, Any]) -> None:
    """`{"product": id}`: units of this product have come free."""
    fill_waiting(product_ids=[int(payload["product"])], actor=SYSTEM)


@jobs.handler("sourcing.unpeg")
def unpeg_job(payload: dict[str, Any]) -> None:
    """`{"line": id}`: this order line wants fewer units than before."""
    unpeg_line(line=int(payload["line"]), actor=SYSTEM)


@jobs.handler("sourcing.count")
def count_job(payload: dict[str, Any]) -> None:
    """`{"product": id, "order": number}`: units of it were not to be found when the order was picked."""
    queue_count(product_id=int(payload["product"]), order=str(payload["order"]))
