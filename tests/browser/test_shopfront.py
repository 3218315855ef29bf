"""The shop as its customers use it: found, ordered as a guest or with an account, followed, understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Shop, eventually, log_in, mailed_link, widths, window
from tests.browser.test_every_page import sideways

pytestmark = pytest.mark.browser
WIDTHS = pytest.mark.parametrize("width", widths(390))
FIRST_VIEW = 100_000  # bytes over all resources
ADDRESS = {"street": "1 Mill Lane", "city": "Napa", "state": "CA", "postcode": "94558"}
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((e) => { sum += e.value; }))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 400);
})"""


def first_view(browser: Browser, address: str, cookies: Sequence[Any] = ()) -> tuple[int, float]:
    """Bytes that a phone fetches to show a page for the first time, and by how much the page moved while it did.

    `cookies` are those of somebody who has a cart, or is logged in; nothing else is known to the browser.
    """
    with window(browser, width=390) as seen:
        seen.page.context.add_cookies([*cookies])
        wire = seen.page.context.new_cdp_session(seen.page)
        wire.send("Network.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda event: sizes.append(float(event["encodedDataLength"])))
        seen.page.goto(address, wait_until="networkidle")
        assert seen.page.url == address
        return int(sum(sizes)), float(seen.page.evaluate(SHIFTS))


def make_an_account(page: Page, shop: Shop, email: str) -> None:
    """By the link that is mailed."""
    page.goto(f"{shop.base}/account/new")
    page.fill("[name=email]", email)
    page.press("[name=email]", "Enter")
    page.goto(mailed_link(shop, email, "Your account"))
    page.fill("[name=name]", "June Harper")
    page.fill("[name=password]", "three odd words")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/account/")


def a_customer(browser: Browser, shop: Shop) -> tuple[list[Any], str]:
    """The cookies of somebody with an account and a cart, and the address of their order's page."""
    email = "light@example.com"
    with window(browser) as seen:
        page = seen.page
        make_an_account(page, shop, email)
        put_in_the_cart(page, shop.base, "ALD-PN-2022")
        page.goto(f"{shop.base}/checkout")
        for name, value in ADDRESS.items():
            page.fill(f"[name='shipping_address.{name}']", value)
        place(page)
        theirs = page.url
        put_in_the_cart(page, shop.base, "ALD-PN-2022")
        return [*page.context.cookies()], theirs


def put_in_the_cart(page: Page, base: str, sku: str) -> None:
    page.goto(f"{base}/products/{sku}")
    page.get_by_role("button", name="Put in the cart").click()
    page.wait_for_url("**/cart")


def place(page: Page) -> None:
    """Tick what must be ticked, place the order, and give the card at the processor's page."""
    page.check("[name=consent]")
    page.check("[name=age_declared]")
    # Only what is seen is agreed to: the total for this address is there before the button is pressed.
    expect(page.locator("#summary")).not_to_contain_text("before tax")
    page.get_by_role("button", name=re.compile("Place the order")).click()
    page.wait_for_url("**/sandbox/pay/**")
    page.locator("form button[type=submit], form button:not([type])").first.click()
    page.wait_for_url("**/orders/**")


def test_the_first_view_is_light_and_stands_still(sqlite_shop: Shop, chromium: Browser) -> None:
    base = sqlite_shop.base
    cookies, theirs = a_customer(chromium, sqlite_shop)
    figures = {p: first_view(chromium, f"{base}{p}") for p in ("/", "/?q=riesling", "/products/ALD-PN-2022")}
    figures |= {p: first_view(chromium, f"{base}{p}", cookies) for p in ("/cart", "/checkout", "/account/")}
    figures["the customer's page"] = first_view(chromium, theirs)
    print(figures)
    assert {p: size for p, (size, _) in figures.items() if size > FIRST_VIEW} == {}
    assert {p: shift for p, (_, shift) in figures.items() if shift > 0} == {}


@WIDTHS
def test_a_guest_finds_narrows_orders_and_writes_to_the_shop(sqlite_shop: Shop, chromium: Browser, width: int) -> None:
    shop, email = sqlite_shop, f"guest-{width}@example.com"
    with window(chromium, width=width, dark=width < 600) as seen:
        page = seen.page
        page.goto(shop.base)
        page.fill("#seek", "riesling")
        page.press("#seek", "Enter")
        page.wait_for_url("**q=riesling**")
        before = page.locator(".shelf li").count()
        if width < 600:
            page.get_by_text("Narrow it down").click()
        tick = page.locator("[name=in_stock]")
        tick.check()
        page.wait_for_url("**in_stock=yes**")
        expect(tick).to_be_focused()
        expect(page.locator(".shelf li")).not_to_have_count(0)
        assert page.locator(".shelf li").count() <= before
        page.locator(".shelf a").first.click()
        expect(page.locator(".buy .pill")).to_be_visible()
        page.get_by_role("button", name="Put in the cart").click()
        page.wait_for_url("**/cart")
        page.goto(f"{shop.base}/checkout")
        for name, value in {
            "name": "Zoë Brontë", "email": email, "shipping_address.street": "12 Vine Street",
            "shipping_address.city": "Napa", "shipping_address.state": "CA", "shipping_address.postcode": "94558",
        }.items():  # fmt: skip
            page.fill(f"[name='{name}']", value)
        page.press("[name='shipping_address.postcode']", "Tab")
        expect(page.locator("#summary")).not_to_contain_text("before tax")
        seen.picture(f"checkout-{width}")
        place(page)
        expect(page.get_by_text("Your card has not been charged yet")).to_be_visible()
        page.fill("[name=message]", "Please ring twice.")
        page.get_by_role("button", name="Send it to the shop").click()
        expect(page.get_by_role("status")).to_contain_text("We have it")
        expect(page.locator(".told")).to_contain_text("You wrote: Please ring twice.")
        assert sideways(page) <= 0
        seen.picture(f"customer-order-{width}")
        number = re.search(r"CF-\d+", page.locator(".stub").first.inner_text())
        assert number
        log_in(page, shop.base)
        page.goto(f"{shop.base}/desk/orders/{number.group()}")
        expect(page.get_by_text("Please ring twice.").first).to_be_visible()
        assert seen.complaints == []


@WIDTHS
def test_an_account_is_made_by_mail_orders_and_gets_a_new_password(
    sqlite_shop: Shop, chromium: Browser, width: int
) -> None:
    shop, email = sqlite_shop, f"june-{width}@example.com"
    caller = Caller(shop, f"guest{width}")
    # Two orders as a guest, one of them with the address in capitals, and one of somebody else.
    mine = [{"name": "June Harper", "email": spelt} for spelt in (email, email.upper())]
    earlier = [caller.places({"ALD-PN-2022": 1}, customer=customer) for customer in mine]
    others = caller.places({"ALD-PN-2022": 1}, customer={"name": "June Harper", "email": f"other-{email}"})
    with window(chromium, width=width, dark=width > 600) as seen:
        page = seen.page
        make_an_account(page, shop, email)
        _claims(page, shop, email, earlier, others)
        page.get_by_role("link", name="Add an address").click()
        for name, value in {"street": "1 Mill Lane", "city": "Napa", "state": "CA", "postcode": "94558"}.items():
            page.fill(f"[name='address.{name}']", value)
        page.get_by_role("button", name="Keep the address").click()
        expect(page.locator(".own-addresses")).to_contain_text("1 Mill Lane")
        page.get_by_role("button", name="Log out").click()
        put_in_the_cart(page, shop.base, "ALD-PN-2022")
        page.goto(f"{shop.base}/account/login?next=/checkout")
        page.fill("[name=email]", email)
        page.fill("[name=password]", "three odd words")
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/checkout")
        expect(page.locator("[name='shipping_address.street']")).to_have_value("1 Mill Lane")
        place(page)
        page.goto(f"{shop.base}/account/")
        expect(page.locator(".own-orders li")).to_have_count(3)
        assert sideways(page) <= 0
        seen.picture(f"account-{width}")
        page.goto(f"{shop.base}/account/reset")
        page.fill("[name=email]", email)
        page.press("[name=email]", "Enter")
        page.goto(mailed_link(shop, email, "Choose a new password"))
        page.fill("[name=password]", "four other odd words")
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/account/")
        page.goto(f"{shop.base}/desk/")
        assert "/desk/login" in page.url
        assert [c for c in seen.complaints if " 404 " not in c] == []  # a link that was no good


def _claims(page: Page, shop: Shop, email: str, earlier: Sequence[str], others: str) -> None:
    """Earlier orders come into the account by the mailed link and its button alone; those of others never."""
    home, own = page.url, page.locator(".own-orders li")
    expect(page.get_by_text("No orders yet")).to_be_visible()
    page.get_by_role("button", name="Mail me a link to bring").click()
    expect(page.get_by_role("status")).to_contain_text(f"We have sent a link to {email}")
    expect(own).to_have_count(0)
    link = mailed_link(shop, email, "Your earlier orders")
    page.goto(f"{link[:-4]}beef")
    expect(page.locator("main")).to_contain_text("no longer good")
    # A mail program that looks at the link brings nothing.
    assert page.request.get(link).ok
    page.goto(home)
    expect(own).to_have_count(0)
    page.goto(link)
    expect(page.locator("main")).to_contain_text(email)
    page.get_by_role("button", name="Bring them into my account").click()
    expect(page.get_by_role("status")).to_contain_text("2 earlier orders came into your account")
    expect(own).to_have_count(2)
    for number in earlier:
        expect(own.filter(has_text=number)).to_have_count(1)
    expect(page.locator("main")).not_to_contain_text(others)
    own.filter(has_text=earlier[0]).get_by_role("link").click()
    expect(page.locator(".stub").first).to_contain_text(earlier[0])
    page.goto(home)


@WIDTHS
def test_how_it_works_is_told_and_one_order_followed(sqlite_shop: Shop, chromium: Browser, width: int) -> None:
    with window(chromium, width=width, dark=width < 600) as seen:
        page = seen.page
        page.goto(f"{sqlite_shop.base}/how-it-works")
        expect(page.locator(".way > li")).to_have_count(10)
        coins = page.locator(".coin").evaluate_all("all => all.map(c => c.getBoundingClientRect().left)")
        assert coins == sorted(coins)
        assert coins[0] < coins[5] < coins[-1]
        assert sideways(page) <= 0
        page.get_by_role("link", name="Follow one order through it").click()
        paper = page.locator(".papers img").first
        paper.scroll_into_view_if_needed()
        eventually(lambda: bool(paper.evaluate("i => i.complete && i.naturalWidth > 100")))
        page.locator("details.mail summary").first.click()
        expect(page.frame_locator("details.mail iframe").first.locator("h1")).to_contain_text("We have your order")
        pair = page.locator("#arrives details.screens")
        expect(pair.locator(".pair")).to_be_hidden()
        pair.locator("summary").press("Enter")
        expect(pair.locator("figure")).to_have_count(2)
        expect(pair.locator(".pair")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator("#filed .pair")).to_be_visible()  # printed, they are all there
        page.emulate_media(media="screen")
        expect(page.locator("#arrives .where")).to_contain_text("$0.00 taken so far")
        expect(page.locator("#filed .where")).not_to_contain_text("$0.00")
        assert sideways(page) <= 0
        seen.picture(f"follow-one-order-open-{width}")
        assert seen.complaints == []
