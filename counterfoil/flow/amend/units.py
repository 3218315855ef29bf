"""Taking units off a line: what nobody has fetched for it yet goes first, and what it may keep stays reserved."""

from __future__ import annotations

from counterfoil.core.actor import Actor
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.stock.actions import release_line
from counterfoil.records.stock.ledger import Change, change_waiting, move


def take_off(line: Line, units: int, *, order: Order, actor: Actor) -> None:
    """The line wants `units` fewer. The balances are locked and nothing of the line is picked."""
    if units <= line.short:
        line.quantity -= units
        line.save(update_fields=["quantity"])
        change_waiting({line.product_id: -units})
        return
    kept = min(line.reserved, line.quantity - units)
    # Given back as a whole and reserved anew under the same lock: nobody else can come between.
    release_line(line=line, order=order, actor=actor)
    line.refresh_from_db()
    line.quantity -= units
    line.reserved = kept
    line.save(update_fields=["quantity", "reserved"])
    move(
        [
            Change(
                line.product_id,
                "reserved",
                f"kept:line:{line.pk}:v{order.version}",
                reserved=kept,
                subject=order.number,
                line=line.pk,
                reason="kept when the order was amended",
            )
        ],
        actor=actor,
    )
    change_waiting({line.product_id: line.open_units})


def reserve_now(line: Line, units: int, *, order: Order, actor: Actor) -> None:
    """Reserve units of the line that are free under the lock that the caller holds."""
    if units <= 0:
        return
    line.reserved += units
    line.save(update_fields=["reserved"])
    cause = f"amended:line:{line.pk}:v{order.version}"
    change = Change(
        line.product_id, "reserved", cause, reserved=units, subject=order.number, line=line.pk,
        reason="reserved when the order was amended",
    )  # fmt: skip
    move([change], actor=actor)
    change_waiting({line.product_id: -units})
