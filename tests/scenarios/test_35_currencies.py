"""Scenario 35. Orders in yen, dinars, dollars and euros with odd discounts: charged, posted and printed agree exactly.

Yen have no decimals and dinars three, of which the card networks want the last to be a zero.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import Mailbox
from counterfoil.core import shop
from counterfoil.core.db import writing
from counterfoil.core.money import decimals, show, step
from counterfoil.records.books.models import Entry
from counterfoil.records.orders.models import Refund
from tests.scenarios.money import (
    all_is_well,
    bank,
    books,
    charged,
    paper,
    placed,
    prints,
    refunded,
    shipped,
)
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
# Prices that leave odd remainders at every rate, in the currency's own minor units.
PINOT, SYRAH, GROUND = 1847, 3331, 777
RATES = {"standard": 72_500, "books": 33_333}


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    """A shop that taxes two wines at two odd rates."""
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": RATES}])
    owner = Api()
    product(owner, "PINOT-21", stock=500, cost=1111)
    product(owner, "SYRAH-19", stock=500, tax_class="books", cost=2222)
    return owner


def gone(order: Any) -> dict[str, int]:
    """The order's own amounts on the accounts that they belong on, once everything has gone back."""
    sale = {"revenue": order["subtotal"], "shipping_income": order["shipping"], "rounding": order["rounding"]}
    left = {account: -amount for account, amount in sale.items() if amount}
    return left | {"returns": order["total"] - order["tax"]}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_an_order_is_charged_posted_and_printed_at_one_number_and_given_back_to_the_last_unit(
    api: Api, card: str, mailbox: Mailbox, currency: str
) -> None:
    # The customer was promised a round discount on an odd sum: the total is agreed, the rest is the rounding line.
    odd = [("PINOT-21", 3, PINOT), ("SYRAH-19", 7, SYRAH)]
    agreed = (3 * PINOT + 7 * SYRAH) * 93 // 100 // 10 * 10
    order = placed(api, currency, odd, shipping=GROUND, total=agreed)
    number = order["number"]
    assert (order["currency"], order["total"]) == (currency, agreed)
    assert order["tax"] == sum(ln["tax"] for ln in order["lines"]) == 402 + 777

    order = charged(api, number)
    assert order["charged"] == agreed == bank(card, number)[0]
    assert books(number) == {"card_clearing": agreed, "customer_deposits": -agreed}
    assert prints(paper(api, number, "card-receipt"), agreed, currency)

    order = shipped(api, number)
    assert books(number) == {
        "card_clearing": agreed, "revenue": -order["subtotal"], "shipping_income": -GROUND,
        "tax_payable": -order["tax"], "rounding": -order["rounding"],
    }  # fmt: skip
    invoice = paper(api, number, "invoice")
    for amount in (agreed, order["subtotal"], GROUND, order["tax"], order["rounding"], 3 * PINOT, 7 * SYRAH):
        assert prints(invoice, amount, currency), (show(amount, currency), invoice)
    assert f"{show(agreed, currency)} paid by card" in invoice
    told = mailbox.mails(to=order["customer"]["email"])
    assert show(agreed, currency) in told[-1]["text"]

    # Back in pieces: two bottles, an amount, five more bottles, and then all that is left.
    parts: list[dict[str, Any]] = [
        {"lines": [{"sku": "PINOT-21", "quantity": 2}]},
        {"amount": 990},
        {"lines": [{"sku": "SYRAH-19", "quantity": 5}, {"sku": "PINOT-21", "quantity": 1}]},
        {},
    ]
    back = 0
    for wanted in parts:
        refund = refunded(api, number, **wanted)
        back += refund["amount"]
        assert api.order(number)["refunded"] == back == bank(card, number)[1]
        assert prints(paper(api, number, "credit-note"), refund["amount"], currency)
        assert books(number).get("card_clearing", 0) == agreed - back
    assert back == agreed
    assert sum(r.tax for r in Refund.objects.all()) == order["tax"]
    assert books(number) == gone(order)
    assert sum(books(number).values()) == 0
    assert api.post(f"/orders/{number}/refunds", {"amount": step(currency), "reason": "again"}).status == 409
    assert api.order(number)["axes"]["books"] == "credited"
    all_is_well()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_total_that_nobody_agreed_to_is_one_that_a_card_can_be_charged(api: Api, card: str, currency: str) -> None:
    order = placed(api, currency, [("PINOT-21", 1, PINOT), ("SYRAH-19", 2, SYRAH)], shipping=GROUND)
    exact = PINOT + 2 * SYRAH + GROUND + order["tax"]
    assert order["total"] % step(currency) == 0
    assert order["rounding"] == order["total"] - exact
    assert abs(order["rounding"]) <= step(currency) // 2
    number = order["number"]
    assert charged(api, number)["charged"] == order["total"] == bank(card, number)[0]
    refunded(api, number)
    assert bank(card, number) == (order["total"], order["total"])
    assert books(number) == {}
    all_is_well()


