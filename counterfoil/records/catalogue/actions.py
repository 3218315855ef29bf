"""The catalogue's doors: what the shop sells, and who supplies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.db.models import Q

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.money import MAX_AMOUNT, decimals
from counterfoil.core.text import clean_barcode, clean_key, clean_new_sku, plain
from counterfoil.records.catalogue.families import family_row, read_family
from counterfoil.records.catalogue.fields import SUBJECT, Errors, number_field, text_field
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.suppliers import create_supplier, find_supplier
from counterfoil.records.stock.models import Balance
from counterfoil.records.stock.places import places_of

__all__ = ["create_product", "create_supplier", "find_supplier", "product_json", "set_barcode", "set_reordering"]

# A line's amount, price times quantity, stays far inside the range in which every reader is exact.
MOST_PRICE = MAX_AMOUNT // 1_000_000


def create_product(
    *,
    actor: Actor,
    sku: str,
    name: str,
    price: int,
    currency: str,
    tax_class: str = "standard",
    weight_g: int = 0,
    supplier: str | int | None = None,
    cost: int = 0,
    lead_time_days: int | None = None,
    sell_when_out: str = Product.BACKORDER,
    age_restricted: bool = False,
    family: Mapping[str, Any] | None = None,
    bin: str = "",  # noqa: A002  the trade's word, as in the model
    description: str = "",
    art: str = "",
    reorder_point: int = 0,
    reorder_up_to: int = 0,
    region: str = "",
    grape: str = "",
    barcode: str = "",
) -> Product:
    """Put a product into the catalogue, with an empty balance.

    `price` is in minor units of `currency`, without tax; `cost` in those of the shop's currency. `supplier` is a name
    or an id. `family` is `{producer, name, vintage?, size?}`: vintages of one wine share it. Raises Forbidden or
    Invalid, also for a SKU that is taken.
    """
    require(actor, BUYER)
    errors: Errors = []
    kept = {
        "sku": text_field(sku, "sku", 64, errors, needed=True, kind=clean_new_sku),
        "name": text_field(name, "name", 300, errors, needed=True),
        "tax_class": text_field(tax_class, "tax_class", 40, errors, needed=True),
        "bin": text_field(bin, "bin", 20, errors, kind=clean_key),
        "description": text_field(description, "description", 20_000, errors),
        "barcode": text_field(barcode, "barcode", 64, errors, kind=clean_barcode),
        "art": text_field(art, "art", 200_000, errors, kind=plain),
    }
    numbers = {
        "price": number_field(price, "price", errors, most=MOST_PRICE),
        "cost": number_field(cost, "cost", errors, most=MOST_PRICE),
        "weight_g": number_field(weight_g, "weight_g", errors),
        "reorder_point": number_field(reorder_point, "reorder_point", errors),
        "reorder_up_to": number_field(reorder_up_to, "reorder_up_to", errors),
    }
    days = None if lead_time_days is None else number_field(lead_time_days, "lead_time_days", errors, most=3660)
    try:
        decimals(currency)
    except ValueError as error:
        errors.append(("currency", str(error)))
    if sell_when_out not in (Product.BACKORDER, Product.STOP):
        errors.append(("sell_when_out", f"{sell_when_out!r} is neither backorder nor stop"))
    from_whom = None if supplier is None or supplier == "" else find_supplier(supplier, errors)
    wine = read_family(family, region, grape, errors)
    if not errors and Product.objects.filter(sku=kept["sku"]).exists():
        errors.append(("sku", f"{kept['sku']} is taken"))
    if not errors:
        errors += taken(kept["sku"], kept["barcode"])
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            made = Product.objects.create(
                **kept,
                **numbers,
                currency=currency,
                supplier=from_whom,
                lead_time_days=days,
                sell_when_out=sell_when_out,
                age_restricted=age_restricted,
                family=family_row(wine),
                vintage=wine["vintage"] if wine else None,
                size=wine["size"] if wine else "",
            )
            Balance.objects.create(product=made)
            journal.record(
                "product_created",
                subject=made.sku[:SUBJECT],
                actor=actor,
                text=f"{made.name} is in the catalogue",
                data={"sku": made.sku, "price": made.price, "currency": made.currency},
                advance=False,
            )
    except IntegrityError as error:
        raise Invalid(("sku", f"{kept['sku']} or its bar code is taken")) from error
    return made


def set_barcode(*, actor: Actor, sku: str, barcode: str) -> Product:
    """What a product is scanned by, besides its SKU; "" for nothing. Raises Forbidden, Missing or Invalid."""
    require(actor, BUYER)
    errors: Errors = []
    code = text_field(barcode, "barcode", 64, errors, kind=clean_barcode)
    errors += [] if errors else taken(sku, code)
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            kept = Product.objects.select_for_update().defer("art", "description").filter(sku=sku).first()
            if kept is None:
                raise Missing(f"there is no product {sku}")
            kept.barcode = code
            kept.save(update_fields=["barcode"])
            words = f"scanned by {code}" if code else "scanned by its SKU only"
            journal.record("product_barcode", subject=sku[:SUBJECT], actor=actor, text=words, advance=False)
    except IntegrityError as error:
        raise Invalid(("barcode", f"{code} is another product's")) from error
    return kept


def taken(sku: str, code: str) -> Errors:
    """A scan must mean one product: a bar code is nobody else's bar code, and nobody else's SKU."""
    other = Product.objects.filter(Q(barcode=code) | Q(sku=code)).exclude(sku=sku).first() if code else None
    return [("barcode", f"{code} is that of {other.name} ({other.sku})")] if other else []


def set_reordering(
    *, actor: Actor, sku: str, reorder_point: int, reorder_up_to: int, supplier: str | int | None = None
) -> Product:
    """When the product is bought again, up to how many, and from whom (None: as before).

    Raises Forbidden, Missing or Invalid.
    """
    require(actor, BUYER)
    errors: Errors = []
    point = number_field(reorder_point, "reorder_point", errors)
    up_to = number_field(reorder_up_to, "reorder_up_to", errors)
    if not errors and 0 < up_to < point:
        errors.append(("reorder_up_to", f"less than the reorder point, {point}"))
    from_whom = None if supplier is None else find_supplier(supplier, errors)
    if errors:
        raise Invalid(*errors)
    with writing():
        kept = Product.objects.select_for_update().filter(sku=sku).first()
        if kept is None:
            raise Missing(f"there is no product {sku}")
        kept.reorder_point, kept.reorder_up_to = point, up_to
        kept.supplier = from_whom or kept.supplier
        kept.save(update_fields=["reorder_point", "reorder_up_to", "supplier"])
        words = f"bought again at {point}, up to {max(point, up_to)}" if point else "bought only for orders"
        journal.record(
            "product_reordering",
            subject=kept.sku[:SUBJECT],
            actor=actor,
            text=f"{kept.name}: {words}"[:500],
            data={"reorder_point": point, "reorder_up_to": up_to, "supplier": kept.supplier_id},
            advance=False,
        )
    return kept


def product_json(product: Product) -> dict[str, Any]:
    """The contract's product with its balance as it stands now."""
    balance = Balance.objects.filter(product_id=product.pk).first() or Balance(product=product)
    wine = product.family
    return {
        "sku": product.sku,
        "name": product.name,
        "price": product.price,
        "currency": product.currency,
        "tax_class": product.tax_class,
        "weight_g": product.weight_g,
        "supplier": product.supplier.name if product.supplier else None,
        "cost": product.cost,
        "lead_time_days": product.lead_time_days,
        "sell_when_out": product.sell_when_out,
        "age_restricted": product.age_restricted,
        "family": {
            "producer": wine.producer,
            "name": wine.name,
            "vintage": product.vintage,
            "size": product.size,
            "region": wine.region,
            "grape": wine.grape,
        }
        if wine
        else None,
        "description": product.description,
        "bin": product.bin,
        "barcode": product.barcode,
        "reorder_point": product.reorder_point,
        "reorder_up_to": product.reorder_up_to,
        "listed": product.listed,
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "picked": balance.picked,
        "shipped": balance.shipped,
        "quarantined": balance.quarantined,
        "due_in": balance.due_in,
        "waiting": balance.waiting,
        "available_to_promise": balance.available_to_promise,
        "places": [
            {
                "bin": place.bin,
                "lot": place.lot,
                "best_before": place.best_before.isoformat() if place.best_before else None,
                "on_hand": place.on_hand,
                "picked": place.picked,
                "quarantined": place.quarantined,
            }
            for place in places_of([product.pk]).get(product.pk, [])
        ],
    }
