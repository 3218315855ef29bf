"""Who works here: the owner invites, changes roles, switches off and on, makes keys; everybody has a password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from counterfoil.core import clock, journal
from counterfoil.core.access import keys
from counterfoil.core.access.models import ApiKey, Invitation, User
from counterfoil.core.access.setup import is_setup_token, nobody_yet
from counterfoil.core.actor import BOOKKEEPER, BUYER, CLERK, OWNER, PICKER, ROLES, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.shop import shop, take_settings
from counterfoil.core.shop_checks import check_shop_settings
from counterfoil.core.text import clean, clean_email
from counterfoil.gateways.mail.outbox import owe_mail

SUBJECT = "STAFF"  # in the journal
STAFF_ROLES = (OWNER, CLERK, PICKER, BUYER, BOOKKEEPER)
LINK_LASTS = timedelta(days=7)
MOST_PASSWORD = 500  # characters; hashing costs what is hashed


def become_owner(*, token: str, name: str, email: str, password: str) -> User:
    """The first person of a fresh shop. Raises Invalid, also for a wrong token; Missing once somebody works here."""
    wrong = [] if is_setup_token(token) else [("token", "this is not the token that the server has printed")]
    try:
        name, email = _person(name, email)
    except Invalid as error:
        wrong += error.errors
    hashed = ""
    try:
        hashed = _hashed(password)
    except Invalid as error:
        wrong += error.errors
    if wrong:
        raise Invalid(*wrong)
    with writing():
        take_settings()
        if not nobody_yet():
            raise Missing("this shop has an owner already")
        _free(email)
        user: User = User.objects.create(email=email, name=name, role=OWNER, password=hashed)
        _note("owner_came", user.actor, f"{name} opened the shop")
    return user


def invite(*, actor: Actor, name: str, email: str, role: str) -> tuple[User, str]:
    """A colleague, who sets their own password by the link in the mail; the person and that link.

    Raises Forbidden or Invalid.
    """
    require(actor, OWNER)
    wrong = [] if role in STAFF_ROLES else [("role", "choose what they do")]
    try:
        name, email = _person(name, email)
    except Invalid as error:
        raise Invalid(*error.errors, *wrong) from None
    if wrong:
        raise Invalid(*wrong)
    with writing():
        take_settings()
        _free(email)
        user: User = User.objects.create(email=email, name=name, role=role, password=make_password(None))
        link = _link(user, actor)
        _note("person_invited", actor, f"{name} as {role}")
    return user, link


def send_link(*, actor: Actor, user_id: int) -> tuple[User, str]:
    """Another link to set a password with; those before open nothing any more. Raises Forbidden, Missing, Refused."""
    require(actor, OWNER)
    with writing():
        take_settings()
        user = _colleague(user_id)
        if not user.is_active:
            raise blocked("someone_else", f"{user.name} is switched off; switch them on first")
        link = _link(user, actor)
        _note("link_sent", actor, f"a link for a new password to {user.name}")
    return user, link


def change_role(*, actor: Actor, user_id: int, role: str) -> User:
    """Raises Forbidden, Invalid, Missing, and Refused for the last owner."""
    require(actor, OWNER)
    if role not in STAFF_ROLES:
        raise Invalid(("role", "choose what they do"))
    with writing():
        take_settings()
        user = _colleague(user_id)
        if user.role != role:
            if role != OWNER:
                _not_the_last(user)
            _note("role_changed", actor, f"{user.name}: {user.role} -> {role}")
            user.role = role
            user.save(update_fields=["role"])
    return user


def switch_off(*, actor: Actor, user_id: int) -> User:
    """They are logged out everywhere at once, and their password and links open nothing any more."""
    require(actor, OWNER)
    with writing():
        take_settings()
        user = _colleague(user_id)
        _not_the_last(user)
        if user.is_active:
            User.objects.filter(pk=user.pk).update(is_active=False, password=make_password(None))
            _use_up(user)
            _note("person_switched_off", actor, user.name)
    user.refresh_from_db()
    return user


def switch_on(*, actor: Actor, user_id: int) -> tuple[User, str]:
    """They may come back, with a new password by the link. Raises Forbidden or Missing."""
    require(actor, OWNER)
    with writing():
        take_settings()
        user = _colleague(user_id)
        User.objects.filter(pk=user.pk).update(is_active=True)
        link = _link(user, actor)
        _note("person_switched_on", actor, user.name)
    user.refresh_from_db()
    return user, link


def invited(token: str) -> Invitation:
    """The open invitation of a link. Raises Missing for one that was used, is over, or never was."""
    found = Invitation.objects.select_related("user").filter(sha256=_digest(token), used_at=None).first()
    if found is None or found.expires_at <= clock.real_now() or not found.user.is_active:
        raise Missing("this link was used already, or its seven days are over; ask for a new one")
    return found


def accept(*, token: str, password: str, again: str) -> User:
    """The person sets their password; the link opens nothing any more. Raises Missing or Invalid."""
    user: User = invited(token).user
    hashed = _hashed(password, again, user)
    with writing():
        take_settings()
        user = invited(token).user
        User.objects.filter(pk=user.pk).update(password=hashed)
        _use_up(user)
        _note("person_joined", user.actor, f"{user.name} set a password")
    user.refresh_from_db()
    return user


def change_password(*, user: User, old: str, password: str, again: str) -> None:
    """One's own. Every other browser in which one is logged in is logged out. Raises Invalid."""
    if not check_password(old[:MOST_PASSWORD], user.password):
        raise Invalid(("old", "this is not your present password"))
    hashed = _hashed(password, again, user)
    with writing():
        User.objects.filter(pk=user.pk).update(password=hashed)
        _use_up(user)
        _note("password_changed", user.actor, f"{user.name}'s own")
    user.password = hashed


