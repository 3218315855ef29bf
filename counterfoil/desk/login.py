"""Who works here logs in with an e-mail address and a password."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from counterfoil.core.access.setup import nobody_yet
from counterfoil.core.cards import mask_cards
from counterfoil.core.web import Limiter, address_of
from counterfoil.desk.pages import SeeOther

# By address, so that a stranger cannot guess; and by account, from wherever. Checking a password costs real CPU.
BY_ADDRESS = Limiter(20, 300)
BY_ACCOUNT = Limiter(10, 300)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The log-in form. The answer never tells whether the address or the password was wrong."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/desk/"
    if not (url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/desk/")):
        wanted = "/desk/"
    if request.method != "POST" and nobody_yet():
        return HttpResponseRedirect("/desk/setup")
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(wanted)
        return render(request, "desk/login.html", {"next": wanted, "email": "", "wrong": ""})
    email = request.POST.get("email", "").strip().lower()[:254]
    shown = mask_cards(email)
    if not BY_ADDRESS.allows(address_of(request)) or not BY_ACCOUNT.allows(email):
        wrong = "Too many attempts. Wait five minutes and try again."
        return render(request, "desk/login.html", {"next": wanted, "email": shown, "wrong": wrong}, status=429)
    user = authenticate(request, username=email, password=request.POST.get("password", "")[:500])
    if user is None or getattr(user, "role", "customer") == "customer":
        wrong = "E-mail address and password do not fit together."
        return render(request, "desk/login.html", {"next": wanted, "email": shown, "wrong": wrong}, status=422)
    login(request, user)
    return SeeOther(wanted)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return SeeOther("/desk/login")
