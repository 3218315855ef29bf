"""Stock's doors: adjusting what is on the shelf, and an order line that lets go of its units or asks for them."""

from __future__ import annotations

from datetime import date
from typing import Any

from counterfoil.core import jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import in_writing, writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.orders.offers import give_up_offered, take_offering
from counterfoil.records.stock import ledger
from counterfoil.records.stock.fields import (
    MOST_UNITS,
    SUBJECT,
    Errors,
    cause_of,
    check_date,
    key_of,
    product_of,
    reason_of,
    taken_from,
)
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement
from counterfoil.records.stock.places import held_by, spread


def adjust_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    reason: str,
    lot: str | None = None,
    bin: str | None = None,  # noqa: A002  the trade's word, as in the model
    best_before: date | None = None,
    once: str | None = None,
) -> Movement:
    """Enter more (or fewer) units on the shelf than the ledger knew of; the difference is booked at the product's cost.

    More go to `bin` (default: the product's) as `lot` (default: none), which may end on `best_before`. Fewer are taken
    from there, or, where nothing is said, from wherever the shop's rule takes units first. What is reserved for orders
    cannot be taken away; what is only kept for a customer who thinks about it can, and that question is taken back. New
    units go to whoever waits, by a job. `once` makes a repeat do nothing (a form sent twice); the answer is the (first)
    movement. Raises Forbidden, Missing for an unknown SKU, Invalid, or Refused `sold_out`.
    """
    require(actor, BUYER)
    errors: Errors = []
    if not 0 < abs(quantity) <= MOST_UNITS:
        errors.append(("quantity", f"a whole number of units, not zero, at most {MOST_UNITS} either way"))
    why = reason_of(reason, errors, "say why the stock is adjusted")
    where, which = key_of(bin, "bin", errors), key_of(lot, "lot", errors)
    if errors:
        raise Invalid(*errors)
    product = product_of(sku)
    cause = cause_of("adjust", once)
    with writing():
        thinking = take_offering(product.pk) if quantity < 0 else {}
        balance = ledger.lock([product.pk])[product.pk]
        done = Movement.objects.filter(cause=cause).first()
        if done is not None:
            return done
        missing = -(balance.free + quantity)
        if missing > 0 and missing > give_up_offered(product.pk, missing, thinking, actor=actor, why=why):
            raise blocked(
                "sold_out",
                f"{balance.on_hand} are on hand and {balance.reserved} of them reserved: at most "
                f"{balance.free} can be taken away",
                line=sku,
            )
        told: dict[str, Any] = {"reason": why, "subject": sku[:SUBJECT]}
        if quantity > 0:
            put = product.bin if where is None else where
            check_date(product.pk, put, which or "", best_before)
            changes = [
                Change(
                    product.pk, "adjusted", cause, on_hand=quantity, bin=put, lot=which or "",
                    best_before=best_before, **told,
                )
            ]  # fmt: skip
        else:
            changes = [
                Change(
                    product.pk, "adjusted", ledger.once(cause, at), on_hand=-share.units, bin=share.place.bin,
                    lot=share.place.lot, **told,
                )
                for at, share in enumerate(taken_from(product.pk, -quantity, bin_=where, lot=which))
            ]  # fmt: skip
        value = sum(ledger.move(changes, actor=actor).values())
        post(
            cause=cause,
            kind="stock_adjustment",
            subject=sku[:SUBJECT],
            text=f"{quantity:+d} × {sku}: {why}"[:300],
            currency=shop().currency,
            amounts={"inventory": value, "stock_losses": -value},
        )
        journal.record(
            "stock_adjusted",
            subject=sku[:SUBJECT],
            actor=actor,
            text=f"{quantity:+d} on the shelf: {why}",
            data={"sku": sku, "quantity": quantity},
            advance=False,
        )
        if quantity > 0:
            owe_fill(product.pk)
        return Movement.objects.get(cause=cause)


def owe_fill(product_id: int) -> None:
    """Units of a product have come free: have them given to whoever waits, inside `writing()`."""
    jobs.enqueue("sourcing.fill", key=str(product_id), payload={"product": product_id})


def release_line(*, line: Line, actor: Actor, order: Order) -> None:
    """An order line lets go of all its units, inside `writing()`, the order taken.

    Call it before the line's quantity changes. Reserved units become free, picked ones go back to the shelf, and the
    line no longer counts as waiting: set its new quantity and, if any of it is still wanted, call `want_line`. Units on
    order for it are given to others by a job. On `line`, reserved, picked and packed are stored as zero.
    """
    if not in_writing():
        raise RuntimeError("a line is released inside writing()")
    if line.open_units < 0:
        raise ValueError(f"line {line.pk} wants fewer units than it holds: release it before its quantity changes")
    ledger.lock([line.product_id])
    held = held_by(order.number, [line.pk]) if line.picked else {}
    version = f"line:{line.pk}:v{order.version}"
    ledger.move(
        [
            Change(
                line.product_id, "released", f"release:{version}", reserved=-line.reserved,
                subject=order.number, line=line.pk,
            ),
            *[
                Change(
                    line.product_id, "put_back", ledger.once(f"put_back:{version}", at), on_hand=units, picked=-units,
                    subject=order.number, line=line.pk, bin=place.bin, lot=place.lot,
                )
                for at, (place, units) in enumerate(spread(line.picked, held.get(line.pk, []), "picked"))
            ],
        ],
        actor=actor,
    )  # fmt: skip
    ledger.change_waiting({line.product_id: -line.open_units})
    freed = line.reserved + line.picked
    line.reserved = line.picked = line.packed = 0
    line.save(update_fields=["reserved", "picked", "packed"])
    if freed:
        owe_fill(line.product_id)
    jobs.enqueue("sourcing.unpeg", key=str(line.pk), payload={"line": line.pk})


def want_line(*, line: Line) -> None:
    """After `release_line`: the line waits for its new quantity. The stock check reserves the units."""
    if not in_writing():
        raise RuntimeError("a line is entered inside writing()")
    ledger.lock([line.product_id])
    ledger.change_waiting({line.product_id: line.open_units})
