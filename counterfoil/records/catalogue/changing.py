"""Changing what the shop says of a product: name, price, description. Orders keep what they were placed with."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.money import show
from counterfoil.records.catalogue.actions import MOST_PRICE
from counterfoil.records.catalogue.fields import SUBJECT, Errors, number_field, text_field
from counterfoil.records.catalogue.models import Product

# What may be changed, in the words in which the journal tells it.
WORDS = {
    "name": "name",
    "price": "price",
    "tax_class": "tax class",
    "weight_g": "weight in grams",
    "description": "description",
    "sell_when_out": "when it is sold out",
    "age_restricted": "the buyer's age is asked",
    "listed": "listed in the shop",
}


def stamp_of(product: Product) -> str:
    """What the product is like now in a few letters: a form that was drawn before a change has another one."""
    now = json.dumps([getattr(product, field) for field in WORDS])
    return hashlib.sha256(now.encode()).hexdigest()[:16]


def change_product(
    *,
    actor: Actor,
    sku: str,
    seen: str,
    name: str,
    price: int,
    tax_class: str,
    weight_g: int,
    description: str,
    sell_when_out: str,
    age_restricted: bool,
    listed: bool,
) -> list[str]:
    """Make the product what is said here; the answer names what that changed.

    `seen` is the stamp of what whoever changes it had before them. Raises Forbidden, Missing, Invalid, or Refused where
    somebody has changed it meanwhile.
    """
    require(actor, BUYER)
    errors: Errors = []
    wanted: dict[str, Any] = {
        "name": text_field(name, "name", 300, errors, needed=True),
        "price": number_field(price, "price", errors, most=MOST_PRICE),
        "tax_class": text_field(tax_class, "tax_class", 40, errors, needed=True),
        "weight_g": number_field(weight_g, "weight_g", errors),
        "description": text_field(description, "description", 20_000, errors),
        "sell_when_out": sell_when_out,
        "age_restricted": age_restricted,
        "listed": listed,
    }
    if sell_when_out not in (Product.BACKORDER, Product.STOP):
        errors.append(("sell_when_out", f"{sell_when_out!r} is neither backorder nor stop"))
    if errors:
        raise Invalid(*errors)
    with writing():
        kept = Product.objects.select_for_update().defer("art").filter(sku=sku).first()
        if kept is None:
            raise Missing(f"there is no product {sku}")
        if seen != stamp_of(kept):
            raise blocked("someone_else", "somebody has changed this product meanwhile: look at it again", line=sku)
        before = {field: getattr(kept, field) for field in WORDS}
        changed = [field for field in WORDS if wanted[field] != before[field]]
        if not changed:
            return []
        for field in changed:
            setattr(kept, field, wanted[field])
        kept.save(update_fields=changed)
        journal.record(
            "product_changed",
            subject=kept.sku[:SUBJECT],
            actor=actor,
            text="; ".join(_told(field, before[field], wanted[field], kept.currency) for field in changed)[:500],
            data={field: [before[field], wanted[field]] for field in changed if field != "description"},
            advance=False,
        )
    return [WORDS[field] for field in changed]


def _told(field: str, was: Any, now: Any, currency: str) -> str:
    if field == "description":
        return "another description"
    if field == "price":
        was, now = show(was, currency), show(now, currency)
    if isinstance(now, bool):
        return f"{WORDS[field]}: {'yes' if now else 'no'}"
    return f"{WORDS[field]} {was} -> {now}"
