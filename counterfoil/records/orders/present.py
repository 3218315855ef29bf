"""The `order` answer of the API and of every page, from records and core alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from counterfoil.core.db import read, rows
from counterfoil.core.documents import CONFIDENTIAL
from counterfoil.core.models import Document, JournalEvent
from counterfoil.records.orders.declines import Tried, tried_of
from counterfoil.records.orders.models import Hold, Line, Notice, Order, Package, Part, Proposal, Refund, Shipment

GONE = frozenset({"shipped", "delivered", "returned"})


def moment(value: datetime | None) -> str | None:
    """A date-time for machines: UTC, with Z."""
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def line_json(line: Line) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "tax": line.tax,
        "reserved": line.reserved,
        "short": max(0, line.short),
        "due": line.due,
        "due_date": day(line.due_date),
        "picked": line.picked,
        "shipped": line.shipped,
        "returned": line.returned,
        "cancelled": line.cancelled,
    }


def decline_json(part: Part, tried: Tried | None) -> dict[str, Any] | None:
    """What stands of the last decline; None when none does."""
    if not part.decline_class:
        return None
    return {
        "code": tried.code if tried else None,
        "class": part.decline_class,
        "attempts": tried.attempts if tried else 0,
        "retry_at": moment(part.retry_at),
        "grace_until": moment(part.grace_until),
        "let_go_at": moment(part.let_go_at),
    }


def promise_json(part: Part, notices: Sequence[Notice] = ()) -> dict[str, Any]:
    """What the customer was promised, and what they were told of it last, oldest first."""
    told = [n for n in notices if n.part_id == part.pk]
    open_ = [n.answer_by for n in told if n.closed_at is None]
    dates = [d for d in (part.promise_date or part.legal_deadline, *open_) if d is not None]
    return {
        "date": day(part.promise_date),
        "legal_deadline": day(part.legal_deadline),
        "version": part.promise_version,
        "promised_on": day(part.promised_on),
        "consent": part.promise_consent or None,
        "next_deadline": day(min(dates, default=None)) if part.parcel not in GONE else None,
        "notices": [notice_json(n) for n in told],
    }


def notice_json(notice: Notice) -> dict[str, Any]:
    """`silence`: what no answer means. `outcome`: null until it was answered or no answer has got its meaning."""
    return {
        "version": notice.version,
        "promised": day(notice.promised),
        "offered": day(notice.offered),
        "sent_at": moment(notice.sent_at),
        "answer_by": day(notice.answer_by),
        "silence": notice.silence,
        "rule": notice.rule,
        "rule_from": day(notice.rule_from),
        "outcome": notice.outcome or None,
        "closed_at": moment(notice.closed_at),
    }


def part_json(
    part: Part, lines: Sequence[Line], tried: Tried | None = None, notices: Sequence[Notice] = ()
) -> dict[str, Any]:
    authorised = None
    if part.authorisation_amount is not None:
        authorised = {"amount": part.authorisation_amount, "expires_at": moment(part.authorisation_expires_at)}
    return {
        "number": part.number,
        "stock": part.stock,
        "money": part.money,
        "parcel": part.parcel,
        "books": part.books,
        "promise": promise_json(part, notices),
        "authorisation": authorised,
        "decline": decline_json(part, tried),
        "cover_lost": {"at": moment(part.cover_lost_at), "refund_on": day(part.cover_refund_on)}
        if part.cover_lost_at
        else None,
        "total": part.total,
        "charged": part.charged,
        "refunded": part.refunded,
        "refund_owed": part.refund_owed,
        "sales_order": part.sales_order_number or None,
        "invoice": part.invoice_number or None,
        "lines": [line_json(ln) for ln in lines],
    }


def order_json(
    order: Order,
    *,
    parts: Sequence[Part],
    lines: Sequence[Line],
    holds: Sequence[Hold] = (),
    proposals: Sequence[Proposal] = (),
    packages: Sequence[Package] = (),
    shipments: Sequence[Shipment] = (),
    refunds: Sequence[Refund] = (),
    documents: Sequence[Document] = (),
    tried: Mapping[int, Tried] | None = None,
    notices: Sequence[Notice] = (),
) -> dict[str, Any]:
    """The contract's `order`, from rows at hand."""
    charged = sum(p.charged for p in parts)
    refunded = sum(p.refunded for p in parts)
    promised_back = sum(p.refund_owed for p in parts)
    first = parts[0]
    cancelled = order.cancelled_at is not None
    return {
        "number": order.number,
        "reference": order.reference,
        "channel": order.channel,
        "status": order.status,
        "queue": order.queue,
        "next_action": order.next_action or None,
        "blockers": order.blockers,
        "review": order.review,
        "holds": [hold_json(h) for h in holds],
        "parts": [
            part_json(p, [ln for ln in lines if ln.part_id == p.pk], (tried or {}).get(p.pk), notices) for p in parts
        ],
        "axes": {"stock": first.stock, "money": first.money, "parcel": first.parcel, "books": first.books},
        "currency": order.currency,
        "subtotal": order.subtotal,
        "shipping": order.shipping,
        "tax": order.tax,
        "rounding": order.rounding,
        "total": order.total,
        "charged": charged,
        "refunded": refunded,
        # What the customer still owes us; what we owe them is `refund_owed`.
        "owed": 0 if cancelled or order.closed_history else sum(max(0, p.total - p.paid) for p in parts),
        "refund_owed": promised_back,
        "needed_by": day(order.needed_by),
        "customer": {"name": order.name, "email": order.email, "phone": order.phone},
        "shipping_address": order.shipping_address,
        "billing_address": order.billing_address,
        "shipping_method": order.shipping_method,
        "payment": {
            "method": order.payment_method,
            "card": {"brand": order.card_brand, "last4": order.card_last4} if order.card_last4 else None,
        },
        "gift_message": order.gift_message,
        "comment": order.comment,
        "flags": order.flags,
        "lines": [line_json(ln) for ln in lines],
        "proposals": [proposal_json(p) for p in proposals],
        "packages": [package_json(p) for p in packages],
        "shipments": [shipment_json(s) for s in shipments],
        "refunds": [refund_json(r) for r in refunds],
        "documents": [
            {"number": d.number, "kind": d.kind, "version": d.version, "part": d.part, "sha256": d.sha256}
            for d in documents
        ],
        "cancelled_at": moment(order.cancelled_at),
        "cancel_reason": order.cancel_reason or None,
        "placed_at": moment(order.placed_at),
        "version": order.version,
    }


