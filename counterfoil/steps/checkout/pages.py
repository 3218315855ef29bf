"""The shop: products, cart, and a check-out on one page that says when the card is charged."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings as env
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core.cards import mask_cards, mask_tree, says_card
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.core.web import Limiter, address_of
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.accounts import keep_address
from counterfoil.records.customers.models import AccountAddress
from counterfoil.records.customers.sessions import account_of
from counterfoil.steps.checkout import cart, forms, search, shelf
from counterfoil.steps.checkout.actions import place_web_order
from counterfoil.steps.checkout.countries import COUNTRIES

PLACING = Limiter(12, 60)  # check-outs a minute and address
METHODS = {"card": "By card", "cheque": "By cheque", "on_delivery": "On delivery"}
FACET_WORDS = {"producer": "Maker", "region": "Region", "grape": "Grape", "vintage": "Vintage"}
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@gzip_page
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The shop window, or what was searched for and narrowed down to."""
    currency = shop().currency
    sought = search.read(request.GET.dict(), request.GET.getlist, currency)
    found = search.find(sought, search.cellar())
    asked = mask_tree({**request.GET.dict(), "q": sought.text})
    context = {
        "q": asked["q"],
        "asked": asked,
        "sought": sought,
        "found": found,
        "offers": shelf.offers_of(found.ids),
        "facets": [(name, FACET_WORDS[name], found.facets[name]) for name in search.FACETS],
        "chosen": [v.value for values in found.facets.values() for v in values if v.chosen],
        "sorts": search.SORTS,
        "currency": currency,
        "pages": {n: _other_page(request, n) for n in (found.page - 1, found.page + 1) if 1 <= n <= found.pages},
    }
    return render(request, "shop/index.html", context)


def _other_page(request: HttpRequest, number: int) -> str:
    """The same search, another page of it."""
    asked = request.GET.copy()
    asked["page"] = str(number)
    return f"{request.path}?{mask_cards(asked.urlencode())}"


@gzip_page
@require_safe
def product(request: HttpRequest, sku: str) -> HttpResponse:
    """One product, when it ships, and its other vintages."""
    offer = shelf.offer_of(sku)
    if offer is None:
        raise Http404("there is no such product in the shop")
    context = {"offer": offer, "product": offer.product, "others": shelf.siblings(offer.product)}
    return render(request, "shop/product.html", context)


@gzip_page
@require_safe
def label(request: HttpRequest, sku: str) -> HttpResponse:
    """The product's picture. Its own policy keeps a picture from being anything else."""
    found = Product.objects.filter(sku=sku).values_list("art", flat=True).first() if storable(sku) else None
    if found is None:
        raise Http404("there is no such product")
    art = (found or PLAIN).encode()
    tag = f'"{hashlib.sha256(art).hexdigest()[:16]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(art, content_type="image/svg+xml")
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=86400, stale-while-revalidate=604800"
    response["Content-Security-Policy"] = SVG_POLICY
    return response


# What stands for a product that nobody has drawn yet.
PLAIN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 440"><path fill="#eee7de" d="M0 0h320v440H0z"/>'
    '<path fill="#c9bcae" d="M142 40h36v96c0 36 46 46 46 106v158a20 20 0 0 1-20 20h-88a20 20 0 0 1-20-20V242c0-60 '
    '46-70 46-106z"/><path fill="#f8f4ee" d="M96 268h128v96H96z"/></svg>'
)


@gzip_page
@require_safe
def cart_page(request: HttpRequest) -> HttpResponse:
    """What is in the cart and what stands in the way of ordering it."""
    return render(request, "shop/cart.html", _cart_context(request))


def _cart_context(request: HttpRequest) -> dict[str, Any]:
    lines = shelf.cart_lines(cart.read_cart(request))
    return {"lines": lines, "sums": shelf.add_cart(lines), "currency": shop().currency}


@require_POST
def cart_add(request: HttpRequest) -> HttpResponse:
    """Put some of a product into the cart, on top of what is there."""
    offer = shelf.offer_of(request.POST.get("sku", ""))
    if offer is None:
        raise Http404("there is no such product in the shop")
    sku = offer.product.sku
    wanted = _units(request.POST.get("quantity", "1"))
    if wanted and offer.most:
        cart.put(request, sku, min(offer.most, cart.read_cart(request).get(sku, 0) + wanted))
    return HttpResponseRedirect("/cart", status=303)


