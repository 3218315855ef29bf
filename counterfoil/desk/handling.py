"""What the forms of a product's page do: each verb is one action of stock or sourcing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from counterfoil.core.actor import Actor
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_barcode, clean_key
from counterfoil.desk.reading import Form, amount_of, maybe_amount, maybe_date, maybe_whole, text_of, whole_of
from counterfoil.records.catalogue.actions import set_barcode
from counterfoil.records.catalogue.changing import WORDS, change_product, waiting_for
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.handling import release_stock, transfer_stock, write_off_stock
from counterfoil.records.stock.models import Place
from counterfoil.steps.sourcing.actions import damage_stock, move_reservation

Verb = Callable[[str, Form, Actor], str]
"""SKU, form, who -> what the next page says. Raises what the action raises."""

_TEXTS_OF_A_PRODUCT = ("description", "producer", "wine", "size", "region", "grape")


def _adjust(sku: str, form: Form, actor: Actor) -> str:
    adjust_stock(
        actor=actor,
        sku=sku,
        quantity=_signed(form.get("quantity", "")),
        reason=text_of(form, "reason"),
        lot=text_of(form, "lot", kind=clean_key) or None,
        bin=text_of(form, "bin", kind=clean_key) or None,
        best_before=maybe_date(form, "best_before"),
        once=_once(form),
    )
    return f"{sku} adjusted."


def _transfer(sku: str, form: Form, actor: Actor) -> str:
    place = _place(sku, form)
    units = whole_of(form, "quantity", least=1)
    to_bin = text_of(form, "to_bin", kind=clean_key)
    transfer_stock(
        actor=actor, sku=sku, quantity=units, bin=place.bin, lot=place.lot, to_bin=to_bin,
        set_aside=bool(text_of(form, "set_aside")), reason=text_of(form, "reason"), once=_once(form),
    )  # fmt: skip
    return f"{units} × {sku} carried to bin {to_bin}."


def _set_aside(sku: str, form: Form, actor: Actor) -> str:
    damage_stock(actor=actor, sku=sku, **_of_place(sku, form))
    return f"{sku}: set aside. Nobody is promised it."


def _broken(sku: str, form: Form, actor: Actor) -> str:
    damage_stock(actor=actor, sku=sku, write_off=True, **_of_place(sku, form))
    return f"{sku}: written off, and booked as lost."


def _release(sku: str, form: Form, actor: Actor) -> str:
    release_stock(actor=actor, sku=sku, **_of_place(sku, form))
    return f"{sku}: back on the shelf."


def _write_off(sku: str, form: Form, actor: Actor) -> str:
    write_off_stock(actor=actor, sku=sku, **_of_place(sku, form))
    return f"{sku}: what was set aside is written off."


def _move_reservation(sku: str, form: Form, actor: Actor) -> str:
    order = text_of(form, "order", needed="say which order gets them", kind=clean_key)
    giver = text_of(form, "from_order", needed="say which order gives them", kind=clean_key)
    move_reservation(
        actor=actor, order=order, from_order=giver, sku=sku, quantity=maybe_whole(form, "quantity", least=1) or 0,
        reason=text_of(form, "reason"),
    )  # fmt: skip
    return f"{order} has them now; {giver} waits again."


def _barcode(sku: str, form: Form, actor: Actor) -> str:
    made = set_barcode(actor=actor, sku=sku, barcode=text_of(form, "barcode", kind=clean_barcode))
    return f"{sku} is scanned by {made.barcode}." if made.barcode else f"{sku} is scanned by its SKU only."


def _change(sku: str, form: Form, actor: Actor) -> str:
    product = Product.objects.filter(sku=sku).only("pk", "currency", "vintage").first()
    if product is None:
        raise Missing(f"there is no product {sku}")
    said = [name for name in (*_TEXTS_OF_A_PRODUCT, "bin", "vintage", "cost", "lead_time_days") if name in form]
    changes: dict[str, Any] = {name: text_of(form, name) for name in said if name in _TEXTS_OF_A_PRODUCT}
    if "bin" in said:
        changes["bin"] = text_of(form, "bin", kind=clean_key)
    if "cost" in said:
        changes["cost"] = maybe_amount(form, "cost", shop().currency) or 0
    changes |= {name: maybe_whole(form, name) for name in ("vintage", "lead_time_days") if name in said}
    changes |= {
        "name": text_of(form, "name"), "price": amount_of(form, "price", product.currency),
        "tax_class": text_of(form, "tax_class"), "weight_g": maybe_whole(form, "weight_g") or 0,
        "sell_when_out": text_of(form, "sell_when_out", kind=clean_key),
        "age_restricted": bool(text_of(form, "age_restricted")), "listed": bool(text_of(form, "listed")),
    }  # fmt: skip
    try:
        changed = change_product(
            actor=actor, sku=sku, changes=changes, seen=str(form.get("seen", "")), reason=text_of(form, "why"),
            all_vintages=bool(text_of(form, "all_vintages")),
        )  # fmt: skip
    except Invalid as error:  # the page has another field of that name
        raise Invalid(*[("why" if field == "reason" else field, words) for field, words in error.errors]) from None
    told = f"{sku} is changed: {', '.join(changed)}." if changed else "Nothing was changed."
    year = str(product.vintage or "")
    if WORDS["vintage"] in changed and year and year in str(changes["name"]):
        told += f" Its name still says {year}."
    expecting = waiting_for(product) if WORDS["vintage"] in changed else []
    if expecting:
        more = f" and {len(expecting) - 8} more" if len(expecting) > 8 else ""
        told += f" Ask whoever expects the other year: {', '.join(expecting[:8])}{more}."
    return told


VERBS: dict[str, Verb] = {
    "change": _change,
    "adjust": _adjust,
    "transfer": _transfer,
    "set-aside": _set_aside,
    "broken": _broken,
    "release": _release,
    "write-off": _write_off,
    "move": _move_reservation,
    "barcode": _barcode,
}


def _of_place(sku: str, form: Form) -> dict[str, Any]:
    place = _place(sku, form)
    return {
        "quantity": whole_of(form, "quantity", least=1), "reason": text_of(form, "reason"), "bin": place.bin,
        "lot": place.lot, "once": _once(form),
    }  # fmt: skip


def _place(sku: str, form: Form) -> Place:
    """The place that was chosen, if it is this product's."""
    found = Place.objects.filter(pk=maybe_whole(form, "place", least=1) or 0, product__sku=sku).first()
    if found is None:
        raise Invalid(("place", "choose where they lie"))
    return found


def _once(form: Form) -> str | None:
    return text_of(form, "once", kind=clean_key) or None


def _signed(text: str) -> int:
    try:
        return int(text.strip().replace("−", "-"))
    except ValueError:
        raise Invalid(("quantity", "a whole number, with a minus for what is missing")) from None
