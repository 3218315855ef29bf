"""Stock put on or taken off the shelf by hand, carried to another bin, let out of quarantine, written off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, PICKER, require
from counterfoil.core.api import Body, Bool, Code, Day, Int, Sku, Text, actor_of, answers, reply, router
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.present import day, moment
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.availability import shelf_of, ships_on
from counterfoil.records.stock.fields import MOST_UNITS
from counterfoil.records.stock.handling import release_stock, transfer_stock, write_off_stock
from counterfoil.records.stock.models import Movement
from counterfoil.records.stock.promise import phases

stock = router()


class AdjustIn(Body):
    sku: Sku
    quantity: Int
    reason: Text
    lot: Code | None = None
    bin: Code | None = None
    best_before: Day | None = None


class TransferIn(Body):
    sku: Sku
    quantity: Int
    bin: Code
    to_bin: Code
    lot: Code | None = None
    set_aside: Bool | None = None
    reason: Text | None = None


class AsideIn(Body):
    sku: Sku
    quantity: Int
    reason: Text
    lot: Code | None = None
    bin: Code | None = None


@stock.post("/stock", response=answers(201))
def post_stock(request: HttpRequest, body: AdjustIn) -> HttpResponse:
    made = adjust_stock(actor=actor_of(request), **body.dict(exclude_none=True))
    return reply(
        {"id": made.pk, "sku": body.sku, "quantity": body.quantity, "reason": made.reason, "at": moment(made.at)}, 201
    )


@stock.get("/products/{path:sku}/availability", response=answers(200))
def get_availability(request: HttpRequest, sku: str, quantity: int = 1) -> HttpResponse:
    """When so many units of a product would ship to somebody who orders now, and what that rests on."""
    require(actor_of(request), CLERK, PICKER, BUYER, BOOKKEEPER)
    known = Product.objects.select_related("supplier", "balance").defer("art")
    found = known.filter(sku=sku).first() if storable(sku) else None
    if found is None:
        raise Missing(f"there is no product {sku}")
    if not 1 <= quantity <= MOST_UNITS:
        raise Invalid(("quantity", f"a whole number of units from 1 to {MOST_UNITS}"))
    settings = shop()
    # However much is asked for, what is on its way is told.
    shelf = shelf_of(found, settings, MOST_UNITS + 1)
    ships = ships_on(shelf, quantity, settings)
    return reply(
        {
            "sku": found.sku,
            "quantity": quantity,
            "ships": day(ships.day),
            "basis": ships.basis,
            "certain": ships.certain,
            "free": shelf.free,
            "waiting": shelf.waiting,
            "available_to_promise": found.balance.available_to_promise,
            "phases": [{"from": day(on or settings.today()), "units": units} for on, units in phases(shelf)],
            "arrivals": [
                {"date": day(a.day), "units": a.units, "confirmed": a.certain, "purchase_order": a.purchase_order}
                for a in shelf.arrivals
            ],
            "lead_time": {
                "days": shelf.lead.days, "source": shelf.lead.source, "observations": shelf.lead.observations,
            },
        }
    )  # fmt: skip


@stock.post("/stock/transfers", response=answers(201))
def post_transfer(request: HttpRequest, body: TransferIn) -> HttpResponse:
    return _moved(body.sku, transfer_stock(actor=actor_of(request), **body.dict(exclude_none=True)))


@stock.post("/stock/releases", response=answers(201))
def post_release(request: HttpRequest, body: AsideIn) -> HttpResponse:
    return _moved(body.sku, release_stock(actor=actor_of(request), **body.dict(exclude_none=True)))


@stock.post("/stock/write-offs", response=answers(201))
def post_write_off(request: HttpRequest, body: AsideIn) -> HttpResponse:
    return _moved(body.sku, write_off_stock(actor=actor_of(request), **body.dict(exclude_none=True)))


def _moved(sku: str, made: Iterable[Movement]) -> HttpResponse:
    return reply({"sku": sku, "movements": [movement_json(m) for m in made]}, 201)


def movement_json(made: Movement) -> dict[str, Any]:
    """A movement as the doors answer it: signed units at one place."""
    return {
        "id": made.pk,
        "kind": made.kind,
        "bin": made.bin,
        "lot": made.lot,
        "on_hand": made.on_hand,
        "quarantined": made.quarantined,
        "reason": made.reason,
        "at": moment(made.at),
    }
