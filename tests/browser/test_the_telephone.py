"""On the telephone: an order from the ring to the saved card, and a queue of calls worked off, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Shop, log_in, widths, window
from tests.browser.test_every_page import sideways
from tests.browser.test_slow_answers import until
from tests.browser.test_the_story_in_a_browser import eventually, give_card

pytestmark = pytest.mark.browser


def link_for(shop: Shop, email: str, number: str) -> str:
    """The address of the card page in the customer's mail, once it is there."""
    found: list[str] = []

    def mailed() -> bool:
        for mail in shop.mails(to=email):
            if number in mail["subject"]:
                found.extend(re.findall(r"https?://\S+/orders/[\w-]+/pay", str(mail)))
        return bool(found)

    eventually(mailed, 120)  # behind the mails of the demo's whole past
    return found[0]


@pytest.mark.parametrize("width", widths(1280))
def test_an_order_is_taken_by_keyboard_while_they_talk_and_the_card_comes_by_the_link(
    sqlite_shop: Shop, chromium: Browser, width: int
) -> None:
    with window(chromium, width=width) as clerk, window(chromium, width=390) as customer:
        page = clerk.page
        # Requests are stopped from the first page on: one that follows upon the order to stop it may slip by.
        page.route("**/desk/orders/**", lambda route: route.fallback())
        log_in(page, sqlite_shop.base, "mara@example.com")
        page.goto(f"{sqlite_shop.base}/desk/orders/new")
        expect(page.locator("[name=who]")).to_be_focused()
        page.keyboard.type("(503) 555-0101")
        page.keyboard.press("Enter")
        expect(page.locator(".known")).to_contain_text("Zoë Brontë")
        expect(page.locator("[name=wine]")).to_be_focused()
        page.keyboard.type("2 tern sauv")
        page.keyboard.press("Enter")
        expect(page.locator(".tel-lines li")).to_have_count(1)
        page.keyboard.type("cork")
        expect(page.locator("#wines .find-it")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        held: list[Route] = []
        page.route("**/desk/orders/new", lambda route: held.append(route), times=1)  # noqa: PLW0108 (a builtin is refused)
        with page.expect_request("**/desk/orders/new"):
            page.keyboard.press("Enter")
        # They talk on before the answer is here: what is typed meanwhile stays.
        page.locator("[name=comment]").press_sequentially("Ring twice")
        until(page, held)
        held[0].continue_()
        expect(page.locator(".tel-lines li")).to_have_count(2)
        expect(page.locator("[name=comment]")).to_have_value("Ring twice")
        expect(page.locator("[name=comment]")).to_be_focused()
        expect(page.locator("#sums .aloud")).to_contain_text("We can ship it")
        # The number that was said last is worked out, though the answer to the one before was under way.
        units = page.locator(".tel-lines input").first
        page.route("**/desk/orders/new", lambda route: held.append(route), times=1)  # noqa: PLW0108
        units.fill("4")
        until(page, held, 2)
        units.fill("3")
        page.wait_for_timeout(600)  # as long as the page waits for another digit
        held[1].continue_()
        expect(page.locator("#sums .lines td").first).to_contain_text("3 ×")
        # A state that is not served is named before the clerk goes on asking.
        state = page.locator("[name='shipping_address.state']")
        served = state.input_value()
        state.fill("Utah")
        state.press("Tab")
        expect(page.locator("#served")).to_contain_text("Utah does not let us")
        state.fill(served)
        state.press("Tab")
        expect(page.locator("#served .say")).to_have_count(0)
        page.locator("[name=needed_by]").focus()
        before = page.locator("#sums .total").inner_text()
        express = page.get_by_label(re.compile("Express"))
        express.focus()
        page.keyboard.press("Space")
        expect(page.locator("#sums .total")).not_to_have_text(before)
        page.locator("[name=age_declared]").focus()
        page.keyboard.press("Space")
        page.locator("button[value=place]").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/placed")
        number = page.url.split("/")[-2]
        expect(page.locator(".aloud")).to_contain_text(number)
        assert sideways(page) <= 0
        # They open the mail while the clerk is on the line: the page learns of it by itself.
        customer.page.goto(link_for(sqlite_shop, "zoe@example.com", number))
        expect(page.locator("#card")).to_contain_text("they have the page open")
        give_card(customer.page, "4242")
        expect(page.locator("#card")).to_contain_text("card saved")
        clerk.picture(f"telephone-placed-{width}")
        page.goto(f"{sqlite_shop.base}/desk/orders/new")
        page.keyboard.type("bront")
        # Other tests of the same shop leave customers of that name; the first of them is taken.
        expect(page.locator("#people .find-it").first).to_contain_text("Brontë")
        page.keyboard.press("Enter")
        expect(page.locator(".known")).to_contain_text("Brontë")
        page.keyboard.type("6 ries")
        expect(page.locator("#wines .find-it").first).to_be_visible()
        assert sideways(page) <= 0
        assert clerk.complaints == []
        clerk.picture(f"telephone-{width}")


def test_calls_are_worked_off_by_keyboard(sqlite_shop: Shop, chromium: Browser) -> None:
    with window(chromium) as clerk:
        page = clerk.page
        log_in(page, sqlite_shop.base, "tobias@example.com")
        page.goto(f"{sqlite_shop.base}/desk/queues/call")
        rows = page.locator("#list .row")
        expect(rows).to_have_count(3)
        numbers = [str(row.get_attribute("data-order")) for row in rows.all()]
        expect(page.locator("#aside .ring")).to_be_visible()
        # The first prefers the telephone, and our question is open: the key of a choice answers it.
        expect(page.locator("#aside")).to_contain_text("prefers the telephone")
        page.keyboard.press("1")
        expect(page.locator("#aside .stub")).to_contain_text(numbers[1])
        # The second does not answer, and the third takes what costs nothing: to have it sooner.
        page.keyboard.press("0")
        expect(page.locator("#aside .stub")).to_contain_text(numbers[2])
        expect(page.locator("#aside")).to_contain_text("ship it sooner")
        page.keyboard.press("1")
        expect(page.locator("#aside")).not_to_contain_text("ship it sooner")
        stands = {}
        for number in numbers:
            page.goto(f"{sqlite_shop.base}/desk/orders/{number}?show=contacts")
            stands[number] = page.locator("#timeline").inner_text()
        assert "Called about our question" in stands[numbers[0]]
        assert "no answer, again" in stands[numbers[1]]
        assert "Called: they take" in stands[numbers[2]]
        page.goto(f"{sqlite_shop.base}/desk/queues/call")
        expect(page.locator("#list .row")).to_have_count(0)
        page.goto(f"{sqlite_shop.base}/desk/orders/{numbers[1]}")
        expect(page.locator(".slip")).to_contain_text("Ring again")
        assert clerk.complaints == []
        clerk.picture("calls-ring-again-1280")
    judged = sqlite_shop.command("verify")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_a_call_fits_a_telephones_screen(sqlite_shop: Shop, chromium: Browser) -> None:
    with window(chromium, width=390, dark=True) as clerk:
        page = clerk.page
        log_in(page, sqlite_shop.base)
        page.goto(f"{sqlite_shop.base}/desk/queues/promise")
        resting = page.locator("#list .row", has_text="Ruth Abernathy").get_attribute("data-page")
        page.goto(f"{sqlite_shop.base}{resting}")
        expect(page.locator(".ring")).to_be_visible()
        assert sideways(page) <= 0
        clerk.picture("call-390-dark")
        page.get_by_role("button", name="They accept the day").click()
        page.wait_for_load_state()
        expect(page.locator("#timeline")).to_contain_text("The customer accepts")
        assert clerk.complaints == []
