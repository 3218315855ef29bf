"""Cart -> order. One short transaction; the processor and the post office are told afterwards, by jobs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError

from counterfoil.core import actor as actors
from counterfoil.core import clock
from counterfoil.core.actor import CHANNEL, CLERK, Actor, require
from counterfoil.core.db import is_postgres, writing
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.money import MAX_AMOUNT, decimals
from counterfoil.core.shop import shop
from counterfoil.core.text import clean, mask_cards
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.orders.present import order_json
from counterfoil.records.orders.slip import mail_slip
from counterfoil.steps.checkout import queries
from counterfoil.steps.checkout.queries import Offered, Placement
from counterfoil.steps.checkout.rules import (
    MAX_LINES,
    MAX_QUANTITY,
    METHODS,
    Amounts,
    Priced,
    add_up,
    check_address,
    check_amounts,
    price_lines,
)

HOLD_MINUTES = 35  # an unfinished check-out keeps its stock that long


@dataclass(frozen=True)
class Wanted:
    """An order as somebody wants to place it. Amounts in minor units; texts as they came."""

    channel: str
    reference: str
    currency: str
    name: str
    email: str
    shipping_address: Mapping[str, str]
    lines: Sequence[tuple[str, int, int | None]]  # sku, quantity, unit price or None for the product's
    shipping_method: str
    shipping_price: int
    payment_method: str
    phone: str = ""
    billing_address: Mapping[str, str] | None = None
    payment_source: str = ""
    placed_at: datetime | None = None
    tax: int | None = None
    total: int | None = None
    needed_by: date | None = None
    gift_message: str = ""
    comment: str = ""
    consent: bool = True  # an API channel vouches for it; the check-out asks
    age_declared: bool = True
    finished: bool = True
    reserve: bool = True
    flags: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Key:
    """The caller's Idempotency-Key, kept in the order's own transaction."""

    scope: str
    path: str
    key: str
    digest: str


@dataclass(frozen=True)
class Placed:
    """`created` is False when this channel had placed this reference before; then the order stands as it is."""

    number: str
    token: str
    created: bool
    answer: dict[str, Any] = field(default_factory=dict)


class KeyTaken(Exception):
    """The Idempotency-Key got used by somebody in the very same moment: look again."""


def place_order(*, wanted: Wanted, actor: Actor, key: Key | None = None) -> Placed:
    """Place an order: customer, order, part, lines, reservations, journal and jobs in one transaction.

    Never waits for the card processor. Raises Invalid with every wrong field, Refused `sold_out` or
    `state_not_served`, Forbidden. The same channel and reference again gives the same order, `created` False.
    """
    if actor.kind != "customer":
        require(actor, CHANNEL, CLERK)
    wanted = _checked(wanted)
    try:
        with writing():
            offered, order_id = queries.lock_products(sorted({sku for sku, _, _ in wanted.lines}))
            priced, amounts = _priced(wanted, offered)
            if not is_postgres():
                order_id = queries.next_order_id_sqlite()
            placement, placed = _compose(wanted, offered, priced, amounts, order_id, actor, key)
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


def _checked(wanted: Wanted) -> Wanted:
    """Everything that can be judged without the database; texts come back cleaned."""
    wrong: list[tuple[str, str]] = []

    def text(value: str, name: str, limit: int, *, needed: bool = False) -> str:
        try:
            cleaned = clean(value)
        except ValueError as error:
            wrong.append((name, str(error)))
            return ""
        if needed and not cleaned:
            wrong.append((name, "must not be empty"))
        if len(cleaned) > limit:
            wrong.append((name, f"at most {limit} characters"))
        return cleaned

    def address(given: Mapping[str, str], name: str) -> dict[str, str]:
        known = ("name", "street", "city", "postcode", "state", "country")
        cleaned = {k: text(str(given.get(k) or ""), f"{name}.{k}", 200) for k in known}
        wrong.extend(check_address(cleaned, name))
        return cleaned

    try:
        decimals(wanted.currency)
    except ValueError as error:
        wrong.append(("currency", str(error)))
    if wanted.payment_method not in METHODS:
        wrong.append(("payment.method", f"use one of {', '.join(METHODS)}"))
    email = text(wanted.email, "customer.email", 254, needed=True)
    if email and ("@" not in email[1:-1] or any(c.isspace() for c in email)):
        wrong.append(("customer.email", "this is no e-mail address"))
    wrong += _wrong_lines(wanted.lines)
    wrong += _wrong_reference(wanted.reference)
    if not 0 <= wanted.shipping_price <= MAX_AMOUNT // 100:
        wrong.append(("shipping.price", "must be zero or more, in minor units, and within reason"))
    if wanted.tax is not None and not 0 <= wanted.tax <= MAX_AMOUNT // 100:
        wrong.append(("tax", "must be zero or more, in minor units, and within reason"))
    now = clock.business_now()
    if wanted.placed_at is not None and wanted.placed_at > now + timedelta(days=1):
        wrong.append(("placed_at", "is in the future"))
    placed_today = wanted.finished and wanted.placed_at is None
    if wanted.needed_by is not None and placed_today and wanted.needed_by < shop().today():
        wrong.append(("needed_by", "is in the past"))
    shipping_address = address(wanted.shipping_address, "shipping_address")
    billing = address(wanted.billing_address, "billing_address") if wanted.billing_address else shipping_address
    changed = Wanted(
        **{
            **wanted.__dict__,
            "channel": text(wanted.channel, "channel", 40, needed=True),
            "reference": text(wanted.reference, "reference", 100, needed=True),
            "name": text(wanted.name, "customer.name", 200, needed=True),
            "email": email,
            "phone": text(wanted.phone, "customer.phone", 40),
            "shipping_method": text(wanted.shipping_method, "shipping.method", 100, needed=True),
            "gift_message": text(wanted.gift_message, "gift_message", 2000),
            "comment": text(wanted.comment, "comment", 5000),
            "payment_source": text(wanted.payment_source, "payment.payment_method", 120),
            "shipping_address": shipping_address,
            "billing_address": billing,
        }
    )
    if wrong:
        raise Invalid(*wrong)
    refused = shop().refuses(country=shipping_address["country"], state=shipping_address["state"])
    if refused:
        raise Refused([Blocker("state_not_served", refused)])
    return changed


def _wrong_reference(reference: str) -> list[tuple[str, str]]:
    # Masked, two of them could become one and the same reference.
    masked = mask_cards(reference) != reference
    return [("reference", "this looks like a card number; use a number of the order's own")] if masked else []


def _wrong_lines(lines: Sequence[tuple[str, int, int | None]]) -> list[tuple[str, str]]:
    if not lines:
        return [("lines", "an order needs at least one line")]
    if len(lines) > MAX_LINES:
        return [("lines", f"at most {MAX_LINES} lines")]
    wrong = []
    for i, (sku, quantity, price) in enumerate(lines):
        if not sku or not sku.isprintable() or len(sku) > 64:
            wrong.append((f"lines.{i}.sku", "name a product's SKU"))
        if not 1 <= quantity <= MAX_QUANTITY:
            wrong.append((f"lines.{i}.quantity", f"must be between 1 and {MAX_QUANTITY}"))
        if price is not None and not 0 <= price <= MAX_AMOUNT // 1_000_000:
            wrong.append((f"lines.{i}.unit_price", "must be zero or more, in minor units, and within reason"))
    return wrong


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
    amounts = add_up(priced, wanted.shipping_price, wanted.total)
    wrong = check_amounts(amounts)
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


def _compose(
    wanted: Wanted,
    offered: Mapping[str, Offered],
    priced: Sequence[Priced],
    amounts: Amounts,
    order_id: int,
    actor: Actor,
    key: Key | None,
) -> tuple[Placement, Placed]:
    """Every row of the placement, and the answer that it will give."""
    now, real = clock.business_now(), clock.real_now()
    number = f"CF-{1000 + order_id}"
    order_row = _order_row(wanted, amounts, order_id, number, now)
    part_row = {
        "order_id": order_id,
        "number": 1,
        "stock": "unchecked",
        "money": "unpaid",
        "parcel": "waiting",
        "books": "none",
        "subtotal": amounts.subtotal,
        "shipping": amounts.shipping,
        "tax": amounts.tax,
        "rounding": amounts.rounding,
        "total": amounts.total,
        "promise_version": 0,
        "charged": 0,
        "refund_owed": 0,
        "refunded": 0,
        "charged_by": "",
        "picked_by": "",
        "packed_by": "",
        "sales_order_number": "",
        "invoice_number": "",
    }
    line_rows, movements, waiting = _line_rows(wanted, offered, priced, number, actor, now)
    order = Order(**{**order_row, "customer_id": 0})
    part = Part(**{**part_row, "id": 0})
    lines = [Line(**{**row, "order_id": order_id, "part_id": 0}) for row in line_rows]
    answer = order_json(order, parts=[part], lines=lines)
    event: dict[str, Any] = {
        "subject": number,
        "part": None,
        "version": 1,
        "kind": "order_placed" if wanted.finished else "checkout_started",
        "at": now,
        "recorded_at": real,
        "actor_kind": actor.kind,
        "actor": actor.name,
        "text": _placed_words(wanted),
        "data": {"channel": wanted.channel, "reference": wanted.reference},
        "moves": [],
    }
    idempotency = key and {
        "scope": key.scope,
        "path": key.path,
        "key": key.key,
        "body_sha256": key.digest,
        "status": 201,
        "answer": json.dumps(answer),
        "created_at": real,
    }
    placement = Placement(
        customer={"email_key": wanted.email.lower(), "email": wanted.email, "name": wanted.name, "phone": wanted.phone},
        order=order_row,
        part=part_row,
        lines=line_rows,
        movements=movements,
        waiting=waiting,
        event=event,
        jobs=_jobs(wanted, order, lines, real),
        idempotency=idempotency or None,
    )
    return placement, Placed(number, str(order_row["token"]), created=True, answer=answer)


def _placed_words(wanted: Wanted) -> str:
    if not wanted.finished:
        return "Check-out started; the stock is held while the card is entered"
    how = {
        "card": "card to be saved, nothing charged",
        "terminal": "pays at the terminal",
        "cheque": "pays by cheque",
        "on_delivery": "pays on delivery",
    }[wanted.payment_method]
    return f"Order placed through {wanted.channel}; {how}"


def _order_row(wanted: Wanted, amounts: Amounts, order_id: int, number: str, now: datetime) -> dict[str, Any]:
    on_card = wanted.payment_method == "card"
    return {
        "id": order_id,
        "number": number,
        "token": secrets.token_urlsafe(24),
        "version": 1,
        "channel": wanted.channel,
        "reference": wanted.reference,
        "placed_at": wanted.placed_at or now,
        "currency": wanted.currency,
        "customer_id": 0,
        "name": wanted.name,
        "email": wanted.email,
        "phone": wanted.phone,
        "shipping_address": dict(wanted.shipping_address),
        "billing_address": dict(wanted.billing_address or wanted.shipping_address),
        "shipping_method": wanted.shipping_method,
        "needed_by": wanted.needed_by,
        "gift_message": wanted.gift_message,
        "comment": wanted.comment,
        "subtotal": amounts.subtotal,
        "shipping": amounts.shipping,
        "tax": amounts.tax,
        "rounding": amounts.rounding,
        "total": amounts.total,
        "payment_method": wanted.payment_method,
        "card_state": "to_save" if on_card and wanted.payment_source else "none",
        "card_source": wanted.payment_source if on_card else "",
        "card_method": "",
        "card_brand": "",
        "card_last4": "",
        "card_consent": wanted.consent and on_card,
        "review": "pending",
        "approved_by": "",
        "cancelled_by": "",
        "cancel_reason": "",
        "finished": wanted.finished,
        "closed_history": False,
        "flags": [dict(f) for f in wanted.flags],
        # What flow would derive: a test holds the two together.
        "status": "pending" if wanted.finished else "unfinished",
        "queue": "review" if wanted.finished else "unfinished",
        "queue_since": now,
        "deadline": wanted.needed_by,
        "next_action": "review" if wanted.finished else "",
        "blockers": [],
        "next_check_at": None if wanted.finished else now + timedelta(minutes=HOLD_MINUTES),
    }


def _line_rows(
    wanted: Wanted, offered: Mapping[str, Offered], priced: Sequence[Priced], number: str, actor: Actor, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    left = {sku: (max(0, p.free) if wanted.reserve else 0) for sku, p in offered.items()}
    lines, movements = [], []
    waiting: dict[int, dict[str, int]] = {}
    for position, line in enumerate(priced, start=1):
        product = offered[line.sku]
        reserved = min(left[line.sku], line.quantity)
        left[line.sku] -= reserved
        lines.append(
            {
                "position": position,
                "product_id": product.id,
                "sku": line.sku,
                "name": product.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "tax_ppm": line.tax_ppm,
                "tax": line.tax,
                "reserved": reserved,
                "due": 0,
                "due_confirmed": 0,
                "picked": 0,
                "packed": 0,
                "shipped": 0,
                "returned": 0,
                "cancelled": 0,
                "refunded": 0,
                "order_id": 0,
                "part_id": 0,
            }
        )
        sums = waiting.setdefault(product.id, {"product_id": product.id, "reserved": 0, "waiting": 0})
        sums["reserved"] += reserved
        sums["waiting"] += line.quantity - reserved
        if reserved:
            movements.append(
                {
                    "product_id": product.id,
                    "kind": "reserved",
                    "reserved": reserved,
                    "cause": f"place:{number}:{position}",
                    "subject": number,
                    "line": position,
                    "actor": actor.name,
                    "at": now,
                }
            )
    return lines, movements, sorted(waiting.values(), key=lambda w: w["product_id"])


def _jobs(wanted: Wanted, order: Order, lines: Sequence[Line], real: datetime) -> list[dict[str, Any]]:
    owed = []
    if wanted.finished:
        owed.append(("mail.send", f"confirmation:{order.number}:placed", confirmation(order, lines)))
    if wanted.finished and order.card_state == "to_save":
        owed.append(("charging.save_card", order.number, {"order": order.number}))
    return [
        {
            "name": name,
            "key": f"{name}:{key}",
            "payload": payload,
            "state": "queued",
            "run_at": real,
            "attempts": 0,
            "fence": 0,
            "worker": "",
            "last_error": "",
            "created_at": real,
        }
        for name, key, payload in owed
    ]


def confirmation(order: Order, lines: Sequence[Line]) -> dict[str, Any]:
    """The confirmation mail as a job's payload."""
    return {
        "kind": "confirmation",
        "to": order.email,
        "key": f"{order.number}:placed",
        "context": {
            **mail_slip(order, lines),
            "subject": f"We have your order {order.number}",
            "card": order.payment_method == "card",
        },
        "documents": [],
    }


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
) -> Order:
    """The shop's check-out. A card order stays unfinished until the hosted page has saved the card.

    Raises Invalid with the form's field names, or Refused (`sold_out`, `state_not_served`).
    """
    settings = shop()
    price = next((int(d["price"]) for d in settings.deliveries if d["method"] == shipping_method), None)
    wrong: list[tuple[str, str]] = []
    if price is None:
        wrong.append(("shipping_method", "choose one of the delivery methods"))
    if payment_method == "card" and not consent:
        wrong.append(("consent", "we need your consent to charge the card when everything can ship"))
    if wrong:
        raise Invalid(*wrong)
    wanted = Wanted(
        channel="web",
        reference=idempotency,
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
    )
    try:
        placed = place_order(wanted=wanted, actor=_customer_actor(customer))
    except Invalid as error:
        raise Invalid(*[(_form_field(f), m) for f, m in error.errors]) from None
    return Order.objects.get(number=placed.number)


def _customer_actor(given: Mapping[str, str]) -> Actor:
    return actors.customer(given.get("name", "") or "customer")


def _form_field(name: str) -> str:
    return {"customer.name": "name", "customer.email": "email", "customer.phone": "phone"}.get(name, name)
