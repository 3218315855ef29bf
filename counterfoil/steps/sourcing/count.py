"""Counting the shelf after somebody did not find what the ledger believes in."""

from __future__ import annotations

from django.db.models import F, Sum

from counterfoil.core import clock, jobs
from counterfoil.core.actor import BUYER, PICKER, Actor, require
from counterfoil.core.db import rows, writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement
from counterfoil.records.stock.places import Wanted, shelves
from counterfoil.records.stock.rules import Share
from counterfoil.steps.sourcing.models import CountTask


def queue_count(*, product_id: int, order: str) -> CountTask | None:
    """Queue a count of the units that were set aside while this order was picked; None when all are queued already.

    The ledger says how many those are, so that running twice queues them once.
    """
    with writing():
        ledger.lock([product_id])
        missed = Movement.objects.filter(product_id=product_id, subject=order, kind="pick_short").order_by("pk")
        queued = CountTask.objects.filter(product_id=product_id, order_number=order, at_pick=True)
        units = missed.aggregate(n=Sum("quarantined"))["n"] or 0
        units -= queued.aggregate(n=Sum(F("expected") - F("seen")))["n"] or 0
        last = missed.last()
        if units <= 0 or last is None:
            return None
        return CountTask.objects.create(
            product_id=product_id,
            order_number=order,
            seen=0,
            expected=units,
            made_at=clock.business_now(),
            made_by=last.actor,
            at_pick=True,
        )


def close_count(*, task: int, found: int, actor: Actor) -> CountTask:
    """The shelf has been counted: `found` of the missing units go back to it, the others are booked as lost.

    They are where they were set aside, or, when they have been carried elsewhere since, where any of the product are.
    Raises Forbidden, Missing, Invalid, or Refused when somebody has closed it already, or has let them out of
    quarantine or written them off.
    """
    require(actor, BUYER, PICKER)
    with writing():
        counted = CountTask.objects.select_for_update().filter(pk=task).first()
        if counted is None:
            raise Missing(f"there is no count {task}")
        if counted.closed_at is not None:
            raise blocked("someone_else", f"already counted by {counted.closed_by}", by=counted.closed_by)
        if not 0 <= found <= counted.missing:
            raise Invalid(("found", f"{counted.missing} units are missing: say how many of them were found"))
        product = counted.product
        lost = counted.missing - found
        ledger.lock([product.pk])
        changes, left = [], found
        for at, share in enumerate(_aside(counted)):
            back = min(left, share.units)
            left -= back
            changes.append(
                Change(
                    product.pk,
                    "counted",
                    ledger.once(f"counted:{counted.pk}", at),
                    on_hand=back,
                    quarantined=-share.units,
                    subject=counted.order_number,
                    bin=share.place.bin,
                    lot=share.place.lot,
                    reason=f"{found} found, {lost} lost",
                )
            )
        worth = -sum(ledger.move(changes, actor=actor).values())
        post(
            cause=f"counted:{counted.pk}",
            kind="count",
            subject=counted.order_number,
            text=f"{lost} × {product.sku} lost",
            currency=shop().currency,
            amounts={"stock_losses": worth, "inventory": -worth},
        )
        counted.found, counted.closed_at, counted.closed_by = found, clock.business_now(), actor.name
        counted.save(update_fields=["found", "closed_at", "closed_by"])
        jobs.enqueue("sourcing.fill", key=str(product.pk), payload={"product": product.pk})
    return counted


def _aside(counted: CountTask) -> list[Share]:
    """Where the units of a count were set aside, and what there still is of them. Raises Refused."""
    held = shelves([counted.product_id], column="quarantined")
    out: list[Share] = []
    left = counted.missing
    for bin_, lot, units in rows(
        "SELECT bin, lot, SUM(quarantined) FROM stock_movement WHERE product_id = %s AND subject = %s "
        "AND kind IN ('pick_short', 'count_variance', 'counted') GROUP BY bin, lot HAVING SUM(quarantined) > 0 "
        "ORDER BY MIN(id)",
        [counted.product_id, counted.order_number],
    ):
        out += held.take(Wanted(0, counted.product_id, min(left, int(units)), bin_, lot))
        left = counted.missing - sum(share.units for share in out)
    out += held.take(Wanted(0, counted.product_id, left))
    if sum(share.units for share in out) < counted.missing:
        raise blocked("someone_else", "they are not set aside any more: somebody let them go or wrote them off")
    merged: dict[int, Share] = {}
    for share in out:
        before = merged.get(share.place.pk)
        merged[share.place.pk] = Share(share.place, share.units + (before.units if before else 0))
    return list(merged.values())
