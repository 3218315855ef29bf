"""An order from another shop -> the rows that it becomes here, as columns to values. Nothing is written yet."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from counterfoil.core.actor import Actor
from counterfoil.core.clock import start_of_day
from counterfoil.core.cutoffs import NO_CUT_OFF
from counterfoil.core.money import split, tax_on
from counterfoil.core.promises import PromiseRule
from counterfoil.core.shop import Shop
from counterfoil.gateways.storefront.protocol import DELIVERED, PENDING, PROCESSING, FeedEvent, FeedOrder
from counterfoil.records.customers.keys import keys_of
from counterfoil.records.orders.facts import in_words
from counterfoil.records.orders.models import Promise
from counterfoil.steps.checkout.rules import Amounts, Priced, add_up
from counterfoil.steps.checkout.told_dates import Told, told_date

APPROVED_BY = "imported"
TWICE = "twice"
Row = dict[str, Any]
DAY = timedelta(days=1)

# Columns that are the same for every imported order, part and line.
_ORDER: Row = {
    "version": 1, "account_id": None, "needed_by": None, "gift_message": "", "card_state": "none", "card_source": "",
    "card_method": "", "card_brand": "", "card_last4": "", "card_consent": False, "cancelled_at": None,
    "cancelled_by": "", "cancel_reason": "", "finished": True, "blockers": [], "next_check_at": None, "deadline": None,
    "leave_by": NO_CUT_OFF,
}  # fmt: skip
_PART: Row = {
    "number": 1, "stock": "unchecked", "money": "unpaid", "parcel": "waiting", "books": "none", "promise_date": None,
    "promise_version": 0, "promised_on": None, "promise_consent": "", "legal_deadline": None, "clock_over": False,
    "charged": 0, "refund_owed": 0, "refunded": 0, "given_back": 0, "cover_lost_at": None, "cover_asked_at": None,
    "cover_question": None, "cover_refund_on": None, "waits_until": None,
    "authorisation_amount": None, "authorisation_expires_at": None, "authorisation_warned_at": None,
    "decline_class": "", "retry_at": None, "grace_until": None, "let_go_at": None, "charged_at": None, "charged_by": "",
    "shipped_at": None, "delivered_at": None, "picked_by": "", "packed_by": "", "sales_order_number": "",
    "invoice_number": "",
}  # fmt: skip
_LINE: Row = {
    "reserved": 0, "due": 0, "due_confirmed": 0, "due_date": None, "picked": 0, "packed": 0, "shipped": 0,
    "returned": 0, "cancelled": 0, "refunded": 0, "replaces_id": None,
}  # fmt: skip


@dataclass
class Draft:
    """One order of the feed on its way in. `late_flags` are learned from the lines around it."""

    number: int  # of the line in the file
    text: str
    feed: FeedOrder
    late_flags: list[dict[str, str]] = field(default_factory=list)
    order: str = ""  # its number here, once it has been written

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same order when it comes again."""
        return self.feed.channel, self.feed.reference

    @property
    def open(self) -> bool:
        """Whether there is anything left to do."""
        return self.feed.status != DELIVERED


@dataclass(frozen=True)
class Setting:
    """What all orders of a batch have in common. `real` and `now`: real and business time."""

    shop: Shop
    now: datetime
    real: datetime
    source: Actor


def priced_lines(feed: FeedOrder) -> tuple[list[Priced], Amounts]:
    """Lines with their share of the feed's tax, and amounts that add up to what the customer agreed to."""
    rates = any(ln.tax_ppm for ln in feed.lines)
    weights = [ln.quantity * ln.unit_price * (ln.tax_ppm if rates else 1) for ln in feed.lines]
    if rates and not any(weights):
        weights = [ln.tax_ppm for ln in feed.lines]
    taxes = split(feed.tax, weights)
    priced = [
        Priced(ln.sku, ln.quantity, ln.unit_price, ln.tax_ppm, tax) for ln, tax in zip(feed.lines, taxes, strict=True)
    ]
    return priced, add_up(priced, feed.shipping_price, feed.total)


def flags_of(feed: FeedOrder, amounts: Amounts, setting: Setting) -> list[dict[str, str]]:
    """What whoever reviews the order should look at."""
    found = [{"code": code, "text": text} for code, text in feed.flags]
    if amounts.rounding:
        found.append({"code": "rounding", "text": _rounding(feed, amounts, setting.shop)})
    computed = sum(tax_on(ln.quantity * ln.unit_price, ln.tax_ppm) for ln in feed.lines)
    if abs(computed - feed.tax) > len(feed.lines):
        found.append({"code": "tax", "text": "The tax is not what the lines' rates give; the feed's amount was kept"})
    refused = setting.shop.refuses(country=feed.shipping_address.country, state=feed.shipping_address.state)
    if refused and feed.status != DELIVERED:
        found.append({"code": "state_not_served", "text": refused})
    if feed.placed_at > setting.now + timedelta(days=1):
        found.append({"code": "placed_at", "text": "Placed in the future, says the other shop: a clock is wrong"})
    return found


