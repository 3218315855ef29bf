"""What is said to stock: units, reasons, bins, lots and dates, read and checked the same way at every door."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.text import clean, clean_key, storable
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.models import Place
from counterfoil.records.stock.places import Wanted, shelves
from counterfoil.records.stock.rules import Share

Errors = list[tuple[str, str]]
MOST_UNITS = 1_000_000
MOST_REASON = 500
SUBJECT = 40  # as long as a movement's subject may be
_LONGEST = {"bin": 20, "lot": 40, "to_bin": 20}


def product_of(sku: str) -> Product:
    """The product of a SKU. Raises Missing."""
    found = Product.objects.filter(sku=sku).first() if storable(sku) else None
    if found is None:
        raise Missing(f"there is no product {sku}")
    return found


def units_of(quantity: object, errors: Errors, *, field: str = "quantity", least: int = 1) -> int:
    """A number of units. Notes an error for what is none."""
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not least <= quantity <= MOST_UNITS:
        errors.append((field, f"a whole number of units from {least} to {MOST_UNITS} is needed"))
        return 0
    return quantity


def reason_of(reason: str, errors: Errors, missing: str) -> str:
    """A reason as it is kept; `missing` is said when there is none."""
    try:
        kept = clean(reason)
    except ValueError as error:
        errors.append(("reason", str(error)))
        return ""
    if not kept:
        errors.append(("reason", missing))
    elif len(kept) > MOST_REASON:
        errors.append(("reason", f"at most {MOST_REASON} characters"))
    return kept


def key_of(given: str | None, field: str, errors: Errors) -> str | None:
    """A bin or a lot as it is kept; None stays None: nothing was said of it."""
    if given is None:
        return None
    try:
        kept = clean_key(given)
    except ValueError as error:
        errors.append((field, str(error)))
        return None
    if len(kept) > _LONGEST[field]:
        errors.append((field, f"at most {_LONGEST[field]} characters"))
        return None
    return kept


def cause_of(kind: str, once: str | None) -> str:
    """The cause of an act by hand: by its form, so that a form sent twice acts once, or one of its own.

    Raises Invalid for a form that carries something else than what we gave it.
    """
    if once is None:
        return f"{kind}:{uuid4()}"
    try:
        return f"{kind}:{UUID(once)}"
    except ValueError:
        raise Invalid(("once", "not a form of ours: load the page again")) from None


def check_date(product: int, bin_: str, lot: str, best_before: date | None, *, field: str = "best_before") -> None:
    """A lot has one date wherever it lies. Raises Invalid for another one than is known of it."""
    if best_before is None:
        return
    known = Place.objects.filter(product_id=product, lot=lot).exclude(best_before=None).exclude(best_before=best_before)
    if not lot:
        # Units without a lot share a date only within their bin, and only while they lie there.
        known = known.filter(bin=bin_)
    for place in known:
        if lot or place.on_hand or place.picked or place.quarantined:
            named = f"lot {lot}" if lot else "what lies there without a lot"
            raise Invalid((field, f"{named} is good until {place.best_before}: give these units a lot of their own"))


def taken_from(
    product: int, units: int, *, bin_: str | None = None, lot: str | None = None, column: str = "on_hand"
) -> list[Share]:
    """Which places so many units come from. Raises Invalid (`lot` or `bin`, else `quantity`) when there are fewer."""
    held = shelves([product], column=column)
    known = held.places.get(product, [])
    if lot and not any(p.lot == lot for p in known):
        raise Invalid(("lot", f"there is no lot {lot} of it here"))
    shares = held.take(Wanted(0, product, units, bin_, lot))
    found = sum(s.units for s in shares)
    if found < units:
        where = (
            " ".join(word for word in (f"in bin {bin_}" if bin_ else "", f"of lot {lot}" if lot else "") if word)
            or "there"
        )
        what = "on the shelf" if column == "on_hand" else "set aside"
        raise Invalid(("quantity", f"only {found} are {what} {where}"))
    return shares
