"""What each named card does when it is saved and when it is charged."""

from __future__ import annotations

import pytest
import requests
import stripe

from sandbox.cards import CARDS
from sandbox.tests.running import Sandbox, envelope


@pytest.mark.parametrize(
    ("name", "brand", "last4"),
    [
        ("pm_card_visa", "visa", "4242"),
        ("pm_card_mastercard", "mastercard", "4444"),
        ("pm_card_amex", "amex", "8431"),
    ],
)
def test_a_good_card_is_saved_to_its_customer(processor: Sandbox, name: str, brand: str, last4: str) -> None:
    saved = processor.saved_card(name)
    method = processor.stripe.v1.payment_methods.retrieve(saved["payment_method"])
    assert method.id != name
    assert method.customer == saved["customer"]
    assert (method.card.brand, method.card.last4) == (brand, last4)  # type: ignore[union-attr]
    listed = processor.stripe.v1.payment_methods.list({"customer": saved["customer"], "type": "card"})
    assert [one.id for one in listed.data] == [method.id]


REFUSED = {
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
    "pm_card_visa_chargeDeclinedFraudulent": ("card_declined", "fraudulent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_card_can_neither_be_saved_nor_charged(processor: Sandbox, name: str) -> None:
    customer = processor.stripe.v1.customers.create({"name": "Tomasz Wiśniewski"})
    with pytest.raises(stripe.CardError) as setup:
        processor.stripe.v1.setup_intents.create({"customer": customer.id, "payment_method": name, "confirm": True})
    assert (setup.value.http_status, setup.value.code, envelope(setup.value).decline_code) == (402, *REFUSED[name])
    intent = processor.stripe.v1.setup_intents.retrieve(envelope(setup.value).setup_intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_setup_error.code == REFUSED[name][0]  # type: ignore[union-attr]
    with pytest.raises(stripe.CardError):
        processor.stripe.v1.payment_methods.attach(name, {"customer": customer.id})
    assert processor.stripe.v1.payment_methods.list({"customer": customer.id}).data == []
    with pytest.raises(stripe.CardError) as charge:
        processor.charge({"customer": customer.id, "payment_method": name})
    assert (charge.value.code, envelope(charge.value).decline_code) == REFUSED[name]


def test_a_card_that_saves_but_declines_leaves_a_failed_charge_and_can_be_replaced(processor: Sandbox) -> None:
    saved = processor.saved_card("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as refused:
        processor.charge(saved)
    error = envelope(refused.value)
    assert (refused.value.code, error.payment_intent.status) == ("card_declined", "requires_payment_method")
    intent = processor.stripe.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.last_payment_error.payment_method.id == saved["payment_method"]  # type: ignore[union-attr]
    assert (intent.latest_charge.status, intent.amount_received) == ("failed", 0)  # type: ignore[union-attr]
    paid = processor.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error, paid.amount_received) == ("succeeded", None, 4_200)


def test_a_bank_may_think_anew_of_a_card_that_is_saved(processor: Sandbox) -> None:
    saved = processor.saved_card()
    order = {"payment_method": saved["payment_method"], "behaves_as": "pm_card_chargeDeclinedLostCard"}
    told = requests.post(f"{processor.url}/_cards", json=order, timeout=10)
    assert (told.status_code, told.json()["card"]["last4"]) == (200, "4242")
    with pytest.raises(stripe.CardError) as refused:
        processor.charge(saved)
    assert envelope(refused.value).decline_code == "lost_card"
    assert requests.post(f"{processor.url}/_cards", json=order | {"behaves_as": "4242"}, timeout=10).status_code == 400
    requests.post(f"{processor.url}/_cards", json=order | {"behaves_as": "pm_card_visa"}, timeout=10)
    assert processor.charge(saved).status == "succeeded"


def test_a_card_that_wants_authentication_is_refused_off_session(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    with pytest.raises(stripe.CardError) as refused:
        processor.charge({"customer": customer.id, "payment_method": "pm_card_authenticationRequired"})
    assert refused.value.code == envelope(refused.value).decline_code == "authentication_required"
    assert envelope(refused.value).payment_intent.status == "requires_payment_method"
    on_session = processor.charge(
        {"customer": customer.id, "payment_method": "pm_card_authenticationRequired"}, off_session=False
    )
    assert (on_session.status, on_session.next_action.type) == ("requires_action", "use_stripe_sdk")
    setup = processor.stripe.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_authenticationRequired", "confirm": True}
    )
    assert setup.status == "requires_action"


def test_a_card_of_one_customer_is_not_charged_for_another(processor: Sandbox) -> None:
    mine, theirs = processor.saved_card(), processor.saved_card()
    with pytest.raises(stripe.InvalidRequestError):
        processor.charge({**mine, "payment_method": theirs["payment_method"]})
    with pytest.raises(stripe.InvalidRequestError):
        processor.charge({"payment_method": theirs["payment_method"]})


def test_a_detached_card_is_never_charged_again(processor: Sandbox) -> None:
    saved = processor.saved_card()
    assert processor.stripe.v1.payment_methods.detach(saved["payment_method"]).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        processor.charge(saved)
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.payment_methods.attach(saved["payment_method"], {"customer": saved["customer"]})


def test_a_card_used_once_without_being_saved_is_not_used_twice(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    once = processor.charge({"customer": customer.id, "payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError):
        processor.charge({"customer": customer.id, "payment_method": once.payment_method})
    kept = processor.charge(
        {"customer": customer.id, "payment_method": "pm_card_visa"}, setup_future_usage="off_session"
    )
    assert processor.charge({"customer": customer.id, "payment_method": kept.payment_method}).status == "succeeded"


def test_a_setup_can_be_cancelled_until_it_has_succeeded(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    setup = processor.stripe.v1.setup_intents.create({"customer": customer.id, "metadata": {"order": "CF-1"}})
    assert (setup.status, setup.metadata["order"]) == ("requires_payment_method", "CF-1")  # type: ignore[index]
    assert processor.stripe.v1.setup_intents.cancel(setup.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})


def test_no_card_is_known_by_more_than_its_last_four_digits() -> None:
    assert all(len(card.last4) == 4 for card in CARDS.values())
