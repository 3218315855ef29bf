"""A shipment has arrived."""

from __future__ import annotations

from datetime import datetime, timedelta

from counterfoil.core import clock
from counterfoil.core.actor import PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid
from counterfoil.core.machine import Move, shift
from counterfoil.core.text import clean
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import PARCEL, Order, Package, Part, Shipment
from counterfoil.records.orders.slip import say_moment
from counterfoil.steps.fulfilment.rules import choose, may_deliver

# A carrier's clock may run a little ahead of ours.
SKEW = timedelta(minutes=5)
MOST_OF_A_NAME = 120  # characters


def deliver_order(
    *, order: str, actor: Actor, shipment: int | None = None, at: datetime | None = None, signed_by: str = ""
) -> Order:
    """Note that a shipment (its id; default: all that are on their way) has arrived, at `at` (default: now), and who
    signed for it, if somebody did.

    A part is delivered when it was shipped whole and every shipment of it has arrived. Raises Forbidden, Missing,
    Invalid (`shipment` unknown, `at` without a zone, in the future or before it was shipped, `signed_by` too long) or
    Refused (`delivered`).
    """
    require(actor, PICKER)
    try:
        signed_by = " ".join(clean(signed_by).split())
    except ValueError as error:
        raise Invalid(("signed_by", str(error))) from None
    if len(signed_by) > MOST_OF_A_NAME:
        raise Invalid(("signed_by", f"at most {MOST_OF_A_NAME} characters"))
    if at is not None and at.tzinfo is None:
        raise Invalid(("at", "needs a time zone, such as 2026-11-24T16:05:00Z"))
    now = clock.business_now()
    if at is not None and at > now + SKEW:
        raise Invalid(("at", "is in the future"))
    with writing():
        taken = take(order)
        arrived = _arrived(taken, shipment)
        moment = at or now
        early = [s for s in arrived if moment < s.shipped_at - SKEW]
        if early:
            raise Invalid(("at", f"is before it was shipped ({say_moment(early[0].shipped_at)})"))
        for one in arrived:
            one.delivered_at = moment
            one.signed_by = signed_by
            one.save(update_fields=["delivered_at", "signed_by"])
            signed = f", signed for by {signed_by}" if signed_by else ""
            note(
                taken,
                "shipment_delivered",
                actor=actor,
                text=f"{one.carrier} {one.tracking_number} delivered {say_moment(moment)}{signed}",
                data={"shipment": one.pk},
                advance=False,
            )
        _parts_arrive(taken, moment, actor)
    return taken


def _arrived(order: Order, wanted: int | None) -> list[Shipment]:
    """The shipments that arrive now; raises Refused when nothing is on its way."""
    mine = Shipment.objects.filter(order=order)
    if wanted is not None:
        mine = mine.filter(pk=wanted)
        if not mine.exists():
            raise Invalid(("shipment", f"{order.number} has no shipment {wanted}"))
    opened, found = choose(facts_of(order), may_deliver, ("shipped", "packed"))
    check(found)
    on_its_way = mine.filter(delivered_at=None, packages__part__number__in=[p.number for p in opened])
    arrived = list(on_its_way.order_by("id").distinct())
    check([] if arrived else [Blocker("delivered", "already delivered")])
    return arrived


def _parts_arrive(order: Order, moment: datetime, actor: Actor) -> None:
    for part in Part.objects.filter(order=order).order_by("number"):
        if part.parcel != "shipped":
            continue
        if Package.objects.filter(part=part, unpacked_at=None, shipment__delivered_at=None).exists():
            continue
        part.delivered_at = moment
        part.save(update_fields=["delivered_at"])
        moves: list[Move] = [shift(PARCEL, "deliver", part, part=part.number)]
        note(order, "order_delivered", actor=actor, text="Delivered", part=part, moves=moves)
