"""Answers that come late, in any order, or not at all: what is pressed acts on what is seen, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Shop, log_in, window

pytestmark = pytest.mark.browser


class Answers:
    """Lets through what the page asks of the desk, and keeps back what it is told to.

    From the first page on: a request that follows upon the moment in which a browser is told to stop it may slip by.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.asked, self.done = page, "", False
        self.kept: list[tuple[Route, APIResponse | None]] = []
        page.route("**/desk/**", self._stop)

    def _stop(self, route: Route) -> None:
        if self.asked and self.asked in route.request.url:
            self.kept.append((route, route.fetch() if self.done else None))
        else:
            route.continue_()

    @contextmanager
    def held(self, asked: str, *, done: bool = False) -> Iterator[list[tuple[Route, APIResponse | None]]]:
        """Keep back what is asked of an address, with `done` its answer only; on leaving it goes on."""
        self.asked, self.done, self.kept = asked, done, []
        try:
            yield self.kept
            until(self.page, self.kept)
        finally:
            self.asked = ""
            for route, answer in self.kept:
                if answer is None:
                    route.continue_()
                else:
                    route.fulfill(response=answer)


def until(page: Page, kept: Sequence[object], count: int = 1) -> None:
    """Wait until so much is kept; the page goes on meanwhile."""
    for _ in range(300):
        if len(kept) >= count:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"nothing was asked; the slip: {page.locator('#aside').inner_text()}")


def to_review(shop: Shop, channel: str, count: int) -> tuple[Caller, list[str]]:
    """A channel with so many orders to be reviewed, of a bottle each; an approval is done at once."""
    caller, sku = Caller(shop, channel), f"{channel.upper()}-RED"
    caller.shelves(sku, f"Tram Red for the {channel}", 40)
    shop.decides(undo_seconds=0)
    return caller, [caller.places({sku: 1}) for _ in range(count)]


