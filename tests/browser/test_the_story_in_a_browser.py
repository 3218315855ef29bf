"""The nine steps once more, as the customer and the clerk see them: pages, a hosted card page, mails."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from counterfoil.gateways.carrier import check_digits
from tests.browser.conftest import EVERYTHING, Shop, log_in, window

pytestmark = [pytest.mark.browser, pytest.mark.story]


def put_in_cart(page: Page, base: str, sku: str, quantity: int = 1) -> None:
    page.goto(f"{base}/products/{sku}")
    if quantity > 1:
        page.fill("[name=quantity]", str(quantity))
    page.get_by_role("button", name=re.compile("cart", re.IGNORECASE)).first.click()
    page.wait_for_load_state()


def check_out(page: Page, base: str, email: str) -> None:
    page.goto(f"{base}/checkout")
    for name, value in {
        "name": "Zoë Brontë",
        "email": email,
        "shipping_address.street": "12 Vine Street",
        "shipping_address.city": "Napa",
        "shipping_address.state": "CA",
        "shipping_address.postcode": "94558",
    }.items():
        page.fill(f"[name='{name}']", value)
    page.check("[name=consent]")
    page.check("[name=age_declared]")
    # Only what is seen is agreed to: the total for this address is there before the button is pressed.
    expect(page.locator("#summary")).not_to_contain_text("before tax")
    page.get_by_role("button", name=re.compile("Place the order")).click()
    page.wait_for_url("**/sandbox/pay/**")


def give_card(page: Page, which: str) -> None:
    """Choose one of the hosted page's test cards by what stands beside it, and press its button."""
    page.get_by_label(re.compile(which)).check()
    page.locator("form button[type=submit], form button:not([type])").first.click()
    page.wait_for_url("**/orders/**")


def next_action(page: Page) -> str:
    """Press the one accent button; gives what it said."""
    button = page.locator("button.go:visible").first
    said = button.inner_text()
    if button.evaluate("one => Boolean(one.form?.hasAttribute('hx-post'))"):
        with page.expect_response("**/acts/*"):
            button.click()
    else:
        button.click()
        page.wait_for_load_state()
    return said


def ups_label(order: str, kind: str) -> str:
    """A number of UPS for an order, with the check digit that fits."""
    bare = f"1Z999AA{kind}{order[3:]:0>9}"
    return next(f"{bare}{last}" for last in range(10) if check_digits.ups(f"{bare}{last}"))


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.2)


def number_of(page: Page) -> str:
    found = re.search(r"CF-\d+", page.locator(".stub").first.inner_text())
    assert found
    return found.group()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"] if EVERYTHING else ["sqlite"])
