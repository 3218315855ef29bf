"""A charge that was asked for before it could begin: it follows, and if it may not any more, the order says so."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Declined, NotBegun, Refused, StillAsking
from counterfoil.gateways.card.protocol import CardError
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Part
from counterfoil.steps.charging.asked import SOON
from counterfoil.steps.charging.charge import charge_order

# Somebody has charged it meanwhile, or the order is gone: there is nothing left to be told.
_MOOT = frozenset({"already_charged", "charge_in_flight", "cancelled"})


def follow_charge(*, order: str, part: int, due: int, actor: Actor) -> None:
    """Charge what was asked for, through the same gate as everybody, in the name of who asked.

    Raises the gateway's errors, or jobs.Later, while it still cannot begin.
    """
    try:
        charge_order(order=order, actor=actor, part=part, due=due, follows=False)
    except NotBegun as waits:
        if isinstance(waits.__cause__, CardError):
            raise waits.__cause__ from waits
        raise jobs.Later(SOON, str(waits)) from waits
    except (Declined, StillAsking):
        return  # the bank was asked: it is written down, or the charge's own job asks on
    except Refused as refused:
        if not {b.code for b in refused.blockers} & _MOOT:
            _not_charged(order, part, actor, refused)


def _not_charged(order: str, part: int, actor: Actor, refused: Refused) -> None:
    with writing():
        taken = take(order)
        told: dict[str, Any] = {"asked_by": actor.name, "blockers": [b.as_json() for b in refused.blockers]}
        note(
            taken,
            "charge_not_made",
            actor=SYSTEM,
            part=Part.objects.get(order=taken, number=part),
            text=f"Not charged, as {actor.name} had asked: {refused}",
            data=told,
        )
