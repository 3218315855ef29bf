"""Who works here and what programs may call: the owner's pages, the invited person's, and one's own password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from counterfoil.core.access.models import ApiKey, User
from counterfoil.core.actor import BOOKKEEPER, BUYER, CHANNEL, CLERK, OWNER, PICKER
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import JournalEvent
from counterfoil.core.web import Limiter, actor_of_page, address_of, error_page, staff
from counterfoil.desk.pages import ANYBODY, SeeOther, desk_page, say
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.flow import staff as people

STAFF_PAGE, KEYS_PAGE = "/desk/settings/staff", "/desk/settings/keys"
# role -> what is said of it
WHAT = {
    OWNER: ("Owner", "everything, settings and staff too"),
    CLERK: ("Clerk", "orders, approval, charges, refunds, questions, shipments"),
    PICKER: ("Picker", "picks, packs, ships, counts"),
    BUYER: ("Buyer", "products, suppliers, purchase orders, goods in, stock"),
    BOOKKEEPER: ("Bookkeeper", "reads everything, refunds, exports the books"),
    CHANNEL: ("Channel", "a web shop: places orders and reads its own"),
}
# A link is guessed by nobody; what is limited here is the work of hashing passwords.
WELCOME = Limiter(20, 300)
PASSWORDS = Limiter(10, 300)
TOO_MANY = "Too many attempts. Wait five minutes and try again."


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The people who work here, and the form that invites one more."""
    if request.method != "POST":
        return _staff_page(request)
    form = {name: request.POST.get(name, "")[:300] for name in ("name", "email", "role")}
    try:
        user, link = people.invite(actor=actor_of_page(request), **form)
    except Invalid as error:
        return _staff_page(request, form, dict(error.errors), status=422)
    _hand_over(request, user, link, f"{user.name} is invited.")
    on_the_walk = request.POST.get("next") == "/desk/setup/staff"
    return SeeOther("/desk/setup/staff" if on_the_walk else STAFF_PAGE)


@staff(OWNER)
@require_POST
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Change a role, switch off or on, send another link."""
    actor, what = actor_of_page(request), request.POST.get("do", "")
    try:
        if what == "role":
            user = people.change_role(actor=actor, user_id=user_id, role=request.POST.get("role", ""))
            say(request, f"{user.name} is {WHAT[user.role][0].lower()} now.")
        elif what == "off":
            user = people.switch_off(actor=actor, user_id=user_id)
            say(request, f"{user.name} is switched off and logged out everywhere.")
        elif what in {"on", "link"}:
            act = people.switch_on if what == "on" else people.send_link
            user, link = act(actor=actor, user_id=user_id)
            _hand_over(request, user, link, f"{user.name} gets a link to choose a new password.")
        else:
            raise Missing("there is no such button")
    except Invalid as error:
        return _staff_page(request, {}, dict(error.errors), status=422)
    except Refused as error:
        return _staff_page(request, {}, {"": str(error)}, status=409)
    return SeeOther(STAFF_PAGE if user.pk != request.user.pk or user.is_active else "/desk/login")


def _hand_over(request: HttpRequest, user: User, link: str, text: str) -> None:
    """The mail is on its way; where none goes out yet, the owner can hand the link over."""
    say(request, f"{text} The link is in a mail to {user.email}.")
    request.session["link"] = link


def _staff_page(
    request: HttpRequest, form: dict[str, str] | None = None, errors: dict[str, str] | None = None, *, status: int = 200
) -> HttpResponse:
    staff_ = list(User.objects.exclude(role="customer").order_by("-is_active", "name"))
    context: dict[str, Any] = {
        "here": "settings",
        "at": "staff",
        "sections": SECTIONS.values(),
        "people": staff_,
        "ends": people.link_ends([u.pk for u in staff_]),
        "roles": {role: WHAT[role] for role in people.STAFF_ROLES},
        "form": {name: mask_cards(text) for name, text in (form or {}).items()},
        "errors": errors or {},
        "link": request.session.pop("link", ""),
        "log": list(JournalEvent.objects.filter(subject=people.SUBJECT).order_by("-pk")[:12]),
        "kinds": KINDS,
    }
    return desk_page(request, "desk/settings/staff.html", context, status=status)


KINDS = {
    "owner_came": "opened the shop", "person_invited": "invited", "link_sent": "sent", "role_changed": "changed a role",
    "person_switched_off": "switched off", "person_switched_on": "switched on", "person_joined": "joined",
    "password_changed": "changed a password", "key_made": "made a key", "key_revoked": "revoked a key",
}  # fmt: skip


@never_cache
@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """API keys; a new one is shown on the answer to its form and never again."""
    if request.method != "POST":
        return _keys_page(request)
    form = {name: request.POST.get(name, "")[:300] for name in ("name", "role")}
    try:
        made = people.make_api_key(actor=actor_of_page(request), **form)
    except Invalid as error:
        return _keys_page(request, form, dict(error.errors), status=422)
    return _keys_page(request, made=made, name=form["name"])


@staff(OWNER)
@require_POST
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """Take a key's right away."""
    key = people.revoke_api_key(actor=actor_of_page(request), key_id=key_id)
    say(request, f"The key “{key.name}” opens nothing any more.")
    return SeeOther(KEYS_PAGE)


def _keys_page(
    request: HttpRequest,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    *,
    made: str = "",
    name: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "here": "settings",
        "at": "keys",
        "sections": SECTIONS.values(),
        "keys": list(ApiKey.objects.order_by("revoked_at", "-pk")[:100]),
        "roles": WHAT,
        "form": {k: mask_cards(v) for k, v in (form or {}).items()},
        "errors": errors or {},
        "made": made,
        "name": mask_cards(name),
    }
    return desk_page(request, "desk/settings/keys.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The invited person's page: a password of their own, once."""
    user: User | None = None
    try:
        user = people.invited(token).user
        if request.method != "POST":
            return render(request, "desk/welcome.html", {"user": user, "errors": {}})
        if not WELCOME.allows(address_of(request)):
            return render(request, "desk/welcome.html", {"user": user, "errors": {"password": TOO_MANY}}, status=429)
        form = request.POST
        user = people.accept(token=token, password=form.get("password", ""), again=form.get("again", ""))
    except Invalid as error:
        return render(request, "desk/welcome.html", {"user": user, "errors": dict(error.errors)}, status=422)
    except Missing as error:
        return error_page(request, 404, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    say(request, f"Welcome, {user.name}.")
    return SeeOther("/desk/")


@never_cache
@staff(*ANYBODY)
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """One's own log-in: who one is here, and another password."""
    user = request.user
    if not isinstance(user, User):
        raise Forbidden("log in first")
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        form = request.POST
        try:
            if not PASSWORDS.allows(str(user.pk)):
                raise Invalid(("old", TOO_MANY))
            given = {name: form.get(name, "") for name in ("old", "password", "again")}
            people.change_password(user=user, **given)
            update_session_auth_hash(request, user)
            say(request, "Your password is changed. You are logged out everywhere else.")
            return SeeOther("/desk/me")
        except Invalid as error:
            errors, status = dict(error.errors), 422
    context = {"user": user, "errors": errors, "role": WHAT.get(user.role, (user.role, ""))}
    return desk_page(request, "desk/me.html", context, status=status)
