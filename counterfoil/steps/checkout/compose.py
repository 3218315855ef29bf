"""Every row of a placement, and the answer that it gives, before any of it is written."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.shop import shop
from counterfoil.gateways.mail.outbox import letter
from counterfoil.records.customers.keys import keys_of
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.orders.present import order_json
from counterfoil.records.orders.slip import mail_slip, order_url
from counterfoil.steps.checkout.queries import Offered, Placement
from counterfoil.steps.checkout.rules import Amounts, Priced
from counterfoil.steps.checkout.wanted import Key, Placed, Wanted

HOLD_MINUTES = 35  # an unfinished check-out keeps its stock that long


def compose(
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
    settings = shop()
    # Nobody has stated a date yet: the law counts from the placing.
    placed_on = settings.day_of(wanted.placed_at or now)
    rule = settings.promise_rule(country=wanted.shipping_address["country"], on=placed_on)
    deadline = rule.deadline(placed_on)
    order_row = _order_row(wanted, amounts, order_id, number, now, deadline)
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
        "legal_deadline": deadline,
        "clock_over": deadline < settings.today(),
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
    keys = keys_of(wanted.name, wanted.phone, wanted.shipping_address["country"])
    placement = Placement(
        customer={
            # Without an e-mail address, who has this number is who has had it before. No address begins so.
            "email_key": wanted.email.lower() or f"tel:{keys['phone_key']}",
            "email": wanted.email,
            "name": wanted.name,
            "phone": wanted.phone,
            **keys,
        },
        vouched=wanted.own or actor.kind == "person",
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
    told = "" if wanted.email else "; no e-mail address: to be told by telephone"
    return f"Order placed through {wanted.channel}; {how}{told}"


def _order_row(
    wanted: Wanted, amounts: Amounts, order_id: int, number: str, now: datetime, legal: date
) -> dict[str, Any]:
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
        "account_id": wanted.account,
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
        "deadline": min(legal, wanted.needed_by or legal),
        "next_action": "review" if wanted.finished else "",
        "blockers": [],
        "next_check_at": _notice_due(legal, now) if wanted.finished else now + timedelta(minutes=HOLD_MINUTES),
    }


def _notice_due(legal: date, now: datetime) -> datetime | None:
    """When the customer is asked, should the goods not have left; None: that day was over before it came here."""
    settings = shop()
    if legal < settings.today():
        return None
    return max(now, clock.start_of_day(legal - timedelta(days=settings.notice_days), settings.timezone))


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
    if wanted.finished and wanted.email:  # without it, the clerk reads the order back
        owed.append(
            ("mail.send", f"confirmation:{order.number}:placed", confirmation(order, lines, asks_card=wanted.asks_card))
        )
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


def confirmation(order: Order, lines: Sequence[Line], *, asks_card: bool = False) -> dict[str, Any]:
    """The confirmation mail as a job's payload; with `asks_card` its link leads to the page that takes a card."""
    asked = {"url": f"{order_url(order)}/pay", "asks_card": True} if asks_card else {}
    context = {
        **mail_slip(order, lines),
        "subject": f"{order.number}: please give your card" if asks_card else f"We have your order {order.number}",
        "card": order.payment_method == "card",
        **asked,
    }
    return letter("confirmation", order.email, f"{order.number}:placed", context)
