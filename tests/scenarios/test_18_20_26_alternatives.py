"""Scenarios 18, 20 and 26: a vintage that sold out, two of three lines today, and 95 F on the route."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from conftest import Mailbox
from counterfoil.core import shop
from counterfoil.core.db import writing
from counterfoil.records.orders.models import Line, Part
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.tests.build import at_the_bank
from tests.scenarios.money import all_is_well, books, paper, placed, prints
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
WINE = {"producer": "Copper Gate", "name": "Syrah", "size": "0.75 l"}


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 100_000}}])
    owner = Api()
    product(owner, "SYRAH-19", price=4000, family={**WINE, "vintage": 2019})
    product(owner, "SYRAH-20", price=4400, stock=5, sell_when_out="stop", family={**WINE, "vintage": 2020})
    product(owner, "PINOT-21", price=2000, stock=9)
    product(owner, "RIES-22", price=1000, stock=9)
    return owner


def approved(api: Api, number: str) -> Any:
    day = shop.shop().business_days_from(shop.shop().today(), 1)
    done = api.done(f"/orders/{number}/approval", {"ship_estimate": day.isoformat()})
    settle()
    return done


def answered(api: Api, token: str, choice: int) -> None:
    api.done(f"/proposals/{token}/answer", {"choice": choice})
    settle()


def wanted(api: Api, number: str) -> dict[str, int]:
    return {ln["sku"]: ln["quantity"] for ln in api.order(number)["lines"] if ln["quantity"]}


def shipped(api: Api, number: str, part: int) -> None:
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}", {"part": part})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{number}{part}"})
    settle()


# --- 18 -------------------------------------------------------------------------------------------------------------


def test_18_nothing_is_substituted_until_the_customer_accepts_offer_and_price(
    api: Api, card: str, mailbox: Mailbox
) -> None:
    number = placed(api, "USD", [("SYRAH-19", 2, 4000)], shipping=1500)["number"]
    approved(api, number)
    order = api.order(number)
    # The 2020 stands on the shelf, of the same wine, and takes nobody's place by itself.
    assert (order["queue"], order["lines"][0]["short"]) == ("stock", 2)
    assert wanted(api, number) == {"SYRAH-19": 2}

    offer = {"kind": "substitute", "line": "SYRAH-19", "sku": "SYRAH-20", "quantity": 2, "price": 4200}
    asked = api.done(f"/orders/{number}/proposals", {"choices": [offer, {"kind": "cancel"}]})
    settle()
    assert asked["choices"][0]["difference"] == 2 * 200 + 40
    (mail,) = mailbox.mails(to=order["customer"]["email"], subject="need your answer")
    told = " ".join(mail["text"].split())
    assert "2 × Wine SYRAH-20 instead of 2019, $2.00 more each" in told
    assert "$4.40 more with tax: your total becomes $107.40; kept for you until you answer" in told
    # Asked is not answered: the order is as it was, nothing can be charged, and the two bottles are the customer's.
    assert (wanted(api, number), api.order(number)["total"]) == ({"SYRAH-19": 2}, order["total"])
    assert api.post(f"/orders/{number}/charge").codes >= {"question_open"}
    assert Balance.objects.get(product__sku="SYRAH-20").free == 3
    assert at_the_bank(card, number) == []

    answered(api, asked["token"], 0)
    order = api.order(number)
    assert (wanted(api, number), order["total"], order["queue"]) == ({"SYRAH-20": 2}, 10740, "charge")
    api.done(f"/orders/{number}/charge")
    settle()
    assert at_the_bank(card, number) == [(10740, 0)]
    shipped(api, number, 1)
    assert prints(paper(api, number, "invoice"), 10740, "USD")
    all_is_well()


def test_18_a_no_leaves_the_order_as_it_was_placed(api: Api) -> None:
    number = placed(api, "USD", [("SYRAH-19", 2, 4000)], shipping=1500)["number"]
    approved(api, number)
    offer = {"kind": "substitute", "line": "SYRAH-19", "sku": "SYRAH-20", "quantity": 2}
    token = api.done(f"/orders/{number}/proposals", {"choices": [offer]})["token"]
    api.done(f"/proposals/{token}/answer", {"decline": True})
    settle()
    assert wanted(api, number) == {"SYRAH-19": 2}
    assert Balance.objects.get(product__sku="SYRAH-20").free == 5
    all_is_well()


# --- 20 -------------------------------------------------------------------------------------------------------------


def test_20_two_of_three_lines_ship_today_and_only_they_are_recognised(api: Api, card: str) -> None:
    lines = [("PINOT-21", 1, 2000), ("RIES-22", 2, 1000), ("SYRAH-19", 1, 4000)]
    number = placed(api, "USD", lines, shipping=1500)["number"]
    approved(api, number)
    later = (shop.shop().today() + timedelta(days=20)).isoformat()
    choice = {"kind": "split", "line": "SYRAH-19", "date": later}
    answered(api, api.done(f"/orders/{number}/proposals", {"choices": [choice]})["token"], 0)
    first, rest = api.order(number)["parts"]
    assert [ln["sku"] for ln in rest["lines"]] == ["SYRAH-19"]
    assert (first["total"], rest["total"]) == (4000 + 400 + 1500, 4000 + 400)

    # The charge, too, is of what is here alone.
    api.done(f"/orders/{number}/charge")
    settle()
    assert at_the_bank(card, number) == [(first["total"], 0)]
    shipped(api, number, 1)
    assert books(number) == {
        "card_clearing": 5900, "revenue": -4000, "shipping_income": -1500, "tax_payable": -400,
    }  # fmt: skip
    invoice = paper(api, number, "invoice")
    assert prints(invoice, 5900, "USD")
    assert "SYRAH-19" not in invoice
    order = api.order(number)
    first, rest = order["parts"]
    assert (first["books"], rest["books"], order["status"]) == ("invoiced", "sales_order", "processing")
    # The rest keeps its promise, its legal deadline and its place in the queue, and owes nothing yet.
    assert rest["promise"]["date"] == later
    assert rest["promise"]["legal_deadline"] >= later
    assert (rest["charged"], rest["money"], order["queue"]) == (0, "saved", "stock")

    api.done("/stock", {"sku": "SYRAH-19", "quantity": 1, "reason": "found"})
    settle()
    api.done(f"/orders/{number}/charge")
    settle()
    shipped(api, number, 2)
    assert sorted(taken for taken, _ in at_the_bank(card, number)) == [4400, 5900]
    assert books(number) == {
        "card_clearing": 10300, "revenue": -8000, "shipping_income": -1500, "tax_payable": -800,
    }  # fmt: skip
    assert api.order(number)["status"] == "shipped"
    all_is_well()


# --- 26 -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hot(api: Api) -> tuple[str, str]:
    """A charged order that stays in the house for the weather, and the token of its question."""
    number = str(placed(api, "USD", [("PINOT-21", 2, 2000)], shipping=1500)["number"])
    approved(api, number)
    api.done(f"/orders/{number}/charge")
    settle()
    api.done(f"/orders/{number}/holds", {"reason": "95 F on the route", "kind": "weather"})
    settle()
    later = (shop.shop().today() + timedelta(days=9)).isoformat()
    choices = [{"kind": "later_date", "date": later}, {"kind": "expedite", "price": 1500}, {"kind": "as_is"}]
    asked = api.done(f"/orders/{number}/proposals", {"choices": choices, "message": "It is too hot for wine."})
    settle()
    return number, str(asked["token"])


def legal(api: Api, number: str) -> str:
    return str(api.order(number)["parts"][0]["promise"]["legal_deadline"])


def test_26_while_the_weather_holds_it_nothing_ships_and_the_legal_clock_still_shows(
    api: Api, hot: tuple[str, str]
) -> None:
    number, _ = hot
    assert {"on_hold", "question_open"} <= api.post(f"/orders/{number}/picks").codes
    order = api.order(number)
    assert [h["kind"] for h in order["holds"]] == ["weather"]
    assert (order["status"], order["queue"]) == ("waiting_for_customer", "question")
    assert date.fromisoformat(legal(api, number)) >= shop.shop().today()
    assert Line.objects.get().reserved == 2
    all_is_well()


def test_26_who_waits_has_a_later_date_and_the_hold_stays_until_somebody_lifts_it(
    api: Api, hot: tuple[str, str]
) -> None:
    number, token = hot
    before = legal(api, number)
    answered(api, token, 0)
    order = api.order(number)
    assert order["parts"][0]["promise"]["date"] == (shop.shop().today() + timedelta(days=9)).isoformat()
    assert legal(api, number) >= before
    assert api.post(f"/orders/{number}/picks").codes == {"on_hold"}
    assert api.ask("DELETE", f"/orders/{number}/holds/{order['holds'][0]['id']}").status == 204
    shipped(api, number, 1)
    all_is_well()


@pytest.mark.parametrize(("choice", "method"), [(1, "Express"), (2, "Ground")], ids=["upgrades", "waives"])
def test_26_who_upgrades_or_waives_has_it_shipped_at_once(
    api: Api, hot: tuple[str, str], choice: int, method: str
) -> None:
    number, token = hot
    answered(api, token, choice)
    order = api.order(number)
    assert (order["holds"], order["shipping_method"], order["queue"]) == ([], method, "pick")
    shipped(api, number, 1)
    assert Part.objects.get().parcel == "shipped"
    all_is_well()


def test_26_no_answer_lets_nothing_out_of_the_house(api: Api, hot: tuple[str, str]) -> None:
    number, token = hot
    api.done(f"/proposals/{token}/answer", {"decline": True})
    settle()
    assert api.post(f"/orders/{number}/picks").codes == {"on_hold"}
    all_is_well()
