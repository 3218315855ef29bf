"""What an order must be to be taken, and how its amounts add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.core.money import MAX_AMOUNT, split, tax_on, to_step

MAX_QUANTITY = 100_000
MAX_LINES = 500
METHODS = ("card", "terminal", "cheque", "on_delivery")


@dataclass(frozen=True)
class Priced:
    """A line with its price and tax, minor units."""

    sku: str
    quantity: int
    unit_price: int
    tax_ppm: int
    tax: int


@dataclass(frozen=True)
class Amounts:
    """total = subtotal + shipping + tax + rounding, always."""

    subtotal: int
    shipping: int
    tax: int
    rounding: int
    total: int


def price_lines(lines: Sequence[tuple[str, int, int, int]], given_tax: int | None) -> list[Priced]:
    """Lines of (sku, quantity, unit price, rate in millionths), taxed.

    Tax that the channel worked out itself is shared over the lines by their net amount; else each line's is
    quantity x price x rate, rounded half up.
    """
    nets = [quantity * price for _, quantity, price, _ in lines]
    taxes = (
        split(given_tax, nets)
        if given_tax is not None
        else [tax_on(net, rate) for net, (_, _, _, rate) in zip(nets, lines, strict=True)]
    )
    return [
        Priced(sku, quantity, price, rate if given_tax is None else 0, tax)
        for (sku, quantity, price, rate), tax in zip(lines, taxes, strict=True)
    ]


def add_up(lines: Sequence[Priced], shipping: int, agreed_total: int | None, *, step: int = 1) -> Amounts:
    """The order's amounts. The customer agreed to the total: what the parts miss of it becomes the rounding line.

    With no total agreed it is what cards can be charged, a multiple of `step`.
    """
    subtotal = sum(ln.quantity * ln.unit_price for ln in lines)
    tax = sum(ln.tax for ln in lines)
    parts = subtotal + shipping + tax
    total = to_step(parts, step) if agreed_total is None else agreed_total
    return Amounts(subtotal, shipping, tax, total - parts, total)


def check_address(address: Mapping[str, str], field: str) -> list[tuple[str, str]]:
    """What is missing of an address, by field."""
    found = []
    for name, words in (("name", "a name"), ("street", "street and number"), ("city", "a town")):
        if not address.get(name, "").strip():
            found.append((f"{field}.{name}", f"an address needs {words}"))
    country = address.get("country", "")
    if not (len(country) == 2 and country.isascii() and country.isupper() and country.isalpha()):
        found.append((f"{field}.country", "use the two-letter ISO code, such as US"))
    return found


def check_amounts(amounts: Amounts) -> list[tuple[str, str]]:
    """Amounts beyond what every machine reads exactly are refused, and so is a negative total."""
    if amounts.total < 0:
        return [("total", "a total cannot be negative")]
    if max(amounts.subtotal, amounts.total, amounts.tax, amounts.shipping) > MAX_AMOUNT // 100:
        return [("total", "this amount is too large")]
    return []