@require_POST
def cart_update(request: HttpRequest) -> HttpResponse:
    """Set the quantities: fields `quantity:SKU`; `remove` names a SKU to be taken out."""
    held = cart.read_cart(request)
    for name, value in request.POST.items():
        sku = name.removeprefix("quantity:")
        if sku != name and sku in held:
            cart.put(request, sku, _units(str(value)))
    gone = request.POST.get("remove", "")
    if gone:
        cart.put(request, gone, 0)
    return HttpResponseRedirect("/checkout" if request.POST.get("checkout") else "/cart", status=303)


def _units(text: str) -> int:
    return int(text) if text.strip().isdecimal() and len(text) < 7 else 0


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """The whole check-out on one page. POST places the order, or works out the sums for the address given."""
    lines = shelf.cart_lines(cart.read_cart(request))
    if request.method != "POST":
        if not lines:
            return HttpResponseRedirect("/cart")
        return _form(request, lines, _begun(request))
    form = {k: str(v) for k, v in request.POST.items()}
    if form.get("use_address"):
        return _form(request, lines, _with_own(request, form))
    if form.get("work_out"):
        return _form(request, lines, form)
    if not PLACING.allows(address_of(request)):
        return _form(request, lines, form, status=429, trouble="Too many tries in a minute. Nothing was ordered.")
    if not lines:
        return HttpResponseRedirect("/cart", status=303)
    return _place(request, lines, form)


def _begun(request: HttpRequest) -> dict[str, str]:
    """An empty form, or what is known of who is logged in."""
    form = {"attempt": secrets.token_urlsafe(16), "country": _home_country()}
    account = account_of(request)
    if account is None:
        return form
    form |= {"name": account.name, "email": account.email, "phone": account.phone}
    first = next((a for a in _addresses(request) if a.first), None)
    return form | _fields_of(first, account.name) if first else form


def _addresses(request: HttpRequest) -> list[AccountAddress]:
    """Those of who is logged in, the first choice first; read once a request."""
    if not hasattr(request, "_addresses"):
        account = account_of(request)
        own = AccountAddress.objects.filter(account=account).order_by("-first", "id") if account else []
        request._addresses = list(own)  # type: ignore[attr-defined]
    found: list[AccountAddress] = request._addresses  # type: ignore[attr-defined]
    return found


def _fields_of(address: AccountAddress, buyer: str) -> dict[str, str]:
    """An address as the form's fields. A name of its own only where it is somebody else's."""
    given = {f"shipping_address.{k}": v for k, v in address.as_json().items()}
    return given | ({"shipping_address.name": ""} if address.name == buyer else {})


def _with_own(request: HttpRequest, form: dict[str, str]) -> dict[str, str]:
    """The form with one of the account's own addresses in it."""
    wanted = next((a for a in _addresses(request) if str(a.pk) == form["use_address"]), None)
    return form | _fields_of(wanted, form.get("name", "")) if wanted else form


def _keep_address(request: HttpRequest, address: dict[str, str]) -> None:
    """Into the account, unless it is there; the order is placed whatever becomes of it."""
    account = account_of(request)
    if account is None or any(a.as_json() == address for a in _addresses(request)):
        return
    with contextlib.suppress(Invalid):
        keep_address(account=account, address=address)


def _place(request: HttpRequest, lines: list[shelf.CartLine], form: dict[str, str]) -> HttpResponse:
    wanted, errors = forms.read(form)
    if any(ln.offer.product.age_restricted for ln in lines) and not wanted["age_declared"]:
        errors["age_declared"] = "please confirm it: the order holds alcohol"
    if wanted["payment_method"] == "card" and not wanted["consent"]:
        errors["consent"] = "without this we may not charge the card later"
    if wanted["payment_method"] not in _methods():
        errors["payment_method"] = "choose how to pay"
    attempt = form.get("attempt", "")
    if not 8 <= len(attempt) <= 64 or not attempt.isascii() or says_card(attempt):
        errors["attempt"] = "load the page again"
    if errors:
        return _form(request, lines, form, status=422, errors=errors)
    account = account_of(request)
    address = wanted["shipping_address"]
    sums = shelf.add_cart(lines, method=wanted["shipping_method"], country=address["country"], state=address["state"])
    changed = _changed(form, lines, sums.total)
    if changed:
        told = {**form, "shipping_address.state": address["state"]}
        return _form(request, lines, told, status=422, trouble=changed)
    try:
        order = place_web_order(
            lines=[{"sku": ln.offer.product.sku, "quantity": ln.quantity} for ln in lines],
            idempotency=f"{attempt} {_said(lines)}",  # an old page and another cart are another order
            account=account,
            **wanted,
        )
    except Invalid as error:
        return _form(request, lines, form, status=422, errors={_field(f): m for f, m in error.errors})
    except Refused as error:
        said = " ".join(b.message for b in error.blockers)
        not_served = any(b.code == "state_not_served" for b in error.blockers)
        at = {"shipping_address.state": said} if not_served else {}
        return _form(request, lines, form, status=409, errors=at, trouble=said)
    cart.empty(request)
    if form.get("keep_address"):
        _keep_address(request, address)
    where = f"/orders/{order.token}/card" if order.payment_method == "card" else f"/orders/{order.token}"
    return HttpResponseRedirect(where, status=303)


