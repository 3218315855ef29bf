"""osCommerce's products, as CSV with the columns sku, name, price, quantity and weight_lb, read and checked.

A wine shop may add producer, wine, vintage, size, region and grape: what is similar, and what another vintage of.
And any shop a barcode (what a product is scanned by, besides its SKU), description, tax_class and age_restricted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from counterfoil.core.cards import is_gtin
from counterfoil.gateways.storefront.fields import MOST_PRICE, amount_of, key_of, number_of, shown, text_of
from counterfoil.gateways.storefront.lines import Raw, cells_of, columns_of
from counterfoil.gateways.storefront.protocol import BadLine, FeedProduct

NEEDED = ("sku", "name", "price", "quantity")
FAMILY = {"producer": 200, "wine": 200, "size": 40, "region": 120, "grape": 120}  # and how long each may be
MOST_UNITS = 1_000_000
MOST_GRAMS = 2_147_483_647
GRAMS_OF_A_POUND = Decimal("453.59237")


def read_products(lines: Iterable[Raw], currency: str) -> Iterator[tuple[Raw, FeedProduct | BadLine]]:
    """Each row after the header, as a product or as the reason why it is none. Prices are in `currency`.

    Every row stands on a line of its own, so that a quotation mark left open spoils no other row. Raises ValueError
    for a file without the needed columns.
    """
    columns: list[str] | None = None
    for raw in lines:
        if columns is None:
            columns = columns_of(raw, NEEDED)
            continue
        try:
            yield raw, _product(raw, columns, currency)
        except BadLine as wrong:
            yield raw, wrong


def _product(raw: Raw, columns: list[str], currency: str) -> FeedProduct:
    if raw.wrong:
        raise BadLine(raw.wrong)
    cells = cells_of(raw.text)
    if len(cells) != len(columns):
        raise BadLine(f"{len(cells)} columns, {len(columns)} are named in the first line")
    row = dict(zip(columns, cells, strict=True))
    return FeedProduct(
        sku=key_of(row["sku"], "sku", 64),
        name=text_of(row["name"], "name", 300, needed=True),
        price=amount_of(row["price"], "price", currency, most=MOST_PRICE),
        quantity=_units(row["quantity"]),
        weight_g=_grams(row.get("weight_lb") or "0"),
        barcode=_barcode(row.get("barcode") or ""),
        description=text_of(row.get("description") or "", "description", 20_000),
        tax_class=text_of(row.get("tax_class") or "", "tax_class", 40) or "standard",
        age_restricted=_age_restricted(row),
        **_family(row),
    )


def _age_restricted(row: Mapping[str, str]) -> bool:
    """Whether its buyer declares their age: as the file says, and where it says nothing, a wine's does."""
    told = (row.get("age_restricted") or "").strip().lower()
    if told in ("yes", "no"):
        return told == "yes"
    if told:
        raise BadLine(f"age_restricted: {shown(told)} is neither yes nor no")
    return bool((row.get("wine") or "").strip())


def _barcode(text: str) -> str:
    bare = text.strip().replace(" ", "")
    return bare if is_gtin(bare) or not bare else key_of(text, "barcode", 64)


def _family(row: Mapping[str, str]) -> dict[str, Any]:
    """Who made which wine, in which year; nothing where the file says nothing."""
    told = {name: text_of(row.get(name) or "", name, most) for name, most in FAMILY.items()}
    if bool(told["producer"]) != bool(told["wine"]):
        raise BadLine("producer, wine: a family needs both")
    year = (row.get("vintage") or "").strip()
    if not year:
        return {**told, "vintage": None}
    found = number_of(year, "vintage")
    if found != found.to_integral_value() or not 1000 <= found <= 9999:
        raise BadLine(f"vintage: {shown(year)} is no year such as 2019")
    return {**told, "vintage": int(found)}


def _units(text: str) -> int:
    found = number_of(text, "quantity")
    if found != found.to_integral_value() or not 0 <= found <= MOST_UNITS:
        raise BadLine(f"quantity: {shown(text)} is out of range; whole units from 0 to {MOST_UNITS} are needed")
    return int(found)


def _grams(pounds: str) -> int:
    found = (number_of(pounds, "weight_lb") * GRAMS_OF_A_POUND).to_integral_value(ROUND_HALF_UP)
    if not 0 <= found <= MOST_GRAMS:
        raise BadLine(f"weight_lb: {shown(pounds)} is out of range")
    return int(found)
