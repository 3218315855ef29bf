"""Every page that the URL resolver knows, looked at as the demo fills it, and how many statements each took.

A route has an address of the demo here, or is none to look at: it answers GET with 405, or has its reason below. A new
route that has neither is told by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from counterfoil.core.access.models import User
from counterfoil.core.models import Document, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.desk import runs
from counterfoil.desk.acts import BULK
from counterfoil.desk.followed import chosen
from counterfoil.desk.ship_file import FileRow
from counterfoil.desk.ship_run import begin_file
from counterfoil.flow import staff as people
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers import accounts
from counterfoil.records.customers.models import Account, AccountAddress
from counterfoil.records.orders.models import Order
from counterfoil.records.orders.owners import claim_orders
from counterfoil.steps.charging.models import Dispute, Payout
from counterfoil.steps.sourcing.actions import make_count_sheet
from counterfoil.steps.sourcing.models import PurchaseOrder
from tests.browser.pages import DESK, PUBLIC

PASSWORD = "a-long-password"
# What GET answers, and is no page of the shop's own.
NO_PAGE = {
    "api/v1/": "the API has counts of its own, by call",
    "healthz": "asks whether the database answers",
    "metrics": "numbers for a machine, behind a token where the shop has one",
    "static/<path:name>": "a file",
    "desk/floor/worker.js": "a file",
    "logo/<slug:name>.png": "a picture, and the demo has none",
    "orders/<str:token>/card": "asks the bank, and sends on to its page",
    "orders/<str:token>/pay": "asks the bank, and sends on to its page",
    "orders/<str:token>/card/done": "asks the bank, and sends back to the order",
    "sandbox/<path:path>": "a page of the demo's bank",
    "mailbox/": "a page of the demo's mail program",
    "mailbox/<path:path>": "a page of the demo's mail program",
    "how-it-works/follow/mails/<int:event>": "a mail, from the demo's mail program",
    "desk/orders/<str:number>/amendments/<int:amendment>/undo": "does the change, shows what came of it, takes it back",
    "desk/orders/<str:number>/parts/<int:part>/merge": "does the change, shows what came of it, takes it back",
    "api/v1/docs/<str:name>": "a file",
}
# What answers GET by sending on to a page that is looked at here.
SENT_ON = {"desk/", "desk/floor/pick"}
STRANGERS = {"/account/login", "/desk/login"}  # who is logged in is sent on
ADDRESS = {
    "name": "Noor Amari", "street": "4 Mill Lane", "city": "Napa", "postcode": "94558", "state": "CA", "country": "US",
    "phone": "+1 707 555 0144",
}  # fmt: skip


def routes(patterns: list[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[str]:
    """Every route, as it is written."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver) and route not in NO_PAGE:
            yield from routes(one.url_patterns, route)
        else:
            yield route


def browser() -> Client:
    """The owner's, who is logged in as a customer too and has a full cart."""
    client = Client()
    client.force_login(User.objects.get(email="owner@example.com"))
    email = Order.objects.filter(queue="done").order_by("id")[0].email
    token = accounts._sign(accounts.PASSWORD, email=email, generation=0)
    client.post(f"/account/link/{token}", {"name": "Noor Amari", "password": PASSWORD})
    account = Account.objects.get(email=email)
    accounts.keep_address(account=account, address=ADDRESS, first=True)
    claim_orders(account=account)
    client.post("/desk/close")
    for sku in Product.objects.order_by("id").values_list("sku", flat=True)[:8]:
        client.post("/cart/add", {"sku": sku, "quantity": "2"})
    return client


def fullest() -> dict[str, Order]:
    """The order of each queue to which most has happened."""
    happened = JournalEvent.objects.filter(subject=OuterRef("number")).order_by().values("subject")
    orders = Order.objects.annotate(events=Subquery(happened.annotate(n=Count("id")).values("n")))
    return {order.queue: order for order in orders.order_by("events", "-id")}


