"""The catalogue's doors: what the shop sells, and who supplies it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError

from counterfoil.core import journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.money import MAX_AMOUNT, decimals
from counterfoil.core.text import clean, clean_email, clean_key, clean_sku, plain
from counterfoil.records.catalogue.models import Family, Product, Supplier
from counterfoil.records.stock.models import Balance

Errors = list[tuple[str, str]]
# A line's amount, price times quantity, stays far inside the range in which every reader is exact.
MOST_PRICE = MAX_AMOUNT // 1_000_000
MOST_INT = 2_147_483_647
SUBJECT = 40  # as long as a journal row's subject may be


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
    region: str = "",
    grape: str = "",
) -> Product:
    """Put a product into the catalogue, with an empty balance.

    `price` is in minor units of `currency`, without tax; `cost` in those of the shop's currency. `supplier` is a name
    or an id. `family` is `{producer, name, vintage?, size?}`: vintages of one wine share it. Raises Forbidden or
    Invalid, also for a SKU that is taken.
    """
    require(actor, BUYER)
    errors: Errors = []
    kept = {
        "sku": _text(sku, "sku", 64, errors, needed=True, kind=clean_sku),
        "name": _text(name, "name", 300, errors, needed=True),
        "tax_class": _text(tax_class, "tax_class", 40, errors, needed=True),
        "bin": _text(bin, "bin", 20, errors, kind=clean_key),
        "description": _text(description, "description", 20_000, errors),
        "art": _text(art, "art", 200_000, errors, kind=plain),
    }
    numbers = {
        "price": _number(price, "price", errors, most=MOST_PRICE),
        "cost": _number(cost, "cost", errors, most=MOST_PRICE),
        "weight_g": _number(weight_g, "weight_g", errors),
        "reorder_point": _number(reorder_point, "reorder_point", errors),
    }
    days = None if lead_time_days is None else _number(lead_time_days, "lead_time_days", errors, most=3660)
    try:
        decimals(currency)
    except ValueError as error:
        errors.append(("currency", str(error)))
    if sell_when_out not in (Product.BACKORDER, Product.STOP):
        errors.append(("sell_when_out", f"{sell_when_out!r} is neither backorder nor stop"))
    from_whom = None if supplier is None or supplier == "" else find_supplier(supplier, errors)
    wine = _family(family, region, grape, errors)
    if not errors and Product.objects.filter(sku=kept["sku"]).exists():
        errors.append(("sku", f"{kept['sku']} is taken"))
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
                family=_family_row(wine),
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
        raise Invalid(("sku", f"{kept['sku']} is taken")) from error
    return made


def create_supplier(*, actor: Actor, name: str, email: str = "", lead_time_days: int = 7) -> Supplier:
    """Enter a supplier. Raises Forbidden or Invalid, also for a name that is taken."""
    require(actor, BUYER)
    errors: Errors = []
    called = _text(name, "name", 200, errors, needed=True)
    days = _number(lead_time_days, "lead_time_days", errors, most=3660)
    address = _text(email, "email", 254, errors, kind=clean_email)
    if address:
        try:
            validate_email(address)
        except ValidationError:
            errors.append(("email", f"{address!r} is not an e-mail address"))
    if called and Supplier.objects.filter(name=called).exists():
        errors.append(("name", f"there is a supplier {called} already"))
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            made = Supplier.objects.create(name=called, email=address, lead_time_days=days)
            journal.record(
                "supplier_created",
                subject=called[:SUBJECT],
                actor=actor,
                text=f"{called} is a supplier",
                data={"supplier": made.pk},
                advance=False,
            )
    except IntegrityError as error:
        raise Invalid(("name", f"there is a supplier {called} already")) from error
    return made


def find_supplier(wanted: str | int, errors: Errors) -> Supplier | None:
    """A supplier by name or id; None, and an error on `supplier`, when there is none."""
    text = str(wanted).strip()
    found = None if isinstance(wanted, int) else Supplier.objects.filter(name=text).first()
    if found is None and len(text) <= 10 and text.isascii() and text.isdigit():
        found = Supplier.objects.filter(pk=int(text)).first()
    if found is None:
        errors.append(("supplier", f"there is no supplier {text}: create it first"))
    return found


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
        "family": {"producer": wine.producer, "name": wine.name, "vintage": product.vintage, "size": product.size}
        if wine
        else None,
        "description": product.description,
        "bin": product.bin,
        "reorder_point": product.reorder_point,
        "listed": product.listed,
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "picked": balance.picked,
        "shipped": balance.shipped,
        "quarantined": balance.quarantined,
        "due_in": balance.due_in,
        "waiting": balance.waiting,
        "available_to_promise": balance.available_to_promise,
    }


def _text(
    value: object,
    field: str,
    most: int,
    errors: Errors,
    *,
    needed: bool = False,
    kind: Callable[[str], str] = clean,
) -> str:
    try:
        text = kind(str(value or ""))
    except ValueError as error:
        errors.append((field, str(error)))
        return ""
    if needed and not text:
        errors.append((field, "this is needed"))
    if len(text) > most:
        errors.append((field, f"at most {most} characters"))
    return text


def _number(value: object, field: str, errors: Errors, *, most: int = MOST_INT) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        errors.append((field, f"a whole number from 0 to {most} is needed"))
        return 0
    return value


def _family(given: Mapping[str, Any] | None, region: str, grape: str, errors: Errors) -> dict[str, Any] | None:
    if given is None:
        return None
    vintage = given.get("vintage")
    if vintage is not None:
        # A non-vintage wine has none; a year is needed where there is one.
        vintage = _number(vintage, "family.vintage", errors, most=9999)
    return {
        "producer": _text(given.get("producer"), "family.producer", 200, errors, needed=True),
        "name": _text(given.get("name"), "family.name", 200, errors, needed=True),
        "vintage": vintage,
        "size": _text(given.get("size"), "family.size", 40, errors),
        "region": _text(given.get("region") or region, "region", 120, errors),
        "grape": _text(given.get("grape") or grape, "grape", 120, errors),
    }


def _family_row(wine: Mapping[str, Any] | None) -> Family | None:
    """The family's row, made when it is the first of its vintages; what it does not know yet is filled in."""
    if wine is None:
        return None
    row, _ = Family.objects.get_or_create(
        producer=wine["producer"], name=wine["name"], defaults={"region": wine["region"], "grape": wine["grape"]}
    )
    learned = [field for field in ("region", "grape") if wine[field] and not getattr(row, field)]
    for field in learned:
        setattr(row, field, wine[field])
    if learned:
        row.save(update_fields=learned)
    return row
