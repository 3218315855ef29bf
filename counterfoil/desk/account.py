"""`/account/`: a customer's own log-in, addresses and orders. Who works here has another door (`desk/login.py`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Invalid
from counterfoil.core.web import Limiter, address_of
from counterfoil.desk.pages import SeeOther
from counterfoil.desk.words import STATUS
from counterfoil.records.customers import accounts, sessions
from counterfoil.records.customers.models import Account, AccountAddress
from counterfoil.records.orders.models import Order
from counterfoil.records.orders.owners import claim_orders
from counterfoil.steps.checkout import forms
from counterfoil.steps.checkout.countries import COUNTRIES

# By network address, so that a stranger cannot guess; and by account, from wherever. A mail costs its reader time.
BY_ADDRESS = Limiter(20, 300)
BY_ACCOUNT = Limiter(10, 300)
MAILS_BY_ADDRESS = Limiter(10, 3600)
MAILS_BY_ACCOUNT = Limiter(4, 3600)
TOO_MANY = "Too many attempts. Wait five minutes and try again."
SHOWN = 50  # orders on the account's page

AccountView = Callable[..., HttpResponse]


def customers(view: AccountView) -> AccountView:
    """A page for who is logged in as a customer."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        account = sessions.account_of(request)
        if account is None:
            return HttpResponseRedirect(f"/account/login?{urlencode({'next': request.get_full_path()})}")
        response = view(request, account, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return door


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, f"account/{name}.html", {"errors": {}, "form": {}, **context}, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _form(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.POST.items()}


def _shown(form: dict[str, str]) -> dict[str, Any]:
    """What was typed, to be shown again: never a password, never a card number."""
    kept: dict[str, Any] = mask_tree({k: v for k, v in form.items() if k not in {"password", "old"}})
    return kept


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/account/"
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(("/account/", "/checkout"))
    return wanted if ours else "/account/"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The log-in form. The answer never tells whether the address or the password was wrong."""
    wanted = _next(request)
    if request.method != "POST":
        if sessions.account_of(request) is not None:
            return HttpResponseRedirect(wanted)
        return _page(request, "login", {"next": wanted})
    email = request.POST.get("email", "")[:300].strip()  # stripped last: it is counted as it is looked for
    given = {"next": wanted, "form": {"email": mask_cards(email)}}
    if not BY_ADDRESS.allows(address_of(request)) or not BY_ACCOUNT.allows(email.lower()):
        return _page(request, "login", {**given, "trouble": TOO_MANY}, status=429)
    account = accounts.verified(email, request.POST.get("password", ""))
    if account is None:
        trouble = "E-mail address and password do not fit together."
        return _page(request, "login", {**given, "trouble": trouble}, status=422)
    response = SeeOther(wanted)
    sessions.begin(request, response, account)
    return response


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End this browser's log-in."""
    response = SeeOther("/")
    sessions.end(request, response)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest, new: bool) -> HttpResponse:
    """A new account, or a new password: both by a link in a mail, and both answer the same for every address."""
    if request.method != "POST":
        return _page(request, "ask", {"new": new, "sent": ""})
    form = _form(request)
    try:
        email = accounts.read_email(form.get("email", ""))
    except Invalid as error:
        context = {"new": new, "sent": "", "form": _shown(form), "errors": dict(error.errors)}
        return _page(request, "ask", context, status=422)
    if not MAILS_BY_ADDRESS.allows(address_of(request)):
        context = {"new": new, "sent": "", "form": _shown(form), "trouble": "Too many mails. Wait an hour."}
        return _page(request, "ask", context, status=429)
    if MAILS_BY_ACCOUNT.allows(email.lower()):  # silent: else it would tell who asked before
        accounts.mail_password_link(email=email)
    return _page(request, "ask", {"new": new, "sent": email})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link: choose a password, with a name if the account is new."""
    email, known = accounts.opened(token, accounts.PASSWORD)
    context: dict[str, Any] = {"email": email, "new": known is None}
    if request.method != "POST":
        return _page(request, "password", context)
    form = _form(request)
    if not BY_ADDRESS.allows(address_of(request)):
        return _page(request, "password", {**context, "form": _shown(form), "trouble": TOO_MANY}, status=429)
    try:
        account = accounts.set_password(token=token, name=form.get("name", ""), password=form.get("password", ""))
    except Invalid as error:
        return _page(request, "password", {**context, "form": _shown(form), "errors": dict(error.errors)}, status=422)
    response = SeeOther("/account/")
    sessions.begin(request, response, account)
    return response


@require_safe
@customers
def home(request: HttpRequest, account: Account) -> HttpResponse:
    """Own orders, addresses and details."""
    return _home(request, account)


def _home(
    request: HttpRequest, account: Account, *, status: int = 200, errors: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    found = list(Order.objects.filter(account=account).order_by("-id")[: SHOWN + 1])
    context = {
        "account": account,
        "orders": [(order, STATUS.get(order.status, ("", "○", order.status))) for order in found[:SHOWN]],
        "more": len(found) > SHOWN,
        "addresses": list(AccountAddress.objects.filter(account=account).order_by("-first", "id")),
        "countries": sorted(COUNTRIES.items(), key=lambda c: c[1]),
        "country_names": COUNTRIES,
        "said": request.session.pop("account_said", ""),
        "errors": errors or {},
        **more,
    }
    return _page(request, "home", context, status)


def _say(request: HttpRequest, text: str) -> HttpResponse:
    request.session["account_said"] = text
    return SeeOther("/account/")


@require_POST
@customers
def details(request: HttpRequest, account: Account) -> HttpResponse:
    """Name and telephone."""
    form = _form(request)
    try:
        accounts.change_details(account=account, name=form.get("name", ""), phone=form.get("phone", ""))
    except Invalid as error:
        return _home(request, account, status=422, errors=dict(error.errors), form=_shown(form))
    return _say(request, "Your details are kept.")


@require_POST
@customers
def password(request: HttpRequest, account: Account) -> HttpResponse:
    """Another password; every other browser is logged out."""
    form = _form(request)
    if not BY_ACCOUNT.allows(account.email_key):
        return _home(request, account, status=429, errors={"old": TOO_MANY})
    try:
        changed = accounts.change_password(account=account, old=form.get("old", ""), new=form.get("password", ""))
    except Invalid as error:
        return _home(request, account, status=422, errors=dict(error.errors))
    response = _say(request, "Your password is changed. Other browsers have to log in again.")
    sessions.begin(request, response, changed)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def address(request: HttpRequest, account: Account, pk: int | None = None) -> HttpResponse:
    """A new address, or one of the account's to be changed."""
    known = AccountAddress.objects.filter(account=account, pk=pk).first() if pk else None
    if pk and known is None:
        return HttpResponseRedirect("/account/")
    context: dict[str, Any] = {"known": known, "countries": sorted(COUNTRIES.items(), key=lambda c: c[1])}
    if request.method != "POST":
        kept = known.as_json() if known else {"name": account.name, "country": "US"}
        form = {f"address.{field}": value for field, value in kept.items()}
        return _page(request, "address", {**context, "form": form, "first": bool(known and known.first)})
    form = _form(request)
    errors: dict[str, str] = {}
    given = forms.address_of(form, "address", errors)
    if not errors:
        try:
            accounts.keep_address(account=account, address=given, pk=pk, first=bool(form.get("first")))
            return _say(request, "The address is kept.")
        except Invalid as error:
            errors = {f"address.{name}": text for name, text in error.errors}
    context |= {"form": _shown(form), "errors": errors, "first": bool(form.get("first"))}
    return _page(request, "address", context, status=422)


@require_POST
@customers
def drop_address(request: HttpRequest, account: Account, pk: int) -> HttpResponse:
    """Forget an address. Orders keep their own copy."""
    accounts.drop_address(account=account, pk=pk)
    return _say(request, "The address is gone. Orders keep their own copy.")


@require_POST
@customers
def ask_claim(request: HttpRequest, account: Account) -> HttpResponse:
    """A mailed link for orders that were placed with this address before, without the account."""
    if MAILS_BY_ACCOUNT.allows(account.email_key):
        accounts.mail_claim_link(account=account)
    return _say(request, f"We have sent a link to {account.email}. Open it to bring your earlier orders here.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link: the orders come into the account with a click, not with a mail program's preview."""
    email, known = accounts.opened(token, accounts.CLAIM)
    if known is None or request.method != "POST":
        return _page(request, "claim", {"email": email})
    count = claim_orders(account=known)
    text = f"{count} earlier order{'' if count == 1 else 's'} came into your account." if count else "There were none."
    return _say(request, text)
