"""Pages that stand only once somebody has done something: each is reached as people reach it, and looked at there."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from django.test import RequestFactory
from playwright.sync_api import FilePayload, Page, Route, expect

from counterfoil.core.web import error_page
from counterfoil.desk.words import ACT
from tests.browser.caller import Caller
from tests.browser.conftest import Shop, mailed_link

Look = Callable[[str], None]  # at the page as it stands; the name of its picture
PASSWORD = "three odd words"
SET = "all => Object.entries(all).forEach(([name, value]) => { document.getElementsByName(name)[0].value = value })"
ADDRESS = {"street": "12 Vine Street", "city": "Napa", "state": "CA", "postcode": "94558"}


def the_till(page: Page, shop: Shop, look: Look) -> None:
    """A cart with something in it, the check-out, and what it says of an empty form."""
    page.goto(f"{shop.base}/products/ALD-PN-2022")
    page.get_by_role("button", name="Put in the cart").click()
    page.wait_for_url("**/cart")
    look("cart-filled")
    page.goto(f"{shop.base}/checkout")
    look("checkout")
    page.get_by_role("button", name=re.compile("Place the order")).click()
    expect(page.locator("#e-email")).to_be_visible()
    look("checkout-wrong")


def an_account(page: Page, shop: Shop, look: Look, email: str) -> None:
    """From the mailed link to an account with an address, and the page that fetches earlier orders."""
    page.goto(f"{shop.base}/account/new")
    page.fill("[name=email]", email)
    page.press("[name=email]", "Enter")
    expect(page.locator("main")).to_contain_text(email)
    look("account-asked")
    page.goto(mailed_link(shop, email, "Your account"))
    look("account-password")
    page.fill("[name=name]", "June Harper")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/account/")
    page.get_by_role("link", name="Add an address").click()
    look("account-address")
    for name, value in ADDRESS.items():
        page.fill(f"[name='address.{name}']", value)
    page.get_by_role("button", name="Keep the address").click()
    page.get_by_role("button", name="Mail me a link").click()
    look("account-home")
    page.goto(mailed_link(shop, email, "Your earlier orders"))
    look("account-claim")


def what_is_agreed(page: Page, shop: Shop, look: Look, who: str) -> None:
    """A question about several wines that are missing, with choices drawn and one that is wrong; a change, drawn."""
    caller = Caller(shop, who)
    number = caller.places({"STO-RE-2018": 2, "HAR-ZI-2022": 2})
    page.goto(f"{shop.base}/desk/orders/{number}/proposals/new")
    expect(page.get_by_role("heading", name=re.compile(" missing$")).nth(1)).to_be_visible()
    # Set by the page itself: what a person types is drawn as they type, and the next page would cut that off.
    one_more = page.get_by_role("button", name=re.compile("one more choice"))
    for n, given in enumerate(({"kind:0": "later_date"}, {"kind:1": "substitute", "sku:1": "NO-SUCH-WINE"}), 1):
        page.evaluate(SET, given)
        one_more.click()
        expect(page.locator(f"#f-kind-{n}")).to_be_visible()
    expect(page.locator(".choice .wrong").first).to_be_visible()
    look("offer-several")
    page.goto(f"{shop.base}/desk/orders/{number}/amend")
    page.locator("[name^='quantity:']").first.fill("1")
    page.get_by_role("button", name="Show what that does").click()
    expect(page.locator("#drawn")).to_be_visible()
    look("amend-drawn")
    caller.send(f"orders/{number}/cancellation", {"reason": "only looked at"})


def the_buyers_desk(page: Page, shop: Shop, look: Look) -> None:
    """A draft to a supplier and a sheet for counting; both are put away again."""
    page.goto(f"{shop.base}/desk/purchase-orders")
    page.get_by_role("button", name="Put on a draft").first.click()
    page.wait_for_url("**/purchase-orders/D-*")
    look("draft")
    page.get_by_text("Nobody wants this after all").click()
    page.get_by_role("button", name="Discard the draft").click()
    page.goto(f"{shop.base}/desk/counts")
    page.fill("[name=skus]", "ALD-PN-2021")
    page.press("[name=skus]", "Enter")
    page.wait_for_url("**/desk/counts/*")
    look("count")
    page.get_by_text("Nobody will count this").click()
    page.get_by_role("button", name="Close it uncounted").click()


def many_at_once(page: Page, shop: Shop, look: Look) -> None:
    """The page that asks before a run, the run, the carrier's file with its results, and a day that was closed."""
    page.goto(f"{shop.base}/desk/queues/sales_order")
    page.locator(".box input").first.check()
    page.evaluate("document.getElementById('bulk').submit()")
    page.wait_for_url("**/acts")
    look("bulk-asks")
    page.get_by_role("button", name=re.compile("Make sales orders")).click()
    page.wait_for_url("**/desk/runs/*")
    look("run")
    page.goto(f"{shop.base}/desk/ship")
    rows = b"order,tracking\nCF-9,1Z999AA10123456784\n"
    page.set_input_files("input[type=file]", FilePayload(name="shipped.csv", mimeType="text/csv", buffer=rows))
    page.get_by_text("CSV of the carrier").click()
    page.get_by_role("button", name="Ship what is in the file").click()
    page.wait_for_url("**/ship/file/*")
    look("ship-file")
    page.goto(f"{shop.base}/desk/close")
    if page.get_by_role("button", name=re.compile("^Close ")).count():
        page.get_by_role("button", name=re.compile("^Close ")).click()
        page.wait_for_url("**/desk/close?day=*")
    look("close-frozen")


def an_invitation(page: Page, shop: Shop, look: Look, email: str) -> None:
    """The page on which an invited colleague chooses a password."""
    page.goto(f"{shop.base}/desk/settings/staff")
    page.get_by_label("Name").fill("Odile Marsh")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the invitation").click()
    page.goto(page.locator(".set-secret").inner_text())
    look("welcome")


def the_dialogs(page: Page, shop: Shop, look: Look) -> None:
    """Every dialog of the desk, opened by its key."""
    dialogs = {"keys": ("?", "#keys"), "palette": ("Control+k", "#palette"), "hold": (ACT["hold"], "#hold-dialog"),
               "money": (ACT["charge"], "#sure")}  # fmt: skip
    page.goto(f"{shop.base}/desk/queues/charge")
    chosen = page.locator("#list .row .n").first.get_attribute("href")  # on a phone no order is, until one is asked for
    for name, (key, opened) in dialogs.items():
        page.goto(f"{shop.base}{chosen}")
        page.keyboard.press(key)
        expect(page.locator(opened)).to_be_visible()
        look(f"dialog-{name}")
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
    page.goto(f"{shop.base}/desk/queues/charge")
    page.keyboard.press("x")
    expect(page.locator("#list .box input:checked")).to_have_count(1)
    page.keyboard.press(ACT["charge"])
    expect(page.locator("#asks")).to_be_visible()
    look("dialog-many")
    page.keyboard.press("Escape")


def our_faults(page: Page, shop: Shop, look: Look) -> None:
    """What is said when something broke on our side, or the database is away: our page, from the shop's address."""
    for status in (500, 503):
        drawn = error_page(RequestFactory().get("/desk/queues/review"), status, "", reference="7F3A91C2")
        # The status itself would stand in the browser's console as an error.
        page.route(f"**/fault-{status}", partial(_answer, body=drawn.content))
        page.goto(f"{shop.base}/fault-{status}")
        expect(page.locator("h1")).to_be_visible()
        look(f"error-{status}")


def _answer(route: Route, *, body: bytes) -> None:
    route.fulfill(body=body, content_type="text/html")
