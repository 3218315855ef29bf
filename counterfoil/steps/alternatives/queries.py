"""Reading an order and the products that could stand in, as the values that choices are made from."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from counterfoil.core.errors import Blocker, Missing
from counterfoil.core.money import step
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import storable
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Hold, Line, Offered, Order, Part, Proposal
from counterfoil.records.stock.availability import Held, days_of_lines, shelves_of, ships_on, soon
from counterfoil.records.stock.models import Balance
from counterfoil.records.stock.promise import Shelf
from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums
from counterfoil.steps.alternatives.choices import units_offered
from counterfoil.steps.alternatives.state import LineState, Offer, OrderState, PartState, Stop, Terms, nobody_knows
from counterfoil.steps.alternatives.wish import MAX_UNITS


def line_money(line: Line) -> LineMoney:
    return LineMoney(line.quantity, line.unit_price, line.tax_ppm, line.tax)


def sums_of(part: Part | Order, currency: str) -> Sums:
    return Sums(part.subtotal, part.shipping, part.tax, part.rounding, step(currency))


def rate(product: Product, order: Order, settings: Shop) -> int:
    """The shop's rate for the product at the order's address, in millionths."""
    to = order.shipping_address
    return settings.tax_rate_ppm(product.tax_class, country=to.get("country", ""), state=to.get("state", ""))


def order_state(order: Order, parts: Sequence[Part], lines: Sequence[Line], holds: Sequence[Hold] = ()) -> OrderState:
    """The order as choices see it, from rows at hand (`lines` with their products, `holds` that are open)."""
    settings = shop()

    def state(line: Line) -> LineState:
        return LineState(
            id=line.pk,
            sku=line.sku,
            name=line.name,
            money=line_money(line),
            reserved=line.reserved,
            picked=line.picked,
            shipped=line.shipped,
            class_ppm=rate(line.product, order, settings),
            family=line.product.family_id,
            vintage=line.product.vintage,
        )

    return OrderState(
        currency=order.currency,
        method=order.shipping_method,
        parts=tuple(
            PartState(
                number=part.number,
                sums=sums_of(part, order.currency),
                lines=tuple(state(ln) for ln in lines if ln.part_id == part.pk),
                money=part.money,
                parcel=part.parcel,
                promise=part.promise_date,
            )
            for part in parts
        ),
        by_card=order.payment_method == "card",
        weather=tuple(Stop(h.pk, h.reason) for h in holds if h.kind == Hold.WEATHER),
    )


def read_order(order: Order) -> OrderState:
    """The order as it stands now: three reads."""
    parts = list(Part.objects.filter(order=order).order_by("number"))
    lines = list(Line.objects.filter(order=order).select_related("product").order_by("position"))
    holds = list(Hold.objects.filter(order=order, released_at=None).order_by("id"))
    return order_state(order, parts, lines, holds)


def read_terms(order: Order, skus: Iterable[str], *, dates: bool = True) -> Terms:
    """Today, the deliveries of the shop, and the products that are named; with `dates` also when all of it can ship."""
    settings = shop()
    named = Product.objects.filter(sku__in=set(skus)).select_related("balance", "supplier")
    found = list(named.defer("art", "description"))
    shelves = _shelves(found, settings) if dates else {}
    lines = Line.objects.filter(order=order, quantity__gt=0) if dates else Line.objects.none()
    return Terms(
        today=settings.today(),
        soon=soon(settings) if dates else None,
        days={pk: line.day for pk, line in days_of_lines(list(lines)).items()},
        offers={p.sku: _offer(p, order, settings, shelves.get(p.pk)) for p in found},
        deliveries=tuple((str(d["method"]), int(d["price"])) for d in settings.deliveries)
        if order.currency == settings.currency
        else (),
        price_rule=settings.substitute_price,
    )


def _shelves(products: Sequence[Product], settings: Shop) -> dict[int, Shelf]:
    held = {p: Held(p.balance.free, p.balance.waiting) for p in products}
    return shelves_of(held, settings, dict.fromkeys((p.pk for p in products), MAX_UNITS)) if held else {}


def _ships(shelf: Shelf, settings: Shop) -> Callable[[int], date | None]:
    return lambda units: ships_on(shelf, units, settings).day


def _offer(product: Product, order: Order, settings: Shop, shelf: Shelf | None) -> Offer:
    stops = product.sell_when_out == Product.STOP
    return Offer(
        id=product.pk,
        sku=product.sku,
        name=product.name,
        price=product.price if product.currency == order.currency else None,
        class_ppm=rate(product, order, settings),
        family=product.family_id,
        vintage=product.vintage,
        can_have=product.balance.available_to_promise if stops else None,
        free=max(0, product.balance.free),
        ships=_ships(shelf, settings) if shelf is not None else nobody_knows,
    )


def named_skus(choices: Iterable[Mapping[str, object]]) -> list[str]:
    """The products that choices name."""
    named = [str(c["sku"]).strip() for c in choices if isinstance(c.get("sku"), str)]
    return [sku for sku in named if storable(sku)]


def find_proposal(token: str) -> Proposal:
    """The question that a token opens. Raises Missing for any other text."""
    plausible = len(token) == 43 and token.isascii() and token.isprintable()
    found = Proposal.objects.filter(token=token).select_related("order").first() if plausible else None
    # The index finds it; the comparison that decides takes the same time wherever a guess goes wrong.
    if found is None or not hmac.compare_digest(found.token.encode(), token.encode()):
        raise Missing("there is no such question")
    return found


def free_units(order: Order) -> dict[int, int]:
    """By line, units of its product that are on the shelf and promised to nobody: they are not what it lacks."""
    lines = Line.objects.filter(order=order, quantity__gt=0).values_list("pk", "product_id")
    balances = {b.product_id: b.free for b in Balance.objects.filter(product__in=[product for _, product in lines])}
    return {pk: balances.get(product, 0) for pk, product in lines}


def still_there(asked: Proposal, choice: Mapping[str, Any]) -> list[Blocker]:
    """Why a substitute can no longer be had: it sells only what is in stock, was not kept, and has gone meanwhile."""
    return [b for product, units in units_offered([choice]).items() for b in _gone(asked, product, units)]


def _gone(asked: Proposal, product: int, units: int) -> list[Blocker]:
    balance = Balance.objects.select_related("product").get(product=product)
    if balance.product.sell_when_out != Product.STOP:
        return []
    kept = Offered.objects.filter(proposal=asked, product=balance.product_id, released_at=None)
    mine = kept.values_list("quantity", flat=True).first() or 0
    left = max(0, balance.available_to_promise) + mine
    if left >= units:
        return []
    name = balance.product.name
    words = f"only {left} of {name} can be had now" if left else f"{name} has sold out meanwhile"
    return [Blocker("sold_out", words, line=balance.product.sku)]
