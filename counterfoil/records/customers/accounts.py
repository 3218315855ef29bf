"""Making an account, its password and its addresses. Whether an address has an account is told to its own mailbox only.

A mailed link is a signed text: good for two hours, and for the account as it was when it was sent, hence once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.shop import shop
from counterfoil.core.text import clean, clean_email, clean_phone, is_email
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.customers import sessions
from counterfoil.records.customers.models import Account, AccountAddress

LINK_LASTS = 2 * 3600  # seconds
MOST_ADDRESSES = 20
PASSWORD, CLAIM = "password", "claim"
_SALT = "counterfoil.account"
FIELDS = ("name", "street", "city", "postcode", "state", "country")


def read_email(text: str) -> str:
    """An e-mail address as typed. Raises Invalid."""
    try:
        email = clean_email(text)
    except ValueError as error:
        raise Invalid(("email", str(error))) from None
    if not is_email(email):
        raise Invalid(("email", "this is no e-mail address"))
    return email


def mail_password_link(*, email: str) -> None:
    """A link to choose a password: for a new account, or for the one that this address has. Nobody else is told which.

    Raises Invalid for what is no address.
    """
    email = read_email(email)
    known = Account.objects.filter(email_key=email.lower()).first()
    token = _sign(PASSWORD, email=email, generation=known.generation if known else 0)
    kind = "account_password" if known else "account_new"
    subject = "Choose a new password" if known else "Your account with us"
    _mail(kind, to=known.email if known else email, subject=subject, path=f"/account/link/{token}")


def mail_claim_link(*, account: Account) -> None:
    """A link that brings orders placed with this address, and without the account, into it."""
    token = _sign(CLAIM, email=account.email, generation=account.generation)
    _mail(
        "account_claim", to=account.email, subject="Bring your earlier orders into your account",
        path=f"/account/claim/{token}",
    )  # fmt: skip


def _mail(kind: str, *, to: str, subject: str, path: str) -> None:
    context = {
        "subject": subject,
        "shop": shop().name,
        "shop_email": shop().email,
        "url": f"{settings.BASE_URL}{path}",
        # It is of no order: what the slip on top shows of one stays empty.
        "number": "",
        "total": "",
        "name": to,
    }
    with writing():
        owe_mail(kind, to=to, key=f"{to.lower()}:{secrets.token_urlsafe(9)}", context=context)


def _sign(purpose: str, *, email: str, generation: int) -> str:
    return signing.dumps({"p": purpose, "e": email, "g": generation}, salt=_SALT, compress=False)


def opened(token: str, purpose: str) -> tuple[str, Account | None]:
    """The address that a mailed link belongs to, and its account if it has one. Raises Missing when it is no good."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        raise Missing("this link is no longer good; ask for another one") from None
    email = str(said["e"])
    known = Account.objects.filter(email_key=email.lower()).first()
    if said["p"] != purpose or int(said["g"]) != (known.generation if known else 0):
        raise Missing("this link has been used; ask for another one")
    return email, known


def set_password(*, token: str, name: str, password: str) -> Account:
    """Choose a password by a mailed link, and make the account if there is none. Every log-in of it ends.

    Raises Missing for a link that is no good, Invalid with fields `name` and `password`.
    """
    email, known = opened(token, PASSWORD)
    name = known.name if known else _name(name)
    hashed = _hashed(password, email)
    with writing():
        if known is None:
            try:
                return Account.objects.create(
                    email_key=email.lower(), email=email, name=name, password=hashed, made_at=clock.real_now()
                )
            except IntegrityError:
                raise Missing("this link has been used; ask for another one") from None
        changed = Account.objects.filter(pk=known.pk, generation=known.generation).update(
            password=hashed, generation=known.generation + 1
        )
        if not changed:
            raise Missing("this link has been used; ask for another one")
        sessions.end_all(known)
    return Account.objects.get(pk=known.pk)


def change_password(*, account: Account, old: str, new: str) -> Account:
    """Another password, by who is logged in and knows the old one. Raises Invalid: `old`, `password`."""
    if not check_password(old[:500], account.password):
        raise Invalid(("old", "this is not your password"))
    hashed = _hashed(new, account.email)
    with writing():
        Account.objects.filter(pk=account.pk).update(password=hashed, generation=account.generation + 1)
        sessions.end_all(account)
    return Account.objects.get(pk=account.pk)


def verified(email: str, password: str) -> Account | None:
    """The account of this address if the password fits. As slow for an address that has none."""
    known = Account.objects.filter(email_key=email.lower()).first() if email.isprintable() else None
    if known is None:
        make_password(password[:500])
        return None
    return known if check_password(password[:500], known.password) else None


def change_details(*, account: Account, name: str, phone: str) -> None:
    """Name and telephone. Raises Invalid."""
    name = _name(name)
    try:
        phone = clean_phone(phone)
    except ValueError as error:
        raise Invalid(("phone", str(error))) from None
    if len(phone) > 40:
        raise Invalid(("phone", "at most 40 characters"))
    with writing():
        Account.objects.filter(pk=account.pk).update(name=name, phone=phone)


def keep_address(*, account: Account, address: Mapping[str, str], pk: int | None = None, first: bool = False) -> None:
    """Add an address, or change one. The only one is the first choice. `address` has been checked for its country.

    Raises Missing for one of somebody else, Invalid when there are too many.
    """
    given = {field: clean(str(address.get(field, "")))[:200] for field in FIELDS}
    with writing():
        Account.objects.select_for_update().get(pk=account.pk)
        own = AccountAddress.objects.filter(account=account)
        known = own.filter(pk=pk).first() if pk is not None else None
        if pk is not None and known is None:
            raise Missing("there is no such address")
        if known is None and own.count() >= MOST_ADDRESSES:
            raise Invalid(("street", f"at most {MOST_ADDRESSES} addresses are kept"))
        first = first or not own.exclude(pk=pk or 0).filter(first=True).exists()
        if first:
            own.update(first=False)
        made = known or AccountAddress(account=account)
        for field, value in given.items():
            setattr(made, field, value)
        made.first = first
        made.save()


def drop_address(*, account: Account, pk: int) -> None:
    """Forget an address; another one becomes the first choice if it was. Nothing when it is gone already."""
    with writing():
        Account.objects.select_for_update().get(pk=account.pk)
        own = AccountAddress.objects.filter(account=account)
        own.filter(pk=pk).delete()
        if not own.filter(first=True).exists():
            other = own.order_by("id").first()
            if other is not None:
                own.filter(pk=other.pk).update(first=True)


def _name(text: str) -> str:
    try:
        name = clean(text)
    except ValueError as error:
        raise Invalid(("name", str(error))) from None
    if not name or len(name) > 200:
        raise Invalid(("name", "what is your name?" if not name else "at most 200 characters"))
    return name


def _hashed(password: str, email: str) -> str:
    wrong: list[Any] = []
    if len(password) > 500:
        wrong.append("at most 500 characters")
    try:
        validate_password(password)
    except ValidationError as error:
        wrong += error.messages
    if password.lower() == email.lower():
        wrong.append("not your e-mail address")
    if wrong:
        raise Invalid(("password", " ".join(str(w) for w in wrong)))
    return make_password(password)
