"""The whole API: one router a room."""

from __future__ import annotations

from counterfoil.core.api import make_api
from counterfoil.flow.api import flow
from counterfoil.records.catalogue.api import catalogue
from counterfoil.records.orders.api import orders
from counterfoil.records.stock.api import stock
from counterfoil.steps.acceptance.api import acceptance
from counterfoil.steps.alternatives.api import alternatives, answers_router
from counterfoil.steps.charging.api import charging, hooks
from counterfoil.steps.charging.api_disputes import disputes
from counterfoil.steps.checkout.api import join
from counterfoil.steps.fulfilment.api import fulfilment
from counterfoil.steps.review.api import review
from counterfoil.steps.sourcing.api import sourcing
from counterfoil.steps.sourcing.api_shelf import shelf

join(orders)
api = make_api()
for room in (
    # Before the catalogue, whose SKUs may hold slashes: /products/A/availability is not the product A/availability.
    stock,
    catalogue,
    orders,
    review,
    acceptance,
    sourcing,
    shelf,
    charging,
    disputes,
    fulfilment,
    alternatives,
    answers_router,
    flow,
    hooks,
):
    api.add_router("", room)
