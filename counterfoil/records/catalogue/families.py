"""Which wine a product is: its family, that vintages share, and what is corrected in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.records.catalogue.fields import Errors, number_field, text_field
from counterfoil.records.catalogue.models import Family, Product


def read_family(given: Mapping[str, Any] | None, region: str, grape: str, errors: Errors) -> dict[str, Any] | None:
    """`{producer, name, vintage?, size?, region?, grape?}` as it is kept; None for what is no wine."""
    if given is None:
        return None
    vintage = given.get("vintage")
    if vintage is not None:
        # A non-vintage wine has none; a year is needed where there is one.
        vintage = number_field(vintage, "family.vintage", errors, most=9999)
    return {
        "producer": text_field(given.get("producer"), "family.producer", 200, errors, needed=True),
        "name": text_field(given.get("name"), "family.name", 200, errors, needed=True),
        "vintage": vintage,
        "size": text_field(given.get("size"), "family.size", 40, errors),
        "region": text_field(given.get("region") or region, "region", 120, errors),
        "grape": text_field(given.get("grape") or grape, "grape", 120, errors),
    }


def family_row(wine: Mapping[str, Any] | None) -> Family | None:
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


def corrected(product: Product, wanted: Mapping[str, Any], said: set[str], *, all_vintages: bool) -> Family | None:
    """The family that the product is of, now that maker, wine, region or grape are `wanted`; inside `writing()`.

    Another maker or wine moves this product to that family, or, with `all_vintages`, its other vintages too. Region and
    grape are the family's, whatever vintage they are corrected at: those that were `said`, and not those that the
    product brings along from another family. The product itself is saved by the caller.
    """
    old = product.family
    if not wanted["producer"]:
        return None
    alone = old is not None and not others_of(product).exists()
    if old is not None and (old.producer, old.name) == (wanted["producer"], wanted["wine"]):
        new = old
    else:
        found = Family.objects.filter(producer=wanted["producer"], name=wanted["wine"]).first()
        if found is None and old is not None and (alone or all_vintages):
            found = old
            found.producer, found.name = wanted["producer"], wanted["wine"]
        elif found is None:
            found, _ = Family.objects.get_or_create(producer=wanted["producer"], name=wanted["wine"])
        elif old is not None and all_vintages:
            others_of(product).update(family=found)
        new = found
    for field in ("region", "grape"):
        if field in said or not getattr(new, field):
            setattr(new, field, wanted[field])
    new.save()
    return new


def drop_if_empty(family: Family | None) -> None:
    """A family of which no product is left says nothing any more."""
    if family is not None and not Product.objects.filter(family=family).exists():
        family.delete()


def others_of(product: Product) -> Any:
    """The other vintages and sizes of a product's wine."""
    if product.family_id is None:
        return Product.objects.none()
    return Product.objects.filter(family=product.family_id).exclude(pk=product.pk)
