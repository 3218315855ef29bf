"""An empty shop made ready: invented wines with all the bottles that a run can sell, a key, a log-in."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from bench.orders import FIRST_SKU, PRODUCTS
from counterfoil.core import clock
from counterfoil.core.access.keys import make_key
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.models import Balance, Movement, Place

PASSWORD = "bench-bench-bench"
EMAIL = "bench@example.com"
BOTTLES = 100_000_000


def prepare() -> dict[str, Any]:
    """Migrate and fill; gives the key of an owner."""
    call_command("migrate", interactive=False, verbosity=0)
    with writing():
        ids, now = range(FIRST_SKU, FIRST_SKU + PRODUCTS), clock.business_now()
        # Through the models, so that a new column has its own default here too.
        Product.objects.bulk_create(
            Product(id=i, sku=f"BENCH-{i}", name=f"Bench wine no. {i}", size="750 ml", price=2500, currency="USD",
                    weight_g=1300, cost=900)
            for i in ids
        )  # fmt: skip
        Movement.objects.bulk_create(
            Movement(product_id=i, kind="adjusted", on_hand=BOTTLES, cause=f"bench:{i}", reason="bench", actor="bench",
                     at=now)
            for i in ids
        )  # fmt: skip
        Place.objects.bulk_create(Place(product_id=i, first_at=now, on_hand=BOTTLES) for i in ids)
        Balance.objects.bulk_create(Balance(product_id=i, on_hand=BOTTLES) for i in ids)
    User.objects.create_user(EMAIL, PASSWORD, name="Bench", role="owner")
    return {"key": make_key("bench", "owner")}
