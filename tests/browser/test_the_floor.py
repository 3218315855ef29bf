"""The floor on a telephone, and the bench where parcels are shipped: one shop, from the shelf to the carrier."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop, launched, log_in, widths, window
from tests.browser.film import film

pytestmark = pytest.mark.browser
UPS = "1Z999AA10123456784"


def order(shop: Shop, number: str) -> dict[str, object]:
    """The order as the API tells it."""
    made = shop.command("api-key", f"floor {number}", "--role", "owner")
    key = made.stdout.strip().splitlines()[-1]
    answer = requests.get(f"{shop.base}/api/v1/orders/{number}", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    found: dict[str, object] = answer.json()
    return found


def scan(page: Page, text: str) -> None:
    """A hand scanner: keys, wherever the focus is, and Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def stop(page: Page) -> dict[str, str]:
    """The stop that is shown."""
    found = page.locator(".stop:not([hidden])")
    expect(found).to_have_count(1)
    told: dict[str, str] = json.loads(found.evaluate("e => JSON.stringify(e.dataset)"))
    return told


def walk_through(page: Page, shop: Shop) -> None:
    """Scan every unit of the walk."""
    for _ in range(60):
        if not page.locator(".stop:not([hidden])").count():
            return
        here = stop(page)
        # What is scanned before the page listens is lost: the field has the focus once it does.
        expect(page.locator("#f-scan")).to_be_focused()
        scan(page, here["sku"])
        # After the last one the page is soon drawn anew, and says that all is picked.
        page.locator(".verdict.right, .say.ok").first.wait_for()


def a_stop_of_several(page: Page, shop: Shop) -> dict[str, str]:
    """The first stop of a walk, where more than one unit is to be fetched."""
    page.goto(f"{shop.base}/desk/floor")
    numbers = [box.get_attribute("value") for box in page.locator("input[name=order]").all()]
    for number in numbers:
        page.goto(f"{shop.base}/desk/floor/pick?order={number}")
        here = stop(page)
        if int(here["units"]) > 1:
            return here
    raise AssertionError(f"one unit each: {numbers}")


