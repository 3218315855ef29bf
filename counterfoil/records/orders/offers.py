"""Units kept on the shelf for a customer who thinks about a substitute, and whether a question still has its reason.

Kept units count as reserved in the product's balance, each movement with its cause, and stand in `Offered`: they are
counted once, and nobody else can be promised them. When the question is over they are free again, or the order's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet

from counterfoil.core import clock, jobs
from counterfoil.core.actor import Actor
from counterfoil.core.db import execute, in_writing
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import Offered, Order, Proposal
from counterfoil.records.stock.ledger import Change, lock, move


def keep_offered(asked: Proposal, wanted: Mapping[int, int], *, order: Order, actor: Actor) -> dict[int, int]:
    """Keep of each product (by id) as many of the wanted units as are free; inside `writing()`, the order taken.

    What is not on the shelf is not kept: the customer reads whether the units are. Gives the kept units by product.
    """
    balances = lock(wanted)
    kept = {pk: min(units, max(0, balances[pk].free)) for pk, units in sorted(wanted.items()) if pk in balances}
    kept = {pk: units for pk, units in kept.items() if units > 0}
    move(
        [
            Change(
                pk, "offered", f"offer:{asked.pk}:{pk}", reserved=units, subject=order.number,
                reason="kept while the customer thinks",
            )
            for pk, units in kept.items()
        ],
        actor=actor,
    )  # fmt: skip
    now = clock.business_now()
    Offered.objects.bulk_create(
        Offered(proposal=asked, product_id=pk, quantity=units, at=now) for pk, units in kept.items()
    )
    return kept


def release_offered(asked: Proposal, *, order: Order, actor: Actor) -> dict[int, int]:
    """End what is kept for a question; inside `writing()`, the order taken. Gives the units by product.

    The balances stay locked: who makes the units the order's own reserves them in the same transaction, and nobody
    comes between.
    """
    open_ = list(Offered.objects.filter(proposal=asked, released_at=None).order_by("product_id"))
    if not open_:
        return {}
    lock(row.product_id for row in open_)
    move(
        [
            Change(
                row.product_id, "offer_ended", f"offer-end:{asked.pk}:{row.product_id}", reserved=-row.quantity,
                subject=order.number, reason="the question is over",
            )
            for row in open_
        ],
        actor=actor,
    )  # fmt: skip
    Offered.objects.filter(pk__in=[row.pk for row in open_]).update(released_at=clock.business_now())
    for row in open_:
        if row.quantity:
            jobs.enqueue("sourcing.fill", key=str(row.product_id), payload={"product": row.product_id})
    return {row.product_id: row.quantity for row in open_}


def take_offering(product_id: int) -> dict[int, Order]:
    """Take, in id order, the orders whose customers think about this product: before its balance is locked."""
    if not in_writing():
        raise RuntimeError("orders are taken inside writing()")
    ids = sorted(set(_open_of(product_id).values_list("proposal__order_id", flat=True)))
    for pk in ids:
        execute("UPDATE orders_order SET version = version + 1 WHERE id = %s", [pk])
    return {order.pk: order for order in Order.objects.filter(pk__in=ids)}


def give_up_offered(product_id: int, units: int, orders: Mapping[int, Order], *, actor: Actor, why: str) -> int:
    """The shelf has fewer than was thought: of the units kept for questions at most so many are given up.

    The newest question loses first. `orders` come from `take_offering`, the balance is locked. Advance then takes those
    questions back. Gives how many units were given up: they are free, for the caller to take off the shelf.
    """
    lost = 0
    for row in _open_of(product_id).select_related("proposal").order_by("-pk"):
        order = orders.get(row.proposal.order_id)
        gone = min(units - lost, row.quantity)
        if order is None or gone <= 0:
            continue
        given_up = row.given_up + gone
        cause = f"offer-lost:{row.proposal_id}:{product_id}:{given_up}"
        move([Change(product_id, "offer_lost", cause, reserved=-gone, subject=order.number, reason=why)], actor=actor)
        Offered.objects.filter(pk=row.pk).update(quantity=row.quantity - gone, given_up=given_up)
        note(
            order,
            "offer_lost",
            actor=actor,
            text=f"{gone} that we had offered the customer are gone: {why}",
            data={"proposal": row.proposal_id, "product": product_id, "units": gone},
        )
        lost += gone
    return lost


def _open_of(product_id: int) -> QuerySet[Offered]:
    return Offered.objects.filter(product=product_id, released_at=None, quantity__gt=0)


def offered_of(product_ids: Iterable[int]) -> Sequence[Offered]:
    """What is kept of these products for questions that stand, the oldest first, with question and order."""
    found = Offered.objects.filter(product__in=list(product_ids), released_at=None, quantity__gt=0)
    return list(found.select_related("proposal__order").order_by("pk"))
