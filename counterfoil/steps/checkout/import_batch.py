"""Writing a batch of imported orders: one transaction, a handful of statements, however many orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError

from counterfoil.core import clock
from counterfoil.core.actor import OWNER, Actor
from counterfoil.core.db import writing
from counterfoil.core.shop import shop
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Order
from counterfoil.records.stock import ledger
from counterfoil.steps.checkout import drafts
from counterfoil.steps.checkout.drafts import TWICE, Draft, Row, Setting
from counterfoil.steps.checkout.many import insert, next_ids

SOURCE = Actor("system", "osCommerce", OWNER)
_TRIES = 3
# In the order in which they point at each other.
TABLES = ("orders_order", "orders_part", "orders_promise", "orders_line", "core_journalevent", "core_job")


@dataclass
class Written:
    """What became of a batch. `strange` are orders of products that are not in the catalogue, with their SKUs."""

    new: int = 0
    known: int = 0
    strange: list[tuple[Draft, list[str]]] = field(default_factory=list)


def write_batch(batch: Sequence[Draft], double: Iterable[Draft] = ()) -> Written:
    """Write those orders of a batch that are not here yet. All of it is kept, or nothing.

    `double` are orders of earlier batches that have turned out to be placed twice.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            with writing():
                written = _write(batch)
                _flag_late(double)
            return written
        except IntegrityError:
            # Somebody imports the same orders at this moment: next time they are found to be there.
            if attempt == _TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")


def _write(batch: Sequence[Draft]) -> Written:
    written = Written()
    fresh = _not_here(batch, written)
    products = dict(
        Product.objects.filter(sku__in={ln.sku for d in fresh for ln in d.feed.lines}).values_list("sku", "id")
    )
    todo = []
    for draft in fresh:
        unknown = sorted({ln.sku for ln in draft.feed.lines} - products.keys())
        if unknown:
            written.strange.append((draft, unknown))
        else:
            todo.append(draft)
    if todo:
        _insert(todo, products)
    written.new = len(todo)
    return written


def _not_here(batch: Sequence[Draft], written: Written) -> list[Draft]:
    """The orders of the batch that neither the database nor an earlier line of the batch has; in one statement."""
    here = set(
        Order.objects.filter(
            channel__in={d.feed.channel for d in batch}, reference__in={d.feed.reference for d in batch}
        ).values_list("channel", "reference")
    )
    fresh: dict[tuple[str, str], Draft] = {}
    for draft in batch:
        draft.order = ""
        if draft.key in here or draft.key in fresh:
            written.known += 1
        else:
            fresh[draft.key] = draft
    return list(fresh.values())


def _insert(todo: Sequence[Draft], products: dict[str, int]) -> None:
    setting = Setting(shop(), clock.business_now(), clock.real_now(), SOURCE)
    # Balances first and in id order, as whoever places an order takes them.
    wanted: dict[int, int] = {}
    for draft in todo:
        for line in draft.feed.lines if draft.open else ():
            wanted[products[line.sku]] = wanted.get(products[line.sku], 0) + line.quantity
    ledger.lock(wanted)
    customers = _customers(todo)
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    ids = zip(next_ids("orders_order", len(todo)), next_ids("orders_part", len(todo)), strict=True)
    for draft, (order_id, part_id) in zip(todo, ids, strict=True):
        feed = draft.feed
        priced, amounts = drafts.priced_lines(feed)
        order = drafts.order_row(draft, order_id, customers[feed.email.lower()], amounts, setting)
        promised = drafts.told(feed, setting.shop)
        part = drafts.part_row(part_id, order, feed, promised, setting)
        tables["orders_order"].append(order)
        tables["orders_part"].append(part)
        tables["orders_line"] += drafts.line_rows(feed, order, part, priced, products)
        tables["core_journalevent"] += drafts.event_rows(order, feed, promised, setting)
        if promised:
            tables["orders_promise"].append(drafts.promise_row(part, feed, setting))
        if drafts.goes_on(part, feed, setting):
            tables["core_job"].append(drafts.job_row(order, setting))
        draft.order = order["number"]
    for name, found in tables.items():
        insert(name, found)
    ledger.change_waiting(wanted)


def _customers(todo: Sequence[Draft]) -> dict[str, int]:
    """Who bought, by e-mail in lower case; those whom we know already stay as we know them."""
    wanted = {d.feed.email.lower(): d.feed for d in todo}
    # In one order everywhere, so that two importers do not wait for each other.
    found = [drafts.customer_row(feed) for _, feed in sorted(wanted.items())]
    insert("customers_customer", found, "ON CONFLICT (email_key) DO NOTHING")
    return dict(Customer.objects.filter(email_key__in=wanted).values_list("email_key", "id"))


def _flag_late(double: Iterable[Draft]) -> None:
    for draft in sorted(double, key=lambda d: d.order):
        order = take(draft.order)
        told = [flag for flag in draft.late_flags if flag not in order.flags]
        order.flags = [*order.flags, *told]
        order.save(update_fields=["flags"])
        for flag in told:
            note(order, "order_flagged", actor=SOURCE, text=flag["text"], data={"code": TWICE}, advance=False)
