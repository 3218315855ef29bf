"""An empty shop made ready: invented wines with all the bottles that a run can sell, a key, a log-in."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from bench.orders import FIRST_SKU, PRODUCTS
from counterfoil.core.access.keys import make_key
from counterfoil.core.access.models import User
from counterfoil.core.db import execute, writing

PASSWORD = "bench-bench-bench"
EMAIL = "bench@example.com"


def prepare() -> dict[str, Any]:
    """Migrate and fill; gives the key of an owner."""
    call_command("migrate", interactive=False, verbosity=0)
    with writing():
        for i in range(FIRST_SKU, FIRST_SKU + PRODUCTS):
            execute(
                "INSERT INTO catalogue_product (id, sku, name, size, description, art, price, currency, tax_class, "
                "weight_g, cost, sell_when_out, age_restricted, bin, reorder_point, listed) VALUES "
                "(%s, %s, %s, '750 ml', '', '', %s, 'USD', 'standard', 1300, 900, 'backorder', %s, '', 0, %s)",
                [i, f"BENCH-{i}", f"Bench wine no. {i}", 2500, False, True],
            )
            execute(
                "INSERT INTO stock_movement (product_id, bin, lot, kind, on_hand, reserved, picked, shipped, "
                "quarantined, due_in, cause, subject, reason, actor, at) VALUES (%s, '', '', 'adjusted', "
                "100000000, 0, 0, 0, 0, 0, %s, '', 'bench', 'bench', CURRENT_TIMESTAMP)",
                [i, f"bench:{i}"],
            )
            execute(
                "INSERT INTO stock_place (product_id, bin, lot, first_at, on_hand, picked, quarantined) "
                "VALUES (%s, '', '', CURRENT_TIMESTAMP, 100000000, 0, 0)",
                [i],
            )
            execute(
                "INSERT INTO stock_balance (product_id, on_hand, reserved, picked, shipped, quarantined, due_in, "
                "waiting) VALUES (%s, 100000000, 0, 0, 0, 0, 0, 0)",
                [i],
            )
    User.objects.create_user(EMAIL, PASSWORD, name="Bench", role="owner")
    return {"key": make_key("bench", "owner")}
