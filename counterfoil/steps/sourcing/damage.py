"""Bottles break on the shelf, also those that are promised to somebody."""

from __future__ import annotations

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, PICKER, Actor, require
from counterfoil.core.errors import Invalid, blocked
from counterfoil.records.stock import ledger
from counterfoil.records.stock.fields import (
    SUBJECT,
    Errors,
    cause_of,
    key_of,
    product_of,
    reason_of,
    taken_from,
    units_of,
)
from counterfoil.records.stock.handling import book_loss
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement
from counterfoil.steps.sourcing.allotment import Allotment
from counterfoil.steps.sourcing.losing import let_go, losing
from counterfoil.steps.sourcing.turns import note_touched


def damage_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    reason: str,
    bin: str | None = None,  # noqa: A002  the trade's word, as in the model
    lot: str | None = None,
    write_off: bool = False,
    once: str | None = None,
) -> Movement:
    """Units on the shelf cannot be sold: they are set aside where they lie, or (`write_off`) gone and booked as lost.

    Where nothing is said of bin and lot they come from where the shop takes units first. When units that are promised
    break, the newest promise waits again. Raises Forbidden, Missing, Invalid or Refused.
    """
    require(actor, BUYER, PICKER)
    errors: Errors = []
    units = units_of(quantity, errors)
    why = reason_of(reason, errors, "say what happened to them")
    where, which = key_of(bin, "bin", errors), key_of(lot, "lot", errors)
    if errors:
        raise Invalid(*errors)
    product, cause = product_of(sku), cause_of("damage", once)

    def break_them(laid: Allotment) -> Movement:
        done = Movement.objects.filter(cause=cause).first()
        if done is not None:
            return done
        balance = laid.balances[product.pk]
        if balance.on_hand < units:
            raise blocked("sold_out", f"only {balance.on_hand} are on the shelf", line=sku)
        shares = taken_from(product.pk, units, bin_=where, lot=which)
        let_go(laid, product.pk, units, actor=actor, why=why)
        for at, share in enumerate(shares):
            laid.change(
                Change(
                    product.pk, "written_off" if write_off else "damaged", ledger.once(cause, at), on_hand=-share.units,
                    quarantined=0 if write_off else share.units, bin=share.place.bin, lot=share.place.lot, reason=why,
                    subject=sku[:SUBJECT],
                )
            )  # fmt: skip
        laid.cover()
        touched = laid.save(actor=actor)
        if write_off:
            book_loss(product, units, -sum(laid.worth.values()), cause=cause, kind="stock_written_off", why=why)
        journal.record(
            "stock_damaged",
            subject=sku[:SUBJECT],
            actor=actor,
            text=f"{units} {'written off' if write_off else 'set aside'}: {why}",
            data={"sku": sku, "quantity": units, "orders": [t.order.number for t in touched]},
            advance=False,
        )
        note_touched("units_lost", touched, actor=actor, reason=f"{sku} broke on the shelf ({why})")
        return Movement.objects.get(cause=cause)

    return losing({product.pk: units}, break_them)
