"""Many orders by keyboard: a filter that is kept, dates of their own, charges and refunds with a result per row."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Shop, eventually, log_in, widths, window
from tests.browser.test_every_page import sideways

pytestmark = pytest.mark.browser


def results(page: Page) -> Locator:
    """A run's results, once it is done: a row per order."""
    expect(page.locator("#run")).not_to_have_attribute("hx-trigger", re.compile(".*"), timeout=60_000)
    return page.locator("#run .results li")


def ask_about_all(page: Page, key: str) -> Locator:
    """Tick all, press the act's key; the dialog that names count and sums."""
    page.keyboard.press("X")
    page.keyboard.press(key)
    asks = page.locator("#asks")
    expect(asks.locator("h1")).to_be_visible()
    return asks


def from_the_rail(page: Page, words: str) -> None:
    """Press what the rail has; on a phone it is behind "Queues"."""
    menu = page.locator(".menu > summary")
    if menu.is_visible():
        menu.click()
    page.get_by_role("link", name=words).locator("visible=true").click()


def money(page: Page, what: str) -> Locator:
    """A figure of the order's money."""
    return page.locator("#money .figures tr", has_text=re.compile(f"^{what}")).locator("td").last


@pytest.mark.parametrize("width", widths(1280))
def test_a_kept_filters_orders_are_approved_charged_and_refunded_by_keyboard_with_a_result_for_each(
    sqlite_shop: Shop, chromium: Browser, width: int
) -> None:
    channel = f"many{width}"
    other_shop = Caller(sqlite_shop, channel)
    here, bought = f"MANY-{width}-HERE", f"MANY-{width}-BOUGHT"
    other_shop.shelves(here, f"Tally House Red {width}", 40)
    other_shop.shelves(bought, f"Tally House White {width}", lead_time_days=9, sell_when_out="backorder")
    dollars = other_shop.places({here: 2})
    euros = other_shop.places({here: 3}, currency="EUR")
    poor = other_shop.places({here: 1}, card="pm_card_chargeCustomerFail")
    later = other_shop.places({bought: 2})
    held = other_shop.places({here: 1})
    orders = [dollars, euros, poor, later, held]
    with window(chromium, width=width) as clerk:
        page, press, say = clerk.page, clerk.page.keyboard.press, clerk.page.keyboard.type
        log_in(page, sqlite_shop.base, "mara@example.com")

        # A run that has not begun shows how far it is, and one press takes all of it back.
        sqlite_shop.decides(undo_seconds=600)
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch={channel}")
        asks = ask_about_all(page, "a")
        expect(asks.locator("h1")).to_have_text(re.compile(r"^Approve 5 orders · €\d+\.\d\d and \$\d+\.\d\d$"))
        clerk.picture(f"bulk-approve-{width}", whole=False)
        press("Enter")
        page.wait_for_url("**/desk/runs/*")
        expect(page.locator("#run h1")).to_have_text("Approve: 0 of 5 orders")
        expect(page.get_by_role("progressbar")).to_have_attribute("max", "5")
        # It is drawn anew every second, and neither the focus nor a button that is held down are taken away.
        undo = page.get_by_role("button", name="Undo")
        undo.focus()
        with page.expect_response("**/desk/runs/*"):
            pass
        expect(undo).to_be_focused()
        undo.hover()
        page.mouse.down()
        with page.expect_response("**/desk/runs/*"):
            pass
        page.wait_for_timeout(100)
        page.mouse.up()
        expect(results(page)).to_have_count(5)
        expect(page.locator("#run")).to_contain_text("5 stopped")
        sqlite_shop.decides(undo_seconds=0)

        # Each gets its own date. Of one somebody wants to know more meanwhile: its row says so, and the others go on.
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch={channel}")
        asks = ask_about_all(page, "a")
        dates = {}
        for box in asks.locator("input[name=order]").all():
            number, _, dates[number] = (box.get_attribute("value") or "").partition("~")
        assert dates[later] > dates[dollars] == dates[euros]
        other_shop.send(f"orders/{held}/holds", {"reason": "is it a gift?"})
        press("Enter")
        page.wait_for_url("**/desk/runs/*")
        expect(results(page)).to_have_count(5)
        expect(page.locator("#run h1")).to_have_text("Approve: 4 of 5 orders done")
        expect(page.locator("#run")).to_contain_text("1 refused")
        expect(page.locator(".results li", has_text=held)).to_contain_text(re.compile("Refused: .*hold", re.IGNORECASE))
        expect(page.locator(".results li", has_text=later)).to_contain_text(f"{later} approved")
        clerk.picture(f"run-one-refused-{width}")
        promised = {number: other_shop.read(f"orders/{number}")["parts"][0]["promise"]["date"] for number in orders}
        assert promised == {**dates, held: None}

        # A filter of the charges, kept under a name: it stands in the rail of whoever kept it.
        page.goto(f"{sqlite_shop.base}/desk/queues/charge")
        press("f")
        say(channel)
        press("Enter")
        page.wait_for_url(f"**ch={channel}*")
        page.get_by_label("Keep this filter as").focus()
        say(f"Tally {width}")
        press("Enter")
        expect(page.get_by_text("is kept in your rail")).to_be_visible()
        page.goto(f"{sqlite_shop.base}/desk/stock")
        from_the_rail(page, f"Tally {width}")
        page.wait_for_url(f"**/queues/charge?ch={channel}")
        eventually(lambda: page.reload() is not None and page.locator("#list .row").count() == 3)

        # Charged: count and sums are said, Enter does it, and the bank's no stands in its row.
        totals = {number: other_shop.read(f"orders/{number}")["total"] for number in (dollars, poor, euros)}
        in_dollars, in_euros = totals[dollars] + totals[poor], totals[euros]
        asks = ask_about_all(page, "c")
        sums = f"€{in_euros / 100:.2f} and ${in_dollars / 100:.2f}"
        expect(asks.locator("h1")).to_have_text(f"Charge 3 orders · {sums}")
        expect(asks.locator("button.go")).to_be_focused()
        press("Enter")
        page.wait_for_url("**/desk/runs/*")
        expect(results(page)).to_have_count(3)
        expect(page.locator("#run h1")).to_have_text("Charge: 2 of 3 orders done")
        expect(page.locator(".results li", has_text=poor)).to_contain_text(re.compile("Refused: .*declined"))
        expect(page.locator(".results li", has_text=euros)).to_contain_text(f"€{in_euros / 100:.2f} charged")
        clerk.picture(f"run-one-declined-{width}")

        # A refund of a part, at the desk: more than there is is told at its field; then it goes back.
        page.goto(f"{sqlite_shop.base}/desk/queues/pick?ch={channel}&order={euros}")
        press("r")
        page.wait_for_url(f"**/desk/orders/{euros}*")
        expect(page.get_by_label("Reason").locator("visible=true").first).to_be_focused()
        say("one label torn")
        press("Tab")
        say("9999")
        press("Enter")
        expect(page.locator("#refund .wrong")).to_contain_text("that can go back")
        expect(page.get_by_label(re.compile("^An amount"))).to_have_value("9999")
        page.get_by_label(re.compile("^An amount")).focus()
        press("Control+a")
        say("5.00")
        press("Enter")
        expect(page.get_by_text("€5.00 goes back to the customer")).to_be_visible()

        # The rest, and another order's all, ticked: the money panel has both.
        page.goto(f"{sqlite_shop.base}/desk/queues/pick?ch={channel}")
        asks = ask_about_all(page, "r")
        back = f"€{in_euros / 100 - 5:.2f} and ${totals[dollars] / 100:.2f}"
        expect(asks.locator("h1")).to_have_text(f"Refund 2 orders · {back}")
        say("the vintage was recalled")
        press("Enter")
        page.wait_for_url("**/desk/runs/*")
        expect(results(page)).to_have_count(2)
        expect(page.locator("#run h1")).to_have_text("Refund: 2 of 2 orders done")
        expect(results(page).filter(has_text=euros)).to_contain_text("goes back to the customer")
        assert sideways(page) <= 0
        for number, sum_ in ((dollars, f"${totals[dollars] / 100:.2f}"), (euros, f"€{in_euros / 100:.2f}")):
            page.goto(f"{sqlite_shop.base}/desk/orders/{number}")
            eventually(lambda: page.reload() is not None and money(page, "Refunded").count() == 1)
            expect(money(page, "Charged")).to_have_text(sum_)
            expect(money(page, "Refunded")).to_have_text(sum_)
            expect(page.locator("#money")).to_contain_text("the vintage was recalled")
            expect(page.locator("#refund")).to_have_count(0)
        clerk.picture(f"refunded-{width}")

        # The filter is kept no longer.
        from_the_rail(page, f"Tally {width}")
        page.get_by_role("button", name="no longer").press("Enter")
        expect(page.get_by_text("is kept no longer")).to_be_visible()
        expect(page.locator(".rail", has_text=f"Tally {width}")).to_have_count(0)
        assert [c for c in clerk.complaints if " 422 " not in c] == []
    for number in orders:
        other_shop.send(f"orders/{number}/cancellation", {"reason": "the shop is tidied up"})
