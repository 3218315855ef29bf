"""When things can ship: reads shelves, purchase orders and pegs, and asks `promise.py`. Set-based, a few statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from counterfoil.core.db import moment, rows
from counterfoil.core.shop import Shop, shop
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.promise import Arrival, Earliest, Lead, Shelf, comes_on, earliest, lead_of


def lead_time(product: Product) -> Lead:
    """A product's lead time by what is known of it; `supplier` must be at hand."""
    supplier = product.supplier
    return lead_of(
        own=product.lead_time_days,
        word=supplier.lead_time_days if supplier else None,
        learnt=supplier.learnt_days if supplier else None,
        observations=supplier.learnt_from if supplier else 0,
    )


def soon(settings: Shop) -> date:
    """The day on which something that is here ships."""
    return settings.business_days_from(settings.today(), settings.ship_within_days)


def ships_after(day: date, settings: Shop) -> date:
    """When goods that come on that day can leave: the same working day, but no sooner than what is here."""
    return max(soon(settings), settings.working_day(day))


def arrivals_of(
    products: Mapping[int, Lead], settings: Shop, *, unpegged: bool = False
) -> dict[int, tuple[Arrival, ...]]:
    """Units of these products on their way, by product id, soonest first: one statement. The purchase orders are of
    sourcing, which is above: read by name. `unpegged`: only what is meant for no order line yet.
    """
    if not products:
        return {}
    meant = "COALESCE((SELECT SUM(g.quantity) FROM sourcing_peg g WHERE g.purchase_line_id = pl.id), 0)"
    left = f"pl.quantity - pl.received{f' - {meant}' if unpegged else ''}"
    found = rows(
        f"SELECT pl.product_id, po.number, {left}, pl.expected, po.expected, COALESCE(po.sent_at, po.made_at) "
        "FROM sourcing_purchaseline pl JOIN sourcing_purchaseorder po ON po.id = pl.po_id "
        f"WHERE pl.product_id IN ({', '.join(['%s'] * len(products))}) AND po.state IN ('sent', 'confirmed') "
        "AND pl.quantity > pl.received ORDER BY pl.id",
        list(products),
    )
    out: dict[int, list[Arrival]] = {}
    for product_id, number, units, confirmed, expected, made_at in found:
        if int(units) > 0:
            day, certain = _comes(confirmed, expected, made_at, products[int(product_id)], settings)
            out.setdefault(int(product_id), []).append(Arrival(day, int(units), certain, str(number)))
    return {pk: tuple(sorted(known, key=lambda a: a.day)) for pk, known in out.items()}


def _day(value: Any) -> date | None:
    """A date column as either database gives it."""
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def _comes(confirmed: Any, expected: Any, made_at: Any, lead: Lead, settings: Shop) -> tuple[date, bool]:
    sent: datetime | None = moment(made_at)
    return comes_on(
        confirmed=_day(confirmed),
        expected=_day(expected),
        sent_on=settings.day_of(sent) if sent else settings.today(),
        lead=lead,
        today=settings.today(),
        after=settings.business_days_from,
    )


@dataclass(frozen=True)
class Held:
    """What the balance of a product says: units free on the shelf, and units that order lines wait for."""

    free: int
    waiting: int


def shelves_of(
    products: Mapping[Product, Held], settings: Shop, wanted: Mapping[int, int] | None = None
) -> dict[int, Shelf]:
    """What is known of these products, by id; each with its `supplier` at hand.

    What is on its way is read, in one statement, only where the shelf does not hold what is `wanted` (by id; one unit
    unless it is said).
    """
    known = {
        product.pk: Shelf(held.free, held.waiting, lead_time(product), product.sell_when_out == Product.STOP)
        for product, held in products.items()
    }
    need = {pk: s.lead for pk, s in known.items() if s.spare < (wanted or {}).get(pk, 1)}
    for pk, coming in arrivals_of(need, settings).items():
        known[pk] = replace(known[pk], arrivals=coming)
    return known


def shelf_of(product: Product, settings: Shop, quantity: int = 1) -> Shelf:
    """What is known of one product; with `supplier` and `balance` at hand."""
    held = Held(product.balance.free, product.balance.waiting)
    return shelves_of({product: held}, settings, {product.pk: quantity})[product.pk]


def ships_on(shelf: Shelf, quantity: int, settings: Shop) -> Earliest:
    """The earliest day for so many units of a product, by the shop's calendar."""
    found = earliest(
        shelf,
        quantity,
        soon=soon(settings),
        bought_in=settings.business_days_from(settings.today(), shelf.lead.days),
    )
    return Earliest(found.day and ships_after(found.day, settings), found.basis, found.certain)


