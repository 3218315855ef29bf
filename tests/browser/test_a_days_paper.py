"""A day's paper: the packets are printed, the carrier's file ships them, and the day is closed on what was done."""

from __future__ import annotations

import io
import re
import time

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, Route, expect
from pypdf import PdfReader

from counterfoil.gateways.carrier.tracking import recognise
from tests.browser.conftest import Shop, log_in, widths, window
from tests.browser.test_every_page import sideways
from tests.browser.test_forty_by_keyboard import place
from tests.browser.test_the_story_in_a_browser import eventually

pytestmark = pytest.mark.browser


def label(n: int) -> str:
    """A label of UPS with a check digit that fits."""
    return next(number for d in range(10) if recognise(number := f"1Z12345E02{n:07d}{d}") == ["UPS"])


def packed(shop: Shop, count: int, channel: str) -> dict[str, int]:
    """Orders of a channel, charged and in their boxes, made over the API: their numbers, and what they cost."""
    key = place(shop, count, channel)
    with requests.Session() as caller:
        caller.headers["Authorization"] = f"Bearer {key}"
        api = f"{shop.base}/api/v1/orders"
        found = caller.get(api, params={"channel": channel}, timeout=30).json()["orders"]
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
        for order in found:
            for act, body in (("approval", {"ship_estimate": soon}), ("charge", {}), ("picks", {}), ("packages", {})):
                done = caller.post(f"{api}/{order['number']}/{act}", json=body, timeout=30)
                assert done.status_code in {200, 201}, done.text
        return {str(order["number"]): int(order["total"]) for order in found}


