"""What is done with units by hand besides counting them: moved to another bin, let out of quarantine, written off.

None of it touches an order: what is on the shelf and reserved stays so. Breaking what is promised is sourcing's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import owe_fill
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
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import Movement
from counterfoil.records.stock.rules import Share


def transfer_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    bin: str,  # noqa: A002  the trade's word, as in the model
    to_bin: str,
    lot: str | None = None,
    set_aside: bool = False,
    reason: str = "",
    once: str | None = None,
) -> list[Movement]:
    """Carry units from one bin to another; their lot, its date and their age go with them.

    `set_aside`: those in quarantine, which stay in it. `lot` None: whichever lots lie there, by the shop's rule. Raises
    Forbidden, Missing or Invalid (`quantity` when fewer lie there).
    """
    require(actor, BUYER, PICKER)
    errors: Errors = []
    units = units_of(quantity, errors)
    where, there, which = key_of(bin, "bin", errors), key_of(to_bin, "to_bin", errors), key_of(lot, "lot", errors)
    why = reason_of(reason or "moved", errors, "")
    if not there and not errors:
        errors.append(("to_bin", "say which bin they are carried to"))
    if where == there and not errors:
        errors.append(("to_bin", "they lie there already"))
    if errors:
        raise Invalid(*errors)
    product, cause = product_of(sku), cause_of("transfer", once)
    column = "quarantined" if set_aside else "on_hand"
    with writing():
        ledger.lock([product.pk])
        if _done(cause):
            return _done(cause)
        changes: list[Change] = []
        for share in taken_from(product.pk, units, bin_=where, lot=which, column=column):
            place = share.place
            away: dict[str, Any] = {column: -share.units}
            here: dict[str, Any] = {column: share.units}
            told: dict[str, Any] = {"lot": place.lot, "reason": why, "subject": sku[:SUBJECT]}
            changes += [
                Change(
                    product.pk, "transferred", ledger.once(cause, len(changes)), bin=place.bin, **away, **told,
                ),
                Change(
                    product.pk, "transferred", ledger.once(cause, len(changes) + 1), bin=there or "",
                    best_before=place.best_before, since=place.first_at, **here, **told,
                ),
            ]  # fmt: skip
        ledger.move(changes, actor=actor)
        _tell("stock_transferred", actor, sku, units, f"{units} from bin {where or '-'} to bin {there}: {why}")
        return _done(cause)


def release_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    reason: str,
    bin: str | None = None,  # noqa: A002
    lot: str | None = None,
    once: str | None = None,
) -> list[Movement]:
    """Units in quarantine are good after all: they are sellable again where they lie, and go to whoever waits.

    Raises Forbidden, Missing or Invalid (`quantity` when fewer are set aside).
    """
    require(actor, BUYER)
    product, units, why, shares, cause = _aside(sku, quantity, reason, bin, lot, "release", once)
    with writing():
        ledger.lock([product.pk])
        if _done(cause):
            return _done(cause)
        changes = [
            Change(
                product.pk, "good_after_all", ledger.once(cause, at), on_hand=s.units, quarantined=-s.units,
                bin=s.place.bin, lot=s.place.lot, reason=why, subject=sku[:SUBJECT],
            )
            for at, s in enumerate(shares())
        ]  # fmt: skip
        ledger.move(changes, actor=actor)
        _tell("stock_released", actor, sku, units, f"{units} are good after all: {why}")
        owe_fill(product.pk)
        return _done(cause)


def write_off_stock(
    *,
    actor: Actor,
    sku: str,
    quantity: int,
    reason: str,
    bin: str | None = None,  # noqa: A002
    lot: str | None = None,
    once: str | None = None,
) -> list[Movement]:
    """Units in quarantine are gone for good: booked as lost at what they cost.

    What is on the shelf is set aside or written off as damaged (sourcing). Raises Forbidden, Missing or Invalid.
    """
    require(actor, BUYER)
    product, units, why, shares, cause = _aside(sku, quantity, reason, bin, lot, "write_off", once)
    with writing():
        ledger.lock([product.pk])
        if _done(cause):
            return _done(cause)
        changes = [
            Change(
                product.pk, "written_off", ledger.once(cause, at), quarantined=-s.units, bin=s.place.bin,
                lot=s.place.lot, reason=why, subject=sku[:SUBJECT],
            )
            for at, s in enumerate(shares())
        ]  # fmt: skip
        lost = -sum(ledger.move(changes, actor=actor).values())
        book_loss(product, units, lost, cause=cause, kind="stock_written_off", why=why)
        _tell("stock_written_off", actor, sku, units, f"{units} written off: {why}")
        return _done(cause)


def book_loss(product: Product, units: int, value: int, *, cause: str, kind: str, why: str, subject: str = "") -> None:
    """Units that are lost (or, below zero, found) leave (or enter) the inventory at `value`, what the ledger says."""
    post(
        cause=cause,
        kind=kind,
        subject=subject or product.sku[:SUBJECT],
        text=f"{units} × {product.sku} {'lost' if units >= 0 else 'found'}: {why}"[:300],
        currency=shop().currency,
        amounts={"stock_losses": value, "inventory": -value},
    )


def _aside(
    sku: str, quantity: int, reason: str, bin_: str | None, lot: str | None, kind: str, once: str | None
) -> tuple[Product, int, str, Any, str]:
    """What is said about units in quarantine, checked; the places come from the last but one, inside the lock."""
    errors: Errors = []
    units = units_of(quantity, errors)
    why = reason_of(reason, errors, "say why")
    where, which = key_of(bin_, "bin", errors), key_of(lot, "lot", errors)
    if errors:
        raise Invalid(*errors)
    product = product_of(sku)

    def shares() -> Iterable[Share]:
        return taken_from(product.pk, units, bin_=where, lot=which, column="quarantined")

    return product, units, why, shares, cause_of(kind, once)


def _done(cause: str) -> list[Movement]:
    """The movements of this cause, if it has happened already (or just now)."""
    first = Movement.objects.filter(cause=cause).first()
    if first is None:
        return []
    return [first, *Movement.objects.filter(cause__startswith=f"{cause}:").order_by("pk")]


def _tell(kind: str, actor: Actor, sku: str, units: int, text: str) -> None:
    journal.record(
        kind, subject=sku[:SUBJECT], actor=actor, text=text, data={"sku": sku, "quantity": units}, advance=False
    )
