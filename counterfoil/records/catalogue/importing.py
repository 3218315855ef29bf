"""`counterfoil import-products`: another shop's products with what it has on the shelf."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from counterfoil.core import clock, journal
from counterfoil.core.actor import OWNER, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.gateways.storefront.lines import Rejects, read_lines
from counterfoil.gateways.storefront.oscommerce.products import read_products
from counterfoil.gateways.storefront.progress import progress
from counterfoil.gateways.storefront.protocol import BadLine, FeedProduct
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.fields import SUBJECT
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change

IMPORTER = Actor("system", "import", OWNER)


def import_products(path: Path, say: Callable[[str], None] | None = None) -> int:
    """Import a CSV file with prices in the shop's currency; 0 when all of it is here now, 1 when rows were rejected.

    A product that is here already stays as it is, price and stock included. Raises OSError when the file cannot be
    read and ValueError when it lacks a column.
    """
    say = say or _print
    begun = clock.monotonic()
    new = known = 0
    currency = shop().currency
    with path.open("rb") as file, Rejects(path, "csv") as rejects, progress(path, "products") as moved:
        for raw, found in read_products(read_lines(file), currency):
            try:
                if isinstance(found, BadLine):
                    raise found
                if _add(found, currency):
                    new += 1
                else:
                    known += 1
            except (BadLine, Invalid) as wrong:
                rejects.add(raw.number, str(wrong), raw.text)
            moved(file.tell(), f"{new + known:,} products")
    seconds = clock.monotonic() - begun
    count = new + known + rejects.count
    what = "product" if count == 1 else "products"
    told = f"{count:,} {what}: {new:,} new, {known:,} unchanged, {rejects.count:,} rejected in {seconds:.1f} s"
    say("\n".join([*rejects.summary(), told]))
    return 1 if rejects.count else 0


def _add(feed: FeedProduct, currency: str) -> bool:
    """Put the product and its opening stock into the books, in one transaction. False when it was here before."""
    with writing():
        if Product.objects.filter(sku=feed.sku).exists():
            return False
        family = {"producer": feed.producer, "name": feed.wine, "vintage": feed.vintage, "size": feed.size}
        made = create_product(
            actor=IMPORTER,
            sku=feed.sku,
            name=feed.name,
            price=feed.price,
            currency=currency,
            weight_g=feed.weight_g,
            barcode=feed.barcode,
            description=feed.description,
            tax_class=feed.tax_class,
            age_restricted=feed.age_restricted,
            family=family if feed.producer else None,
            region=feed.region,
            grape=feed.grape,
        )
        if feed.quantity:
            ledger.lock([made.pk])
            opening = Change(
                made.pk, "adjusted", f"import:{feed.sku}", on_hand=feed.quantity, subject=feed.sku[:SUBJECT],
                reason="opening stock",
            )  # fmt: skip
            ledger.move([opening], actor=IMPORTER)
            journal.record(
                "stock_adjusted",
                subject=feed.sku[:SUBJECT],
                actor=IMPORTER,
                text=f"{feed.quantity:+d} on the shelf: opening stock",
                data={"sku": feed.sku, "quantity": feed.quantity},
                advance=False,
            )
    return True


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