@pytest.mark.parametrize(("width", "number"), list(zip(widths(390), range(2), strict=False)))
def test_an_order_is_picked_packed_and_shipped_by_scan(
    sqlite_shop: Shop, chromium: Browser, width: int, number: int
) -> None:
    with window(chromium, width=width) as seen:
        page = seen.page
        log_in(page, sqlite_shop.base, "picker@example.com")
        page.goto(f"{sqlite_shop.base}/desk/floor")
        seen.picture(f"floor-{width}")
        mine = page.locator("input[name=order]").first.get_attribute("value") or ""
        page.goto(f"{sqlite_shop.base}/desk/floor/pick?order={mine}")
        here = stop(page)
        expect(page.locator("#f-scan")).to_be_focused()
        # Another bottle: red, and what it should have been; the walk stays where it is.
        scan(page, "SOMETHING-ELSE")
        expect(page.locator(".verdict.refused")).to_contain_text(f"It should be {here['name']}")
        seen.picture(f"floor-wrong-{width}")
        kin = page.locator(".stop:not([hidden]) .kin")
        if kin.count():
            scan(page, kin.first.get_attribute("data-sku") or "")
            expect(page.locator(".verdict.refused")).to_contain_text("WRONG VINTAGE")
        assert stop(page)["sku"] == here["sku"]
        # The right one, with the connection lost: it goes on, and says so.
        page.context.set_offline(True)
        scan(page, here["sku"])
        expect(page.locator(".verdict.right")).to_be_visible()
        seen.picture(f"floor-right-{width}")
        walk_through(page, sqlite_shop)
        expect(page.locator("#link")).to_contain_text("No connection")
        expect(page.locator("#done")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("link", name=re.compile(f"Pack {mine}")).click()
        # One breaks on the table: another is fetched before any box closes.
        expect(page.locator("#agrees")).to_contain_text("still to scan")
        page.locator("#units .broke").first.click()
        expect(page.locator("#agrees")).to_contain_text("1 broken")
        expect(page.locator("#close")).to_be_hidden()
        seen.picture(f"floor-broke-{width}")
        page.locator("#fetch").click()
        page.wait_for_url("**/desk/floor/pick?*")
        walk_through(page, sqlite_shop)
        page.get_by_role("link", name=re.compile(f"Pack {mine}")).click()
        # Packing: the box does not close before it agrees.
        expect(page.locator("#agrees")).to_contain_text("still to scan")
        page.locator("#close").click()
        expect(page.locator(".verdict.refused")).to_contain_text("does not agree")
        for unit in page.locator("#units .unit").all():
            for _ in range(int(unit.get_attribute("data-units") or 0)):
                scan(page, unit.get_attribute("data-sku") or "")
        expect(page.locator("#agrees")).to_contain_text("agrees")
        scan(page, page.locator("#units .unit").first.get_attribute("data-sku") or "")
        expect(page.locator(".verdict.refused")).to_contain_text("One too many")
        seen.picture(f"floor-pack-{width}")
        page.locator("#close").click()
        page.wait_for_url("**/desk/floor")
        page.get_by_text(f"The box of {mine} is closed.").wait_for()
        # Shipping: the order's bar code, then the label.
        page.goto(f"{sqlite_shop.base}/desk/ship")
        scan(page, mine)
        page.get_by_text("may leave").wait_for()
        expect(page.locator("#f-scan")).to_be_focused()
        seen.picture(f"ship-order-{width}")
        label = f"{UPS[:-2]}{('84', '93')[number]}"
        scan(page, label)
        page.get_by_text(f"{mine}: shipped with UPS").wait_for()
        expect(page.locator("#f-scan")).to_be_focused()
        assert order(sqlite_shop, mine)["status"] == "shipped"
        assert [c for c in seen.complaints if "ERR_INTERNET_DISCONNECTED" not in c] == []


def test_the_floor_is_loaded_anew_without_a_connection_and_forgotten_at_log_out(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    with window(chromium, width=390) as seen:
        page = seen.page
        log_in(page, sqlite_shop.base, "picker@example.com")
        page.goto(f"{sqlite_shop.base}/desk/floor")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.goto(f"{sqlite_shop.base}/desk/floor/pick?batch=4")
        walk = page.url
        stops = page.locator(".stop").count()
        # One unit is in hand and told, another waits for the connection; then the page is loaded anew, twice.
        here = stop(page)
        with page.expect_response("**/desk/floor/acts"):
            page.locator(".stop:not([hidden]) [value=short]").click()
        page.context.set_offline(True)
        page.locator(".stop:not([hidden]) [value=got]").click()
        for _ in range(2):
            page.reload()
            expect(page.locator("#link")).to_contain_text("No connection. Go on: 1 act waits on this phone")
            expect(page.locator("#progress")).to_have_text(f"Stop 3 of {stops}")
        # So does a page that was closed, with what is scanned of this stop.
        third = stop(page)
        if int(third["units"]) > 1:
            scan(page, third["sku"])
            expect(page.locator(".verdict.right")).to_contain_text("1 of")
        page.close()
        page = seen.page = page.context.new_page()
        page.goto(walk)
        if int(third["units"]) > 1:
            expect(page.locator(".stop:not([hidden]) .count")).to_contain_text("more of")
        seen.picture("floor-away-390")
        # What is not kept says so, and leads back.
        page.goto(f"{sqlite_shop.base}/desk/floor/pick?order={here['order']}&order=CF-1")
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        seen.picture("floor-not-kept-390")
        page.get_by_role("link", name="Go on picking").click()
        expect(page.locator("#progress")).to_have_text(f"Stop 3 of {stops}")
        page.context.set_offline(False)
        expect(page.locator("#link")).to_have_text("")
        # With a connection it comes from the shop: what has been done is on it no more.
        page.reload()
        expect(page.locator(".stop")).not_to_have_count(stops)
        # Whoever takes the phone after a log-out finds nothing of it.
        page.goto(f"{sqlite_shop.base}/desk/ship")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/desk/login")
        page.context.set_offline(True)
        page.goto(walk)
        expect(page.get_by_text("Nothing is kept here")).to_be_visible()
        assert [c for c in seen.complaints if "ERR_INTERNET_DISCONNECTED" not in c] == []


def test_the_camera_reads_bar_codes_in_a_browser_that_cannot_by_itself(
    sqlite_shop: Shop, chromium: Browser, tmp_path: Path
) -> None:
    camera = tmp_path / "camera.y4m"
    switches = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    filmed = launched(chromium.browser_type, *switches, f"--use-file-for-fake-video-capture={camera}")
    with window(filmed, width=390) as seen:
        page = seen.page
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        log_in(page, sqlite_shop.base, "picker@example.com")
        here = a_stop_of_several(page, sqlite_shop)
        assert page.evaluate("'BarcodeDetector' in window") is False
        film(camera, ("ean13", "4006381333931"), ("code128", here["sku"]))
        page.evaluate("""() => {
            const verdict = document.getElementById("verdict");
            new MutationObserver(() => { document.body.dataset.said += verdict.textContent; })
                .observe(verdict, { childList: true });
        }""")
        assert not any("zxing" in url for url in fetched)
        page.get_by_role("button", name="Camera").click()
        # An EAN-13 of another bottle is wrong, and the Code 128 of this one right, each once while it is in sight.
        for words in ("none of this walk", "1 of"):
            expect(page.locator("body")).to_have_attribute("data-said", re.compile(words))
        seen.picture("floor-camera-390")
        page.get_by_role("button", name="Camera").click()
        expect(page.locator("#seen")).to_be_hidden()
        assert any("zxing" in url for url in fetched)
        assert seen.complaints == []
    filmed.close()