# --- lines of an order ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineDay:
    """When a line's units can ship, and why not sooner, in words for the clerk. `day` None: nobody knows."""

    line: int
    day: date | None
    why: str = ""
    certain: bool = True

    @property
    def waits(self) -> bool:
        """Whether something of it is not here."""
        return bool(self.why)


def days_of_lines(lines: Iterable[Line]) -> dict[int, LineDay]:
    """When each line can ship, by line id: two statements, none where everything is here.

    What is pegged comes with its purchase order; what nothing covers yet comes with units that are meant for nobody, or
    must be bought in.
    """
    settings = shop()
    todo = [ln for ln in lines if ln.quantity and ln.open_units > 0]
    out = {ln.pk: LineDay(ln.pk, soon(settings)) for ln in lines if ln.quantity}
    if not todo:
        return out
    products = {
        p.pk: p
        for p in Product.objects.filter(pk__in={ln.product_id for ln in todo}).select_related("supplier").defer("art")
    }
    leads = {pk: lead_time(p) for pk, p in products.items()}
    pegs = _pegs([ln.pk for ln in todo if ln.due], leads, settings)
    loose = arrivals_of({ln.product_id: leads[ln.product_id] for ln in todo if ln.short > 0}, settings, unpegged=True)
    for line in todo:
        product = products[line.product_id]
        out[line.pk] = _line_day(line, product, leads[product.pk], pegs.get(line.pk, ()), loose, settings)
    return out


def _pegs(ids: Collection[int], leads: Mapping[int, Lead], settings: Shop) -> dict[int, list[Arrival]]:
    if not ids:
        return {}
    out: dict[int, list[Arrival]] = {}
    for line, product_id, number, units, confirmed, expected, made_at in rows(
        "SELECT g.line_id, pl.product_id, po.number, g.quantity, pl.expected, po.expected, "
        "COALESCE(po.sent_at, po.made_at) FROM sourcing_peg g "
        "JOIN sourcing_purchaseline pl ON pl.id = g.purchase_line_id "
        "JOIN sourcing_purchaseorder po ON po.id = pl.po_id "
        f"WHERE g.line_id IN ({', '.join(['%s'] * len(ids))}) ORDER BY g.id",
        list(ids),
    ):
        day, certain = _comes(confirmed, expected, made_at, leads[int(product_id)], settings)
        out.setdefault(int(line), []).append(Arrival(day, int(units), certain, str(number)))
    return out


def _line_day(
    line: Line,
    product: Product,
    lead: Lead,
    pegs: Sequence[Arrival],
    loose: Mapping[int, tuple[Arrival, ...]],
    settings: Shop,
) -> LineDay:
    coming = list(pegs)
    short = max(0, line.short)
    for arrival in loose.get(line.product_id, ()) if short else ():
        taken = min(short, arrival.units)
        short -= taken
        coming.append(Arrival(arrival.day, taken, arrival.certain, arrival.purchase_order))
        if not short:
            break
    said = [_coming_words(a) for a in coming]
    days = [ships_after(a.day, settings) for a in coming]
    certain = all(a.certain for a in coming)
    if short:
        if product.sell_when_out == Product.STOP:
            return LineDay(line.pk, None, f"{short} not to be had", certain=False)
        said.append(f"{short} to be bought in, {lead_words(lead, product)}")
        days.append(ships_after(settings.business_days_from(settings.today(), lead.days), settings))
        certain = False
    return LineDay(line.pk, max(days, default=soon(settings)), "; ".join(said), certain)


def _coming_words(arrival: Arrival) -> str:
    day = f"{arrival.day:%a} {arrival.day.day} {arrival.day:%b}"
    sure = "confirmed for" if arrival.certain else "not confirmed, reckoned for"
    return f"{arrival.units} on {arrival.purchase_order}, {sure} {day}"


def lead_words(lead: Lead, product: Product) -> str:
    """How long it takes and who says so."""
    days = f"{lead.days} business day{'' if lead.days == 1 else 's'}"
    who = product.supplier.name if product.supplier else "the supplier"
    return {
        "learnt": f"{days}: 80 % of {lead.observations} deliveries from {who} took no longer",
        "supplier": f"{days}, says {who}",
        "product": f"{days}, as this product is known to take",
        "shop": f"{days}, for want of a better word",
    }[lead.source]
