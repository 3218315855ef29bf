"""Reading an order and the products that could stand in, as the values that choices are made from."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence

from counterfoil.core.errors import Missing
from counterfoil.core.money import step
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import storable
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line, Order, Part, Proposal
from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums
from counterfoil.steps.alternatives.state import LineState, Offer, OrderState, PartState, Terms


def line_money(line: Line) -> LineMoney:
    return LineMoney(line.quantity, line.unit_price, line.tax_ppm, line.tax)


def sums_of(part: Part | Order, currency: str) -> Sums:
    return Sums(part.subtotal, part.shipping, part.tax, part.rounding, step(currency))


def rate(product: Product, order: Order, settings: Shop) -> int:
    """The shop's rate for the product at the order's address, in millionths."""
    to = order.shipping_address
    return settings.tax_rate_ppm(product.tax_class, country=to.get("country", ""), state=to.get("state", ""))


def order_state(order: Order, parts: Sequence[Part], lines: Sequence[Line]) -> OrderState:
    """The order as choices see it, from rows at hand (`lines` with their products)."""
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
    )


def read_order(order: Order) -> OrderState:
    """The order as it stands now: two reads."""
    parts = list(Part.objects.filter(order=order).order_by("number"))
    lines = list(Line.objects.filter(order=order).select_related("product").order_by("position"))
    return order_state(order, parts, lines)


def read_terms(order: Order, skus: Iterable[str]) -> Terms:
    """Today, the deliveries of the shop, and the products that are named."""
    settings = shop()
    found = Product.objects.filter(sku__in=set(skus)).select_related("balance")
    return Terms(
        today=settings.today(),
        offers={p.sku: _offer(p, order, settings) for p in found},
        deliveries=tuple((str(d["method"]), int(d["price"])) for d in settings.deliveries)
        if order.currency == settings.currency
        else (),
    )


def _offer(product: Product, order: Order, settings: Shop) -> Offer:
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
