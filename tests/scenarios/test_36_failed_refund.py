"""Scenario 36. A refund fails at the processor: it is still owed, the clerk sees it, one click tries again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from conftest import Mailbox
from counterfoil.core.access.models import User
from counterfoil.records.orders.models import Charge, Refund
from counterfoil.steps.charging.tests.build import deliver, event, fault, later, signed
from tests.scenarios.money import all_is_well, bank, books, charged, placed
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
TOTAL, BACK = 6500, 2000


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    owner = Api()
    product(owner, "PINOT-21", stock=50)
    return owner


@pytest.fixture
def clerk() -> Client:
    """A clerk at the desk."""
    browser = Client()
    browser.force_login(User.objects.create_user("c@example.com", "a long password", name="Cleo", role="clerk"))
    return browser


def owed(api: Api, card: str = "pm_card_visa") -> str:
    """A charged order of which something is to go back."""
    number: str = placed(api, "USD", [("PINOT-21", 2, 2500)], shipping=1500, card=card)["number"]
    charged(api, number)
    api.done(f"/orders/{number}/refunds", {"amount": BACK, "reason": "a bottle arrived broken"})
    return number


def still_owed(api: Api, clerk: Client, card: str, number: str) -> None:
    """In the order, in the books, at the bank, in the queue and on the page: the customer has not got it."""
    order = api.order(number)
    assert (order["refunded"], order["refund_owed"]) == (0, BACK)
    assert [r["state"] for r in order["refunds"]] == ["failed"]
    assert books(number) == {"card_clearing": TOTAL, "customer_deposits": BACK - TOTAL, "refunds_payable": -BACK}
    assert bank(card, number) == (TOTAL, 0)
    assert (order["queue"], order["next_action"]) == ("payment_problem", "refund_again")
    queue = clerk.get("/desk/queues/payment_problem").content.decode()
    assert number in queue
    assert "Try the refund of $20.00 once more" in queue
    assert "refund failed" in clerk.get(f"/desk/orders/{number}").content.decode()
    # Owed is owed: it cannot be given a second time by another window.
    assert api.post(f"/orders/{number}/refunds", {"amount": TOTAL, "reason": "again"}).codes == {"over_refundable"}


def one_click(clerk: Client, number: str) -> None:
    """The button on the order's page, with what its form holds and nothing typed."""
    page = clerk.get(f"/desk/orders/{number}").content.decode()
    forms = re.findall(r'<form method="post" action="([^"]+/acts/refund-again)".*?</form>', page, re.DOTALL)
    form = next(f for f in re.findall(r"<form.*?</form>", page, re.DOTALL) if "Try the refund again" in f)
    held = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    assert clerk.post(forms[0], held).status_code == 303


def arrived(api: Api, card: str, number: str) -> None:
    settle()
    order = api.order(number)
    assert (order["refunded"], order["refund_owed"], order["queue"]) == (BACK, 0, "pick")
    assert bank(card, number) == (TOTAL, BACK)
    assert books(number) == {"card_clearing": TOTAL - BACK, "customer_deposits": BACK - TOTAL}
    all_is_well()


def test_a_refund_that_the_bank_sends_back_is_owed_until_the_clerk_s_click_has_paid_it(
    api: Api, clerk: Client, card: str, client: Any, mailbox: Mailbox
) -> None:
    number = owed(api)
    with fault(card, "refund_fails", count=1, path="*"):
        later()
    refund = Refund.objects.get()
    # It had succeeded; hours later the processor says that the customer's bank did not take it.
    told = event("refund.failed", refund.refund_id, id_=f"evt_{refund.refund_id}")
    assert deliver(client, told, signed(told)) == 200
    settle()
    still_owed(api, clerk, card, number)
    one_click(clerk, number)
    assert [r["state"] for r in api.order(number)["refunds"]] == ["pending"]
    arrived(api, card, number)


def test_a_refund_that_the_processor_does_not_take_at_all_is_owed_the_same_way(
    api: Api, clerk: Client, card: str
) -> None:
    number = owed(api)
    charge = Charge.objects.get()
    Charge.objects.filter(pk=charge.pk).update(intent_id="pi_of_another_account")
    settle()
    Charge.objects.filter(pk=charge.pk).update(intent_id=charge.intent_id)
    still_owed(api, clerk, card, number)
    one_click(clerk, number)
    arrived(api, card, number)


def test_two_clicks_pay_once(api: Api, clerk: Client, card: str) -> None:
    # At this bank a refund takes its time: the second click comes while the first one's money is on its way.
    number = owed(api, "pm_card_pendingRefund")
    charge = Charge.objects.get()
    Charge.objects.filter(pk=charge.pk).update(intent_id="pi_of_another_account")
    settle()
    Charge.objects.filter(pk=charge.pk).update(intent_id=charge.intent_id)
    refund = str(Refund.objects.get().pk)
    for _ in range(2):
        assert clerk.post(f"/desk/orders/{number}/acts/refund-again", {"refund": refund}).status_code == 303
        settle()
    assert bank(card, number) == (TOTAL, BACK)
    later()
    arrived(api, card, number)


def test_a_retry_that_fails_again_leaves_it_owed_and_can_be_tried_once_more(
    api: Api, clerk: Client, card: str, client: Any
) -> None:
    number = owed(api)
    for _ in range(2):
        with fault(card, "refund_fails", count=1, path="*"):
            later()
        refund = Refund.objects.get()
        told = event("refund.failed", refund.refund_id, id_=f"evt_{refund.refund_id}")
        assert deliver(client, told, signed(told)) == 200
        settle()
        still_owed(api, clerk, card, number)
        one_click(clerk, number)
    arrived(api, card, number)
