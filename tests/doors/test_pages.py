"""The doors of the pages: who may open which, and what strangers and odd addresses come to."""

from __future__ import annotations

import io
import logging
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from counterfoil.core.access.models import User
from counterfoil.core.actor import ROLES
from counterfoil.core.text import MaskedLines, is_email
from counterfoil.records.orders.models import Order
from counterfoil.shell.demo.tests.every_page import _filled, routes
from tests.doors.build import Desk
from tests.support import order_body

pytestmark = pytest.mark.django_db

ANYBODY = {"clerk", "picker", "buyer", "bookkeeper"}
# Pages of the desk that are not everybody's who works here: the owner's, who may open all, and these people's.
OWN: dict[tuple[str, ...], str] = {
    (): """
        settings settings/log settings/staff settings/staff/<int:user_id> settings/mails settings/mails/<slug:kind>
        settings/mails/<slug:kind>/preview settings/keys settings/keys/<int:key_id> settings/<slug:code>
        setup/products.csv setup/<slug:code> setup/<slug:code>/leave
    """,
    ("clerk",): """
        queues/review/print orders/new orders/<str:number>/placed orders/<str:number>/proposals/new
        orders/<str:number>/amend orders/<str:number>/amendments/<int:amendment>/undo
        orders/<str:number>/parts/<int:part>/merge tell health
    """,
    ("buyer",): """
        purchase-orders/<str:number>/draft purchase-orders/<str:number>/confirmation
        purchase-orders/<str:number>/receipts reordering/<path:sku> products/new
    """,
    ("bookkeeper",): "books books/export",
    ("clerk", "bookkeeper"): """
        bank/compare bank/<int:difference> disputes/<int:dispute>/evidence.pdf close close/<str:day>/sheet.pdf
        close/<str:day>/print
    """,
    ("clerk", "picker"): """
        floor floor/pick floor/pack floor/acts floor/away floor/worker.js print ship ship/file ship/file/<int:file>
        ship/file/<int:file>/stop orders/<str:number>/packet
    """,
}
OPEN = {"desk/login", "desk/logout", "desk/setup", "desk/welcome/<str:token>"}  # strangers come here


def test_a_page_of_the_desk_opens_to_its_roles_and_to_no_other() -> None:
    """Asked with a method that no page has: whoever may come in is told so, and nobody else gets as far."""
    whose = {f"desk/{route}": set(roles) for roles, those in OWN.items() for route in those.split()}
    browsers = {"": Client()}
    for role in (*ROLES, "customer"):
        browsers[role] = Client()
        made = User.objects.create_user(f"{role}@example.com", "a long password", name=role, role=role)
        browsers[role].force_login(made)
    desk = {route for route in routes() if route.startswith("desk/")} - OPEN
    assert set(whose) <= desk, "no such page any more"
    for route in sorted(desk):
        for role, browser in browsers.items():
            answer = browser.options(_filled(route))
            if role in {"", "customer"}:
                assert answer.status_code == 302, (route, role)
                assert answer["Location"].startswith("/desk/login?next="), (route, role)
                continue
            may = role == "owner" or role in whose.get(route, ANYBODY)
            assert answer.status_code == (405 if may else 403), (route, role)


ODD = [
    "\x00",
    "a\x00b",
    "9" * 5000,
    "²",
    "💥\u202e",
    "../../etc",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "1e999999999",
]


def test_odd_addresses_and_odd_fields_are_no_fault_of_ours() -> None:
    """Neither a stranger's nor the owner's: on PostgreSQL a NUL is an error where SQLite is content."""
    number, token = Desk().asked()
    key = Order.objects.get(number=number).token
    owner, stranger = Client(raise_request_exception=False), Client(raise_request_exception=False)
    owner.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    answers: dict[tuple[str, ...], Any] = {}
    for odd in ODD:
        at = quote(odd[:300], safe="")
        for path in ("orders", "desk/orders", "desk/stock", "desk/counts", "desk/purchase-orders", "account/link"):
            answers[path, odd] = owner.get(f"/{path}/{at}")
        for name in ("order", "sku", "q", "day", "after"):
            answers[name, odd] = owner.get("/desk/purchase-orders", {name: odd})
            answers["queue", name, odd] = owner.get("/desk/queues/review", {name: odd})
        answers["log-in", odd] = stranger.post("/desk/login", {"email": odd, "password": odd})
        answers["account", odd] = stranger.post("/account/login", {"email": odd, "password": odd})
        answers["question", odd] = stranger.post(f"/orders/{key}/answer", {"proposal": odd, "choice": odd})
        answers["choice", odd] = stranger.post(f"/orders/{key}/answer", {"proposal": token, "choice": odd})
        answers["telephone", odd] = owner.post("/desk/orders/new", {"use": odd, "take": odd, "wine": odd})
        answers["rows", odd] = owner.post("/desk/settings/tax", {"do": f"remove zones {odd}"})
        for verb, name in (("record-payment", "amount"), ("amend", "at"), ("call", "call_back_at")):
            form = {"reference": "No. 1", "outcome": "call_back", "method": "By sea", name: odd}
            answers[verb, odd] = owner.post(f"/desk/orders/{number}/acts/{verb}", form)
    answers["seen", "9" * 20] = owner.post(f"/desk/deeds/{'9' * 20}/seen")
    assert {what: a.status_code for what, a in answers.items() if a.status_code >= 500} == {}


