"""An order taken by telephone: who calls, what they want, and when it ships, drawn anew as the clerk types.

The page is one form. Without a script its buttons draw it again; htmx does the same while somebody types.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import CLERK
from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import Shop, shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.callers import Caller, caller_of, callers
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import indexed
from counterfoil.records.customers.models import Customer
from counterfoil.steps.checkout import forms, shelf
from counterfoil.steps.checkout.countries import COUNTRIES
from counterfoil.steps.checkout.rules import MAX_QUANTITY, METHODS
from counterfoil.steps.checkout.telephone import place_telephone_order

FOUND = 8  # wines shown while one types
MOST_LINES = 50
ATTEMPT = re.compile(r"tel-[0-9a-f]{12}")
_COUNT = re.compile(r"(\d{1,3})\s*x?\s+(?=\D)", re.IGNORECASE)
PAYMENTS = {
    "card": ("Card, by a link", "They get a mail with a link while you talk. The card is saved, not charged."),
    "terminal": ("Card, at our terminal", "Charged at the terminal when everything can ship."),
    "cheque": ("Cheque", "Shipped when the cheque is here."),
    "on_delivery": ("On delivery", "Paid at the door."),
}


@staff(CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Draw the form, take up what was chosen, or place the order."""
    if request.method != "POST":
        return _page(request, _fresh(), focus="who")
    form = {name: str(value) for name, value in request.POST.items()}
    if form.get("do") == "place":
        return _place(request, form)
    form, focus = _taken_up(form)
    return _page(request, form, focus=focus)


def _fresh() -> dict[str, str]:
    return {"attempt": f"tel-{secrets.token_hex(6)}", "shipping_address.country": home_country()}


def home_country() -> str:
    """The shop's own country, as its first tax zone has it."""
    zones = shop().zones
    return str(zones[0].get("country", "US")) if zones else "US"


# --- what a button takes up -----------------------------------------------------------------------------------------


def _taken_up(form: dict[str, str]) -> tuple[dict[str, str], str]:
    """A customer, an address, a wine more or less; and the field that has the focus after it."""
    if form.get("take", "").isdecimal():
        return _with_caller({**form, "customer": form["take"], "who": ""}), "wine"
    if form.get("use", "").isdecimal() and len(form["use"]) < 4:
        return _with_caller(form, int(form["use"])), "wine"
    if form.get("add"):
        sku = form["add"]
        count, _ = counted(form.get("wine", ""))
        before = _whole(form.get(f"quantity:{sku}", ""))
        return {**form, f"quantity:{sku}": str(min(MAX_QUANTITY, before + count)), "wine": ""}, "wine"
    if form.get("drop"):
        return {name: value for name, value in form.items() if name != f"quantity:{form['drop']}"}, "wine"
    return form, ""


def _with_caller(form: dict[str, str], use: int = 0) -> dict[str, str]:
    """Name, ways to reach and an address of a customer whom we know, in the form's fields."""
    caller = _caller(form)
    if caller is None:
        return form
    known = caller.customer
    kept = {**form, "name": known.name, "email": known.email, "phone": known.phone}
    if use < len(caller.addresses):
        address = caller.addresses[use]
        kept |= {f"shipping_address.{f}": str(address.get(f) or "") for f in forms.ADDRESS}
        if address.get("name") == known.name:
            kept["shipping_address.name"] = ""
    return kept


def _caller(form: Mapping[str, str]) -> Caller | None:
    pk = form.get("customer", "")
    found = Customer.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    return caller_of(found) if found else None


def counted(text: str) -> tuple[int, str]:
    """'6 pinot' -> six of them; without a number it is one."""
    found = _COUNT.match(text.strip())
    return (max(1, int(found[1])), text.strip()[found.end() :]) if found else (1, text.strip())


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _cart(form: Mapping[str, str]) -> dict[str, int]:
    """Units by SKU, in the order in which they were named; the last drawing had those without a number, too."""
    return dict(list({sku: _whole(units) for sku, units in indexed(form, "quantity").items()}.items())[:MOST_LINES])


# --- placing --------------------------------------------------------------------------------------------------------


