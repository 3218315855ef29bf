"""Answers that come late, in any order: what is pressed acts on the order under the cursor, whose slip is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Shop, log_in, window

pytestmark = pytest.mark.browser


@contextmanager
def held(page: Page, asked: str, *, done: bool = False) -> Iterator[list[tuple[Route, APIResponse | None]]]:
    """Keep back what the page asks of an address, with `done` its answer only; on leaving it goes on."""
    kept: list[tuple[Route, APIResponse | None]] = []

    def keep(route: Route) -> None:
        kept.append((route, route.fetch() if done else None))

    page.route(asked, keep)
    try:
        yield kept
        until(page, kept)
    finally:
        for route, answer in kept:
            if answer is None:
                route.continue_()
            else:
                route.fulfill(response=answer)
        page.unroute(asked)


def until(page: Page, kept: list[tuple[Route, APIResponse | None]]) -> None:
    """Wait until something is kept; the page goes on meanwhile."""
    for _ in range(150):
        if kept:
            return
        page.wait_for_timeout(100)
    pytest.fail("nothing was asked")


def test_the_slip_is_that_of_the_order_under_the_cursor_whatever_answer_comes_last(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    channel = "slow"
    other_shop = Caller(sqlite_shop, channel)
    other_shop.shelves("SLOW-RED", "Late Tram Red", 40)
    first, second, third, fourth = (other_shop.places({"SLOW-RED": 1}) for _ in range(4))
    sqlite_shop.decides(undo_seconds=0)
    with window(chromium) as clerk:
        page, press = clerk.page, clerk.page.keyboard.press
        log_in(page, sqlite_shop.base, "mara@example.com")
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch={channel}")
        slip, on = page.locator("#aside .stub"), page.locator("#list .row.on")
        expect(slip).to_contain_text(first)

        # The slip of an order that the cursor has left comes after that of the order it stands on.
        with held(page, f"**/queues/review?order={second}*") as kept:
            press("j")
            until(page, kept)
            press("j")
            expect(slip).to_contain_text(third)
        page.wait_for_timeout(500)
        expect(slip).to_contain_text(third)
        expect(on).to_have_attribute("data-order", third)
        press("k")
        press("k")
        expect(slip).to_contain_text(first)

        # An approval's answer takes its time, and the desk looks twice what has changed meanwhile.
        with held(page, f"**/orders/{first}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            for _ in range(2):
                with page.expect_response("**/desk/pulse*"):
                    pass
            expect(slip).to_contain_text(first)
        expect(slip).to_contain_text(second)
        expect(on).to_have_attribute("data-order", second)

        # The cursor goes further down while an answer is under way: there it stays.
        with held(page, f"**/orders/{second}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            press("j")
            press("j")
            expect(slip).to_contain_text(fourth)
        expect(page.locator(f"#list .row.gone[data-order={second}]")).to_be_visible()
        expect(slip).to_contain_text(fourth)
        expect(on).to_have_attribute("data-order", fourth)

        # A key that is faster than the slip waits for it, and acts on no other order.
        with held(page, f"**/queues/review?order={third}*") as kept:
            press("k")
            press("a")
            until(page, kept)
            expect(slip).to_contain_text(fourth)
        expect(page.locator(f"#list .row.gone[data-order={third}]")).to_be_visible()
        expect(slip).to_contain_text(fourth)
        assert clerk.complaints == []
    for order, state in ((first, "processing"), (second, "processing"), (third, "processing"), (fourth, "pending")):
        assert other_shop.read(f"orders/{order}")["status"] == state
