"""12. Decline at stock confirmation: stock held for a set time, pay link sent, nothing ships."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from counterfoil.core.db import writing
from counterfoil.core.shop import change, shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order
from counterfoil.steps.charging.actions import open_card_page
from counterfoil.steps.charging.tests.build import approved, at_the_bank, later, pays, the_bank_thinks
from tests.scenarios.moving import own_sandbox, time_passes
from tests.support import Api, product, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]
TOTAL = 6500
ANN = {"name": "Ann Moreau", "email": "ann.moreau@example.com"}
BEN = {"name": "Ben Achterberg", "email": "ben.achterberg@example.com"}


@pytest.fixture
def bank(settings: Any, tmp_path: Path) -> Iterator[str]:
    with own_sandbox(settings, tmp_path) as address:
        yield address


@pytest.fixture
def api(bank: str, mailbox: Any) -> Api:
    return Api()


def declined_for(api: Api, bank: str, customer: dict[str, str]) -> str:
    """Everything is here, the clerk presses Charge, and the bank finds no funds."""
    number = approved(api, customer=customer)
    assert api.order(number)["queue"] == "charge"
    the_bank_thinks(bank, number, "pm_card_chargeDeclinedInsufficientFunds")
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.body["decline_code"]) == (402, "insufficient_funds")
    settle()
    return number


def mails(mailbox: Any, customer: dict[str, str]) -> list[dict[str, Any]]:
    """To this customer since her last order, oldest first."""
    settle()
    newest_first = mailbox.mails(to=customer["email"])
    placed = next(i for i, m in enumerate(newest_first) if m["subject"].startswith("We have your order"))
    return list(reversed(newest_first[: placed + 1]))


def test_scenario_12_a_decline_keeps_the_stock_sends_a_pay_link_and_ships_nothing(
    api: Api, bank: str, mailbox: Any
) -> None:
    product(api, stock=2)
    number = declined_for(api, bank, ANN)
    order = api.order(number)
    assert (order["queue"], order["next_action"]) == ("payment_problem", "send_pay_link")
    assert (order["lines"][0]["reserved"], order["axes"]["stock"]) == (2, "confirmed")
    told = mails(mailbox, ANN)[-1]
    last = shop().today() + timedelta(days=7)
    assert told["subject"] == f"{number}: please check your payment"
    assert f"/orders/{Order.objects.get(number=number).token}" in told["text"]
    assert f"We keep your goods until {last:%a} {last.day} {last:%b %Y}" in told["text"]
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1Z1"})):
        assert "not_charged" in api.post(f"/orders/{number}/{act}", body).codes
    # The same two bottles are promised to nobody else meanwhile.
    second = approved(api, customer=BEN)
    time_passes(days=6)
    assert (api.order(number)["lines"][0]["reserved"], api.order(second)["queue"]) == (2, "stock")
    assert at_the_bank(bank, number) == []
    assert judge_all() == []


def test_scenario_12_paid_within_the_days_of_grace_the_order_goes_on_by_itself(
    api: Api, bank: str, mailbox: Any
) -> None:
    number = declined_for(api, bank, ANN)
    time_passes(days=4)
    pays(open_card_page(order=number), "pm_card_mastercard")
    later()
    order = api.order(number)
    assert (order["queue"], order["axes"]["money"], order["charged"]) == ("pick", "charged", TOTAL)
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1Z2"})):
        api.done(f"/orders/{number}/{act}", body)
    time_passes(days=20)
    assert api.order(number)["status"] == "shipped"
    assert at_the_bank(bank, number) == [(TOTAL, 0)]
    later()
    assert judge_all() == []


def test_scenario_12_after_the_set_time_the_stock_goes_to_who_waits_and_the_customer_is_told(
    api: Api, bank: str, mailbox: Any
) -> None:
    with writing():
        change(grace_days=3, retry_after_hours=[24])
    product(api, stock=2)
    number = declined_for(api, bank, ANN)
    second = approved(api, customer=BEN)
    address = open_card_page(order=number)
    for _ in range(4):
        time_passes(days=1)
    order = api.order(number)
    assert (order["queue"], order["axes"]["stock"], order["lines"][0]["reserved"]) == (
        "payment_problem",
        "unchecked",
        0,
    )
    assert api.order(second)["queue"] == "charge"
    assert requests.post(address, data={"card": "pm_card_visa"}, timeout=10).status_code == 410
    said = [m["subject"].removeprefix(f"{number}: ") for m in mails(mailbox, ANN)]
    assert said.count("please check your payment") == 1
    assert sum("kept until" in s for s in said) == 1
    assert said[-1] == "we could not keep your goods any longer"
    # Days later the customer gives a card after all: it is saved, not charged, since the bottles are Ben's.
    pays(open_card_page(order=number))
    later()
    assert (api.order(number)["queue"], api.order(number)["charged"]) == ("stock", 0)
    api.done(f"/orders/{second}/charge", {})
    api.done("/stock", {"sku": "PINOT-21", "quantity": 2, "reason": "found"})
    later()
    assert api.order(number)["queue"] == "charge"
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert at_the_bank(bank, number) == at_the_bank(bank, second) == [(TOTAL, 0)]
    later()
    assert judge_all() == []