def make_api_key(*, actor: Actor, name: str, role: str) -> str:
    """An API key, to be shown this once. Raises Forbidden or Invalid."""
    require(actor, OWNER)
    if role not in ROLES:
        raise Invalid(("role", "choose what it may do"))
    if not name.strip() or len(name) > 100:
        raise Invalid(("name", "say who or what uses it; at most 100 characters"))
    try:
        with writing():
            key = keys.make_key(name, role)
            _note("key_made", actor, f"{name.strip()} as {role}")
    except ValueError as error:
        raise Invalid(("name", str(error))) from None
    return key


def revoke_api_key(*, actor: Actor, key_id: int) -> ApiKey:
    """It opens nothing any more, in a few seconds everywhere. Raises Forbidden or Missing."""
    require(actor, OWNER)
    with writing():
        key = keys.revoke_key(key_id)
        if key is None:
            raise Missing("there is no such key, or it was revoked before")
        _note("key_revoked", actor, f"{key.name} as {key.role}")
    return key


def _person(name: str, email: str) -> tuple[str, str]:
    wrong = []
    try:
        name = clean(name)
    except ValueError as error:
        wrong.append(("name", str(error)))
    try:
        email = clean_email(email).lower()
        check_shop_settings({"email": email})
    except ValueError as error:
        wrong.append(("email", str(error).removeprefix("email: ")))
    if not name or len(name) > 200:
        wrong.append(("name", "the name that colleagues read"))
    if wrong:
        raise Invalid(*wrong)
    return name, email


def _free(email: str) -> None:
    taken = User.objects.filter(email=email).first()
    if taken is not None:
        what = "a customer's account" if taken.role == "customer" else f"{taken.name}'s"
        raise Invalid(("email", f"this address is {what} already"))


def _hashed(password: str, again: str | None = None, user: User | None = None) -> str:
    if again is not None and password != again:
        raise Invalid(("again", "this is not the same as above"))
    if len(password) > MOST_PASSWORD:
        raise Invalid(("password", f"at most {MOST_PASSWORD} characters"))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(("password", " ".join(error.messages))) from None
    return make_password(password)


def _colleague(user_id: int) -> User:
    found: User | None = User.objects.filter(pk=user_id).exclude(role="customer").first()
    if found is None:
        raise Missing("nobody of that name works here")
    return found


def _not_the_last(user: User) -> None:
    """A shop without an owner could not be opened again. Who was invited and never came is none."""
    if user.role != OWNER or not user.is_active:
        return
    others = User.objects.filter(role=OWNER, is_active=True).exclude(pk=user.pk)
    if not any(other.has_usable_password() for other in others):
        raise blocked("someone_else", f"{user.name} is the last owner; make somebody else an owner first")


def _link(user: User, actor: Actor) -> str:
    now = clock.real_now()
    token = secrets.token_urlsafe(32)
    _use_up(user)
    made = Invitation.objects.create(user=user, sha256=_digest(token), made_at=now, expires_at=now + LINK_LASTS)
    link = f"{settings.BASE_URL}/desk/welcome/{token}"
    new = not user.has_usable_password()
    context = {
        "subject": f"Your log-in at {shop().name}" if new else f"A new password at {shop().name}",
        "name": user.name,
        "by": actor.name,
        "email": user.email,
        "shop": shop().name,
        "shop_email": shop().email,
        "days": LINK_LASTS.days,
        "url": link,
    }
    owe_mail("welcome", to=user.email, key=f"welcome:{made.pk}", context=context)
    return link


def _use_up(user: User) -> None:
    Invitation.objects.filter(user=user, used_at=None).update(used_at=clock.real_now())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _note(kind: str, actor: Actor, text: str) -> None:
    journal.record(kind, subject=SUBJECT, actor=actor, text=text, advance=False)


def link_ends(user_ids: list[int]) -> dict[int, datetime]:
    """Until when each of these people's open link lasts."""
    found = Invitation.objects.filter(user__in=user_ids, used_at=None, expires_at__gt=clock.real_now())
    return dict(found.values_list("user_id", "expires_at"))