class Printer:
    """What comes out of the printer: every PDF that a page of this window opens."""

    def __init__(self, page: Page) -> None:
        self.papers: list[str] = []
        page.context.route(re.compile(r"/print$"), self._keep)

    def _keep(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        answer = route.fetch()
        route.fulfill(response=answer)
        assert answer.headers.get("content-type") == "application/pdf", answer.text()
        pages = PdfReader(io.BytesIO(answer.body())).pages
        self.papers.append("\n".join(page.extract_text() for page in pages))

    def take(self, page: Page, button: Locator) -> str:
        """Press a button; the text of the paper that opens in a window of its own."""
        before = len(self.papers)
        with page.context.expect_page() as opened:
            button.click()
        until = time.monotonic() + 30
        while len(self.papers) == before:  # the page has to wait here: while Python sleeps, no route is handled
            assert time.monotonic() < until, "no paper came out"
            page.wait_for_timeout(100)
        opened.value.close()
        return self.papers[-1]


def kind(page: Page, name: str) -> Locator:
    """What is to be printed of a kind of paper."""
    return page.locator(".print-kind", has=page.get_by_role("heading", name=re.compile(f"^{name}")))


def sheet(page: Page) -> list[tuple[str, str]]:
    """The rows of the day's sheet: what they tell of, and the figure."""
    rows = page.locator(".day-sheet tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.innerText))")
    return [(str(what), str(amount)) for what, amount in rows]


def shipped(rows: list[tuple[str, str]], carrier: str) -> tuple[int, str]:
    """How many parcels a carrier has, and of which orders."""
    found = ((int(amount), what) for what, amount in rows if what.startswith(f"{carrier}\n"))
    return next(found, (0, ""))


def charged(rows: list[tuple[str, str]]) -> tuple[int, int]:
    """How many charges there were in dollars, and the sum in cents."""
    for what, amount in rows:
        count = re.match(r"(\d+) charge", what)
        if count and amount.startswith("$"):
            return int(count[1]), int(re.sub(r"\D", "", amount))
    return 0, 0


def told_of(shop: Shop, orders: list[str]) -> bool:
    """Whether each customer was mailed that the order is on its way."""
    subjects = [mail["subject"] for mail in shop.mails() if "on its way" in mail["subject"]]
    return all(any(order in subject for subject in subjects) for order in orders)


@pytest.mark.parametrize(("width", "number"), list(zip(widths(1280), range(2), strict=False)))
def test_packets_are_printed_the_carriers_file_ships_them_and_the_day_is_closed(
    sqlite_shop: Shop, chromium: Browser, width: int, number: int
) -> None:
    channel = f"paper{width}"
    with window(chromium, width=width) as clerk:
        page = clerk.page
        printer = Printer(page)
        log_in(page, sqlite_shop.base, "mara@example.com")
        page.goto(f"{sqlite_shop.base}/desk/close")
        before = sheet(page)
        made = packed(sqlite_shop, 5, channel)
        orders, totals = list(made), made.values()

        # The print queue: all card receipts, one packing slip, then everything else; each by whom.
        page.goto(f"{sqlite_shop.base}/desk/print")
        clerk.picture(f"print-queue-{width}")
        receipts = kind(page, "Card receipt")
        paper = printer.take(page, receipts.get_by_role("button", name=re.compile("all")).first)
        assert all(f"{order}" in paper for order in orders)
        expect(receipts).to_have_count(0)
        row = kind(page, "Packing slip").locator("li", has_text=orders[0])
        slip = row.locator("b").inner_text()
        paper = printer.take(page, row.get_by_role("button"))
        assert slip in paper
        assert orders[0] in paper
        assert orders[1] not in paper
        mine = page.locator(".printed li", has_text=slip)
        expect(mine).to_contain_text("Mara")
        paper = printer.take(page, page.get_by_role("button", name=re.compile("packet by packet")))
        at = [paper.index(order) for order in orders]
        assert at == sorted(at), "packet by packet, the soonest to leave first"
        expect(page.locator("main")).to_contain_text("Nothing to print")
        assert "REPRINT" in printer.take(page, mine.get_by_role("button", name=re.compile("Reprint")))
        expect(mine.first).to_contain_text("REPRINT")
        assert sideways(page) <= 0
        clerk.picture(f"printed-{width}")

        # The carrier's file: one row is good; a used number, an order that there is not, a label of nobody knows whom.
        page.goto(f"{sqlite_shop.base}/desk/ship")
        page.get_by_text("CSV of the carrier's program").click()
        used, good, other = (label(10 * width + n) for n in range(3))
        rows = ["Reference;Tracking Number", f"{orders[0]};{used}", f"{orders[1]};{used}", f"CF-999999;{other}",
                f"{orders[3]};PARCEL-{width}"]  # fmt: skip
        page.locator("#f-file").set_input_files(
            {"name": "today.csv", "mimeType": "text/csv", "buffer": "\r\n".join(rows).encode()}
        )
        page.get_by_role("button", name="Ship what is in the file").click()
        expect(page.locator("h1")).to_contain_text("1 of 4 rows shipped")
        expect(page.locator(".row-fix")).to_have_count(3)
        expect(page.locator(".row-fix").nth(0)).to_contain_text(f"it is on {orders[0]}")
        expect(page.locator(".row-fix").nth(1)).to_contain_text("no order with this number")
        expect(page.locator(".row-fix").nth(2)).to_contain_text("write down the carrier")
        assert sideways(page) <= 0
        clerk.picture(f"ship-file-{width}")
        expect(page.get_by_label("Tracking number of row 3")).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type(good)
        page.get_by_label("Order or reference of row 4").fill(orders[2])
        page.get_by_label("Carrier of row 5").fill("GLS")
        page.get_by_role("button", name="Try these again").click()
        expect(page.locator("h1")).to_contain_text("3 of 3 rows shipped")

        # The day: what was just done stands on its sheet, which is closed once and moves no more.
        page.goto(f"{sqlite_shop.base}/desk/close")
        if number:
            expect(page.locator("h1")).to_have_text("Day sheet")
        else:
            told = sheet(page)
            assert shipped(told, "UPS")[0] - shipped(before, "UPS")[0] == 3
            assert shipped(told, "GLS")[0] - shipped(before, "GLS")[0] == 1
            assert all(order in shipped(told, "UPS")[1] for order in orders[:3])
            assert [now - then for now, then in zip(charged(told), charged(before), strict=True)] == [5, sum(totals)]
            other_tab = page.context.new_page()
            other_tab.goto(page.url)
            page.get_by_role("button", name=re.compile("^Close ")).click()
            expect(page.locator("main")).to_contain_text("The day is closed")
            assert sheet(page) == told
            paper = printer.take(page, page.get_by_role("button", name="Print the sheet"))
            assert all(order in paper for order in orders[:4])
            other_tab.get_by_role("button", name=re.compile("^Close ")).click()
            expect(other_tab.locator("main")).to_contain_text("closed already by Mara")
        assert sideways(page) <= 0
        clerk.picture(f"day-closed-{width}")
        page.goto(f"{sqlite_shop.base}/desk/orders/{orders[3]}")
        expect(page.locator(".slip")).to_contain_text("Shipped")
        eventually(lambda: told_of(sqlite_shop, orders[:4]), 120)
        assert [c for c in clerk.complaints if "409" not in c] == []
