"""Writing the unit ledger: every change of a balance is a movement with a cause of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.db import execute, in_writing
from counterfoil.core.errors import blocked
from counterfoil.records.stock.models import COLUMNS, Balance, Movement


@dataclass(frozen=True)
class Change:
    """One movement to be written. Quantities are signed units; `cause` may be used once, ever."""

    product_id: int
    kind: str
    cause: str
    on_hand: int = 0
    reserved: int = 0
    picked: int = 0
    shipped: int = 0
    quarantined: int = 0
    due_in: int = 0
    subject: str = ""
    line: int | None = None
    reason: str = ""
    bin: str = ""
    lot: str = ""


def lock(product_ids: Iterable[int]) -> dict[int, Balance]:
    """The balances of these products, taken in id order so that two carts cannot lock each other out."""
    if not in_writing():
        raise RuntimeError("balances are locked inside writing()")
    wanted = sorted(set(product_ids))
    return {
        b.product_id: b
        for b in Balance.objects.select_for_update().filter(product_id__in=wanted).order_by("product_id")
    }


def move(changes: Iterable[Change], *, actor: Actor) -> None:
    """Write movements and bring the balances along. Refuses when a balance would become impossible.

    The caller has locked the balances (or holds SQLite's pen). Statements: one insert and one update per product.
    """
    todo = [c for c in changes if any(getattr(c, column) for column in COLUMNS)]
    if not todo:
        return
    now = clock.business_now()
    Movement.objects.bulk_create(
        Movement(
            product_id=c.product_id,
            kind=c.kind,
            cause=c.cause,
            subject=c.subject,
            line=c.line,
            reason=c.reason,
            bin=c.bin,
            lot=c.lot,
            actor=actor.name,
            at=now,
            **{column: getattr(c, column) for column in COLUMNS},
        )
        for c in todo
    )
    sums: dict[int, dict[str, int]] = {}
    for c in todo:
        held = sums.setdefault(c.product_id, dict.fromkeys(COLUMNS, 0))
        for column in COLUMNS:
            held[column] += int(getattr(c, column))
    for product_id in sorted(sums):
        _apply(product_id, sums[product_id])


def _apply(product_id: int, change: dict[str, int]) -> None:
    moved = {column: by for column, by in change.items() if by}
    if not moved:
        return
    setters = ", ".join(f"{column} = {column} + %s" for column in moved)
    try:
        touched = execute(f"UPDATE stock_balance SET {setters} WHERE product_id = %s", [*moved.values(), product_id])
    except IntegrityError as error:
        raise blocked("sold_out", "there are not that many: the stock would become negative") from error
    if touched != 1:
        raise RuntimeError(f"product {product_id} has no balance row")


def change_waiting(by_product: dict[int, int]) -> None:
    """Tell the balances how many more (or fewer) units open lines want without having them reserved."""
    for product_id in sorted(by_product):
        if by_product[product_id]:
            execute(
                "UPDATE stock_balance SET waiting = waiting + %s WHERE product_id = %s",
                [by_product[product_id], product_id],
            )
