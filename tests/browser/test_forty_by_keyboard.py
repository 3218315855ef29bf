"""Forty new orders by keyboard alone: found, printed, dated, approved, mailed; keystrokes and seconds are told."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop, log_in, widths, window
from tests.browser.test_the_story_in_a_browser import eventually

pytestmark = pytest.mark.browser
FORTY = 40
WINE = "QUI-RI-2022"
ADDRESS = {"name": "June Harper", "street": "1 Mill Lane", "city": "Napa", "postcode": "94558", "state": "CA",
           "country": "US"}  # fmt: skip


class Hands:
    """A person who has a keyboard and nothing else; every key is counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)


def place(shop: Shop, count: int, channel: str) -> str:
    """New orders from a channel, with goods for all of them on the shelf. Gives the key that they came with."""
    key = shop.command("api-key", channel, "--role", "owner").stdout.split()[-1]
    ask: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}, "timeout": 30}
    with requests.Session() as caller:
        stock = {"sku": WINE, "quantity": 2 * count, "reason": "a pallet came"}
        assert caller.post(f"{shop.base}/api/v1/stock", json=stock, **ask).status_code == 201
        for n in range(count):
            body = {
                "channel": channel, "reference": f"{channel}-{n}", "currency": "USD", "shipping_address": ADDRESS,
                "customer": {"name": f"June Harper {n + 1}", "email": f"{channel}{n}@example.com"},
                "lines": [{"sku": WINE, "quantity": 1 + n % 2}], "shipping": {"method": "Ground", "price": 1500},
                "payment": {"method": "card", "payment_method": "pm_card_visa"},
            }  # fmt: skip
            assert caller.post(f"{shop.base}/api/v1/orders", json=body, **ask).status_code == 201
    return key


