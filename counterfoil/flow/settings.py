"""The owner changes what the shop has settled; where open orders stand is looked at again under the new rules."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from counterfoil.core import clock, journal
from counterfoil.core.actor import OWNER, Actor, require
from counterfoil.core.db import execute, writing
from counterfoil.core.shop import change, shop

SUBJECT = "SETTINGS"  # in the journal
AT_REST = ("done", "cancelled")  # queues that no setting moves an order out of


def change_settings(*, actor: Actor, **values: Any) -> list[str]:
    """Store settings, with who changed what in the journal; the names that really changed.

    Open orders are looked at again by the sweep, a few hundred a second. Raises Forbidden, and ValueError naming a
    setting that makes no sense.
    """
    require(actor, OWNER)
    with writing():
        before = asdict(shop())
        changed = {name: value for name, value in values.items() if before.get(name) != value}
        change(**changed)
        for name in changed:
            journal.record(
                "setting_changed",
                subject=SUBJECT,
                actor=actor,
                text=f"{name}: {before.get(name)} -> {changed[name]}"[:500],
                advance=False,
            )
        if changed:
            execute(
                "UPDATE orders_order SET next_check_at = %s WHERE queue NOT IN (%s, %s)",
                [clock.business_now(), *AT_REST],
            )
    return list(changed)
