"""The processor fails and keeps the failure under our key for a day: what takes no money does not wait that long."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from counterfoil.core.models import Job
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import OutcomeUnknown
from counterfoil.records.orders.models import Order, PayLink
from counterfoil.steps.charging.actions import finish_session, open_card_page
from counterfoil.steps.charging.cards import adopt_session
from counterfoil.steps.charging.tests.build import approved, at_the_bank, declined, fault, later, pays
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db
TOTAL = 6500
KEPT = ("error_500_kept", "error_500_after")


@pytest.fixture
def api(card: str) -> Api:
    return Api()


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/setup_intents"])
def test_a_card_is_saved_in_spite_of_an_error_that_the_processor_keeps(
    api: Api, card: str, kind: str, path: str
) -> None:
    product(api, stock=10)
    number = api.done("/orders", order_body())["number"]
    with fault(card, kind, count=2, path=path):
        later()
    order = api.order(number)
    assert (order["axes"]["money"], order["payment"]["card"]["last4"]) == ("saved", "4242")
    all_is_well()


@pytest.mark.parametrize("kind", KEPT)
def test_a_page_to_pay_at_is_opened_in_spite_of_an_error_that_the_processor_keeps(
    api: Api, card: str, kind: str
) -> None:
    number = declined(api)
    with fault(card, kind, count=1, path="/v1/checkout/sessions"), pytest.raises(OutcomeUnknown):
        open_card_page(order=number)
    pays(open_card_page(order=number))
    later()
    assert api.order(number)["axes"]["money"] == "charged"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


@pytest.mark.parametrize("kind", KEPT)
def test_a_page_is_closed_in_spite_of_an_error_that_the_processor_keeps(api: Api, card: str, kind: str) -> None:
    number = declined(api)
    address = open_card_page(order=number)
    with fault(card, kind, count=1, path="/v1/checkout/sessions/*/expire"):
        api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
        later()
    assert PayLink.objects.get().state == "expired"
    assert requests.post(address, data={"card": "pm_card_visa", "terms": "accepted"}, timeout=10).status_code == 410
    all_is_well()


@pytest.mark.parametrize("kind", KEPT)
def test_an_intent_is_cancelled_in_spite_of_an_error_that_the_processor_keeps(api: Api, card: str, kind: str) -> None:
    order = Order.objects.get(number=approved(api))
    key = f"pi-{order.token[:20]}-1-1"
    intent = gateway().create_intent(
        amount=100,
        currency="USD",
        customer=order.customer.processor_id,
        method=order.card_method,
        reference={},
        key=key,
    )
    with fault(card, kind, count=1, path="/v1/payment_intents/*/cancel"), pytest.raises(OutcomeUnknown):
        gateway().cancel_intent(intent.id, key=f"{key}-cancel")
    if kind == "error_500_kept":
        gateway().cancel_intent(intent.id, key=f"{key}-cancel")
    assert gateway().get_intent(intent.id).status == "cancelled"


def test_a_page_that_was_lost_on_the_way_does_not_close_the_one_that_the_customer_has(
    api: Api, card: str, settings: Any
) -> None:
    number = declined(api)
    with fault(card, "error_500_after", count=1, path="/v1/checkout/sessions"), pytest.raises(OutcomeUnknown):
        open_card_page(order=number)
    address = open_card_page(order=number)
    ours = PayLink.objects.get()
    mine = {"order": number, "link": ours.key}
    pages = [s["id"] for s in sessions(card, settings.STRIPE_API_KEY) if s["metadata"] == mine]
    (lost,) = set(pages) - {ours.session_id}
    gateway().expire_session(lost, key="lost-expire")
    assert adopt_session(session_id=lost)
    assert PayLink.objects.get().state == "open"
    pays(address)
    finish_session(session_id=ours.session_id)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def sessions(card: str, key: str) -> list[dict[str, Any]]:
    """The newest pages at the processor."""
    found = requests.get(f"{card}/v1/checkout/sessions", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    listed: list[dict[str, Any]] = found.json()["data"]
    return listed