def test_the_slip_is_that_of_the_order_under_the_cursor_whatever_answer_comes_last(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    other_shop, (first, second, third, fourth) = to_review(sqlite_shop, "slow", 4)
    with window(chromium) as clerk:
        page, press = clerk.page, clerk.page.keyboard.press
        answers = Answers(page)
        log_in(page, sqlite_shop.base, "mara@example.com")
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch={other_shop.channel}")
        slip, on = page.locator("#aside .stub"), page.locator("#list .row.on")
        expect(slip).to_contain_text(first)

        # The slip of an order that the cursor has left comes after that of the order it stands on.
        with answers.held(f"/queues/review?order={second}") as kept:
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
        with answers.held(f"/orders/{first}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            for _ in range(2):
                with page.expect_response("**/desk/pulse*"):
                    pass
            expect(slip).to_contain_text(first)
        expect(slip).to_contain_text(second)
        expect(on).to_have_attribute("data-order", second)

        # The cursor goes further down while an answer is under way: there it stays.
        with answers.held(f"/orders/{second}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            press("j")
            press("j")
            expect(slip).to_contain_text(fourth)
        expect(page.locator(f"#list .row.gone[data-order={second}]")).to_be_visible()
        expect(slip).to_contain_text(fourth)
        expect(on).to_have_attribute("data-order", fourth)

        # What somebody else does to it is still said.
        other_shop.send(f"orders/{fourth}/holds", {"reason": "is it a gift?"})
        expect(page.locator("#aside [data-changed]")).to_be_visible()

        # A key that is faster than the slip waits for it, and acts on no other order.
        with answers.held(f"/queues/review?order={third}") as kept:
            press("k")
            press("a")
            until(page, kept)
            expect(slip).to_contain_text(fourth)
        expect(page.locator(f"#list .row.gone[data-order={third}]")).to_be_visible()
        expect(slip).to_contain_text(fourth)
        assert clerk.complaints == []
    for order, state in ((first, "processing"), (second, "processing"), (third, "processing"), (fourth, "pending")):
        assert other_shop.read(f"orders/{order}")["status"] == state


def double_click(page: Page, first: str, then: str) -> None:
    """Click on the first, whose place the second has taken when the second click comes."""
    for clicks, what in ((1, first), (2, then)):
        place = page.locator(what).bounding_box()
        assert place is not None
        page.mouse.move(place["x"] + 20, place["y"] + 10)
        page.mouse.down(click_count=clicks)
        page.mouse.up(click_count=clicks)
        page.locator(then).wait_for()


def test_what_is_pressed_twice_or_not_answered_does_nothing_unseen_and_loses_nothing(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    other_shop, orders = to_review(sqlite_shop, "deaf", 6)
    with window(chromium) as clerk:
        page, press = clerk.page, clerk.page.keyboard.press
        answers = Answers(page)
        log_in(page, sqlite_shop.base, "mara@example.com")
        page.goto(f"{sqlite_shop.base}/desk/queues/review?ch={other_shop.channel}")
        slip, said, gone = page.locator("#aside .stub"), page.locator("#unheard"), page.locator("#list .row.gone")
        expect(slip).to_contain_text(orders[0])

        # The second click of a double click, and a key that is held down, are not for the next order.
        double_click(page, *(f"#aside .slip[data-order={number}] [data-key=a]" for number in orders[:2]))
        expect(gone).to_have_count(1)
        page.keyboard.down("a")
        expect(slip).to_contain_text(orders[2])
        for _ in range(4):
            page.keyboard.down("a")
            page.wait_for_timeout(50)
        page.keyboard.up("a")

        # Whoever types when an answer comes goes on typing: no letter is a key of the desk.
        with answers.held(f"/orders/{orders[2]}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            press("/")
            page.keyboard.type("zin")
        expect(slip).to_contain_text(orders[3])
        page.keyboard.type("fandel")
        expect(page.locator("#find")).to_have_value("zinfandel")
        press("Escape")
        expect(gone).to_have_count(3)

        # No connection, and a shop that is at its end: said, and the slip stays.
        for trouble, words in (({"error": "failed"}, "No answer from the shop"), ({"status": 503}, "(503)")):
            page.route("**/acts/approve", partial(fails, how=trouble), times=1)
            press("a")
            expect(said).to_contain_text(words)
            expect(slip).to_contain_text(orders[3])
        # So is a refusal that comes when the cursor has moved on.
        other_shop.send(f"orders/{orders[3]}/holds", {"reason": "is it a gift?"})
        with answers.held(f"/orders/{orders[3]}/acts/approve", done=True) as kept:
            press("a")
            until(page, kept)
            press("j")
            expect(slip).to_contain_text(orders[4])
        expect(said).to_contain_text(re.compile(f"{orders[3]}: .*has just worked on"))
        clerk.picture("not-answered-1280", whole=False)

        # New rows come where the cursor is by then, with the ticks.
        late = other_shop.places({"DEAF-RED": 1})
        expect(page.locator("#fresh")).to_be_visible()
        with answers.held("/queues/review?") as kept:
            press("S")
            until(page, kept)
            press("x")
        expect(page.locator(f"#list .row[data-order={late}]")).to_be_visible()
        expect(page.locator(f"#list .row.on[data-order={orders[4]}] input:checked")).to_have_count(1)
        press("x")

        # Back leads to a page whose every part works.
        press("j")
        expect(slip).to_contain_text(orders[5])
        page.wait_for_url(f"**order={orders[5]}*")
        with page.expect_event("load"):
            page.go_back()
        expect(slip).to_contain_text(orders[4])
        press("Control+k")
        expect(page.locator("#palette-list [role=option]").first).to_be_visible()
        press("Escape")

        # Logged out meanwhile: nothing is done, nothing is lost, and after a log-in beside it goes on.
        page.context.clear_cookies(name="counterfoil")
        press("a")
        expect(said).to_contain_text("You are logged out")
        expect(slip).to_contain_text(orders[4])
        with page.context.expect_page() as opened:
            said.get_by_role("link", name="Log in").click()
        log_in(opened.value, sqlite_shop.base, "mara@example.com")
        opened.value.close()
        expect(said).not_to_contain_text("You are logged out")
        press("a")
        expect(slip).to_contain_text(orders[5])
    stands = [other_shop.read(f"orders/{number}")["status"] for number in orders]
    assert stands == ["processing"] * 3 + ["pending", "processing", "pending"]


def fails(route: Route, *, how: dict[str, Any]) -> None:
    """Answer nothing, or that the shop is at its end."""
    if "error" in how:
        route.abort(how["error"])
    else:
        route.fulfill(**how)