def test_an_order_walks_through_the_pages_from_the_click_to_the_door(
    database: str, request: pytest.FixtureRequest, chromium: Browser
) -> None:
    shop: Shop = request.getfixturevalue(f"{database}_shop")
    email = f"zoe-{database}@example.com"
    with window(chromium) as customer, window(chromium) as clerk:
        page, desk = customer.page, clerk.page
        # The customer: from the shelf to the card page and back. Nothing is charged.
        put_in_cart(page, shop.base, "QUI-RI-2022")
        check_out(page, shop.base, email)
        customer.picture("card-page")
        give_card(page, "4242")
        number = number_of(page)
        expect(page.locator("main")).to_contain_text("Your card has not been charged yet")
        their_page = page.url

        # The clerk: review, charge, pick, pack, ship. Each press is the one next action, which says what it does.
        log_in(desk, shop.base)
        desk.goto(f"{shop.base}/desk/orders/{number}")
        assert "Approve" in next_action(desk)
        desk.goto(f"{shop.base}/desk/orders/{number}")
        with desk.context.expect_page() as packet:
            said = next_action(desk)
            # Where the bank takes longer than a browser remembers a press, the packet's button has the focus.
            desk.locator("form[data-packet][data-begun]").wait_for()
            if desk.locator("form[data-packet] button:focus").count():
                desk.keyboard.press("Enter")
        packet.value.close()
        assert said.startswith("Charge $")
        assert "print packet" in said
        clerk.picture("order-charged")
        for words in ("Picked", "Packed"):
            desk.goto(f"{shop.base}/desk/orders/{number}")
            assert words in next_action(desk)
        desk.goto(f"{shop.base}/desk/orders/{number}")
        desk.locator("[name=tracking_number]:visible").fill(ups_label(number, "1"))
        assert "Shipped" in next_action(desk)

        # The customer reads where it is, and has the papers.
        page.goto(their_page)
        expect(page.locator("main")).to_contain_text("1Z999AA1")
        customer.picture("customer-shipped")
        assert page.locator("a[href*='tracknum'], a[href*='ups.com']").count() >= 1
        assert page.locator("a[href$='.pdf']").count() >= 3
        eventually(lambda: len(shop.mails(to=email)) == 3)
        desk.goto(f"{shop.base}/desk/orders/{number}")
        assert "Delivered" in next_action(desk)
        page.goto(their_page)
        expect(page.locator("main")).to_contain_text("elivered")
        assert customer.complaints == []
        assert clerk.complaints == []
    judged = shop.command("verify")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_a_card_that_declines_is_replaced_by_the_customer_and_the_order_goes_on(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    with window(chromium, width=390) as customer, window(chromium) as clerk:
        page, desk = customer.page, clerk.page
        put_in_cart(page, sqlite_shop.base, "QUI-RI-2022")
        check_out(page, sqlite_shop.base, "declined@example.com")
        give_card(page, "decline")
        number, their_page = number_of(page), page.url
        log_in(desk, sqlite_shop.base)
        desk.goto(f"{sqlite_shop.base}/desk/orders/{number}")
        next_action(desk)
        desk.goto(f"{sqlite_shop.base}/desk/orders/{number}")
        next_action(desk)
        expect(desk.locator("body")).to_contain_text(re.compile("declined", re.IGNORECASE))
        clerk.picture("charge-declined")

        page.goto(their_page)
        customer.picture("customer-declined-390")
        page.locator("form[action$='/pay'] button").first.click()
        page.wait_for_url("**/sandbox/pay/**")
        give_card(page, "4242")
        page_of = f"{sqlite_shop.base}/desk/orders/{number}"
        eventually(lambda: desk.goto(page_of) is not None and desk.locator("button.go", has_text="Picked").count() > 0)


def test_a_question_is_asked_at_the_desk_and_answered_on_the_customers_page(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    with window(chromium) as customer, window(chromium) as clerk:
        page, desk = customer.page, clerk.page
        put_in_cart(page, sqlite_shop.base, "COP-SY-2020", 2)
        check_out(page, sqlite_shop.base, "asked@example.com")
        give_card(page, "4242")
        number, their_page = number_of(page), page.url
        log_in(desk, sqlite_shop.base)
        desk.goto(f"{sqlite_shop.base}/desk/orders/{number}")
        next_action(desk)
        desk.goto(f"{sqlite_shop.base}/desk/orders/{number}/proposals/new")
        desk.select_option("#f-kind-0", "substitute")
        desk.select_option("#f-line-0", index=1)
        desk.fill("#f-sku-0", "ALD-PN-2021")
        desk.fill("#f-quantity-0", "2")
        desk.get_by_role("button", name="Ask the customer").click()
        desk.wait_for_load_state()
        clerk.picture("question-asked")
        page.goto(their_page)
        expect(page.locator("#question")).to_contain_text("Alder Ridge")
        customer.picture("customer-question")
        page.locator("#question button").first.click()
        page.wait_for_load_state()
        page.goto(their_page)
        expect(page.locator(".slip")).to_contain_text("Alder Ridge Pinot Noir 2021")
        desk.goto(f"{sqlite_shop.base}/desk/orders/{number}")
        expect(desk.locator("button.go:visible").first).to_contain_text("Charge $")
