"""What could stand in for a product that cannot be had: ranked, with the reasons in words.

It only proposes. Nothing here changes an order: a customer accepts another wine, or another vintage, or neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

from django.db.models import BooleanField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Abs

from counterfoil.records.catalogue.models import Product

# As many candidates are read and ranked, the same wine first and then by nearness in price.
MOST_READ = 200


@dataclass(frozen=True)
class Wine:
    """What one product is compared by. `price` in minor units; of two products it is in the same currency."""

    family: int | None
    producer: str = ""
    grape: str = ""
    region: str = ""
    vintage: int | None = None
    size: str = ""
    price: int = 0


@dataclass(frozen=True)
class Likeness:
    """How alike two products are: the smaller `order`, the more; `reasons` say why, the strongest first."""

    order: tuple[int, float]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Similar:
    """A product that could stand in. `free` units of it are on the shelf and promised to nobody."""

    product: Product
    free: int
    enough: bool  # `free` covers the quantity that was asked for
    reasons: tuple[str, ...]


def likeness(wanted: Wine, other: Wine) -> Likeness | None:
    """Compare two products; None when they have neither wine, producer, grape nor region in common.

    The same wine comes first: in the same size by nearness of the vintage, then in other sizes. Among other wines the
    producer counts four, the grape three, the region two and the size one; a price of half or double takes four away.
    """
    price = _price_words(wanted.price, other.price)
    apart = _apart(wanted.price, other.price)
    if wanted.family is not None and wanted.family == other.family:
        years = abs(other.vintage - wanted.vintage) if other.vintage and wanted.vintage else 0
        if other.size == wanted.size:
            return Likeness((0, years + min(apart, 10) / 100), (_vintage_words(wanted, other), price))
        said = [f"the same wine in {other.size or 'another size'}"]
        if other.vintage != wanted.vintage:
            said.append(f"vintage {other.vintage}" if other.vintage else "without a vintage")
        return Likeness((1, years + min(apart, 10) / 100), (*said, price))
    said, points = [], 0
    for what, mine, theirs, worth in (
        ("producer", wanted.producer, other.producer, 4),
        ("grape", wanted.grape, other.grape, 3),
        ("region", wanted.region, other.region, 2),
    ):
        if mine and mine.casefold() == theirs.casefold():
            said.append(f"same {what}, {theirs}")
            points += worth
    if not said:
        return None
    if wanted.size and wanted.size.casefold() == other.size.casefold():
        said.append(f"same size, {other.size}")
        points += 1
    return Likeness((2, 4 * apart - points), (*said, price))


def similar_products(product: Product, *, quantity: int, limit: int = 5) -> list[Similar]:
    """Listed products in stock that are like this one, the most alike first, at most `limit` of them.

    Those of which `quantity` units are free come before those of which fewer are, within the same wine and within
    other wines. A product without a family is like nothing. At most two statements.
    """
    wine = product.family
    if wine is None or limit < 1:
        return []
    alike = Q(family=wine.pk) | Q(family__producer=wine.producer)
    for field, value in (("family__grape", wine.grape), ("family__region", wine.region)):
        if value:
            alike |= Q(**{f"{field}__iexact": value})
    found = (
        Product.objects.filter(alike, listed=True, currency=product.currency)
        .filter(balance__on_hand__gt=F("balance__reserved"))
        .exclude(pk=product.pk)
        .annotate(
            another=ExpressionWrapper(~Q(family=wine.pk), output_field=BooleanField()),
            far=Abs(F("price") - Value(product.price)),
        )
        .select_related("family", "balance")
        .defer("art", "description")
        .order_by("another", "far", "pk")[:MOST_READ]
    )
    mine = wine_of(product)
    ranked: list[tuple[tuple[int, bool, float, int], Similar]] = []
    for other in found:
        like = likeness(mine, wine_of(other))
        if like is None:
            continue
        free = other.balance.free
        enough = free >= quantity
        kind, distance = like.order
        ranked.append(((kind, not enough, distance, other.pk), Similar(other, free, enough, like.reasons)))
    ranked.sort(key=lambda entry: entry[0])
    return [similar for _, similar in ranked[:limit]]


def wine_of(product: Product) -> Wine:
    """What a product is compared by; its family is read where it was not."""
    family = product.family
    return Wine(
        family=product.family_id,
        producer=family.producer if family else "",
        grape=family.grape if family else "",
        region=family.region if family else "",
        vintage=product.vintage,
        size=product.size,
        price=product.price,
    )


def in_words(reasons: Iterable[str]) -> str:
    """Reasons as one line of text."""
    return "; ".join(reasons)


def _vintage_words(wanted: Wine, other: Wine) -> str:
    if other.vintage == wanted.vintage:
        return "the same wine"
    if wanted.vintage and other.vintage:
        return f"the same wine, {other.vintage} instead of {wanted.vintage}"
    return f"the same wine, {other.vintage or 'without a vintage'}"


def _apart(mine: int, theirs: int) -> float:
    """How far apart two prices are: 1 for half or double, 0 for the same."""
    return abs(log2(max(1, theirs) / max(1, mine)))


def _price_words(mine: int, theirs: int) -> str:
    if mine == theirs:
        return "at the same price"
    if not mine:
        return "not for nothing"
    percent = round(abs(theirs - mine) * 100 / mine)
    return f"{percent or 'less than 1'} % {'cheaper' if theirs < mine else 'dearer'}"
