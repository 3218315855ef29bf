"""A page takes money like a charge: once the gate shuts, it is closed, whatever shut it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import PayLink
from counterfoil.steps.charging.actions import open_card_page
from counterfoil.steps.charging.tests.build import at_the_bank, declined, later, pays
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(card: str) -> Api:
    return Api("owner", "Olga")


def pay_page(number: str) -> str:
    """The customer opens the page, and it is one for payment."""
    address = open_card_page(order=number)
    assert PayLink.objects.order_by("-id").values_list("mode", flat=True).first() == "payment"
    return address


def takes_nothing(address: str) -> bool:
    given = {"card": "pm_card_visa", "terms": "accepted"}
    return requests.post(address, data=given, allow_redirects=False, timeout=10).status_code == 410


def somebody_stops_it(api: Api, number: str) -> None:
    api.done(f"/orders/{number}/holds", {"reason": "odd address"})


def the_customer_is_asked(api: Api, number: str) -> None:
    date = (shop().today() + timedelta(days=3)).isoformat()
    api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "later_date", "date": date}]})


def a_bottle_is_not_to_be_found(api: Api, number: str) -> None:
    api.done(f"/orders/{number}/stock-check", {"lines": [{"sku": "PINOT-21", "seen": 1}]})


@pytest.mark.parametrize("shut", [somebody_stops_it, the_customer_is_asked, a_bottle_is_not_to_be_found])
def test_what_shuts_the_gate_closes_the_page(api: Api, card: str, shut: Callable[[Api, str], None]) -> None:
    number = declined(api)
    page = pay_page(number)
    shut(api, number)
    settle()
    assert takes_nothing(page)
    later()
    assert at_the_bank(card, number) == []
    assert judge_all() == []


def test_when_the_gate_opens_again_so_does_a_page(api: Api, card: str) -> None:
    number = declined(api)
    page = pay_page(number)
    stop = api.done(f"/orders/{number}/holds", {"reason": "odd address"})["id"]
    settle()
    assert takes_nothing(page)
    api.ask("DELETE", f"/orders/{number}/holds/{stop}")
    pays(pay_page(number))
    later()
    assert api.order(number)["axes"]["money"] == "charged"
    assert judge_all() == []


def test_who_paid_before_the_page_could_be_closed_has_paid(api: Api, card: str) -> None:
    number = declined(api)
    page = pay_page(number)
    somebody_stops_it(api, number)
    pays(page)
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("charged", order["total"])
    assert api.post(f"/orders/{number}/picks", {}).codes == {"on_hold"}
    assert judge_all() == []


def test_goods_that_are_overdue_at_midnight_close_it(api: Api, card: str) -> None:
    api.done("/suppliers", {"name": "Tern Island Growers"})
    product(api, supplier="Tern Island Growers")
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_chargeCustomerFail"))["number"]
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    lines = [{"sku": "PINOT-21", "quantity": 2}]
    bought = api.done("/purchase-orders", {"supplier": "Tern Island Growers", "lines": lines})["number"]
    api.done(f"/purchase-orders/{bought}/confirmation", {"expected": shop().today().isoformat()})
    settle()
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    page = pay_page(number)
    with writing():
        clock.advance_business_time(timedelta(days=1))
    sweep()
    settle()
    assert takes_nothing(page)
    assert at_the_bank(card, number) == []
    assert judge_all() == []