def _rounding(feed: FeedOrder, amounts: Amounts, shop: Shop) -> str:
    # Half a unit for each piece, one for shipping, one for tax, one for the total.
    explained = sum(ln.quantity for ln in feed.lines) // 2 + 3
    if feed.currency != shop.currency and abs(amounts.rounding) <= explained:
        return "The shop converted the currency on the total, not on the lines; the customer agreed to the total"
    return "Lines, shipping and tax do not add up to the total that the customer agreed to, and nothing says why"


def order_row(draft: Draft, order_id: int, customer_id: int, amounts: Amounts, setting: Setting) -> Row:
    """The order's row, standing where `flow` would put it."""
    feed = draft.feed
    approved = feed.status != PENDING
    status, queue, action = {
        PENDING: ("pending", "review", "review"),
        PROCESSING: ("processing", "sales_order", "make_sales_order"),
        DELIVERED: ("delivered", "done", ""),
    }[feed.status]
    return {
        **_ORDER,
        "id": order_id, "number": f"CF-{1000 + order_id}", "token": secrets.token_urlsafe(24),
        "channel": feed.channel, "reference": feed.reference, "placed_at": feed.placed_at, "currency": feed.currency,
        "customer_id": customer_id, "name": feed.name, "email": feed.email, "phone": feed.phone,
        "shipping_address": feed.shipping_address.as_json(), "billing_address": feed.billing_address.as_json(),
        "shipping_method": feed.shipping_method,
        "comment": next((row.comment for row in feed.history if row.status == PENDING), ""),
        "subtotal": amounts.subtotal, "shipping": amounts.shipping, "tax": amounts.tax, "rounding": amounts.rounding,
        "total": amounts.total, "payment_method": feed.payment_method,
        "review": "approved" if approved else "pending", "approved_by": APPROVED_BY if approved else "",
        "approved_at": approved_at(feed) if approved else None, "closed_history": feed.status == DELIVERED,
        "flags": [*flags_of(feed, amounts, setting), *draft.late_flags],
        "status": status, "queue": queue, "queue_since": setting.now, "next_action": action,
    }  # fmt: skip


def approved_at(feed: FeedOrder) -> datetime:
    """When the other shop took the order in hand."""
    return next((row.at for row in feed.history if row.status != PENDING), feed.placed_at)


def told(feed: FeedOrder, shop: Shop) -> Told | None:
    """The ship date that an order still to be shipped was promised by the other shop."""
    return told_date(feed.history, shop.business_days_from) if feed.status == PROCESSING else None


def part_row(part_id: int, order: Row, feed: FeedOrder, promised: Told | None, setting: Setting) -> Row:
    """The order's only part. Closed history has arrived; its money and its papers are the other shop's."""
    amounts = {name: order[name] for name in ("subtotal", "shipping", "tax", "rounding", "total")}
    part = {**_PART, "id": part_id, "order_id": order["id"], **amounts}
    if feed.status != DELIVERED:
        placed_on, today = setting.shop.day_of(feed.placed_at), setting.shop.day_of(setting.now)
        legal = rule_by(feed, setting.shop).deadline(placed_on, promised.day if promised else None)
        part["legal_deadline"], part["clock_over"] = legal, legal < today
        if promised:
            part["promise_date"], part["promise_version"], part["promised_on"] = promised.day, 1, promised.on
            part["promise_consent"] = Promise.STATED
        order["deadline"] = part["promise_date"] or part["legal_deadline"]
        order["next_check_at"] = next_look(part, setting.shop, today)
    elif feed.status == DELIVERED:
        part["parcel"] = "delivered"
        part["delivered_at"] = feed.history[-1].at if feed.history else feed.placed_at
    return part


def watch_days(part: Row, shop: Shop) -> list[date]:
    """The days on which its customer may have to be told of a delay, as `flow` reckons them."""
    if part["clock_over"]:
        return []
    before, legal, promised = timedelta(days=shop.notice_days), part["legal_deadline"], part["promise_date"]
    days = [legal - before, legal + DAY]
    if promised is not None:
        days += [max(promised - before, part["promised_on"] + DAY), promised + DAY]
    return days


