"""Cart -> order. One short transaction; the processor and the post office are told afterwards, by jobs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError

from counterfoil.core import actor as actors
from counterfoil.core.actor import CHANNEL, CLERK, Actor, require
from counterfoil.core.db import is_postgres, writing
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.money import plain, step
from counterfoil.core.shop import shop
from counterfoil.records.customers.models import Account
from counterfoil.records.orders.models import Order
from counterfoil.steps.checkout import queries
from counterfoil.steps.checkout.compose import compose
from counterfoil.steps.checkout.queries import Offered
from counterfoil.steps.checkout.rules import (
    Amounts,
    Priced,
    add_up,
    check_amounts,
    price_lines,
)
from counterfoil.steps.checkout.wanted import Key, Placed, Wanted, checked

__all__ = ["Key", "KeyTaken", "Placed", "Wanted", "place_order", "place_web_order"]


_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class KeyTaken(Exception):
    """The Idempotency-Key got used by somebody in the very same moment: look again."""


def place_order(*, wanted: Wanted, actor: Actor, key: Key | None = None) -> Placed:
    """Place an order: customer, order, part, lines, reservations, journal and jobs in one transaction.

    Never waits for the card processor. Raises Invalid with every wrong field, Refused `sold_out` or
    `state_not_served`, Forbidden. The same channel and reference again gives the same order, `created` False.
    """
    if actor.kind != "customer":
        require(actor, CHANNEL, CLERK)
    wanted = checked(wanted)
    try:
        with writing():
            offered, order_id = queries.lock_products(sorted({sku for sku, _, _ in wanted.lines}))
            priced, amounts = _priced(wanted, offered)
            if not is_postgres():
                order_id = queries.next_order_id_sqlite()
            placement, placed = compose(wanted, offered, priced, amounts, order_id, actor, key)
            queries.write(placement)
    except (IntegrityError, Refused) as error:
        known = Order.objects.filter(channel=wanted.channel, reference=wanted.reference).first()
        if known is not None:
            # Also when it took the last bottle itself: a repeat is not refused for what the first one has.
            return Placed(known.number, known.token, created=False)
        if isinstance(error, Refused):
            raise
        raise KeyTaken from None
    return placed


def _priced(wanted: Wanted, offered: Mapping[str, Offered]) -> tuple[list[Priced], Amounts]:
    """Prices, tax and totals; raises for products we do not have, may not sell so, or cannot supply."""
    wrong: list[tuple[str, str]] = []
    settings = shop()
    address = wanted.shipping_address
    rows: list[tuple[str, int, int, int]] = []
    for i, (sku, quantity, price) in enumerate(wanted.lines):
        product = offered.get(sku)
        if product is None:
            wrong.append((f"lines.{i}.sku", f"there is no product {sku}"))
            continue
        if price is None and product.currency != wanted.currency:
            wrong.append((f"lines.{i}.unit_price", f"{sku} is priced in {product.currency}; say what it costs here"))
        if product.age_restricted and not wanted.age_declared:
            wrong.append(("age", "confirm that you are of legal age: the order holds alcohol"))
        rate = settings.tax_rate_ppm(product.tax_class, country=address["country"], state=address["state"])
        rows.append((sku, quantity, product.price if price is None else price, rate))
    if wrong:
        raise Invalid(*dict.fromkeys(wrong))
    priced = price_lines(rows, wanted.tax)
    least = step(wanted.currency)
    amounts = add_up(priced, wanted.shipping_price, wanted.total, step=least)
    wrong = check_amounts(amounts)
    if wanted.payment_method == "card" and amounts.total % least:
        wrong.append(("total", f"cards are charged in steps of {plain(least, wanted.currency)} {wanted.currency}"))
    if wrong:
        raise Invalid(*wrong)
    asked: dict[str, int] = {}
    for sku, quantity, _ in wanted.lines:
        asked[sku] = asked.get(sku, 0) + quantity
    gone = [
        Blocker("sold_out", f"{offered[s].name} is sold out: {max(0, offered[s].free)} left, {q} wanted", line=s)
        for s, q in asked.items()
        if wanted.reserve and offered[s].sell_when_out == "stop" and offered[s].free < q
    ]
    if gone:
        raise Refused(gone)
    return priced, amounts


def place_web_order(
    *,
    lines: Sequence[Mapping[str, Any]],
    customer: Mapping[str, str],
    shipping_address: Mapping[str, str],
    billing_address: Mapping[str, str] | None,
    shipping_method: str,
    payment_method: str,
    needed_by: date | None,
    gift_message: str,
    comment: str,
    consent: bool,
    age_declared: bool,
    idempotency: str,
    account: Account | None = None,
) -> Order:
    """The shop's check-out, by a guest or for an account.

    A card order stays unfinished until the hosted page has saved the card.

    Raises Invalid with the form's field names, or Refused (`sold_out`, `state_not_served`).
    """
    settings = shop()
    price = next((int(d["price"]) for d in settings.deliveries if d["method"] == shipping_method), None)
    wrong: list[tuple[str, str]] = []
    if price is None:
        wrong.append(("shipping_method", "choose one of the delivery methods"))
    if payment_method == "card" and not consent:
        wrong.append(("consent", f"we need your consent to charge the card {settings.charged_when()}"))
    if wrong:
        raise Invalid(*wrong)
    wanted = Wanted(
        channel="web",
        reference=_reference_of(idempotency),
        currency=settings.currency,
        name=customer.get("name", ""),
        email=customer.get("email", ""),
        phone=customer.get("phone", ""),
        shipping_address=shipping_address,
        billing_address=billing_address,
        lines=[(str(ln["sku"]), int(ln["quantity"]), None) for ln in lines],
        shipping_method=shipping_method,
        shipping_price=price or 0,
        payment_method=payment_method,
        needed_by=needed_by,
        gift_message=gift_message,
        comment=comment,
        consent=consent,
        age_declared=age_declared,
        finished=payment_method != "card",
        account=account.pk if account else None,
        own=account is not None and account.email_key == customer.get("email", "").strip().lower(),
    )
    try:
        placed = place_order(wanted=wanted, actor=_customer_actor(customer))
    except Invalid as error:
        raise Invalid(*[(_form_field(f), m) for f, m in error.errors]) from None
    return Order.objects.get(number=placed.number)


def _reference_of(attempt: str) -> str:
    """What an order of the check-out is kept under, so that a form sent twice is one order and leads to it twice.

    No attempt that anybody can send is another order's reference: those of a feed into this channel can be guessed,
    those of our own stand on papers, and whoever named one would be led to the order of somebody else. Letters only:
    nothing in it looks like a card's number.
    """
    return hashlib.sha256(attempt.encode()).hexdigest()[:24].translate(_LETTERS)


def _customer_actor(given: Mapping[str, str]) -> Actor:
    return actors.customer(given.get("name", "") or "customer")


def _form_field(name: str) -> str:
    return {"customer.name": "name", "customer.email": "email", "customer.phone": "phone"}.get(name, name)
