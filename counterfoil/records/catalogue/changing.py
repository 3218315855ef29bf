"""Changing what the shop says of a product: name, price, which wine it is. Orders keep what they were placed with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Sum

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_barcode, clean_key
from counterfoil.records.catalogue.actions import MOST_PRICE, taken
from counterfoil.records.catalogue.families import corrected, drop_if_empty, others_of
from counterfoil.records.catalogue.fields import SUBJECT, Errors, number_field, text_field
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line

# What may be changed, in the words in which the journal tells it; first what is the product's own.
OWN = {
    "name": "name",
    "price": "price",
    "tax_class": "tax class",
    "weight_g": "weight in grams",
    "description": "description",
    "sell_when_out": "when it is sold out",
    "age_restricted": "the buyer's age is asked",
    "listed": "listed in the shop",
    "vintage": "vintage",
    "size": "size",
    "cost": "what one costs",
    "lead_time_days": "days until it comes",
    "bin": "bin",
    "barcode": "bar code",
}
FAMILY = {"producer": "maker", "wine": "wine", "region": "region", "grape": "grape"}
WORDS = OWN | FAMILY

_TEXTS = {
    "name": 300, "tax_class": 40, "description": 20_000, "size": 40, "producer": 200, "wine": 200, "region": 120,
    "grape": 120,
}  # fmt: skip
_NEEDED = ("name", "tax_class")
_KEYS: dict[str, tuple[int, Callable[[str], str]]] = {"bin": (20, clean_key), "barcode": (64, clean_barcode)}
_NUMBERS = {"price": MOST_PRICE, "cost": MOST_PRICE, "weight_g": 2_147_483_647}


def said_of(product: Product) -> dict[str, Any]:
    """What the shop says of a product, by the fields of `WORDS`. One statement if its family is not at hand."""
    wine = product.family
    of_wine = (wine.producer, wine.name, wine.region, wine.grape) if wine else ("", "", "", "")
    return {field: getattr(product, field) for field in OWN} | dict(zip(FAMILY, of_wine, strict=True))


def stamp_of(product: Product) -> str:
    """What the product is like now in a few letters: a form that was drawn before a change has another one."""
    now = json.dumps(said_of(product))
    return hashlib.sha256(now.encode()).hexdigest()[:16]


def change_product(
    *,
    actor: Actor,
    sku: str,
    changes: Mapping[str, Any],
    seen: str | None = None,
    reason: str = "",
    all_vintages: bool = False,
) -> list[str]:
    """Make of the product what `changes` say, by the fields of `WORDS`; the answer names what that changed.

    What is not in `changes` stays. `seen` is the stamp of what whoever changes it had before them (None: not asked).
    Region and grape are of all vintages of the wine; maker and wine with `all_vintages` too. The vintage of a wine that
    has been ordered wants a reason: another vintage is another product. Raises Forbidden, Missing, Invalid, or Refused
    where somebody has changed it meanwhile.
    """
    require(actor, BUYER)
    errors: Errors = []
    read = _read(changes, errors)
    why = text_field(reason, "reason", 300, errors)
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            kept = Product.objects.select_for_update().defer("art").filter(sku=sku).first()
            if kept is None:
                raise Missing(f"there is no product {sku}")
            if seen is not None and seen != stamp_of(kept):
                raise _meanwhile(sku)
            before = said_of(kept)
            wanted = before | read
            changed = [field for field in WORDS if wanted[field] != before[field]]
            errors = _not_so(kept, before, wanted, changed, why)
            if errors:
                raise Invalid(*errors)
            if changed:
                _keep(kept, wanted, changed, all_vintages=all_vintages)
                _tell(kept, before, wanted, changed, why, actor, all_vintages=all_vintages)
    except IntegrityError as error:  # the same wine, or bar code, was made at this moment
        raise _meanwhile(sku) from error
    return [WORDS[field] for field in changed]


def waiting_for(product: Product) -> list[str]:
    """The orders whose customers still wait for units of it, by number."""
    found = _ordered(product).filter(quantity__gt=F("shipped"))
    return sorted(set(found.values_list("order__number", flat=True)))


def _read(changes: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for field, value in changes.items():
        if field in _TEXTS:
            read[field] = text_field(value, field, _TEXTS[field], errors, needed=field in _NEEDED)
        elif field in _KEYS:
            most, kind = _KEYS[field]
            read[field] = text_field(value, field, most, errors, kind=kind)
        elif field in _NUMBERS:
            read[field] = number_field(value, field, errors, most=_NUMBERS[field])
        elif field == "lead_time_days":
            read[field] = None if value is None else number_field(value, field, errors, most=3660)
        elif field == "vintage":
            read[field] = value
            if value is not None and not (isinstance(value, int) and 1000 <= value <= 9999):
                errors.append((field, "a year such as 2019, or nothing"))
        elif field == "sell_when_out":
            read[field] = value
            if value not in (Product.BACKORDER, Product.STOP):
                errors.append((field, f"{value!r} is neither backorder nor stop"))
        else:
            read[field] = bool(value)
    return read


def _not_so(
    product: Product, before: Mapping[str, Any], wanted: Mapping[str, Any], changed: list[str], why: str
) -> Errors:
    """What cannot be, as errors by field: half a wine, another product's bar code, a year that was sold."""
    errors: Errors = []
    for field, other in (("producer", "wine"), ("wine", "producer")):
        if wanted[other] and not wanted[field]:
            errors.append((field, "a maker and a wine go together: give both, or neither"))
    if not wanted["producer"] and not wanted["wine"]:
        of_wine = [field for field in ("vintage", "region", "grape") if wanted[field]]
        errors += [(field, "only a wine with its maker has one: give both, or leave this out") for field in of_wine]
    if "barcode" in changed:
        errors += taken(product.sku, wanted["barcode"])
    if "vintage" in changed and not why:
        errors += _sold_as(product, before["vintage"])
    return errors


