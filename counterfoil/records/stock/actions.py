"""Stock's doors: adjusting what is on the shelf, and an order line that lets go of its units or asks for them."""

from __future__ import annotations

from uuid import uuid4

from counterfoil.core import jobs, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import in_writing, writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.shop import shop
from counterfoil.core.text import clean, clean_key
from counterfoil.records.books.ledger import post
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.orders.offers import give_up_offered, take_offering
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement

MOST_UNITS = 1_000_000


def adjust_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    reason: str,
    lot: str = "",
    bin: str = "",  # noqa: A002  the trade's word, as in the model
) -> Movement:
    """Enter more (or fewer) units on the shelf than the ledger knew of; the difference is booked at the product's cost.

    What is reserved for orders cannot be taken away; what is only kept for a customer who thinks about it can, and that
    question is taken back. New units go to whoever waits, by a job. Raises Forbidden,
    Missing for an unknown SKU, Invalid, or Refused `sold_out`.
    """
    require(actor, BUYER)
    reason, lot, bin = _validated(quantity, reason, lot, bin)  # noqa: A001
    product = Product.objects.filter(sku=sku).first()
    if product is None:
        raise Missing(f"there is no product {sku}")
    cause = f"adjust:{uuid4()}"
    with writing():
        thinking = take_offering(product.pk) if quantity < 0 else {}
        balance = ledger.lock([product.pk])[product.pk]
        missing = -(balance.free + quantity)
        if missing > 0 and missing > give_up_offered(product.pk, missing, thinking, actor=actor, why=reason):
            raise blocked(
                "sold_out",
                f"{balance.on_hand} are on hand and {balance.reserved} of them reserved: at most "
                f"{balance.free} can be taken away",
                line=sku,
            )
        ledger.move(
            [
                Change(
                    product.pk, "adjusted", cause, on_hand=quantity, reason=reason, lot=lot,
                    bin=bin or product.bin, subject=sku[:40],
                )
            ],
            actor=actor,
        )  # fmt: skip
        value = quantity * product.cost
        post(
            cause=cause,
            kind="stock_adjustment",
            subject=sku[:40],
            text=f"{quantity:+d} × {sku}: {reason}"[:300],
            currency=shop().currency,
            amounts={"inventory": value, "stock_losses": -value},
        )
        journal.record(
            "stock_adjusted",
            subject=sku[:40],
            actor=actor,
            text=f"{quantity:+d} on the shelf: {reason}",
            data={"sku": sku, "quantity": quantity},
            advance=False,
        )
        if quantity > 0:
            owe_fill(product.pk)
        return Movement.objects.get(cause=cause)


def _validated(quantity: int, reason: str, lot: str, bin_: str) -> tuple[str, str, str]:
    """Reason, lot and bin as they are kept. Raises Invalid."""
    errors: list[tuple[str, str]] = []
    kept = []
    if not 0 < abs(quantity) <= MOST_UNITS:
        errors.append(("quantity", f"a whole number of units, not zero, at most {MOST_UNITS} either way"))
    for field, given, most in (("reason", reason, 500), ("lot", lot, 40), ("bin", bin_, 20)):
        try:
            value = clean(given) if field == "reason" else clean_key(given)
        except ValueError as error:
            errors.append((field, str(error)))
            continue
        kept.append(value)
        if len(value) > most:
            errors.append((field, f"at most {most} characters"))
        if field == "reason" and not value:
            errors.append((field, "say why the stock is adjusted"))
    if errors:
        raise Invalid(*errors)
    return kept[0], kept[1], kept[2]


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
    version = f"line:{line.pk}:v{order.version}"
    ledger.move(
        [
            Change(
                line.product_id, "released", f"release:{version}", reserved=-line.reserved,
                subject=order.number, line=line.pk,
            ),
            Change(
                line.product_id, "put_back", f"put_back:{version}", on_hand=line.picked, picked=-line.picked,
                subject=order.number, line=line.pk,
            ),
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
