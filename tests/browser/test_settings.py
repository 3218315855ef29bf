"""The owner's pages in a browser: rows, mails, an invited colleague, and the first start of a shop of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop, log_in, running, window
from tests.browser.test_every_page import sideways
from tests.support import png

pytestmark = pytest.mark.browser
PASSWORD = "long enough to be good"


def test_the_owner_changes_rows_and_words_and_a_colleague_joins_by_telephone(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    with window(chromium) as owner, window(chromium, width=390, dark=True) as mara:
        page = owner.page
        log_in(page, sqlite_shop.base)
        page.goto(f"{sqlite_shop.base}/desk/settings/calendar")
        page.get_by_label("Day, a new holiday").fill("2027-12-24")
        page.get_by_role("button", name=re.compile("^Add")).click()
        page.get_by_label("Day, a new holiday").fill("2027-12-31")
        page.get_by_role("button", name="Keep these settings").click()
        expect(page.get_by_text("Kept.")).to_be_visible()
        page.get_by_role("button", name="Remove holiday 1").click()
        expect(page.get_by_label("Day, holiday 1")).to_have_value("2027-12-31")
        page.get_by_label("Day, holiday 1").press("Enter")
        expect(page.get_by_label("Day, holiday 1")).to_have_value("2027-12-31")
        page.goto(f"{sqlite_shop.base}/desk/settings/log")
        expect(page.get_by_text("2027-12-24").first).to_be_visible()

        page.goto(f"{sqlite_shop.base}/desk/settings/mails/promised")
        page.get_by_label("First words, after the greeting").fill("How nice, {name}.")
        page.get_by_role("button", name="Preview", exact=True).click()
        expect(page.frame_locator("iframe").get_by_text("How nice, June Harper.")).to_be_visible()
        owner.picture("settings-mail-preview-1280")

        page.goto(f"{sqlite_shop.base}/desk/settings/staff")
        page.get_by_label("Name").fill("Nora Vance")
        page.get_by_label("E-mail").fill("nora@example.com")
        page.get_by_role("button", name="Send the invitation").click()
        link = page.locator(".set-secret").inner_text()
        owner.picture("settings-staff-invited-1280")
        _joins(mara.page, link)
        page.goto(f"{sqlite_shop.base}/desk/settings/staff")
        page.get_by_role("button", name="Switch off Nora Vance").click()
        expect(page.get_by_role("button", name="Switch off Nora Vance")).to_have_count(0)
        mara.page.goto(f"{sqlite_shop.base}/desk/queues/review")
        assert "/desk/login" in mara.page.url
        # The preview shows a mail in a sandbox, and the browser says that it let no script run there.
        assert [c for c in owner.complaints + mara.complaints if "sandbox" not in c] == []


def _joins(page: Page, link: str) -> None:
    page.goto(link)
    assert sideways(page) == 0
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Keep it and log in").click()
    page.wait_for_url("**/desk/queues/**")


def test_a_fresh_shop_leads_its_first_person_to_the_first_sale(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    logo = tmp_path / "logo.png"
    logo.write_bytes(png(900, 240))
    file.write_text("sku,name,price,quantity\nHILL-1,Hill House Pinot Noir,24.00,6\n")
    with running(demo=False) as shop, window(chromium, width=390) as seen:
        page = seen.page
        token = next(found[1] for line in shop.said if (found := re.search(r"token: (\S+)", line)))
        page.goto(f"{shop.base}/desk/")
        seen.picture("setup-owner-390")
        page.get_by_label("Token from the console").fill(token)
        page.get_by_label("Your name").fill("Ida Hill")
        page.get_by_label("E-mail").fill("ida@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Become the owner").click()
        page.wait_for_url("**/setup/shop")
        page.get_by_label("Shop's name").fill("Hill House Wines")
        page.set_input_files("[name='logo.file']", logo)
        expect(page.get_by_text("Not kept yet")).to_be_visible()
        expect(page.get_by_label("Shop's name")).to_have_value("Hill House Wines")
        page.get_by_label("Address", exact=True).fill("1 Lane\nNapa, CA 94559")
        page.get_by_label("E-mail").fill("shop@hill.example.com")
        for step in ("shop", "currency", "calendar", "delivery"):
            page.wait_for_url(f"**/setup/{step}")
            assert sideways(page) == 0, step
            page.get_by_role("button", name="Keep and go on").last.click()
        page.wait_for_url("**/setup/tax")
        page.get_by_label("Country, a new destination").fill("United States")
        page.get_by_label("State, a new destination").fill("California")
        page.get_by_label("Standard %, a new destination").fill("7.25")
        seen.picture("setup-tax-390")
        page.get_by_role("button", name="Keep and go on").last.click()
        page.wait_for_url("**/setup/charging")
        page.get_by_role("button", name="Keep and go on").last.click()
        page.wait_for_url("**/setup/paper")
        page.get_by_role("button", name="Keep and go on").last.click()
        page.wait_for_url("**/setup/mails")
        page.get_by_label("First words, after the greeting").fill("How nice, {name}.")
        page.get_by_role("button", name="Preview", exact=True).click()
        expect(page.frame_locator("iframe").get_by_text("How nice, June Harper.")).to_be_visible()
        assert sideways(page) == 0
        page.get_by_role("button", name="Keep and go on").last.click()
        page.wait_for_url("**/setup/staff")
        page.get_by_role("button", name="Skip for now").click()
        page.wait_for_url("**/setup/products")
        page.set_input_files("[name=file]", file)
        page.get_by_role("button", name="Take them in").click()
        page.get_by_text("1 product in the shop").wait_for()
        page.get_by_role("button", name="Go on", exact=True).click()
        page.wait_for_url("**/setup/test-order")
        assert page.get_by_text("No card processor is connected").is_visible()
        assert page.get_by_text("There is no product").count() == 0
        seen.picture("setup-test-order-390")
        page.goto(f"{shop.base}/")
        brand = page.get_by_role("img", name="Hill House Wines")
        box = brand.bounding_box()
        assert box is not None
        assert box["height"] == 40
        assert sideways(page) == 0
        # The preview shows a mail in a sandbox, and the browser says that it let no script run there.
        assert [c for c in seen.complaints if "sandbox" not in c] == []