def _place(request: HttpRequest, form: dict[str, str]) -> HttpResponse:
    wanted, errors = forms.read(form)
    wanted.pop("consent")
    errors |= {name: words for name, words in _CLERKS_WORDS.items() if name in errors and not form.get(name, "")}
    if not form.get("email", "").strip():
        errors.pop("email", None)
        errors |= _mailless(form)
    cart = _cart(form)
    if not cart:
        errors["wine"] = "find the first wine: an order needs at least one"
    errors |= {f"quantity:{sku}": "how many?" for sku, units in cart.items() if not units}
    restricted = any(ln.offer.product.age_restricted for ln in shelf.cart_lines(cart))
    if restricted and not wanted["age_declared"]:
        errors["age_declared"] = "ask them: the order holds alcohol"
    attempt = form.get("attempt", "")
    if not ATTEMPT.fullmatch(attempt):
        errors["attempt"] = "load the page again"
    if not errors:
        try:
            placed = place_telephone_order(
                actor=actor_of_page(request), attempt=attempt, lines=list(cart.items()), **wanted
            )
        except Invalid as error:
            errors = dict(error.errors)
        else:
            if not placed.created:
                say(request, f"This form was sent before: it is {placed.number}, and nothing was ordered twice.")
            return SeeOther(f"/desk/orders/{placed.number}/placed")
    return _page(request, form, errors=errors, status=422)


_CLERKS_WORDS = {"name": "whose order is it?"}


def _mailless(form: Mapping[str, str]) -> dict[str, str]:
    """Who has no e-mail address is told everything on the telephone, and cannot be mailed a link."""
    found = {}
    if not form.get("phone", "").strip():
        found["phone"] = "without an e-mail address we need a number to ring"
    if form.get("payment_method", "card") == "card":
        found["payment_method"] = "the link goes by mail: without an e-mail address, choose another way"
    return found


# --- drawing --------------------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    form: dict[str, str],
    *,
    errors: dict[str, str] | None = None,
    focus: str = "",
    status: int = 200,
) -> HttpResponse:
    settings = shop()
    wine = form.get("wine", "")
    count, looked_for = counted(wine)
    who = form.get("who", "").strip()
    lines = shelf.cart_lines(_cart(form))
    context = {
        "here": "new-order",
        "form": {**mask_tree(form), "wine": mask_cards(wine), "who": mask_cards(who)},
        "errors": errors or {},
        "focus": "" if errors else focus,
        "callers": callers(who, country=home_country()) if who else [],
        "caller": _caller(form) if not who else None,  # else they are looking for somebody else
        "offers": shelf.offers(looked_for, limit=FOUND, by_sku=True) if len(looked_for) > 1 else [],
        "count": count,
        "lines": lines,
        "deliveries": settings.deliveries,
        "countries": sorted(COUNTRIES.items(), key=lambda c: c[1]),
        "home": home_country(),
        "payments": {m: PAYMENTS[m] for m in METHODS},
        "age": any(ln.offer.product.age_restricted for ln in lines),
        "currency": settings.currency,
        **_drawn(form, lines, settings),
    }
    return desk_page(request, "desk/telephone.html", context, status=status)


def _drawn(form: Mapping[str, str], lines: list[shelf.CartLine], settings: Shop) -> dict[str, Any]:
    """The sums by destination, and the day that is read aloud."""
    deliveries = [str(d["method"]) for d in settings.deliveries]
    asked = form.get("shipping_method", "")
    method = asked if asked in deliveries else next(iter(deliveries), "")
    address = forms.address_of(form, "shipping_address", {})
    country, state = address["country"], address["state"]
    ships = max((ln.offer.ships for ln in lines if ln.offer.ships), default=None)
    known = all(ln.offer.ships for ln in lines)
    arrives = settings.arrives(ships, method) if ships and known else None
    needed = _day(form.get("needed_by", ""))
    return {
        "method": method,
        "sums": shelf.add_cart(lines, method=method, country=country, state=state),
        "settled": bool(state) or not any(z.get("country") == country and z.get("state") for z in settings.zones),
        "refused": settings.refuses(country=country, state=state),
        "ships": ships if known else None,
        "arrives": arrives,
        "needed": needed,
        "too_late": needed is not None and arrives is not None and arrives > needed,
        "faster": _in_time(settings, ships, needed, method),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        return None


def _in_time(settings: Shop, ships: date | None, needed: date | None, present: str) -> list[tuple[str, date]]:
    """The other deliveries that would be there by the day of need."""
    if ships is None or needed is None:
        return []
    days = [(str(d["method"]), settings.arrives(ships, str(d["method"]))) for d in settings.deliveries]
    return [(method, day) for method, day in days if method != present and day <= needed]
