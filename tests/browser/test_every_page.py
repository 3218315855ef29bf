"""Every page, on a light desktop and a dark phone: no complaint, no barrier, and nothing scrolls sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.access import barriers
from tests.browser.conftest import EVERYTHING, Shop, log_in, window
from tests.browser.pages import DESK, PUBLIC

pytestmark = pytest.mark.browser
# Opened on a phone's screen too; with COUNTERFOIL_TEST_WIDTHS=all every page is.
IN_THE_HAND = {*PUBLIC, "desk-review", "desk-charge", "desk-call", "ship", "print", "close", "floor", "floor-pick",
               "floor-pack", "settings-delivery", "stock", "order"}  # fmt: skip
# Pages that are held in the hand are looked at for barriers at that size too.
ON_FOOT = {"shop", "product", "cart", "how-it-works", "desk-review", "floor", "floor-pick", "floor-pack", "order"}


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop-light", "phone-dark"])
def test_no_page_is_complained_of_shuts_anybody_out_or_scrolls_sideways(
    sqlite_shop: Shop, chromium: Browser, width: int, dark: bool
) -> None:
    wide: list[str] = []
    shut: list[str] = []
    with window(chromium, width=width, dark=dark) as seen:
        page = seen.page

        def visit(name: str, path: str) -> None:
            if width < 600 and not EVERYTHING and name not in IN_THE_HAND:
                return
            page.goto(f"{sqlite_shop.base}{path}")
            over = sideways(page)
            if over > 0:
                wide.append(f"{name}: {over} px too wide")
            if width > 600 or EVERYTHING or name in ON_FOOT:
                shut.extend(f"{name}: {barrier}" for barrier in barriers(page, dark=dark, both=EVERYTHING))
            seen.picture(f"{name}-{width}-{'dark' if dark else 'light'}")

        for name, path in PUBLIC.items():
            visit(name, path)
        log_in(page, sqlite_shop.base, "owner@example.com")
        for name, path in DESK.items():
            visit(name, path)
        page.goto(f"{sqlite_shop.base}/desk/queues/review")
        first = page.locator("a[href*='/desk/orders/CF-']").first.get_attribute("href") or ""
        visit("order", first)
        # A page that is not there answers 404, which the browser's console calls an error: that one was meant.
        complaints = [c for c in seen.complaints if "no-such-order" not in c]
    assert wide == []
    assert shut == []
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
