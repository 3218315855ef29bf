"""The first start: who has the server's token becomes the owner, and is led through what a shop needs to sell."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterfoil.core.access.setup import nobody_yet
from counterfoil.core.actor import OWNER
from counterfoil.core.cards import mask_cards
from counterfoil.core.db import rows
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.core.web import Limiter, address_of, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.settings import walk
from counterfoil.desk.settings.mails import words_form
from counterfoil.desk.settings.pages import section_form
from counterfoil.desk.staff import WHAT
from counterfoil.flow import staff as people
from counterfoil.records.catalogue.importing import import_products

TRIES = Limiter(10, 300)
FIRST_MAIL = "confirmation"  # the one whose words the first steps ask for
MOST_BYTES = 500_000  # of a file of products; a larger one is for the command line
TEMPLATE = (
    "sku,name,price,quantity,weight_lb,producer,wine,vintage,size,region,grape\r\n"
    "HILL-PN-2021,Hill House Pinot Noir 2021,24.00,36,3.0,Hill House,Pinot Noir,2021,750 ml,Napa,Pinot Noir\r\n"
    "OPENER-1,Waiter's corkscrew,12.50,10,0.3,,,,,,\r\n"
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """While nobody works here: the owner's account. Afterwards: the steps and what is still missing."""
    if not nobody_yet():
        return _overview(request)
    fields = ("token", "name", "email")
    form = {name: request.POST.get(name, request.GET.get(name, ""))[:300] for name in fields}
    shown = {name: mask_cards(text) for name, text in form.items()}
    if request.method != "POST":
        return render(request, "desk/setup/owner.html", {"form": shown, "errors": {}})
    if not TRIES.allows(address_of(request)):
        errors = {"token": "Too many attempts. Wait five minutes and try again."}
        return render(request, "desk/setup/owner.html", {"form": shown, "errors": errors}, status=429)
    try:
        user = people.become_owner(**form, password=request.POST.get("password", ""))
    except Invalid as error:
        return render(request, "desk/setup/owner.html", {"form": shown, "errors": dict(error.errors)}, status=422)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return SeeOther("/desk/setup/shop")


@staff(OWNER)
def _overview(request: HttpRequest) -> HttpResponse:
    found = walk.done()
    context = {"steps": walk.STEPS, "done": found, "next": walk.first_open(found), "lacks": walk.lacks()}
    return desk_page(request, "desk/setup/index.html", {"here": "settings", "code": "", **context})


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, code: str) -> HttpResponse:
    """One step; what it keeps leads to the next."""
    here = walk.BY_CODE.get(code)
    if here is None:
        raise Http404("there is no such step")
    more: dict[str, Any] = {"step": here, "steps": walk.STEPS, "done": walk.done(), "code": code, "at": ""}
    more["place"] = walk.STEPS.index(here) + 1

    def kept(_changed: bool = True) -> HttpResponse:
        walk.mark(code, walk.KEPT)
        return SeeOther(walk.after(code))

    if here.section is not None:
        more |= {"keep_label": "Keep and go on", "said_of_nothing": ""}  # going on is the answer
        return section_form(request, here.section, "desk/setup/section.html", f"/desk/setup/{code}", more, kept)
    if code == "mails":
        more["keep_label"] = "Keep and go on"
        return words_form(request, FIRST_MAIL, "desk/setup/mails.html", f"/desk/setup/{code}", more, kept)
    if code == "staff":
        more |= {"roles": {role: WHAT[role] for role in people.STAFF_ROLES}, "form": {}, "errors": {}}
        more |= {"link": request.session.pop("link", ""), "next_page": "/desk/setup/staff", "people": _colleagues()}
        return desk_page(request, "desk/setup/staff.html", {"here": "settings", **more})
    if code == "products":
        return _products(request, more)
    orders = rows("SELECT number FROM orders_order ORDER BY id LIMIT 1")
    more |= {"order": str(orders[0][0]) if orders else "", "lacks": walk.lacks()}
    return desk_page(request, "desk/setup/test_order.html", {"here": "settings", **more})


@staff(OWNER)
@require_POST
def leave(request: HttpRequest, code: str) -> HttpResponse:
    """Go on: `how` says whether the step is done or only skipped for now."""
    if code not in walk.BY_CODE:
        raise Http404("there is no such step")
    walk.mark(code, walk.KEPT if request.POST.get("how") == walk.KEPT else walk.SKIPPED)
    return SeeOther(walk.after(code))


@staff(OWNER)
@require_safe
def template(request: HttpRequest) -> HttpResponse:
    """A file of products to begin with."""
    answer = HttpResponse(TEMPLATE, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="products.csv"'
    return answer


def _colleagues() -> list[str]:
    return [str(name) for (name,) in rows("SELECT name FROM access_user WHERE role <> 'customer' ORDER BY id")]


def _products(request: HttpRequest, more: dict[str, Any]) -> HttpResponse:
    told: list[str] = []
    wrong, status = "", 200
    given = request.FILES.get("file") if request.method == "POST" else None
    if request.method == "POST":
        try:
            if given is None:
                raise ValueError("choose a file")
            if (given.size or 0) > MOST_BYTES:
                raise ValueError("more than 500 kB: import it at the server, with counterfoil import-products")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "products.csv"
                path.write_bytes(given.read())
                rejected = import_products(path, told.append)
            told = [line for line in "\n".join(told).split("\n") if "rejected lines are in" not in line]
            if not rejected:
                walk.mark("products", walk.KEPT)
                say(request, f"{told[-1].rpartition(' in ')[0]}.")  # how long it took is for the command line
                return SeeOther("/desk/setup/products")
            status = 422
        except ValueError as error:
            wrong, status = str(error), 422
    count = int(rows("SELECT COUNT(*) FROM catalogue_product")[0][0])
    more |= {"told": told, "errors": {"file": wrong} if wrong else {}, "count": count, "currency": shop().currency}
    return desk_page(request, "desk/setup/products.html", {"here": "settings", **more}, status=status)
