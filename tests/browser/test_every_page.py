"""Every page, on a light desktop and a dark phone: no complaint, no barrier, and nothing scrolls sideways."""

from __future__ import annotations

import contextlib
import re
import sqlite3

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import reached
from tests.browser.access import barriers
from tests.browser.conftest import EVERYTHING, Shop, Window, log_in, window
from tests.browser.pages import BEHIND, DESK, OF_A_CUSTOMER, OF_AN_ORDER, PUBLIC

pytestmark = pytest.mark.browser
# Opened on a phone's screen too; with COUNTERFOIL_TEST_WIDTHS=all every page is.
IN_THE_HAND = {*PUBLIC, "cart-filled", "checkout", "theirs-question", "desk-review", "desk-charge", "desk-call", "ship",
               "print", "close", "floor", "floor-pick", "floor-pack", "settings-delivery", "stock",
               "order-review"}  # fmt: skip
# Pages that are held in the hand are looked at for barriers at that size too.
ON_FOOT = {"shop", "product", "checkout", "theirs-question", "how-it-works", "desk-review", "floor", "floor-pick",
           "floor-pack", "order-review"}  # fmt: skip

# Where the contrast of every word is measured in any case: a page or two of each kind.
COLOURED = {"shop", "product", "checkout-wrong", "theirs-question", "account-home", "desk-review", "desk-charge",
            "desk-call", "order-review", "order-done", "new-order", "purchase-orders", "stock", "print", "close",
            "books", "payouts", "floor-pick", "settings-money", "settings-delivery", "first-steps", "dialog-many",
            "error-500"}  # fmt: skip
MEANT = re.compile(r"no-such-order.* 404 |/checkout: .* 422 ")


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Round:
    """One round of the shop in one window: what is found on each page that it looks at."""

    def __init__(self, shop: Shop, seen: Window, *, width: int, dark: bool) -> None:
        self.shop, self.seen, self.page = shop, seen, seen.page
        self.width, self.dark = width, dark
        self.short = width < 600 and not EVERYTHING  # only what is held in the hand
        self.wide: list[str] = []
        self.shut: list[str] = []
        self.looked_at: set[str] = set()
        self.who = f"{width}-{'dark' if dark else 'light'}"  # in the addresses of people that it makes up

    def look(self, name: str) -> None:
        """At the page as it stands."""
        if self.short and name not in IN_THE_HAND:
            return
        self.looked_at.add(name)
        over = sideways(self.page)
        if over > 0:
            self.wide.append(f"{name}: {over} px too wide")
        if not self.short or name in ON_FOOT:
            self.shut += [f"{name}: {found}" for found in self._barriers(name)]
        self.seen.picture(f"{name}-{self.who}", whole=EVERYTHING)

    def _barriers(self, name: str) -> list[str]:
        return barriers(self.page, dark=self.dark, both=EVERYTHING, colours=name in COLOURED)

    def visit(self, name: str, path: str) -> None:
        if self.short and name not in IN_THE_HAND:
            return
        self.page.goto(f"{self.shop.base}{path}")
        self.look(name)

    def visit_orders(self, pages: dict[str, tuple[str, str]]) -> None:
        """Pages of an order, each of the first one in its queue; a queue may be empty by now."""
        with contextlib.closing(sqlite3.connect(self.shop.facts["database_url"].removeprefix("sqlite:///"))) as file:
            found = file.execute("SELECT queue, number, token FROM orders_order ORDER BY id DESC").fetchall()
        first = {queue: {"number": number, "token": token} for queue, number, token in found}
        for name, (queue, path) in pages.items():
            if queue in first:
                self.visit(name, path.format_map(first[queue]))

    def visit_behind(self) -> None:
        for name, (path, link) in BEHIND.items():
            page = self.page.request.get(f"{self.shop.base}{path}").text()
            found = re.search(link, page)
            assert found, f"no link to a {name} on {path}"
            self.visit(name, found[0])


def look_everywhere(round_: Round) -> None:
    page, shop, look = round_.page, round_.shop, round_.look
    for name, path in PUBLIC.items():
        round_.visit(name, path)
    reached.the_till(page, shop, look)
    round_.visit_orders(OF_A_CUSTOMER)
    if not round_.short:
        reached.an_account(page, shop, look, f"june-{round_.who}@example.com")
        reached.our_faults(page, shop, look)
    log_in(page, shop.base, "owner@example.com")
    for name, path in DESK.items():
        round_.visit(name, path)
    round_.visit_orders(OF_AN_ORDER)
    if round_.short:
        return
    round_.visit_behind()
    reached.what_is_agreed(page, shop, look, f"agreed-{round_.who}")
    reached.the_dialogs(page, shop, look)
    reached.the_buyers_desk(page, shop, look)
    reached.many_at_once(page, shop, look)
    reached.an_invitation(page, shop, look, f"odile-{round_.who}@example.com")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop-light", "phone-dark"])
def test_no_page_is_complained_of_shuts_anybody_out_or_scrolls_sideways(
    sqlite_shop: Shop, chromium: Browser, width: int, dark: bool
) -> None:
    with window(chromium, width=width, dark=dark) as seen:
        round_ = Round(sqlite_shop, seen, width=width, dark=dark)
        look_everywhere(round_)
        # What is answered 404 or 422 the browser's console calls an error; those were meant.
        complaints = [c for c in seen.complaints if not MEANT.search(c)]
    assert round_.wide == []
    assert round_.shut == []
    assert complaints == []


def test_the_api_is_documented_on_a_page_of_our_own(sqlite_shop: Shop, chromium: Browser) -> None:
    with window(chromium) as seen:
        seen.page.goto(f"{sqlite_shop.base}/api/v1/docs")
        seen.page.get_by_text("/api/v1/orders/{number}/charge").first.wait_for()
        seen.picture("api-docs")


def test_a_stranger_sees_nothing_of_the_desk(sqlite_shop: Shop, chromium: Browser) -> None:
    with window(chromium) as seen:
        for path in [*DESK.values(), "/desk/orders/CF-1001"]:
            seen.page.goto(f"{sqlite_shop.base}{path}")
            assert "/desk/login" in seen.page.url
