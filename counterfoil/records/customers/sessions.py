"""Customers' log-ins: a cookie of their own holds a random key, its hash stands in the database and can be ended.

The people who work here have Django's session; the two know nothing of each other.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.records.customers.models import Account, AccountSession

COOKIE = "counterfoil_account"
LASTS = timedelta(days=30)


def account_of(request: HttpRequest) -> Account | None:
    """Who is logged in here; None when nobody is. One statement a request, none without the cookie."""
    if hasattr(request, "_account"):
        known: Account | None = request._account
        return known
    key = request.COOKIES.get(COOKIE, "")
    found = None
    if 20 < len(key) < 100:
        session = AccountSession.objects.select_related("account").filter(sha256=_hash(key)).first()
        if session is not None and session.ends_at > clock.real_now():
            found = session.account
    request._account = found  # type: ignore[attr-defined]
    return found


def begin(request: HttpRequest, response: HttpResponse, account: Account) -> None:
    """Log in: always a new key, and an older one of this browser ends. The forms' secret changes with it."""
    key, now = secrets.token_urlsafe(32), clock.real_now()
    with writing():
        AccountSession.objects.filter(sha256=_hash(request.COOKIES.get(COOKIE, ""))).delete()
        AccountSession.objects.filter(account=account, ends_at__lte=now).delete()
        AccountSession.objects.create(account=account, sha256=_hash(key), made_at=now, ends_at=now + LASTS)
    rotate_token(request)
    response.set_cookie(
        COOKIE, key, max_age=LASTS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def end(request: HttpRequest, response: HttpResponse) -> None:
    """Log out: the key is worth nothing from here on, wherever a copy of it may be."""
    with writing():
        AccountSession.objects.filter(sha256=_hash(request.COOKIES.get(COOKIE, ""))).delete()
    response.delete_cookie(COOKIE, samesite="Lax")


def end_all(account: Account) -> None:
    """Every browser has to log in again. Inside `writing()`."""
    AccountSession.objects.filter(account=account).delete()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