def test_a_form_without_its_fields_or_with_very_many_of_them_is_read() -> None:
    Desk()
    visitor = Client(raise_request_exception=False)
    visitor.post("/cart/add", {"sku": "PINOT-21", "quantity": "1"})
    bare = visitor.post("/checkout")
    assert (bare.status_code, "load the page again" in bare.content.decode()) == (422, True)
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=é",
        "application/x-www-form-urlencoded; charset=utf-16",
    ):
        assert visitor.generic("POST", "/checkout", b"a=b", content_type=kind).status_code == 400, kind
    visitor.force_login(User.objects.create_user("p@example.com", "a long password", name="Pia", role="picker"))
    rows = {f"{name}:{n}": "x" for n in range(300) for name in ("line", "order", "tracking", "carrier", "why")}
    mended = visitor.post("/desk/ship/file", {**rows, "do": "download"})
    assert mended.content.count(b"\r\n") == 301, "as many rows as a file may have"
    visitor.post("/desk/floor/acts", {"kind": "pick", "order": "x" * 20_000, "token": "1", "sku": "x", "units": "1"})
    assert len(visitor.cookies["counterfoil"].value) < 2_000, "a browser keeps no larger one"


FORM = {
    "name": "Zoë Brontë", "email": "zoe@example.com", "shipping_address.street": "12 Vine Street",
    "shipping_address.city": "Napa", "shipping_address.state": "California", "shipping_address.postcode": "94558",
    "shipping_address.country": "US", "shipping_method": "Ground", "payment_method": "card", "consent": "yes",
    "age_declared": "yes",
}  # fmt: skip


def test_whoever_sends_the_reference_of_another_order_is_not_led_to_it() -> None:
    """The check-out answers with the order's own link: an attempt of its form is nobody's reference."""
    desk, visitor = Desk(), Client()
    body = order_body(("PINOT-21", 1), channel="web", reference="WEB-2026-00017")
    theirs = Order.objects.get(number=desk.api.done("/orders", body)["number"])
    visitor.post("/cart/add", {"sku": "PINOT-21", "quantity": "1"})
    answer = visitor.post("/checkout", {**FORM, "attempt": theirs.reference})
    mine = Order.objects.exclude(pk=theirs.pk).get()
    assert answer["Location"] == f"/orders/{mine.token}/card"
    visitor.post("/cart/add", {"sku": "PINOT-21", "quantity": "1"})
    again = visitor.post("/checkout", {**FORM, "attempt": theirs.reference})
    assert again["Location"] == answer["Location"], "sent twice it is one order"
    visitor.post("/cart/add", {"sku": "PINOT-21", "quantity": "1"})
    by_paper = visitor.post("/checkout", {**FORM, "attempt": mine.reference})
    assert mine.token not in by_paper["Location"], "nor by what its papers say"


def test_what_opens_an_order_or_sets_a_password_is_cut_short_in_the_log() -> None:
    said = io.StringIO()
    held = logging.StreamHandler(said)
    held.setFormatter(MaskedLines("%(message)s"))
    logging.getLogger("django.request").addHandler(held)
    rights = ["-0J6GTrehss4ghS4s-iahwvZJr93SBtI", "eyJwIjoicGFzc3dvcmQifQ:1wOpfz:sVAKkT3C2cEg-oFCtLMe1pKBl0"]
    try:
        for path in ("/orders/{}", "/orders/{}/card", "/account/link/{}", "/account/claim/{}", "/desk/welcome/{}"):
            for right in rights:
                Client().get(path.format(right))
        Client().get("/orders/CF-1001")
    finally:
        logging.getLogger("django.request").removeHandler(held)
    assert said.getvalue().count("…") == 10
    assert not any(right in said.getvalue() for right in rights)
    assert "/orders/CF-1001" in said.getvalue()


@pytest.mark.parametrize(
    ("text", "fits"),
    [("zoë+wine@vin.example.com", True), ("o'hara..x@docomo.example", True), ("a@exämple.com", True),
     ("a@x.com,b@y.com", False), ("a@x.com;b@y.com", False), ("<a@x.com>", False), ("Ann <a@x.com>", False),
     ("a@b@x.com", False), ("a@x..com", False), ("a@x.com\nBcc: b@y.com", False), ("a@" + "x" * 64 + ".com", False),
     ("a@x.com:", False), ("a b@x.com", False)],
)  # fmt: skip
def test_an_address_is_one_to_which_a_mail_can_go_at_every_door(text: str, fits: bool) -> None:
    assert is_email(text) is fits
    desk = Desk()
    body = order_body(("PINOT-21", 1), customer={"name": "Zoë", "email": text})
    answer = desk.api.post("/orders", body)
    number = answer.body["number"] if fits else desk.placed()
    assert answer.fields == (set() if fits else {"customer.email"})
    assert (Client().post("/account/new", {"email": text}).status_code == 200) is fits
    changed = desk.api.post(f"/orders/{number}/customer", {"email": text})
    assert changed.fields == (set() if fits else {"email"})