def _changed(form: dict[str, str], lines: list[shelf.CartLine], total: int) -> str:
    """What is not as it stood on the page on which they agreed to it: the cart, in another window, or the total."""
    if form.get("agreed_lines", _said(lines)) != _said(lines):
        return "Your cart was changed meanwhile, perhaps in another window. Look at it, then place the order."
    if form.get("agreed", str(total)) != str(total):
        return "The total has changed for this address. Look at it, then place the order."
    return ""


def _said(lines: list[shelf.CartLine]) -> str:
    return " ".join(f"{ln.quantity}*{ln.offer.product.sku}" for ln in lines)


def _field(name: str) -> str:
    return {"age": "age_declared"}.get(name, name)


def _methods() -> list[str]:
    """How one can pay here; a card unless the shop says otherwise."""
    given = getattr(shop(), "payments", ["card"])
    return [m for m in given if m in METHODS]


def _home_country() -> str:
    zones = shop().zones
    return str(zones[0].get("country", "US")) if zones else "US"


def _form(
    request: HttpRequest,
    lines: list[shelf.CartLine],
    form: dict[str, str],
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    trouble: str = "",
) -> HttpResponse:
    settings, form = shop(), mask_tree(form)
    deliveries = [str(d["method"]) for d in settings.deliveries]
    method = form.get("shipping_method") or (deliveries[0] if deliveries else "")
    country = form.get("shipping_address.country") or form.get("country", "")
    scratch: dict[str, str] = {}
    known = forms.address_of(form, "shipping_address", scratch) if form.get("shipping_address.state") else {}
    state = known.get("state", "")
    settled = bool(form.get("shipping_address.country")) and (bool(state) or not _wants_state(country))
    sums = shelf.add_cart(lines, method=method, country=country if settled else "", state=state)
    ships = max((ln.offer.ships for ln in lines if ln.offer.ships), default=None)
    context = {
        "lines": lines,
        "said_lines": _said(lines),
        "sums": sums,
        "account": account_of(request),
        "addresses": _addresses(request),
        "held": settings.card_at_checkout == "authorise",
        "refused": settings.refuses(country=country, state=state) if settled else None,
        "late": _late(form.get("needed_by", ""), ships, method),
        "settled": settled,
        "currency": settings.currency,
        "deliveries": settings.deliveries,
        "method": method,
        "country": country,
        "countries": sorted(COUNTRIES.items(), key=lambda c: c[1]),
        "methods": [(m, METHODS[m]) for m in _methods()],
        "age": any(ln.offer.product.age_restricted for ln in lines),
        "ships": ships,
        "today": settings.today(),
        "form": form,
        "errors": errors or {},
        "trouble": trouble,
        "blocked": any(ln.quantity > ln.offer.most for ln in lines),
    }
    response = render(request, "shop/checkout.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    targets = ["https://checkout.stripe.com", *([env.SANDBOX_URL] if env.SANDBOX_URL else [])]
    response.csp_form_action = " ".join(targets)  # type: ignore[attr-defined]
    return response


@dataclass(frozen=True)
class Late:
    """The day on which all of it is there, after the day of need; and the deliveries that would make it."""

    arrives: date
    faster: list[tuple[str, date]]


def _late(needed_by: str, ships: date | None, method: str) -> Late | None:
    """None if it is there in time, or nobody said a day, or no day is known on which it ships."""
    try:
        needed = date.fromisoformat(needed_by.strip())
    except ValueError:
        return None
    settings = shop()
    if ships is None or settings.arrives(ships, method) <= needed:
        return None
    others = [(str(d["method"]), settings.arrives(ships, str(d["method"]))) for d in settings.deliveries]
    return Late(settings.arrives(ships, method), [(name, day) for name, day in others if day <= needed])


def _wants_state(country: str) -> bool:
    """Whether tax cannot be told before the state is known."""
    return any(z.get("country") == country and z.get("state") for z in shop().zones)
