"""Counting the shelf after somebody did not find what the ledger believes in."""

from __future__ import annotations

from django.db.models import F, Sum

from counterfoil.core import clock, jobs
from counterfoil.core.actor import BUYER, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement
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

    Raises Forbidden, Missing, Invalid, or Refused when somebody has closed it already.
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
        ledger.move(
            [
                Change(
                    product.pk,
                    "counted",
                    f"counted:{counted.pk}",
                    on_hand=found,
                    quarantined=-counted.missing,
                    subject=counted.order_number,
                    reason=f"{found} found, {lost} lost",
                )
            ],
            actor=actor,
        )
        post(
            cause=f"counted:{counted.pk}",
            kind="count",
            subject=counted.order_number,
            text=f"{lost} × {product.sku} lost",
            currency=shop().currency,
            amounts={"stock_losses": lost * product.cost, "inventory": -lost * product.cost},
        )
        counted.found, counted.closed_at, counted.closed_by = found, clock.business_now(), actor.name
        counted.save(update_fields=["found", "closed_at", "closed_by"])
        jobs.enqueue("sourcing.fill", key=str(product.pk), payload={"product": product.pk})
    return counted
