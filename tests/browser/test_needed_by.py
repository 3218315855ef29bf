"""By when it is needed: asked at check-out, called about, and what was misspelt put right on the order's page."""

from __future__ import annotations

import contextlib
import re
import sqlite3

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.caller import Caller, day
from tests.browser.conftest import Shop, eventually, log_in, widths, window
from tests.browser.test_every_page import sideways
from tests.browser.test_the_story_in_a_browser import give_card, number_of, put_in_cart

pytestmark = pytest.mark.browser


def saved(shop: Shop, email: str) -> list[int]:
    """How many orders, customers and units kept for somebody the shop has of an address."""
    asks = (
        "SELECT count(*) FROM orders_order WHERE email = ?",
        "SELECT count(*) FROM customers_customer WHERE email = ?",
        "SELECT count(*) FROM orders_line l JOIN orders_order o ON o.id = l.order_id WHERE o.email = ?",
    )
    with contextlib.closing(sqlite3.connect(shop.facts["database_url"].removeprefix("sqlite:///"))) as file:
        return [file.execute(sql, [email]).fetchone()[0] for sql in asks]


def fill_in(page: Page, email: str, **address: str) -> None:
    """The check-out's form, all of it but the day."""
    page.fill("[name=name]", "Wynne Adair")
    page.fill("[name=email]", email)
    page.fill("[name=phone]", "+1 503 555 0177")
    for name, value in address.items():
        page.fill(f"[name='shipping_address.{name}']", value)
    page.check("[name=consent]")
    page.check("[name=age_declared]")


@pytest.mark.parametrize("width", widths(390))
def test_a_day_of_need_is_asked_at_check_out_and_the_customer_is_called_about_it(
    sqlite_shop: Shop, chromium: Browser, width: int
) -> None:
    base, email, wine = sqlite_shop.base, f"wynne-{width}@example.com", f"NEEDED-{width}"
    Caller(sqlite_shop, "needed").shelves(wine, f"Temple Red {width}", 6, age_restricted=True)
    with window(chromium, width=width) as customer, window(chromium, width=width if width > 600 else 1280) as clerk:
        page, desk = customer.page, clerk.page
        # A state that is not served is refused with its reason, as soon as it is known and when the order is placed.
        put_in_cart(page, base, wine, 2)
        page.goto(f"{base}/checkout")
        fill_in(page, email, street="12 Temple Way", city="Provo", state="UT", postcode="")
        # From the field straight to the button, which is held down while the sums come: it is not drawn away.
        page.locator("[name='shipping_address.postcode']").press_sequentially("84601")
        page.locator("#summary button.go").hover()
        with page.expect_response("**/checkout"):
            page.mouse.down()
        page.wait_for_timeout(200)
        with page.expect_navigation():
            page.mouse.up()
        expect(page.locator("#summary [role=alert]")).to_contain_text("Utah does not let us")
        expect(page.locator("fieldset .wrong")).to_contain_text("Utah does not let us")
        expect(page.locator("[name='shipping_address.street']")).to_have_value("12 Temple Way")
        assert sideways(page) <= 0
        customer.picture(f"checkout-not-served-{width}")
        assert saved(sqlite_shop, email) == [0, 0, 0]

        # To California it goes, and is asked when it is needed: what cannot be kept is said before anything is placed.
        fill_in(page, email, street="12 Vine Street", city="Napa", state="CA", postcode="94558")
        page.fill("[name=needed_by]", day(1))
        page.press("[name=needed_by]", "Tab")
        expect(page.locator("#summary")).to_contain_text("we call you with what can be done")
        expect(page.locator("#summary")).to_contain_text("by Ground")
        customer.picture(f"checkout-needed-by-{width}")
        page.locator("#summary button.go").click()
        page.wait_for_url("**/sandbox/pay/**")
        give_card(page, "4242")
        number = number_of(page)
        assert saved(sqlite_shop, email) == [1, 1, 1]

        # The review compares the promise with it; once approved, the call is next: whom, why, and what to offer.
        log_in(desk, base, "tobias@example.com")
        desk.goto(f"{base}/desk/queues/review?order={number}")
        expect(desk.locator("#aside .act")).to_contain_text("Needed by")
        desk.keyboard.press("a")
        expect(desk.locator("#aside .stub")).not_to_contain_text(number)
        eventually(lambda: desk.goto(f"{base}/desk/queues/call") is not None and desk.get_by_text(number).count() > 0)
        desk.goto(f"{base}/desk/queues/call?order={number}")
        sheet = desk.locator("#aside .call")
        expect(sheet.get_by_role("link", name="+1 503 555 0177")).to_have_attribute("href", re.compile("^tel:"))
        expect(sheet).to_contain_text("They need it by")
        offer = sheet.locator("button[data-key='1']")
        expect(offer).to_contain_text(re.compile("Express|Pick"))
        clerk.picture("call-needed-by-1280")

        # "Ring me in an hour": a time that has passed is told at its field, and Enter there is no yes to anything.
        desk.keyboard.press("t")
        back = desk.get_by_label("Call back at")
        expect(back).to_be_focused()
        back.fill("2020-01-02T10:30")
        desk.keyboard.press("Enter")
        expect(desk.locator("#call-back .wrong")).to_contain_text("is in the past")
        desk.get_by_label("What they said").fill("in the car")
        back.fill(f"{day(7)}T10:30")
        back.press("Enter")
        expect(desk.locator("#aside .stub")).not_to_contain_text(number)

        # They ring themselves: one key takes the offer, the order leaves the queue, and its delivery is the faster one.
        desk.goto(f"{base}/desk/queues/call?order={number}")
        expect(sheet).to_contain_text("asked to be called back: in the car")
        with desk.expect_response("**/acts/take-offer"):
            desk.keyboard.press("1")
        desk.goto(f"{base}/desk/orders/{number}?show=contacts")
        expect(desk.locator("#timeline")).to_contain_text("Called: they take")
        expect(desk.locator(".slip")).not_to_contain_text("They need it by")
        page.reload()
        expect(page.locator(".slip")).not_to_contain_text("Ground")
        desk.goto(f"{base}/desk/queues/call")
        expect(desk.locator("#list")).not_to_contain_text(number)
        # What is refused with 409 and 422 the browser's console calls an error; those were meant.
        assert [c for c in customer.complaints + clerk.complaints if not re.search(" 4(09|22) ", c)] == []


