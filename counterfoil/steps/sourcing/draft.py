"""What will be ordered: one draft a supplier, gathered from what is missing and edited until it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core import clock, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.machine import shift
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.catalogue.suppliers import currency_of, days_of, find_supplier, goes_on, next_day
from counterfoil.records.orders.load import check
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.sourcing.fields import MOST_COST, Errors, coming_date, products_of, rate_of, whole, words_of
from counterfoil.steps.sourcing.models import PURCHASE, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.queries import missing, named
from counterfoil.steps.sourcing.rules import may_change

MOST_LINES = 500


@dataclass(frozen=True)
class Wanted:
    """What a buyer has written down for a purchase order; `lines` are product, units and the cost of one, if named."""

    lines: list[tuple[Product, int, int | None]]
    expected: date | None
    note: str
    rate_ppm: int | None


def take_purchase_order(number: str) -> PurchaseOrder:
    """Become the purchase order's one writer until this transaction ends; before any order. Raises Missing.

    The name of a draft (`D-7`) still finds it when it has been sent and has a number.
    """
    found = PurchaseOrder.objects.select_for_update(no_key=True).filter(**named(number)).first()
    if found is None:
        raise Missing(f"there is no purchase order {number}")
    return found


def read_wanted(
    *,
    currency: str,
    lines: Sequence[Mapping[str, Any]],
    expected: date | None,
    note: str,
    rate: str,
    errors: Errors,
) -> Wanted:
    """What the buyer wrote for an order in this currency, checked; every mistake is noted at its field."""
    if len(lines) > MOST_LINES:
        errors.append(("lines", f"at most {MOST_LINES} lines"))
        lines = lines[:MOST_LINES]
    products = products_of(lines, errors)
    coming_date(expected, "expected", errors)
    wanted: list[tuple[Product, int, int | None]] = []
    for at, row in enumerate(lines):
        product = products.get(str(row.get("sku", "")))
        quantity = whole(row.get("quantity"), f"lines.{at}.quantity", errors)
        cost = row.get("cost")
        if cost is not None:
            cost = whole(cost, f"lines.{at}.cost", errors, least=0, most=MOST_COST)
        if product is not None:
            wanted.append((product, quantity, cost))
    own = currency == shop().currency
    if own and rate:
        errors.append(("rate", "it is the shop's own currency: there is no rate"))
    ppm = rate_of(rate, errors) if rate and not own else None
    return Wanted(wanted, expected, words_of(note, "note", errors), ppm)


def known_costs(supplier: Supplier, currency: str, products: Sequence[Product]) -> dict[int, int]:
    """What one costs, as far as it is known without asking, minor units of `currency`, by product.

    In the shop's own currency the product's cost; in another what was last paid this supplier in it.
    """
    if currency == shop().currency:
        return {p.pk: p.cost for p in products}
    paid = PurchaseLine.objects.filter(
        po__supplier=supplier, po__currency=currency, product__in=products, cost__isnull=False
    ).exclude(po__state__in=("draft", "discarded"))
    return {pk: cost for pk, cost in paid.order_by("pk").values_list("product_id", "cost") if cost is not None}


def gather_needs(*, actor: Actor, supplier: str | int) -> PurchaseOrder:
    """Put everything that is missing from this supplier on their one draft, made if there is none.

    A line that is there already is raised to what is needed and never lowered. Again, it changes nothing. Raises
    Forbidden, Invalid for an unknown supplier, or Refused when nothing is needed and there is no draft.
    """
    require(actor, BUYER)
    with writing():
        from_whom = _lock(supplier)
        found, known = missing(supplier=from_whom.pk)
        po = PurchaseOrder.objects.select_for_update(no_key=True).filter(supplier=from_whom, state="draft").first()
        if po is None:
            if not any(row.quantity for row in found.values()):
                raise blocked(
                    "not_approved", f"nothing is missing from {from_whom.name} that is not on a draft already"
                )
            po = _new_draft(from_whom, actor)
        here = {ln.product_id: ln for ln in PurchaseLine.objects.filter(po=po)}
        costs = known_costs(from_whom, po.currency, list(known.values()))
        added: list[PurchaseLine] = []
        for product_id, row in sorted(found.items(), key=lambda item: item[1].sku):
            mine = here.get(product_id)
            elsewhere = row.drafted - (mine.quantity if mine else 0)
            units = max(0, row.short + row.reorder - elsewhere)
            if mine is None and units:
                added.append(
                    PurchaseLine(po=po, product_id=product_id, quantity=units, needed=units, cost=costs.get(product_id))
                )
            elif mine is not None and (units > mine.quantity or (mine.needed and mine.needed != units)):
                mine.quantity, mine.needed = max(units, mine.quantity), units or mine.needed
                mine.save(update_fields=["quantity", "needed"])
        PurchaseLine.objects.bulk_create(added)
        if added:
            said = ", ".join(f"{ln.quantity} × {known[ln.product_id].sku}" for ln in added)
            _note(po, "purchase_order_gathered", f"Put on the draft for {from_whom.name}: {said}", actor)
    return po


def draft_purchase_order(
    *,
    actor: Actor,
    supplier: str | int,
    lines: Sequence[Mapping[str, Any]],
    expected: date | None = None,
    note: str = "",
    rate: str = "",
) -> PurchaseOrder:
    """Begin a draft by hand; see `change_draft` for its fields. Refused while the supplier has one already."""
    require(actor, BUYER)
    errors: Errors = []
    from_whom = find_supplier(supplier, errors)
    currency = currency_of(from_whom) if from_whom else shop().currency
    wanted = read_wanted(currency=currency, lines=lines, expected=expected, note=note, rate=rate, errors=errors)
    if errors or from_whom is None:
        raise Invalid(*errors)
    with writing():
        from_whom = _lock(from_whom.pk)
        there = PurchaseOrder.objects.filter(supplier=from_whom, state="draft").first()
        if there is not None:
            raise blocked(
                "someone_else", f"{there.made_by} has begun {there.number} for {from_whom.name}: change that one",
                by=there.made_by,
            )  # fmt: skip
        po = _new_draft(from_whom, actor)
        _write(po, wanted)
        _note(po, "purchase_order_drafted", f"Draft for {from_whom.name}", actor)
    return po


def change_draft(
    *,
    actor: Actor,
    number: str,
    lines: Sequence[Mapping[str, Any]],
    expected: date | None = None,
    note: str = "",
    rate: str = "",
) -> PurchaseOrder:
    """Write a draft anew: what is not among `lines` (`{sku, quantity, cost?}`) is dropped.

    `cost` is of one, in minor units of the order's currency, and may be missing until it is sent; `rate` is what one
    unit of that currency costs in the shop's. Raises Forbidden, Missing, Invalid, or Refused when it has been sent.
    """
    require(actor, BUYER)
    with writing():
        po = take_purchase_order(number)
        check(may_change(number, po.state, sent_by=po.sent_by))
        errors: Errors = []
        wanted = read_wanted(currency=po.currency, lines=lines, expected=expected, note=note, rate=rate, errors=errors)
        if errors:
            raise Invalid(*errors)
        _write(po, wanted)
        _note(po, "purchase_order_changed", "Draft changed", actor)
    return po


def warnings_of(po: PurchaseOrder, lines: Sequence[PurchaseLine]) -> list[str]:
    """What a buyer should know before a draft is sent: nothing of it forbids to send it."""
    said = []
    total = sum(ln.quantity * ln.price for ln in lines)
    supplier, settings = po.supplier, shop()
    if supplier.minimum > total and currency_of(supplier) == po.currency:
        said.append(
            f"{show(supplier.minimum - total, po.currency)} under the minimum of {show(supplier.minimum, po.currency)}"
        )
    today, takes = settings.today(), goes_on(supplier, settings)
    if takes > today:
        past = supplier.cut_off is not None and next_day(today, *days_of(supplier, settings)) == today
        why = f"past today's cut-off, {supplier.cut_off:%H:%M}" if past else f"{supplier.name} takes no orders today"
        said.append(f"{why}: it goes on {say_date(takes)}")
    if not supplier.email:
        said.append(f"no e-mail address of {supplier.name} is known: print it and send it yourself")
    return [*said, *lost_needs(po, lines)]


def lost_needs(po: PurchaseOrder, lines: Sequence[PurchaseLine]) -> list[str]:
    """The lines that were gathered for somebody who does not need them any more, in words."""
    gathered = [ln for ln in lines if ln.needed]
    if not gathered:
        return []
    found, _ = missing(products=[ln.product_id for ln in gathered])
    said = []
    for line in gathered:
        row = found.get(line.product_id)
        units = max(0, row.short + row.reorder - (row.drafted - line.quantity)) if row else 0
        if units < line.needed:
            left = f"only {units} still are" if units else "nobody needs them any more"
            said.append(f"{line.product.sku}: {line.needed} were needed when it was put here; {left}")
    return said


def discard_draft(*, actor: Actor, number: str) -> PurchaseOrder:
    """Nobody wants it after all. Twice changes nothing. Raises Forbidden, Missing, or Refused when it has been sent."""
    require(actor, BUYER)
    with writing():
        po = take_purchase_order(number)
        if po.state == "discarded":
            return po
        check(may_change(number, po.state, sent_by=po.sent_by))
        shift(PURCHASE, "discard", po, part=0)
        _note(po, "purchase_order_discarded", "Draft discarded", actor)
    return po


def _lock(supplier: str | int) -> Supplier:
    errors: Errors = []
    found = find_supplier(supplier, errors)
    if found is None:
        raise Invalid(*errors)
    return Supplier.objects.select_for_update(no_key=True).get(pk=found.pk)


def _new_draft(supplier: Supplier, actor: Actor) -> PurchaseOrder:
    """The caller holds the supplier's row: nobody else makes a draft for them meanwhile."""
    po = PurchaseOrder.objects.create(
        number=f"new-{supplier.pk}",
        supplier=supplier,
        state=PURCHASE.first,
        currency=currency_of(supplier),
        made_by=actor.name,
        made_at=clock.business_now(),
    )
    po.number = f"D-{po.pk}"
    po.save(update_fields=["number"])
    return po


def _write(po: PurchaseOrder, wanted: Wanted) -> None:
    needed = dict(PurchaseLine.objects.filter(po=po).values_list("product_id", "needed"))
    PurchaseLine.objects.filter(po=po).delete()
    costs = known_costs(po.supplier, po.currency, [p for p, _, cost in wanted.lines if cost is None])
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            po=po,
            product=product,
            quantity=quantity,
            cost=costs.get(product.pk) if cost is None else cost,
            needed=needed.get(product.pk, 0),
        )
        for product, quantity, cost in wanted.lines
    )
    po.expected, po.note, po.rate_ppm = wanted.expected, wanted.note, wanted.rate_ppm
    po.save(update_fields=["expected", "note", "rate_ppm"])


def _note(po: PurchaseOrder, kind: str, text: str, actor: Actor) -> None:
    journal.record(kind, subject=po.number, actor=actor, text=text[:500], data={"draft": po.pk}, advance=False)
