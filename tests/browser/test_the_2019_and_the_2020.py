"""The 2019 has sold out, only the 2020 exists: told at the desk, and with the customer's link in another window."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop, log_in, widths, window
from tests.browser.test_every_page import sideways
from tests.browser.test_the_story_in_a_browser import (
    check_out,
    eventually,
    give_card,
    next_action,
    number_of,
    put_in_cart,
    ups_label,
)

pytestmark = [pytest.mark.browser, pytest.mark.story]
OLD, NEW = "COP-SY-2019", "COP-SY-2020"
EMAIL = "vintage@example.com"


def fits(page: Page) -> None:
    assert sideways(page) <= 0, f"{page.url} is {sideways(page)} px too wide"


def test_the_2020_takes_the_place_of_the_2019_when_the_customer_says_so_and_not_before(
    sqlite_shop: Shop, chromium: Browser
) -> None:
    base = sqlite_shop.base
    with window(chromium, width=390) as customer, window(chromium) as clerk:
        page, desk = customer.page, clerk.page
        # Two of the 2019 turn up, it is said; the customer orders them.
        key = sqlite_shop.command("api-key", "vintages", "--role", "owner").stdout.split()[-1]
        ask: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}, "timeout": 60}
        found = {"sku": OLD, "quantity": 2, "reason": "two found in the cellar"}
        assert requests.post(f"{base}/api/v1/stock", json=found, **ask).status_code == 201
        put_in_cart(page, base, OLD, 2)
        check_out(page, base, EMAIL)
        give_card(page, "4242")
        number, link = number_of(page), page.url
        log_in(desk, base)
        desk.goto(f"{base}/desk/orders/{number}")
        assert "Approve" in next_action(desk)
        # On the shelf there are none: it has sold out.
        counted = {"lines": [{"sku": OLD, "seen": 0}]}
        assert requests.post(f"{base}/api/v1/orders/{number}/stock-check", json=counted, **ask).status_code == 200
        desk.goto(f"{base}/desk/orders/{number}")
        expect(desk.locator(".slip")).to_contain_text("missing")
        clerk.picture("vintage-1-sold-out-1280")

        # The clerk builds the question: the next vintage first, then a later date, or to cancel.
        desk.goto(f"{base}/desk/orders/{number}/proposals/new")
        suggestion = desk.locator(".entry", has_text="Copper Gate Syrah 2020").first
        expect(suggestion).to_contain_text("the same wine")
        suggestion.get_by_role("button", name="Offer it").click()
        desk.wait_for_load_state()
        expect(desk.locator("#drawn")).to_contain_text("Syrah 2020 instead of 2019")
        expect(desk.locator("#drawn")).to_contain_text("kept for you until you answer")
        # A second choice is drawn by itself as it is chosen, without a button.
        desk.select_option("#f-kind-1", "cancel")
        expect(desk.locator("#drawn")).to_contain_text("Cancel the order; nothing is charged")
        fits(desk)
        clerk.picture("vintage-2-question-drawn-1280")
        desk.get_by_role("button", name="Ask the customer").click()
        desk.wait_for_url("**/desk/orders/*")
        expect(desk.locator("#question")).to_contain_text("Waiting for the customer's answer")

        # Nothing has changed: the slip still says 2019, and the two bottles of the 2020 are kept.
        expect(desk.locator(".slip table.lines")).to_contain_text("2 × Copper Gate Syrah 2019")
        desk.goto(f"{base}/desk/stock/{NEW}")
        expect(desk.locator("main")).to_contain_text(f"kept for {number}")
        clerk.picture("vintage-3-kept-in-stock-1280")
        eventually(lambda: any("need your answer" in m["subject"] for m in sqlite_shop.mails(to=EMAIL)))

        # The customer reads the consequence of each choice and takes the 2020.
        page.goto(link)
        expect(page.locator("#question")).to_contain_text("Syrah 2020 instead of 2019")
        expect(page.locator("#question")).to_contain_text("kept for you")
        fits(page)
        customer.picture("vintage-4-question-390")
        page.locator("#question").get_by_role("button", name="Choose this").first.click()
        page.wait_for_load_state()
        page.goto(link)
        expect(page.locator(".slip")).to_contain_text("2 × Copper Gate Syrah 2020")
        expect(page.locator("#question")).to_contain_text("was answered on")
        customer.picture("vintage-5-answered-390")

        # Charged, picked, packed, shipped: with the 2020 in it.
        for words in ("Charge $", "Picked", "Packed"):
            desk.goto(f"{base}/desk/orders/{number}")
            assert words in next_action(desk)
        desk.goto(f"{base}/desk/orders/{number}")
        desk.locator("[name=tracking_number]:visible").fill(ups_label(number, "2"))
        assert "Shipped" in next_action(desk)
        desk.goto(f"{base}/desk/orders/{number}")
        expect(desk.locator("#changes")).to_contain_text("Changed as the customer chose")
        clerk.picture("vintage-6-shipped-1280")
        page.goto(link)
        expect(page.locator("main")).to_contain_text("1Z999AA2")
        customer.picture("vintage-7-shipped-390")
        assert (customer.complaints, clerk.complaints) == ([], [])
    judged = sqlite_shop.command("verify")
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize("width", widths(1280))
def test_a_change_is_drawn_done_and_undone(sqlite_shop: Shop, chromium: Browser, width: int) -> None:
    base = sqlite_shop.base
    with window(chromium) as customer, window(chromium, width=width) as clerk:
        page, desk = customer.page, clerk.page
        put_in_cart(page, base, "QUI-RI-2022", 3)
        check_out(page, base, f"changed-{width}@example.com")
        give_card(page, "4242")
        number = number_of(page)
        log_in(desk, base)
        desk.goto(f"{base}/desk/orders/{number}/amend")
        desk.locator("[name^='quantity:']").first.fill("2")
        desk.get_by_role("button", name="Show what that does").click()
        desk.wait_for_load_state()
        expect(desk.locator("#drawn")).to_contain_text("2 × Quill Riesling 2022 instead of 3")
        fits(desk)
        clerk.picture(f"amend-drawn-{width}")
        desk.get_by_role("button", name="Change the order").click()
        desk.wait_for_url(re.compile(r"/desk/orders/CF-\d+(#.*)?$"))
        expect(desk.locator("#changes")).to_contain_text("agreed on the telephone")
        fits(desk)
        clerk.picture(f"amend-done-{width}")
        desk.get_by_role("link", name="Undo…").click()
        expect(desk.locator("#drawn")).to_contain_text("undone")
        desk.get_by_role("button", name="Undo it").click()
        desk.wait_for_url(re.compile(r"/desk/orders/CF-\d+(#.*)?$"))
        expect(desk.locator(".slip table.lines")).to_contain_text("3 × Quill Riesling 2022")
        desk.goto(f"{base}/desk/orders/{number}/proposals/new")
        fits(desk)
        clerk.picture(f"builder-{width}")
        assert clerk.complaints == []
