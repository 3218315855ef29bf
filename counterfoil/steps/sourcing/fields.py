"""Reading what outsiders send: whole numbers within bounds, products and dates that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from counterfoil.core.money import MAX_AMOUNT
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.records.catalogue.models import Product

Errors = list[tuple[str, str]]
MOST_UNITS = 1_000_000
MOST_DAYS = 3660  # a date further away is a slip of the pen


def whole(value: object, field: str, errors: Errors, *, least: int = 1, most: int = MOST_UNITS) -> int:
    """A whole number between `least` and `most`; otherwise an error is noted and `least` stands in for it."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        errors.append((field, f"a whole number from {least} to {most} is needed"))
        return least
    return value


def coming_date(value: date | None, field: str, errors: Errors) -> None:
    """Note an error unless the date is today or later, and within ten years."""
    today = shop().today()
    if value is None:
        return
    if value < today:
        errors.append((field, f"{value} is in the past; today is {today}"))
    elif (value - today).days > MOST_DAYS:
        errors.append((field, f"{value} is more than ten years away"))


def products_of(lines: Sequence[Mapping[str, Any]], errors: Errors) -> dict[str, Product]:
    """The products that the lines name, by SKU; unknown and repeated ones are noted as errors."""
    skus = [str(row.get("sku", "")) for row in lines]
    known = {p.sku: p for p in Product.objects.filter(sku__in=skus)}
    if not skus:
        errors.append(("lines", "at least one line is needed"))
    for at, sku in enumerate(skus):
        if sku not in known:
            errors.append((f"lines.{at}.sku", f"there is no product {sku}"))
        elif sku in skus[:at]:
            errors.append((f"lines.{at}.sku", f"{sku} stands there twice"))
    return known


MOST_COST = MAX_AMOUNT // 1_000_000_000
MOST_RATE = 1_000_000
MOST_NOTE = 2_000  # characters


def rate_of(text: str, errors: Errors) -> int | None:
    """`1.085` as millionths; None, and an error on `rate`, for anything else than a positive number."""
    try:
        rate = Decimal(text.strip())
        ppm = rate * 1_000_000
    except InvalidOperation:
        rate = ppm = Decimal("NaN")
    if not ppm.is_finite() or not 0 < rate <= MOST_RATE or ppm != ppm.to_integral_value():
        errors.append(("rate", "a positive number with at most six decimals, such as 1.085"))
        return None
    return int(ppm)


def say_rate(ppm: int) -> str:
    """1085000 -> 1.085."""
    return f"{Decimal(ppm).scaleb(-6).normalize():f}"


def words_of(text: str, field: str, errors: Errors, *, most: int = MOST_NOTE) -> str:
    """Prose, with card numbers masked; otherwise an error is noted."""
    try:
        kept = clean(text)
    except ValueError as error:
        errors.append((field, str(error)))
        return ""
    if len(kept) > most:
        errors.append((field, f"at most {most} characters"))
    return kept
