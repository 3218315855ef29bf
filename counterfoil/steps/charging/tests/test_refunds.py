"""Refunds, sentence by sentence: whole, by amount or by line; owed until paid; goods and money are two things."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conftest import Mailbox
from counterfoil.core import shop
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.models import Document
from counterfoil.core.money import show
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Refund
from counterfoil.steps.charging.tests.build import approved, at_the_bank, later
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
NET, SHIPPING, TAX = 5000, 1500, 363  # two bottles at 25.00, taxed at 7.25 %: 3.625, rounded half up
TOTAL = NET + SHIPPING + TAX


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 72_500}}])
    return Api()


def charged(api: Api, **more: Any) -> str:
    number = approved(api, **more)
    api.done(f"/orders/{number}/charge", {})
    return number


def shipped(api: Api, **more: Any) -> str:
    number = charged(api, **more)
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": number})):
        api.done(f"/orders/{number}/{act}", body)
    settle()
    return number


def refund(api: Api, number: str, **wanted: Any) -> Any:
    return api.done(f"/orders/{number}/refunds", {"reason": "corked", **wanted})


def bottles(count: int) -> dict[str, Any]:
    return {"lines": [{"sku": "PINOT-21", "quantity": count}]}


def books(number: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for account, amount in Posting.objects.filter(entry__subject=number).values_list("account", "amount"):
        sums[account] = sums.get(account, 0) + amount
    return {account: amount for account, amount in sums.items() if amount}


def all_is_well() -> None:
    later()
    assert judge_all() == []


def test_a_whole_refund_gives_back_everything_shipping_and_tax_included(api: Api, card: str) -> None:
    number = charged(api)
    assert refund(api, number)["amount"] == TOTAL
    settle()
    order = api.order(number)
    assert (order["charged"], order["refunded"], order["refund_owed"]) == (TOTAL, TOTAL, 0)
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    assert books(number) == {}
    assert api.post(f"/orders/{number}/refunds", {"reason": "again"}).codes == {"over_refundable"}
    all_is_well()


def test_by_amount_each_piece_has_its_share_of_the_tax_and_together_they_have_all_of_it(api: Api, card: str) -> None:
    number = shipped(api)
    for amount in (1000, 1, 2222, 1000, 777):
        refund(api, number, amount=amount)
        settle()
    refund(api, number)
    settle()
    found = list(Refund.objects.order_by("id"))
    assert [r.tax for r in found[:3]] == [53, 0, 118]  # 52.89, 0.05 and 117.51 of what was left at the time
    assert sum(r.amount for r in found) == TOTAL
    assert sum(r.tax for r in found) == TAX
    assert books(number) == {"revenue": -NET, "shipping_income": -SHIPPING, "returns": NET + SHIPPING}
    all_is_well()


def test_by_line_the_price_and_the_tax_of_those_bottles_go_back_and_the_last_has_the_odd_cent_less(
    api: Api, card: str
) -> None:
    number = shipped(api)
    assert [refund(api, number, **bottles(1))["amount"] for _ in range(2)] == [2500 + 182, 2500 + 181]
    assert api.post(f"/orders/{number}/refunds", {**bottles(1), "reason": "again"}).status == 422
    settle()
    assert books(number) == {
        "card_clearing": SHIPPING, "revenue": -NET, "shipping_income": -SHIPPING, "returns": NET,
    }  # fmt: skip
    all_is_well()


def test_the_desk_refunds_an_amount_units_or_everything_and_one_of_them_at_a_time(api: Api, card: str) -> None:
    number = charged(api)
    clerk = Client()
    clerk.force_login(User.objects.create_user("c@example.com", "a long password", name="Cleo", role="clerk"))
    page = clerk.get(f"/desk/orders/{number}").content.decode()
    assert 'name="quantity:PINOT-21"' in page
    assert "Refund everything, $68.63" in page
    for form, status in (
        ({}, 422), ({"amount": "1.00", "everything": "yes"}, 422), ({"amount": "1.00", "quantity:PINOT-21": "1"}, 422),
        ({"quantity:PINOT-21": "3"}, 422), ({"quantity:PINOT-21": "1"}, 303), ({"amount": "1.00"}, 303),
        ({"everything": "yes"}, 303), ({"everything": "yes"}, 409),
    ):  # fmt: skip
        sent = {"reason": "corked", **form}
        assert clerk.post(f"/desk/orders/{number}/acts/refund", sent).status_code == status, form
    assert [r.amount for r in Refund.objects.order_by("id")] == [2682, 100, TOTAL - 2782]
    all_is_well()


def test_a_line_of_a_discounted_order_gives_back_what_was_paid_for_it(api: Api, card: str) -> None:
    # A fifth off the whole: of two bottles for 53.63 with tax, 42.90 was paid.
    product(api, stock=50)
    number = charged(api, total=TOTAL * 8 // 10)
    assert [refund(api, number, **bottles(1))["amount"] for _ in range(2)] == [2145, 2145]
    settle()
    assert refund(api, number)["amount"] == TOTAL * 8 // 10 - 4290
    settle()
    assert at_the_bank(card, number) == [(TOTAL * 8 // 10, TOTAL * 8 // 10)]
    all_is_well()


def test_between_decision_and_success_the_books_owe_it_to_the_customer(api: Api, card: str) -> None:
    number = charged(api)
    assert books(number) == {"card_clearing": TOTAL, "customer_deposits": -TOTAL}
    assert refund(api, number, amount=1000)["state"] == "pending"
    assert books(number) == {"card_clearing": TOTAL, "customer_deposits": 1000 - TOTAL, "refunds_payable": -1000}
    assert (api.order(number)["refund_owed"], api.order(number)["refunded"]) == (1000, 0)
    settle()
    assert books(number) == {"card_clearing": TOTAL - 1000, "customer_deposits": 1000 - TOTAL}
    assert [r["state"] for r in api.order(number)["refunds"]] == ["succeeded"]
    all_is_well()


def test_after_the_invoice_returns_and_tax_are_what_the_refund_is_made_of(api: Api, card: str) -> None:
    number = shipped(api)
    before = books(number)
    assert before == {"card_clearing": TOTAL, "revenue": -NET, "shipping_income": -SHIPPING, "tax_payable": -TAX}
    refund(api, number, **bottles(1))
    assert books(number) == {**before, "returns": 2500, "tax_payable": 182 - TAX, "refunds_payable": -2682}
    settle()
    assert books(number) == {**before, "returns": 2500, "tax_payable": 182 - TAX, "card_clearing": TOTAL - 2682}
    all_is_well()


def test_money_that_was_given_up_before_the_invoice_leaves_no_tax_behind_when_the_rest_goes_back(
    api: Api, card: str
) -> None:
    number = charged(api)
    refund(api, number, amount=1000)
    settle()
    for act, body in (("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": number})):
        if act == "packages":
            api.done(f"/orders/{number}/picks", {})
        api.done(f"/orders/{number}/{act}", body)
    settle()
    # The invoice bills all that was supplied; what had gone back is credited with it, tax and all.
    assert books(number) == {
        "card_clearing": TOTAL - 1000, "revenue": -NET, "shipping_income": -SHIPPING, "returns": 947,
        "tax_payable": 53 - TAX,
    }  # fmt: skip
    refund(api, number, amount=1000)
    settle()
    refund(api, number)
    settle()
    assert books(number) == {"revenue": -NET, "shipping_income": -SHIPPING, "returns": NET + SHIPPING}
    assert [r.tax for r in Refund.objects.order_by("pk")] == [53, 53, TAX - 106]
    notes = Document.objects.filter(kind="credit-note").order_by("pk")
    given = [(1000, 53), (1000, 53), (TOTAL - 2000, TAX - 106)]
    assert [[t["amount"] for t in note.content["totals"]] for note in notes] == [
        [show(amount - tax, "USD"), show(tax, "USD"), show(amount, "USD")] for amount, tax in given
    ]
    assert api.order(number)["axes"]["books"] == "credited"
    all_is_well()


def test_restocking_is_an_act_of_its_own(api: Api, card: str) -> None:
    number = shipped(api)
    shelf = api.get("/products/PINOT-21").body
    refund(api, number, **bottles(1))
    settle()
    after = api.get("/products/PINOT-21").body
    assert after == shelf
    assert api.order(number)["lines"][0]["returned"] == 0
    money = books(number)
    body = {**bottles(1), "condition": "sellable", "reason": "not wanted"}
    api.done(f"/orders/{number}/returns", body)
    settle()
    assert api.get("/products/PINOT-21").body["on_hand"] == shelf["on_hand"] + 1
    assert {a: n for a, n in books(number).items() if a not in {"inventory", "cost_of_goods"}} == money
    assert len(api.order(number)["refunds"]) == 1
    all_is_well()