def addresses() -> list[str]:
    """An address of the demo for every page, and an order of each queue for those that show one."""
    owner = User.objects.get(email="owner@example.com")
    first = fullest()
    done, review, charge = first["done"], first["review"], first["charge"]
    invoice = Document.objects.filter(subject=done.number, kind="invoice").order_by("id")[0].number
    account, own = Account.objects.get(), AccountAddress.objects.get()
    bought, payout = PurchaseOrder.objects.order_by("id")[0].number, Payout.objects.order_by("id")[0].payout_id
    sheet = make_count_sheet(actor=owner.actor, skus=["ALD-PN-2021"]).number
    run = runs.begin("charge", "charge", [charge], {charge.pk: {}}, owner).pk
    parcels = begin_file([FileRow(2, first["ship"].number, "X1"), FileRow(3, "nobody", "X2")], owner).pk
    _, welcome = people.invite(actor=owner.actor, name="Ida Berg", email="ida@example.com", role="clerk")
    story = chosen()
    assert story is not None
    followed = Document.objects.filter(subject=story.number).order_by("id")[0].number
    new_link = accounts._sign(accounts.PASSWORD, email="ida@example.com", generation=0)
    claim = accounts._sign(accounts.CLAIM, email=account.email, generation=account.generation)
    return [
        *(path for name, path in {**PUBLIC, **DESK}.items() if name != "not-found"),
        "/?q=riesling&sort=price", "/products/ALD-PN-2021/label.svg", "/checkout", "/api/v1/docs",
        *(f"/orders/{order.token}" for order in first.values()),
        f"/orders/{done.token}/documents/{invoice}.pdf",
        f"/how-it-works/follow/papers/{followed}.pdf", f"/how-it-works/follow/papers/{followed}.png",
        "/account/", "/account/reset", f"/account/link/{new_link}", "/account/addresses/new",
        f"/account/addresses/{own.pk}", f"/account/claim/{claim}",
        "/desk/", "/desk/login", "/desk/palette?q=zo", "/desk/pulse?queue=review&drawn=1", "/desk/toasts",
        "/desk/tell", "/desk/floor/away", f"/desk/pulse/rows?queue=review&shown={review.number}",
        f"/desk/runs/{run}", f"/desk/ship/file/{parcels}",
        f"/desk/payouts/{payout}", f"/desk/disputes/{Dispute.objects.get().pk}/evidence.pdf",
        *(f"/desk/queues/{code}" for code in first),
        f"/desk/queues/call?order={first['call'].number}",
        *(f"/desk/orders/{order.number}" for order in first.values()),
        *(f"/desk/orders/{review.number}/{page}" for page in ("placed", "proposals/new", "amend")),
        f"/desk/close/{shop().today()}/sheet.pdf", "/desk/orders/new",
        f"/desk/orders/{done.number}/documents/{invoice}.pdf",
        f"/desk/purchase-orders/{bought}", f"/desk/purchase-orders/{bought}/paper.pdf",
        f"/desk/counts/{sheet}", f"/desk/counts/{sheet}/sheet.pdf", "/desk/stock.csv", "/desk/books/export?format=csv",
        f"/desk/floor/pack?order={first['pack'].number}",
        "/desk/settings/mails/promised/preview", "/desk/setup/products.csv",
        urlsplit(welcome).path,
    ]  # fmt: skip


def asked_by_every_page() -> dict[str, int]:
    """How many statements each page took, by its address. The settings and the clock are at hand, as they are in any
    process for two seconds. Raises AssertionError for a route without an address and for a page that does not answer.
    """
    client = browser()
    seen, asked = set(NO_PAGE), dict[str, int]()
    # What asks before it is done to many orders is no GET, and a page all the same.
    ask_first = [f"/desk/queues/{code}/acts" for code in BULK]
    for path in [*addresses(), *ask_first]:
        with CaptureQueriesContext(connection) as queries:
            if path in ask_first:
                answer = client.post(path, {"all": "yes"})
            else:
                answer = (Client() if path in STRANGERS else client).get(path)
            _ = b"".join(answer)  # also of what is sent piece by piece
        route = resolve(urlsplit(path).path).route
        seen.add(route)
        assert answer.status_code == 200 or route in SENT_ON, (path, answer.status_code)
        told = [q["sql"] for q in queries.captured_queries]
        asked[path] = sum("core_setting" not in sql and "core_businessclock" not in sql for sql in told)
    # A form's address has nothing to look at.
    pages = [route for route in routes() if route not in seen and client.get(_filled(route)).status_code != 405]
    assert not pages, f"looked at nowhere: give them an address, or a reason: {pages}"
    return asked


def _filled(route: str) -> str:
    return "/" + re.sub(r"<(\w+):\w+>", lambda m: "1" if m[1] == "int" else "x", route)
