"""What the shop shows: products with their availability in words, and what a cart adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet

from counterfoil.core.money import step, tax_on, to_step
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import storable
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.availability import Held, shelves_of, ships_on
from counterfoil.records.stock.promise import Earliest, Shelf

FEW = 6  # from here down the shelf's number is said


@dataclass(frozen=True)
class Offer:
    """A product as the shop shows it. `kind` colours the availability; `most` is what can be ordered at once."""

    product: Product
    free: int
    kind: str
    glyph: str
    availability: str
    ships: date | None
    most: int
    found: Earliest

    @property
    def maker(self) -> str:
        family = self.product.family
        return family.producer if family else ""

    @property
    def title(self) -> str:
        """The name without the maker, who stands above it."""
        family = self.product.family
        return " ".join(p for p in (family.name, str(self.product.vintage or "")) if p) if family else self.product.name


def availability(product: Product, shelf: Shelf, settings: Shop, quantity: int = 1) -> Offer:
    """In stock, 6 left, Ships Thursday, or Sold out; with the day on which so many would ship if ordered now.

    What others wait for is not offered again, though it may lie on the shelf; where we do not buy in, what can be
    ordered is what the placing of an order would find there.
    """
    found = ships_on(shelf, quantity, settings)
    free = max(0, shelf.free)
    if shelf.spare > FEW:
        return Offer(product, free, "ok", "✓", "In stock", found.day, 999, found)
    if shelf.spare > 0:
        return Offer(product, free, "warn", "◔", f"{shelf.spare} left", found.day, free if shelf.stops else 999, found)
    if shelf.stops:
        return Offer(product, free, "", "✕", "Sold out", None, 0, found)
    assert found.day is not None
    words = f"Ships {near_day(found.day, settings.today())}"
    return Offer(product, free, "info", "◷", words, found.day, 999, found)


def near_day(day: date, today: date) -> str:
    """today, tomorrow, Thursday (within six days), else 10 Dec: when something ships, as one says it in a shop."""
    away = (day - today).days
    if away in (0, 1):
        return ("today", "tomorrow")[away]
    return f"{day:%A}" if 1 < away < 7 else f"{day.day} {day:%b}"


def _listed() -> QuerySet[Product]:
    return (
        Product.objects.filter(listed=True)
        .select_related("family", "supplier")
        .defer("art")
        .annotate(free=F("balance__on_hand") - F("balance__reserved"), waiting=F("balance__waiting"))
    )


def _offers(products: Iterable[Product], wanted: Mapping[str, int] | None = None) -> list[Offer]:
    """One statement for all of them, and one for what is on its way where something is not here."""
    settings = shop()
    known = list(products)
    units = {p.pk: (wanted or {}).get(p.sku, 1) for p in known}
    held = {p: Held(int(getattr(p, "free", 0) or 0), int(getattr(p, "waiting", 0) or 0)) for p in known}
    shelves = shelves_of(held, settings, units)
    return [availability(p, shelves[p.pk], settings, units[p.pk]) for p in known]


def offers(text: str = "", limit: int = 200, *, by_sku: bool = False) -> list[Offer]:
    """Listed products by maker, name and vintage, newest first; with `text`, those in which every word is found.

    `by_sku`: also as a part of the SKU, as people of the shop type it.
    """
    found = _listed()
    for word in text.split()[:6]:
        if not storable(word):
            return []
        hit = Q(name__icontains=word) | Q(description__icontains=word) | Q(sku__iexact=word)
        hit |= Q(sku__icontains=word) if by_sku else Q()
        found = found.filter(hit | Q(family__grape__icontains=word) | Q(family__region__icontains=word))
    ordered = found.order_by(F("family__producer").asc(nulls_last=True), "family__name", F("vintage").desc(), "name")
    return _offers(ordered[:limit])


def offers_of(ids: Sequence[int]) -> list[Offer]:
    """Listed products by id, in that order."""
    known = {o.product.pk: o for o in _offers(_listed().filter(pk__in=ids))} if ids else {}
    return [known[pk] for pk in ids if pk in known]


def offer_of(sku: str) -> Offer | None:
    """One listed product; None when there is none."""
    found = _offers(_listed().filter(sku=sku)[:1]) if storable(sku) else []
    return found[0] if found else None


def siblings(product: Product) -> list[Offer]:
    """The other vintages of the same wine, newest first."""
    if product.family_id is None:
        return []
    return _offers(_listed().filter(family=product.family_id).exclude(pk=product.pk).order_by(F("vintage").desc()))


@dataclass(frozen=True)
class CartLine:
    """A line of the cart; `warning` says what stands in the way of ordering it so."""

    offer: Offer
    quantity: int
    net: int
    warning: str


@dataclass(frozen=True)
class Sums:
    """What a cart costs, minor units of the shop's currency. `tax` is None until the destination is known."""

    subtotal: int
    shipping: int | None
    tax: int | None
    rounding: int
    total: int


def cart_lines(cart: Mapping[str, int]) -> list[CartLine]:
    """The cart's lines in the order they were put in; products no longer listed are left out."""
    known = {o.product.sku: o for o in _offers(_listed().filter(sku__in=list(cart)), cart)}
    found = []
    for sku, quantity in cart.items():
        offer = known.get(sku)
        if offer is None:
            continue
        warning = ""
        if offer.most == 0:
            warning = "Sold out: take it out, or choose another vintage."
        elif quantity > offer.most:
            warning = f"Only {offer.most} left."
        elif quantity > offer.free > 0:
            warning = f"{offer.free} are here; the rest is bought in for you: all of it ships {_when(offer)}."
        found.append(CartLine(offer, quantity, quantity * offer.product.price, warning))
    return found


def _when(offer: Offer) -> str:
    return near_day(offer.ships, shop().today()) if offer.ships else "when it has come"


def add_cart(lines: Iterable[CartLine], *, method: str = "", country: str = "", state: str = "") -> Sums:
    """The cart's sums, tax line by line as the order will have it."""
    settings = shop()
    rows = list(lines)
    subtotal = sum(ln.net for ln in rows)
    shipping = next((int(d["price"]) for d in settings.deliveries if d["method"] == method), None)
    tax = None
    if country:
        tax = sum(
            tax_on(ln.net, settings.tax_rate_ppm(ln.offer.product.tax_class, country=country, state=state))
            for ln in rows
        )
    parts = subtotal + (shipping or 0) + (tax or 0)
    total = to_step(parts, step(settings.currency))
    return Sums(subtotal, shipping, tax, total - parts, total)