def next_look(part: Row, shop: Shop, today: date) -> datetime | None:
    """When the sweep looks at it for its promise's sake; what is due on the day of the import is its job's to do."""
    later = [day for day in watch_days(part, shop) if day > today]
    return start_of_day(min(later), shop.timezone) if later else None


def goes_on(part: Row, feed: FeedOrder, setting: Setting) -> bool:
    """Whether something may be due by itself: an approved order goes its way, a late one's customer is told."""
    today = setting.shop.day_of(setting.now)
    return feed.status == PROCESSING or (
        feed.status == PENDING and any(day <= today for day in watch_days(part, setting.shop))
    )


def promise_row(part: Row, feed: FeedOrder, setting: Setting) -> Row:
    """The promise that came with the order."""
    rule = rule_by(feed, setting.shop)
    return {
        "part_id": part["id"], "version": 1, "date": part["promise_date"], "basis": "import",
        "consent": Promise.STATED, "delay": False, "notice_id": None, "legal_deadline": part["legal_deadline"],
        "rule": rule.code, "rule_from": rule.since, "at": approved_at(feed), "actor": setting.source.name,
    }  # fmt: skip


def rule_by(feed: FeedOrder, shop: Shop) -> PromiseRule:
    """The rule about promised dates that an order of the feed is under."""
    return shop.promise_rule(country=feed.shipping_address.country, on=shop.day_of(feed.placed_at))


def line_rows(
    feed: FeedOrder, order: Row, part: Row, priced: Sequence[Priced], products: Mapping[str, int]
) -> list[Row]:
    """The lines. Nothing is reserved: the stock check does it when the order's turn comes."""
    return [
        {
            **_LINE, "order_id": order["id"], "part_id": part["id"], "position": position,
            "product_id": products[line.sku], "sku": line.sku, "name": line.name, "quantity": line.quantity,
            "unit_price": line.unit_price, "tax_ppm": line.tax_ppm, "tax": cost.tax,
        }
        for position, (line, cost) in enumerate(zip(feed.lines, priced, strict=True), start=1)
    ]  # fmt: skip


def event_rows(order: Row, feed: FeedOrder, promised: Told | None, setting: Setting) -> list[Row]:
    """The journal: that it was imported, what the other shop knew of its past, and where that leaves it."""
    what = {
        PENDING: "to be reviewed", PROCESSING: "approved there", DELIVERED: "delivered there, kept as history",
    }[feed.status]  # fmt: skip
    words = f"Imported from {feed.channel}, its order {feed.reference}: {what}"
    data = {"channel": feed.channel, "reference": feed.reference, "status": feed.status}
    found = [_event(order, setting, "order_imported", words, setting.now, data)]
    for row in feed.history:
        found.append(_event(order, setting, "history_imported", _said(row), row.at, _row_data(row)))
    if feed.status == PROCESSING:
        ships = f", ships {in_words(promised.day)}" if promised else ", no ship date was found"
        event = _event(
            order, setting, "order_approved", f"Approved by {setting.source.name}{ships}", approved_at(feed),
            {"ship_estimate": promised.day.isoformat() if promised else None},
        )  # fmt: skip
        event["moves"] = [{"part": 0, "axis": "review", "from": "pending", "to": "approved"}]
        found.append(event)
    return found


def job_row(order: Row, setting: Setting) -> Row:
    """An approved order goes on by itself: `flow.advance` enters it in the books and checks the stock."""
    return {
        "name": "flow.advance", "key": f"flow.advance:{order['number']}", "payload": {"order": order["number"]},
        "state": "queued", "run_at": setting.real, "attempts": 0, "fence": 0, "lease_until": None, "worker": "",
        "last_error": "", "created_at": setting.real,
    }  # fmt: skip


def customer_row(feed: FeedOrder) -> Row:
    """Who bought, in case we do not know them yet."""
    return {
        "email_key": feed.email.lower(), "email": feed.email, "name": feed.name, "phone": feed.phone,
        "processor_id": "", "note": "", "prefers": "", **keys_of(feed.name, feed.phone, feed.shipping_address.country),
    }  # fmt: skip


def _said(row: FeedEvent) -> str:
    return f"{row.status}: {row.comment}" if row.comment else row.status


def _row_data(row: FeedEvent) -> Row:
    return {"status": row.status, "comment": row.comment, "notified": row.notified}


def _event(order: Row, setting: Setting, kind: str, text: str, at: datetime, data: Row) -> Row:
    return {
        "subject": order["number"], "part": None, "version": 1, "kind": kind, "at": at, "recorded_at": setting.real,
        "actor_kind": setting.source.kind, "actor": setting.source.name, "text": text, "data": data, "moves": [],
    }  # fmt: skip