def _sold_as(product: Product, vintage: int | None) -> Errors:
    units = _ordered(product).aggregate(all=Sum("quantity"), gone=Sum("shipped"))
    if not units["all"]:
        return []
    left = units["all"] - units["gone"]
    words = f"{units['all']} have been ordered {f'as {vintage}' if vintage else 'without a vintage'}"
    words += f", {left} of them not shipped yet" if left else ""
    return [("reason", f"{words}; another vintage is a product of its own. If the year was wrong, say why")]


def _ordered(product: Product) -> Any:
    return Line.objects.filter(product=product, order__cancelled_at=None, quantity__gt=0)


def _keep(kept: Product, wanted: Mapping[str, Any], changed: list[str], *, all_vintages: bool) -> None:
    own = [field for field in changed if field in OWN]
    for field in own:
        setattr(kept, field, wanted[field])
    old = kept.family
    said = {field for field in changed if field in FAMILY}
    if said:
        kept.family = corrected(kept, wanted, said, all_vintages=all_vintages)
    kept.save(update_fields=[*own, "family"])
    if old is not None and kept.family_id != old.pk:
        drop_if_empty(old)


def _tell(
    kept: Product, before: Mapping[str, Any], wanted: Mapping[str, Any], changed: list[str], why: str, actor: Actor,
    *, all_vintages: bool,
) -> None:  # fmt: skip
    currencies = {"price": kept.currency, "cost": shop().currency}
    told = [_told(field, before[field], wanted[field], currencies.get(field, "")) for field in changed]
    others = others_of(kept).count() if all_vintages or {"region", "grape"} & set(changed) else 0
    if others and set(changed) & set(FAMILY):
        told.append(f"so are {others} other vintages or sizes of it")
    journal.record(
        "product_changed",
        subject=kept.sku[:SUBJECT],
        actor=actor,
        text=("; ".join(told) + (f": {why}" if why else ""))[:500],
        data={field: [before[field], wanted[field]] for field in changed if field != "description"},
        advance=False,
    )


def _told(field: str, was: Any, now: Any, currency: str) -> str:
    if field == "description":
        return "another description"
    if currency:
        was, now = show(was, currency), show(now, currency)
    if isinstance(now, bool):
        return f"{WORDS[field]}: {'yes' if now else 'no'}"
    return f"{WORDS[field]} {'none' if was in (None, '') else was} -> {'none' if now in (None, '') else now}"


def _meanwhile(sku: str) -> Exception:
    return blocked("someone_else", "somebody has changed this product meanwhile: look at it again", line=sku)