@pytest.mark.parametrize("width", widths(1280))
def test_what_was_misspelt_is_put_right_on_the_orders_page(sqlite_shop: Shop, chromium: Browser, width: int) -> None:
    base = sqlite_shop.base
    caller = Caller(sqlite_shop, f"right{width}")
    caller.shelves(f"RIGHT-{width}", f"Mill Lane White {width}", 3)
    number = caller.places({f"RIGHT-{width}": 1}, gift_message="Happy birthday")
    meant = f"june.meant.{width}@example.com"
    with window(chromium, width=width) as clerk:
        page, press, say = clerk.page, clerk.page.keyboard.press, clerk.page.keyboard.type
        log_in(page, base, "mara@example.com")
        page.goto(f"{base}/desk/orders/{number}")

        def change(label: str, text: str) -> None:
            field = page.locator("#details").get_by_label(label)
            field.focus()
            press("Control+a")
            say(text)

        # Name, e-mail, telephone and gift note, by one key; what is wrong is told at its field, and nothing is lost.
        press("Y")
        expect(page.locator("#details").get_by_label("Name")).to_be_focused()
        change("Name", "Juno Harper")
        change("E-mail", meant)
        change("Telephone", "4242 4242 4242 4242")
        press("Enter")
        expect(page.locator("#details .wrong")).to_have_count(1)
        expect(page.locator("#details .field", has_text="Telephone")).to_contain_text("looks like a card number")
        expect(page.locator("#details").get_by_label("Telephone")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#details").get_by_label("E-mail")).to_have_value(meant)
        expect(page.locator(".slip .amount")).not_to_contain_text("Juno")
        assert sideways(page) <= 0
        clerk.picture(f"details-wrong-{width}")
        change("Telephone", "+1 503 555 0144")
        press("Enter")
        expect(page.locator("#who .reach")).to_contain_text(meant)
        expect(page.locator(".slip .amount")).to_contain_text("Juno Harper")
        expect(page.locator("#timeline")).to_contain_text(f"E-mail {meant} instead of right{width}-1@example.com")

        # Our note on the customer, and the day of need.
        press("K")
        expect(page.get_by_label("Our note on this customer")).to_be_focused()
        say("The gate is at the back.")
        page.get_by_label("They like to be asked by").select_option("phone")
        page.locator("#customer-note button").press("Enter")
        expect(page.locator(".glance .our-note")).to_contain_text("The gate is at the back.")
        press("D")
        expect(page.locator("#needed-by [name=needed_by]")).to_be_focused()
        far = page.locator("#needed-by [name=needed_by]")
        far.fill("9999-01-01")
        far.press("Enter")
        expect(page.locator("#needed-by .wrong")).to_contain_text("is too far away")
        far.fill(day(60))
        far.press("Enter")
        expect(page.locator("#who")).to_contain_text("needed by")

        # Where it goes is part of what they agreed to: a change of the order. A wrong one is told at its field.
        press("e")
        page.wait_for_url("**/amend")
        page.get_by_text("Another address").click()
        page.fill("[name='address.street']", "2 Mill Lane")
        page.fill("[name='address.postcode']", "ABC")
        page.get_by_role("button", name="Show what that does").click()
        expect(page.locator(".field", has=page.locator("[name='address.postcode']")).locator(".wrong")).to_be_visible()
        expect(page.locator("[name='address.street']")).to_have_value("2 Mill Lane")
        assert sideways(page) <= 0
        clerk.picture(f"address-wrong-{width}")
        page.fill("[name='address.postcode']", "94558")
        page.get_by_role("button", name="Show what that does").click()
        expect(page.locator("#drawn")).to_contain_text("2 Mill Lane")
        page.get_by_role("button", name="Change the order").click()
        page.wait_for_url(re.compile(r"/desk/orders/CF-\d+(#.*)?$"))
        expect(page.locator("#who address").first).to_contain_text("2 Mill Lane")
        expect(page.locator("#changes")).to_contain_text("agreed on the telephone")

        # What is mailed from now on goes where they meant it.
        page.locator("[data-next] button.go").click()
        expect(page.get_by_text("is told that it ships")).to_be_visible()
        eventually(lambda: any("ships" in mail["subject"] for mail in sqlite_shop.mails(to=meant)), 120)
        assert [c for c in clerk.complaints if " 422 " not in c] == []
    caller.send(f"orders/{number}/cancellation", {"reason": "the shop is tidied up"})