def hold_json(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.pk,
        "reason": hold.reason,
        "kind": hold.kind or None,
        "by": hold.placed_by,
        "at": moment(hold.at),
    }


def proposal_json(asked: Proposal) -> dict[str, Any]:
    return {
        "token": asked.token,
        "state": asked.state,
        "choices": asked.choices,
        "message": asked.message,
        "choice": asked.choice,
        "expires_at": moment(asked.expires_at),
        "answered_at": moment(asked.answered_at),
        "answered_via": asked.answered_via or None,
        "spoken_to": asked.spoken_to or None,
        "closed_because": asked.closed_because or None,
    }


def package_json(box: Package) -> dict[str, Any]:
    return {
        "id": box.pk,
        "number": box.number,
        "lines": [{"sku": ln["sku"], "quantity": ln["quantity"]} for ln in box.lines],
        "weight_g": box.weight_g,
        "shipment": box.shipment_id,
    }


def shipment_json(shipment: Shipment) -> dict[str, Any]:
    return {
        "id": shipment.pk,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "tracking_url": shipment.tracking_url,
        "shipped_at": moment(shipment.shipped_at),
        "delivered_at": moment(shipment.delivered_at),
        "signed_by": shipment.signed_by or None,
    }


def refund_json(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.pk,
        "state": refund.state,
        "amount": refund.amount,
        "reason": refund.reason,
        "failure": refund.failure or None,
    }


def present(order: Order) -> dict[str, Any]:
    """The contract's `order` as it stands now: eight reads, whatever its size; one more while a decline stands."""
    return present_many(read(Order, "WHERE id = %s", [order.pk]))[0]


def present_many(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Many orders in as many statements as one."""
    if not orders:
        return []
    ids = [o.pk for o in orders]
    marks = ", ".join(["%s"] * len(ids))
    of = f"WHERE order_id IN ({marks})"
    parts = read(Part, f"{of} ORDER BY number", ids)
    lines = read(Line, f"{of} ORDER BY position", ids)
    holds = read(Hold, f"{of} AND released_at IS NULL ORDER BY id", ids)
    asked = read(Proposal, f"{of} ORDER BY id", ids)
    packages = read(Package, f"{of} AND unpacked_at IS NULL ORDER BY number", ids)
    shipments = read(Shipment, f"{of} ORDER BY id", ids)
    owners = {p.pk: p.order_id for p in parts}
    refunds = read(Refund, f"WHERE part_id IN (SELECT id FROM orders_part {of}) ORDER BY id", ids)
    # Without their content, which may be long.
    documents = [
        Document(number=number, kind=kind, subject=subject, version=version, part=part, sha256=sha256)
        for number, kind, subject, version, part, sha256 in rows(
            "SELECT number, kind, subject, version, part, sha256 FROM core_document "
            f"WHERE subject IN ({marks}) ORDER BY id",
            [o.number for o in orders],
        )
        if kind not in CONFIDENTIAL
    ]
    tried = tried_of(parts)
    # A notice is a question too: where nobody was asked, there is none.
    notices = read(Notice, f"{of} ORDER BY id", ids) if asked else []
    return [
        order_json(
            o,
            parts=[p for p in parts if p.order_id == o.pk],
            lines=[ln for ln in lines if ln.order_id == o.pk],
            holds=[h for h in holds if h.order_id == o.pk],
            proposals=[q for q in asked if q.order_id == o.pk],
            packages=[p for p in packages if p.order_id == o.pk],
            shipments=[s for s in shipments if s.order_id == o.pk],
            refunds=[r for r in refunds if owners[r.part_id] == o.pk],
            documents=[d for d in documents if d.subject == o.number],
            tried=tried,
            notices=[n for n in notices if n.order_id == o.pk],
        )
        for o in orders
    ]


def timeline(order: Order) -> list[dict[str, Any]]:
    """What happened, oldest first."""
    return [
        {"at": moment(e.at), "actor": e.actor, "kind": e.kind, "text": e.text, "data": e.data}
        for e in JournalEvent.objects.filter(subject=order.number).order_by("id")
    ]
