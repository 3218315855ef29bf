"""Four orders picked together on a telephone, by scan and by gesture, and packed; the desk shows what was short."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Shop, eventually, log_in, widths, window
from tests.browser.test_every_page import sideways
from tests.browser.test_the_floor import scan, stop

pytestmark = pytest.mark.browser


def judged(page: Page, kind: str, words: str | re.Pattern[str]) -> None:
    """What the telephone says of a scan or a gesture; `refused` is red, and spoken at once by a screen reader."""
    expect(page.locator(f"#verdict[role=alert].{kind}")).to_contain_text(words)


def gesture(page: Page, words: str) -> None:
    page.wait_for_timeout(400)  # two taps within a third of a second are one that became two
    page.locator(".stop:not([hidden])").get_by_role("button", name=words).tap()


def stands_at(page: Page, what: str, value: str) -> None:
    """The walk has come to the stop with this."""
    expect(page.locator(".stop:not([hidden])")).to_have_attribute(f"data-{what}", value)


@pytest.mark.parametrize("width", widths(390))
def test_four_orders_are_picked_in_walking_order_right_wrong_short_and_broken_and_one_box_closes_short(
    sqlite_shop: Shop, chromium: Browser, width: int
) -> None:
    base, caller = sqlite_shop.base, Caller(sqlite_shop, f"batch{width}")
    old, new, last, many = (f"BATCH-{width}-{name}" for name in ("2019", "2020", "LAST", "MANY"))
    wine = {"producer": "Batch House", "name": f"Red {width}", "size": "750 ml"}
    caller.shelves(many, f"Batch House White {width}", 20, "Z-10")
    caller.shelves(last, f"Batch House Sweet {width}", 1, "Z-9")
    caller.shelves(old, f"Batch House Red {width} 2019", 6, "Z-2", family={**wine, "vintage": 2019})
    caller.shelves(new, f"Batch House Red {width} 2020", 6, "Z-1", family={**wine, "vintage": 2020})
    orders = [
        caller.charged(caller.places(lines))
        for lines in ({many: 3, old: 1}, {many: 2}, {last: 1, old: 1}, {new: 2, many: 1})
    ]
    with window(chromium, width=width, touch=True) as phone, window(chromium) as clerk:
        page = phone.page
        log_in(page, base, "picker@example.com")
        boxes = [page.locator(f"input[value={number}]") for number in orders]
        eventually(lambda: page.goto(f"{base}/desk/floor") is not None and all(box.count() for box in boxes))
        for box in boxes:
            box.tap()
        page.get_by_role("button", name="Pick the ticked ones together").tap()
        page.wait_for_url("**/desk/floor/pick?*")

        # Bin by bin, Z-2 before Z-10, one product at a time; each unit into the tote of its order.
        told = page.locator(".stop").evaluate_all(
            "all => all.map(e => [e.dataset.bin, e.dataset.order, e.querySelector('.tote').textContent])"
        )
        assert [bin_ for bin_, _, _ in told] == ["Z-1", "Z-2", "Z-2", "Z-9", "Z-10", "Z-10", "Z-10"]
        assert {number: tote for _, number, tote in told} == dict(zip(orders, "ABCD", strict=True))
        assert sideways(page) <= 0

        # The 2019 in the 2020's place: red, with both names; a scan of the right one, and the next stop.
        expect(page.locator("#f-scan")).to_be_focused()
        assert stop(page)["sku"] == new
        scan(page, old)
        judged(page, "refused", f"WRONG VINTAGE: this is Batch House Red {width} 2019")
        judged(page, "refused", f"It should be Batch House Red {width} 2020 ({new})")
        assert stop(page)["sku"] == new
        phone.picture(f"batch-wrong-vintage-{width}")
        scan(page, new)
        judged(page, "right", "1 of 2")
        # A tap becomes two: the second is not for the next stop.
        place = page.locator(".stop:not([hidden]) [value=got]").bounding_box()
        assert place is not None
        for _ in range(2):
            page.touchscreen.tap(place["x"] + 20, place["y"] + 10)
        # One of the 2019 broke at the shelf, the other is there; the last sweet one is not.
        stands_at(page, "sku", old)
        gesture(page, "One broken")
        judged(page, "right", "broken, and set aside")
        scan(page, new)
        judged(page, "refused", "WRONG VINTAGE")
        gesture(page, "It is in hand")
        stands_at(page, "sku", last)
        gesture(page, "Not there")
        judged(page, "right", "not there")
        # Where two of the white should be, another wine lies.
        for units, words in ((3, "in hand"), (2, "Wrong wine"), (1, "in hand")):
            stands_at(page, "units", str(units))
            gesture(page, words)

        # Of what broke, and of what was another wine, others are fetched; of what was the last, none can be.
        expect(page.locator("#progress")).to_have_text("Stop 1 of 2")
        again = stop(page)
        assert (again["sku"], again["order"]) == (old, orders[0])
        expect(page.locator("main")).to_contain_text(f"{orders[2]} cannot be picked")
        phone.picture(f"batch-another-{width}")
        scan(page, old)
        again = stop(page)
        assert (again["sku"], again["order"], again["units"]) == (many, orders[1], "2")
        gesture(page, "All 2 in hand")
        expect(page.locator(".say.ok")).to_contain_text("can be packed")
        for number in (orders[0], orders[1], orders[3]):
            expect(page.get_by_role("link", name=f"Pack {number}")).to_be_visible()

        # Two of three fit into this box: it is closed short, and the rest stays on the table.
        page.get_by_role("link", name=f"Pack {orders[0]}").tap()
        expect(page.locator("#f-scan")).to_be_focused()
        for sku in (many, many, old):
            scan(page, sku)
        expect(page.locator("#agrees")).to_contain_text("1 still to scan")
        phone.picture(f"batch-box-short-{width}")
        page.get_by_role("button", name="Close it with what is in it").tap()
        page.wait_for_url("**/desk/floor")
        expect(page.get_by_role("link", name=orders[0])).to_contain_text(f"Batch House White {width}")

        # At the desk: one box and what is still to be packed; and the order that nothing can be fetched for.
        desk = clerk.page
        log_in(desk, base, "mara@example.com")
        desk.goto(f"{base}/desk/orders/{orders[0]}")
        box = desk.locator("#parcels .entry", has_text="Package 1")
        expect(box).to_contain_text(f"1 × {old}")
        expect(box).to_contain_text(f"2 × {many}")
        expect(desk.locator(".crumb")).to_contain_text("Pack")
        expect(desk.locator("#timeline")).to_contain_text(re.compile("broke", re.IGNORECASE))
        desk.goto(f"{base}/desk/queues/cannot_ship?order={orders[2]}")
        expect(desk.locator(f"#list .row[data-order={orders[2]}]")).to_be_visible()
        expect(desk.locator("#aside .lines")).to_contain_text("1 missing")
        clerk.picture("batch-cannot-ship-1280")
        desk.goto(f"{base}/desk/counts")
        for sku in (old, last, many):
            expect(desk.locator("main")).to_contain_text(sku)
        # The second box, and all of it is packed.
        page.get_by_role("link", name=orders[0]).tap()
        expect(page.locator("#f-scan")).to_be_focused()
        scan(page, many)
        expect(page.locator("#agrees")).to_contain_text("agrees")
        page.locator("#close").tap()
        page.wait_for_url("**/desk/floor")
        desk.goto(f"{base}/desk/orders/{orders[0]}")
        expect(desk.locator("#parcels")).to_contain_text("Package 2")
        assert phone.complaints == clerk.complaints == []
    for number in orders:
        caller.send(f"orders/{number}/cancellation", {"reason": "the shop is tidied up"})
