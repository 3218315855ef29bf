"""A part of which less was paid than it costs by now: what was taken is never forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core.shop import shop
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Part
from counterfoil.steps.charging.actions import open_card_page
from counterfoil.steps.charging.tests.build import (
    accepted,
    approved,
    at_the_bank,
    declined,
    in_two_parts,
    later,
    pays,
)
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db
PAID, DEARER = 6500, 13500


@pytest.fixture
def api(card: str) -> Api:
    return Api("owner", "Olga")


@pytest.fixture
def number(api: Api) -> str:
    """The customer paid at a page that asked for the old total, while the order was made dearer."""
    number = declined(api)
    page = open_card_page(order=number)
    product(api, "GRAND-15", stock=20, price=6000)
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "GRAND-15", "quantity": 2, "price": 6000})
    pays(page)
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["total"]) == ("declined", PAID, DEARER)
    assert judge_all() == []
    return number


def test_cancelled_it_gives_back_what_was_taken(api: Api, card: str, number: str) -> None:
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["refunded"]) == ("voided", PAID, PAID)
    assert at_the_bank(card, number) == [(PAID, PAID)]
    assert judge_all() == []


def cheaper(api: Api, number: str, price: int) -> Any:
    accepted(api, number, {"kind": "substitute", "line": "GRAND-15", "sku": "PINOT-21", "quantity": 2, "price": price})
    later()
    return api.order(number)


def test_made_as_cheap_as_what_was_paid_it_is_paid(api: Api, card: str, number: str) -> None:
    order = cheaper(api, number, 2500)
    assert (order["axes"]["money"], order["total"], order["refunded"]) == ("charged", PAID, 0)
    assert (order["queue"], at_the_bank(card, number)) == ("pick", [(PAID, 0)])
    assert judge_all() == []


def test_made_cheaper_than_that_exactly_the_rest_goes_back(api: Api, card: str, number: str) -> None:
    order = cheaper(api, number, 2000)
    assert (order["axes"]["money"], order["total"], order["refunded"]) == ("charged", PAID - 1000, 1000)
    assert at_the_bank(card, number) == [(PAID, 1000)]
    assert judge_all() == []


def test_still_dearer_than_what_was_paid_it_waits_for_the_rest(api: Api, card: str, number: str) -> None:
    order = cheaper(api, number, 3000)
    assert (order["axes"]["money"], order["total"], order["refunded"]) == ("declined", PAID + 1000, 0)
    pays(open_card_page(order=number))
    later()
    assert (api.order(number)["axes"]["money"], api.order(number)["charged"]) == ("charged", PAID + 1000)
    assert sorted(at_the_bank(card, number)) == [(1000, 0), (PAID, 0)]
    assert judge_all() == []


def test_of_a_part_that_loses_its_last_line_all_goes_back(api: Api, card: str) -> None:
    number = in_two_parts(api, card="pm_card_chargeCustomerFail")
    assert api.post(f"/orders/{number}/charge", {"part": 1}).status == 402
    page = open_card_page(order=number)
    product(api, "GRAND-15", stock=20, price=6000)
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "GRAND-15", "quantity": 1, "price": 6000})
    pays(page)
    later()
    assert (Part.objects.get(number=1).money, Part.objects.get(number=1).charged) == ("declined", 4000)
    accepted(api, number, {"kind": "cancel", "line": "GRAND-15", "quantity": 1})
    later()
    first = Part.objects.get(number=1)
    assert (first.money, first.total, first.charged, first.refunded) == ("voided", 0, 4000, 4000)
    assert at_the_bank(card, number) == [(4000, 4000)]
    assert judge_all() == []


def test_whoever_charges_the_rest_reads_the_amount_of_the_rest(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    more = {"changes": [{"kind": "quantity", "line": "PINOT-21", "quantity": 3}]}
    api.done(f"/orders/{number}/amendments", {**more, "consent": {"how": "telephone", "who": "Zoë"}})
    later()
    order = api.order(number)
    assert (order["queue"], order["total"] - order["charged"]) == ("charge", 2500)
    desk = at_the_desk("clerk")
    assert 'data-total="2500"' in desk.get("/desk/queues/charge").content.decode()
    asked = desk.post("/desk/queues/charge/acts", {"order": number, "verb": "charge"}).content.decode()
    assert ("$25.00" in asked, f"${order['total'] / 100:.2f}" in asked) == (True, False)
    said = desk.post(f"/desk/orders/{number}/acts/charge", {}, follow=True).content.decode()
    assert f"{number}: $25.00 charged." in said
    assert sorted(at_the_bank(card, number)) == [(2500, 0), (PAID, 0)]
    assert judge_all() == []


def test_of_a_split_order_the_part_that_is_here_is_charged_picked_and_sent_while_the_other_waits(
    api: Api, card: str
) -> None:
    product(api, stock=5)
    api.done("/suppliers", {"name": "Northfold", "lead_time_days": 5})
    product(api, "GRAND-15", price=6000, supplier="Northfold")
    number = str(api.done("/orders", order_body(("PINOT-21", 1), ("GRAND-15", 2), card="pm_card_visa"))["number"])
    later()
    api.done(f"/orders/{number}/approval", {"ship_estimate": (shop().today() + timedelta(days=1)).isoformat()})
    accepted(
        api, number, {"kind": "split", "line": "GRAND-15", "date": (shop().today() + timedelta(days=25)).isoformat()}
    )
    later()
    bought = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "GRAND-15", "quantity": 2}]})
    comes = {"expected": (shop().today() + timedelta(days=20)).isoformat()}
    api.done(f"/purchase-orders/{bought['number']}/confirmation", comes)
    later()
    first = api.order(number)["parts"][0]["total"]
    amount, clerk = f"${first / 100:.2f}", at_the_desk("clerk")
    page = clerk.get("/desk/queues/charge", {"order": number}).content.decode()
    assert (f"Charge {amount}" in page, f'data-total="{first}"' in page) == (True, True)
    asked = clerk.post("/desk/queues/charge/acts", {"order": number, "verb": "charge"}).content.decode()
    assert f"1 order · {amount}" in asked
    said = clerk.post(f"/desk/orders/{number}/acts/charge", {}, follow=True).content.decode()
    assert f"{number}: {amount} charged." in said
    floor = at_the_desk("picker").get("/desk/queues/pick", {"order": number}).content.decode()
    assert "Picked: 1 unit off the shelf" in floor
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}", {})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z1"})
    later()
    order = api.order(number)
    assert (order["queue"], order["status"], order["charged"]) == ("goods", "processing", first)
    assert judge_all() == []