def test_forty_new_orders_are_reviewed_dated_mailed_and_printed_by_keyboard_alone(
    sqlite_shop: Shop, chromium: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    place(sqlite_shop, FORTY, "forty")
    sqlite_shop.decides(undo_seconds=5)
    try:
        with window(chromium) as clerk:
            page, hands = clerk.page, Hands(clerk.page)
            log_in(page, sqlite_shop.base, "mara@example.com")
            began = time.monotonic()
            # To the review queue, and of it to what came through one channel.
            hands.press("Control+k")
            hands.type("review")
            hands.press("Enter")
            page.wait_for_url("**/queues/review*")
            hands.press("f")
            hands.type("forty")
            hands.press("Enter")
            page.wait_for_url("**ch=forty*")
            expect(page.locator("#list .row")).to_have_count(FORTY)
            # All of them on paper, in one PDF.
            with page.context.expect_page() as opened:
                hands.press("P")
            opened.value.close()
            expect(page.locator("[data-unprinted]")).to_have_count(0)
            # One order wants another date; all others get the proposed one, with one key each.
            hands.press("d")
            later = time.strftime("%m%d%Y", time.localtime(time.time() + 9 * 86400))
            hands.type(later)
            first = page.locator("#aside .slip").get_attribute("data-order")
            hands.press("Enter")
            expect(page.locator(f'#aside .slip[data-order="{first}"]')).to_have_count(0)
            for _ in range(1, FORTY):
                shown = page.locator("#aside .slip").get_attribute("data-order")
                hands.press("a")
                expect(page.locator(f'#aside .slip[data-order="{shown}"]')).to_have_count(0)
            expect(page.locator("#list .row.gone")).to_have_count(FORTY)
            took = time.monotonic() - began
            expect(page.locator("#aside")).to_contain_text("All done here")
            clerk.picture("forty-approved-1280")

            def told() -> int:
                found = sqlite_shop.mails(subject="ships", limit="200")
                return sum("forty" in str(mail["to"]) for mail in found)

            eventually(lambda: told() == FORTY, 60)
            page.goto(f"{sqlite_shop.base}/desk/queues/review?ch=forty")
            expect(page.locator("#list .row")).to_have_count(0)
            assert clerk.complaints == []
    finally:
        sqlite_shop.decides(undo_seconds=0)
    with capsys.disabled():
        print(f"\n{FORTY} new orders reviewed, dated, printed, mailed: {hands.keys} keystrokes, {took:.1f} s")
    assert hands.keys <= FORTY + 40


@pytest.mark.parametrize("width", widths(1280))
def test_undo_hold_money_and_palette_at_the_desk(sqlite_shop: Shop, chromium: Browser, width: int) -> None:
    place(sqlite_shop, 3, f"keys{width}")
    sqlite_shop.decides(undo_seconds=20)
    try:
        with window(chromium, width=width) as clerk:
            page, hands = clerk.page, Hands(clerk.page)
            log_in(page, sqlite_shop.base)
            page.goto(f"{sqlite_shop.base}/desk/queues/review?ch=keys{width}")
            rows = page.locator("#list .row")
            expect(rows).to_have_count(3)

            def choose_first() -> None:
                """On a phone the slip is there once an order is chosen."""
                if width < 620:
                    rows.nth(0).locator(".n").click()
                    expect(page.locator("#aside")).to_be_visible()

            first = rows.nth(0).get_attribute("data-order") or ""
            # Approved, and taken back: the toast stays on another page, the row is in its place again.
            choose_first()
            hands.press("a")
            expect(rows.nth(0)).to_have_class(re.compile("gone"))
            expect(rows.nth(1)).to_have_class(re.compile(r"\bon\b"))
            expect(page.locator("#toasts")).to_contain_text(f"{first}: approval goes out in")
            clerk.picture(f"undo-{width}")
            page.goto(f"{sqlite_shop.base}/desk/stock")
            expect(page.locator("#toasts")).to_contain_text(first)
            hands.press("u")
            expect(page.locator("#toasts")).not_to_contain_text(first)
            page.goto(f"{sqlite_shop.base}/desk/queues/review?ch=keys{width}")
            expect(rows).to_have_count(3)
            page.wait_for_timeout(1_200)  # a countdown's tick: how many are to be printed is none
            expect(page.locator('[data-prints="all"] button')).to_contain_text("Print 3 not printed")
            # A hold by one key and its reason; the slip says so at once.
            choose_first()
            hands.press("h")
            expect(page.locator("#hold-dialog")).to_be_visible()
            hands.type("ring them first")
            hands.press("Enter")
            expect(page.locator("#aside")).to_contain_text("ring them first")
            # Money is asked first, whatever is ticked.
            page.goto(f"{sqlite_shop.base}/desk/queues/charge")
            choose_first()
            hands.press("c")
            expect(page.locator("#sure")).to_be_visible()
            expect(page.locator("#sure-yes")).to_contain_text("Charge")
            hands.press("Escape")
            expect(page.locator("#sure")).to_be_hidden()
            # A key in the same moment as the Escape of the dialog is the dialog's.
            page.goto(f"{sqlite_shop.base}/desk/queues/charge")
            choose_first()
            hands.press("x")
            expect(page.locator("#list input:checked")).to_have_count(1)
            hands.press("c")
            expect(page.locator("#asks")).to_contain_text(re.compile("Charge 1 order · [$€£]"))
            clerk.picture(f"charge-asked-{width}")
            hands.press("Escape")
            # Anything by its name.
            hands.press("Control+k")
            hands.type("june harper 2")
            expect(page.locator("#palette-list [role=option]").first).to_contain_text("June Harper 2")
            clerk.picture(f"palette-{width}")
            hands.press("Enter")
            page.wait_for_url("**/desk/orders/CF-*")
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0
            assert clerk.complaints == []
    finally:
        sqlite_shop.decides(undo_seconds=0)


def test_a_run_goes_on_by_itself_and_new_orders_announce_themselves(sqlite_shop: Shop, chromium: Browser) -> None:
    place(sqlite_shop, 3, "crowd")
    with window(chromium) as clerk, window(chromium, width=390) as other:
        page = clerk.page
        log_in(page, sqlite_shop.base)
        log_in(other.page, sqlite_shop.base)
        other.page.goto(f"{sqlite_shop.base}/desk/queues/review")
        before = other.page.locator("#list .row").count()
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch=crowd")
        page.keyboard.press("X")
        page.locator("[data-bulk=Approve]").click()
        expect(page.locator("h1")).to_contain_text("Approve 3 orders")
        page.locator("#asked button.go").click()
        page.wait_for_url("**/desk/runs/*")
        expect(page.locator("#run h1")).to_contain_text("3 of 3 orders done", timeout=20_000)
        assert page.locator("#run[hx-trigger]").count() == 0
        clerk.picture("run-done-1280")
        # The other clerk's list did not move; what went is greyed, what came is told.
        expect(other.page.locator("#list .row.gone")).to_have_count(3)
        assert other.page.locator("#list .row").count() == before
        place_one = {"reference": "late"}
        key = sqlite_shop.command("api-key", "late", "--role", "owner").stdout.split()[-1]
        body = {
            "channel": "crowd", **place_one, "currency": "USD", "shipping_address": ADDRESS,
            "customer": {"name": "Late Harper", "email": "late@example.com"},
            "lines": [{"sku": WINE, "quantity": 1}], "shipping": {"method": "Ground", "price": 1500},
            "payment": {"method": "card", "payment_method": "pm_card_visa"},
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}
        assert (
            requests.post(f"{sqlite_shop.base}/api/v1/orders", json=body, headers=headers, timeout=30).status_code
            == 201
        )
        expect(other.page.locator("#fresh")).to_contain_text("1 new, show")
        other.page.locator("#fresh").click()
        expect(other.page.locator("#list")).to_contain_text("Late Harper")
        # Somebody holds it: its row says so where it stands, the slip says whose work that is, and shows it when asked.
        late = other.page.locator("#list .row", has_text="Late Harper")
        late.locator(".n").click()
        slip = other.page.locator("#aside .slip")
        expect(slip).to_have_attribute("data-order", str(late.get_attribute("data-order")))
        hold = f"{sqlite_shop.base}/api/v1/orders/{late.get_attribute('data-order')}/holds"
        assert requests.post(hold, json={"reason": "ring first"}, headers=headers, timeout=30).ok
        expect(late.locator(".pill")).to_contain_text("on hold")
        expect(slip.locator("[data-changed]")).to_contain_text("Changed by late")
        expect(slip).not_to_contain_text("ring first")
        other.picture("slip-changed-390")
        slip.locator("[data-shows]").click()
        expect(slip).to_contain_text("ring first")
        assert clerk.complaints == other.complaints == []
