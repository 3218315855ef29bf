"""Flow's work by job."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.errors import Refused
from counterfoil.flow.advance import advance
from counterfoil.flow.amend import cancel_order


@jobs.handler("flow.advance", lease=60)
def advance_order(payload: dict[str, Any]) -> None:
    advance(payload["order"])


@jobs.handler("flow.cancel", lease=60)
def cancel(payload: dict[str, Any]) -> None:
    try:
        cancel_order(
            order=payload["order"],
            reason=payload["reason"],
            actor=SYSTEM,
            only_unfinished=bool(payload.get("only_unfinished")),
        )
    except Refused:
        # It was shipped (or finished) meanwhile: there is nothing left to cancel.
        return
