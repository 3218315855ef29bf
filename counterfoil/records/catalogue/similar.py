"""What could stand in for a product that cannot be had: ranked, with the reasons in words.

It only proposes. Nothing here changes an order: a customer accepts another wine, or another vintage, or neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log2

from counterfoil.core.db import rows
from counterfoil.records.catalogue.models import Product

# As many candidates of a product are read and ranked, the same wine first and then by nearness in price.
MOST_READ = 200
_CANDIDATES = """
SELECT wanted, other FROM (
  SELECT w.id AS wanted, c.id AS other, ROW_NUMBER() OVER (
    PARTITION BY w.id
    ORDER BY CASE WHEN c.family_id = w.family_id THEN 0 ELSE 1 END, ABS(c.price - w.price), c.id
  ) AS nth
  FROM catalogue_product w
  JOIN catalogue_family wf ON wf.id = w.family_id
  JOIN catalogue_family cf ON cf.id = wf.id OR cf.producer = wf.producer
    OR (wf.grape <> '' AND UPPER(cf.grape) = UPPER(wf.grape))
    OR (wf.region <> '' AND UPPER(cf.region) = UPPER(wf.region))
  JOIN catalogue_product c ON c.family_id = cf.id AND c.id <> w.id AND c.listed AND c.currency = w.currency
  JOIN stock_balance b ON b.product_id = c.id AND b.on_hand > b.reserved
  WHERE w.id IN ({ids})
) ranked WHERE nth <= {most}
"""


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
    return similar_to_each({product: quantity}, limit=limit)[product.pk]


def similar_to_each(wanted: Mapping[Product, int], *, limit: int = 5) -> dict[int, list[Similar]]:
    """The same for many products, each with the units that are wanted of it, by product id.

    Two statements however many they are.
    """
    found: dict[int, list[Similar]] = {product.pk: [] for product in wanted}
    having = [product.pk for product in wanted if product.family_id is not None]
    if not having or limit < 1:
        return found
    marks = ", ".join(["%s"] * len(having))
    pairs = [(int(one), int(other)) for one, other in rows(_CANDIDATES.format(ids=marks, most=MOST_READ), having)]
    ids = {pk for pair in pairs for pk in pair}
    known = {
        product.pk: product
        for product in Product.objects.filter(pk__in=ids)
        .select_related("family", "balance")
        .defer("art", "description")
    }
    for product, quantity in wanted.items():
        others = [known[other] for one, other in pairs if one == product.pk and other in known]
        found[product.pk] = _ranked(wine_of(known.get(product.pk, product)), others, quantity)[:limit] if others else []
    return found


def _ranked(mine: Wine, others: Iterable[Product], quantity: int) -> list[Similar]:
    ranked: list[tuple[tuple[int, bool, float, int], Similar]] = []
    for other in others:
        like = likeness(mine, wine_of(other))
        if like is None:
            continue
        free = other.balance.free
        enough = free >= quantity
        kind, distance = like.order
        ranked.append(((kind, not enough, distance, other.pk), Similar(other, free, enough, like.reasons)))
    ranked.sort(key=lambda entry: entry[0])
    return [similar for _, similar in ranked]


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