def test_more_tax_than_was_paid_never_goes_back_and_the_last_refund_ends_at_zero(api: Api, card: str) -> None:
    # Half the money goes back with an even share of the tax; then the wine on which all of the tax was paid.
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 250_000}}])
    order = placed(api, "USD", [("PINOT-21", 1, 4000), ("SYRAH-19", 1, 5000)], shipping=0)
    number = order["number"]
    assert (order["tax"], order["total"]) == (1000, 10_000)
    charged(api, number)
    shipped(api, number)
    refunded(api, number, amount=5000)
    refunded(api, number, lines=[{"sku": "PINOT-21", "quantity": 1}])
    assert [r.tax for r in Refund.objects.order_by("id")] == [500, 500]
    assert books(number) == {"revenue": -9000, "returns": 9000}
    all_is_well()


def test_an_order_that_was_paid_less_than_its_tax_comes_to_nothing_too_when_it_all_goes_back(
    api: Api, card: str
) -> None:
    # Nearly all of it was a gift: the tax on the goods is more than what was left to pay.
    order = placed(api, "KWD", [("PINOT-21", 6, 54737), ("PINOT-21", 11, 7679)], shipping=3087, total=20640)
    number = order["number"]
    assert order["tax"] > order["total"]
    charged(api, number)
    order = shipped(api, number)
    back = refunded(api, number, amount=10_000)["amount"] + refunded(api, number)["amount"]
    assert back == 20640 == bank(card, number)[1]
    assert books(number) == gone(order)
    assert prints(paper(api, number, "credit-note"), 10_640, "KWD")
    all_is_well()


def test_dinars_are_charged_and_refunded_in_tens_and_whoever_asks_otherwise_is_told(api: Api, card: str) -> None:
    assert decimals("KWD") == 3
    body = {"currency": "KWD", "lines": [{"sku": "PINOT-21", "quantity": 1, "unit_price": 5125}], "total": 5555}
    odd = api.post("/orders", {**order_body(("PINOT-21", 1)), **body})
    assert odd.status == 422
    assert odd.fields == {"total"}
    assert "steps of 0.010 KWD" in odd.body["detail"]
    # A cheque is written to the last fils.
    cheque = {**order_body(("PINOT-21", 1)), **body, "payment": {"method": "cheque"}}
    assert api.done("/orders", cheque)["total"] == 5555
    number = placed(api, "KWD", [("PINOT-21", 1, 5125)], shipping=0)["number"]
    charged(api, number)
    refused = api.post(f"/orders/{number}/refunds", {"amount": 1234, "reason": "corked"})
    assert (refused.status, refused.fields) == (422, {"amount"})
    assert refunded(api, number, amount=1230)["amount"] == 1230
    all_is_well()


def test_a_currency_that_the_processor_counts_otherwise_than_we_do_is_not_taken(api: Api) -> None:
    for currency in ("ISK", "UGX"):
        refused = api.post("/orders", {**order_body(("PINOT-21", 1)), "currency": currency})
        assert (refused.status, refused.fields) == (422, {"currency"})


prices = st.integers(60, 400_000)
wines = st.sampled_from(["PINOT-21", "SYRAH-19"])
bought = st.lists(st.tuples(wines, st.integers(1, 13), prices), min_size=1, max_size=4)
pieces = st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=3)


@given(
    currency=st.sampled_from(CURRENCIES),
    lines=bought,
    shipping=st.integers(0, 9_999),
    discount=st.none() | st.integers(0, 90),  # the rest is more than the tax
    early=st.booleans(),
    given_back=pieces,
)
@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example is a life at the bank: no hours of shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_bought_and_given_back_every_place_says_the_same_number(
    api: Api,
    card: str,
    currency: str,
    lines: list[tuple[str, int, int]],
    shipping: int,
    discount: int | None,
    early: bool,
    given_back: list[tuple[bool, int]],
) -> None:
    total = None
    if discount is not None:
        total = max(60, sum(n * price for _, n, price in lines) * (100 - discount) // 100) // 10 * 10
    order = placed(api, currency, lines, shipping=shipping, total=total)
    number, total = order["number"], order["total"]
    assert charged(api, number)["charged"] == total == bank(card, number)[0]
    assert prints(paper(api, number, "card-receipt"), total, currency)
    if not early:
        order = shipped(api, number)
        assert prints(paper(api, number, "invoice"), total, currency)
    left = total
    for by_line, part in given_back:
        if by_line:
            line = order["lines"][part % len(order["lines"])]
            wanted: dict[str, Any] = {"lines": [{"sku": line["sku"], "quantity": 1}]}
        else:
            wanted = {"amount": left * part // 100 // 10 * 10 or 10}
        asked = api.post(f"/orders/{number}/refunds", {"reason": "corked", **wanted})
        assert asked.status in {201, 409, 422}, asked.body
        left -= asked.body["amount"] if asked.status == 201 else 0
    if left:
        refunded(api, number)
    all_is_well()
    assert bank(card, number) == (total, total)
    assert books(number) == ({} if early else gone(order))
    tax = sum(Refund.objects.filter(part__order__number=number).values_list("tax", flat=True))
    assert tax == order["tax"] or early
    assert Entry.objects.filter(subject=number, kind="refund_decided").count() == len(api.order(number)["refunds"])
