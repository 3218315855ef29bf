"""Acceptance's work by job."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.steps.acceptance import actions


@jobs.handler("acceptance.reissue")
def reissue(payload: dict[str, Any]) -> None:
    actions.reissue_sales_order(order=payload["order"], part=int(payload["part"]))
