"""Scenario 30. Any receipt: brand and last four at most, no expiry; no card data in database, logs or exports."""

from __future__ import annotations

import re

import pytest
import stripe
from django.apps import apps
from django.test import Client

from conftest import Mailbox
from counterfoil.core.db import rows
from counterfoil.core.models import Document
from counterfoil.core.papers.tests.reading import text as text_of_pdf
from counterfoil.records.orders.models import Order
from tests.doors.cards import log_lines, nowhere
from tests.scenarios.money import all_is_well, charged, paper, placed, refunded, shipped
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
NUMBER = "4242424242424242"  # the test card's own, as the processor has it


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    owner = Api()
    product(owner, "PINOT-21", stock=50)
    return owner


def expiry(card: str, number: str) -> list[str]:
    """The saved card's expiry as people write it: only the processor can say."""
    client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": card})
    held = client.v1.payment_methods.retrieve(Order.objects.get(number=number).card_method).card
    assert held is not None
    month, year = f"{held.exp_month:02}", str(held.exp_year)
    return [f"{month}/{year[2:]}", f"{month}/{year}", f"{month}-{year[2:]}", f"{year}-{month}", f"{month}{year[2:]}"]


def receipts(api: Api, number: str) -> list[str]:
    found = Document.objects.filter(subject=number, kind="card-receipt").order_by("id")
    return [text_of_pdf(api.get(f"/documents/{d.number}.pdf").body) for d in found]


def only_brand_and_last_four(receipt: str, brand: str, last4: str) -> None:
    assert f"{brand} •••• {last4}" in receipt
    # At most five digits of the number may be printed, wherever they stand (15 USC 1681c(g)).
    assert NUMBER[-6:] not in re.sub(r"\D", "", receipt)
    assert not re.search(r"expir|valid thru|\bexp\b", receipt, re.IGNORECASE)


def test_the_receipt_of_a_charge_has_brand_and_last_four_and_nothing_else_of_the_card(api: Api, card: str) -> None:
    number = placed(api, "USD", [("PINOT-21", 2, 2500)], shipping=1500)["number"]
    charged(api, number)
    shipped(api, number)
    refunded(api, number, amount=1000)
    (receipt,) = receipts(api, number)
    only_brand_and_last_four(receipt, "Visa", "4242")
    dates = expiry(card, number)
    for kind in ("card-receipt", "invoice", "credit-note", "sales-order", "sales-order-copy", "packing-slip"):
        printed = paper(api, number, kind)
        assert not [date for date in dates[:4] if date in printed], kind
        assert NUMBER not in re.sub(r"\D", "", printed), kind
    all_is_well()


def test_the_receipt_of_a_terminal_is_the_same(api: Api, card: str) -> None:
    number = placed(api, "USD", [("PINOT-21", 2, 2500)], shipping=1500, payment={"method": "terminal"})["number"]
    api.done(f"/orders/{number}/approval", {"ship_estimate": api.order(number)["placed_at"][:10]})
    paid = {"reference": "slip 4711", "amount": 6500, "brand": "mastercard", "last4": "4444"}
    refused = api.post(f"/orders/{number}/charge", {**paid, "last4": "5555555555554444"})
    assert (refused.status, refused.fields) == (422, {"last4"})
    api.done(f"/orders/{number}/charge", paid)
    (receipt,) = receipts(api, number)
    only_brand_and_last_four(receipt, "Mastercard", "4444")


def test_we_have_no_place_for_a_number_an_expiry_or_a_code() -> None:
    """Not one column whose name says that it holds more of a card than brand, last four and the processor's ids."""
    names = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if re.search(r"(^|_)(pan|cvv|cvc|cvn|track_data|exp_month|exp_year|expiry|card_number|cc_number)", field.name)
    }
    assert names == set()


def test_whatever_a_customer_types_their_number_is_nowhere_afterwards(
    api: Api, card: str, mailbox: Mailbox, client: Client
) -> None:
    with log_lines() as log:
        words = "please charge 4111 1111 1111 1111, exp 12/27, cvv 123"
        more = {"comment": words, "gift_message": words}
        number = placed(api, "USD", [("PINOT-21", 2, 2500)], shipping=1500, **more)["number"]
        assert api.order(number)["comment"] == "please charge •••• 1111, exp 12/27, cvv •••"
        charged(api, number)
        shipped(api, number)
        refunded(api, number, reason="they say 4111-1111-1111-1111 was charged twice")
        client.get("/desk/search?q=4111111111111111")
        client.get("/orders/4111111111111111")
        settle()
        nowhere(log, mailbox)
    assert rows("SELECT 1 FROM orders_refund WHERE reason LIKE %s", ["%•••• 1111%"])
    all_is_well()
