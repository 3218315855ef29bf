"""What charging may rely on of a till with a bank behind it: holds, saved cards, hosted pages, signed events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from counterfoil.core import clock
from counterfoil.gateways.card.protocol import CardGateway, Intent, NotDone, Refusal, Wrong
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.gateways.card.tests.build import AMOUNTS, SECRET, Shop, saved
from sandbox.server import at_hand
from sandbox.webhooks import signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(processor: StripeGateway) -> Shop:
    customer, method = saved(processor)
    return Shop(processor, customer=customer, method=method)


@pytest.fixture
def gateway(bank: Shop) -> CardGateway:
    assert isinstance(bank.till, StripeGateway)
    return bank.till


def held(bank: Shop, amount: int = 6_500, currency: str = "USD") -> Intent:
    return bank.till.confirm_intent(bank.made(amount, currency, hold=True).id, key=bank.key())


@pytest.mark.parametrize(("currency", "amount"), AMOUNTS)
@pytest.mark.parametrize("less", [0, 1_000])
def test_of_what_is_held_the_whole_or_less_is_captured_once(
    bank: Shop, gateway: CardGateway, currency: str, amount: int, less: int
) -> None:
    hold = held(bank, amount, currency)
    assert (hold.status, hold.held, hold.captured) == ("held", amount, 0)
    key = bank.key()
    taken = gateway.capture_intent(hold.id, amount=amount - less, key=key)
    assert (taken.status, taken.captured, taken.held) == ("done", amount - less, 0)
    assert gateway.capture_intent(hold.id, amount=amount - less, key=key).captured == amount - less
    with pytest.raises(Wrong):
        gateway.capture_intent(hold.id, amount=1_000, key=bank.key())
    with pytest.raises(Wrong):
        bank.back(taken, amount - less + 1)


def test_never_more_is_captured_than_is_held(bank: Shop, gateway: CardGateway) -> None:
    hold = held(bank)
    with pytest.raises(Wrong):
        gateway.capture_intent(hold.id, amount=6_501, key=bank.key())
    assert gateway.get_intent(hold.id).held == 6_500


def test_what_is_held_and_cancelled_is_never_captured(bank: Shop, gateway: CardGateway) -> None:
    hold = held(bank)
    assert gateway.cancel_intent(hold.id, key=bank.key()).status == "cancelled"
    with pytest.raises(Wrong):
        gateway.capture_intent(hold.id, amount=6_500, key=bank.key())
    assert gateway.get_intent(hold.id).captured == 0


@pytest.fixture
def own_sandbox(tmp_path: Any) -> Iterator[str]:
    """A processor whose clock this test may move."""
    with at_hand(tmp_path, api_key="sk_test_sandbox") as address:
        yield address


def test_what_is_held_lapses_when_the_processor_says_so(own_sandbox: str) -> None:
    gateway = StripeGateway("sk_test_sandbox", own_sandbox, SECRET)
    customer, method = saved(gateway)
    bank = Shop(gateway, customer=customer, method=method)
    hold = held(bank)
    assert hold.expires_at is not None
    left = (hold.expires_at - clock.real_now()).total_seconds()
    assert 4 * 86_400 < left < 8 * 86_400
    requests.post(f"{own_sandbox}/_clock", json={"offset_seconds": int(left) - 60}, timeout=10)
    assert gateway.get_intent(hold.id).status == "held"
    requests.post(f"{own_sandbox}/_clock", json={"offset_seconds": int(left) + 1}, timeout=10)
    lapsed = gateway.get_intent(hold.id)
    assert (lapsed.status, lapsed.held, lapsed.captured) == ("cancelled", 0, 0)
    with pytest.raises(Wrong):
        gateway.capture_intent(hold.id, amount=6_500, key=bank.key())


def test_a_repeat_after_the_keys_day_is_a_second_charge(own_sandbox: str) -> None:
    """Why a key older than twenty hours is never repeated."""
    gateway = StripeGateway("sk_test_sandbox", own_sandbox, SECRET)
    customer, method = saved(gateway)
    bank = Shop(gateway, customer=customer, method=method)
    first = bank.made(key="the-same")
    requests.post(f"{own_sandbox}/_clock", json={"offset_seconds": 86_400 - 60}, timeout=10)
    assert bank.made(key="the-same").id == first.id
    requests.post(f"{own_sandbox}/_clock", json={"offset_seconds": 86_400 + 60}, timeout=10)
    assert bank.made(key="the-same").id != first.id


@pytest.mark.parametrize("hold", [False, True])
def test_a_bank_that_says_no_takes_and_holds_nothing(processor: StripeGateway, hold: bool) -> None:
    customer, method = saved(processor, "pm_card_chargeCustomerFail")
    bank = Shop(processor, customer=customer, method=method)
    made = bank.made(hold=hold)
    with pytest.raises(Refusal) as refusal:
        processor.confirm_intent(made.id, key=bank.key())
    assert refusal.value.intent_id == made.id
    found = processor.get_intent(made.id)
    assert (found.status, found.captured, found.held, found.decline_code) == ("refused", 0, 0, refusal.value.code)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_card_that_the_bank_does_not_want_saved_says_why(processor: StripeGateway, card: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        saved(processor, card)
    assert refusal.value.code == code


def test_a_card_is_saved_by_brand_and_last_four_and_belongs_to_its_customer(processor: StripeGateway) -> None:
    customer, method = saved(processor)
    kept = processor.saved(method)
    assert (kept.brand, kept.last4) == ("visa", "4242")
    taken = Shop(processor, customer=customer, method=method).taken()
    assert (taken.brand, taken.last4, taken.method_id, taken.customer_id) == ("visa", "4242", method, customer)
    stranger, _ = saved(processor)
    with pytest.raises(Wrong):
        Shop(processor, customer=stranger, method=method).made()


def opened(gateway: CardGateway, customer: str, mode: str, key: str) -> Any:
    return gateway.open_session(
        mode=mode, customer=customer, amount=6_500, currency="USD", title="Order CF-1",
        success_url="https://shop.example.com/done", cancel_url="https://shop.example.com/back",
        reference={"order": "CF-1", "link": key}, key=key,
    )  # fmt: skip


def pays(url: str) -> None:
    answer = requests.post(url, data={"card": "pm_card_visa", "terms": "accepted"}, allow_redirects=False, timeout=10)
    assert answer.status_code == 303, answer.text


def test_a_page_for_payment_takes_the_money_once_and_tells_what_came_of_it(bank: Shop, gateway: CardGateway) -> None:
    key = bank.key()
    page = opened(gateway, bank.customer, "payment", key)
    assert (page.status, page.intent_id) == ("open", "")
    assert opened(gateway, bank.customer, "payment", key).id == page.id
    pays(page.url)
    done = gateway.get_session(page.id)
    assert (done.status, done.reference["link"]) == ("complete", key)
    taken = gateway.get_intent(done.intent_id)
    assert (taken.status, taken.captured, taken.reference["link"]) == ("done", 6_500, key)


def test_a_page_for_saving_saves_and_takes_nothing(bank: Shop, gateway: CardGateway) -> None:
    page = opened(gateway, bank.customer, "setup", bank.key())
    pays(page.url)
    done = gateway.get_session(page.id)
    assert (done.status, done.intent_id) == ("complete", "")
    assert done.saved is not None
    assert (done.saved.brand, done.saved.last4) == ("visa", "4242")


def test_a_page_that_is_closed_takes_no_money_and_one_that_was_paid_says_so(bank: Shop, gateway: CardGateway) -> None:
    page, key = opened(gateway, bank.customer, "payment", bank.key()), bank.key()
    for _ in range(2):
        assert gateway.expire_session(page.id, key=key).status == "expired"
    answer = requests.post(page.url, data={"card": "pm_card_visa", "terms": "accepted"}, timeout=10)
    assert answer.status_code >= 400 or gateway.get_session(page.id).status == "expired"
    paid = opened(gateway, bank.customer, "payment", bank.key())
    pays(paid.url)
    assert gateway.expire_session(paid.id, key=bank.key()).status == "complete"


def test_an_event_is_believed_only_under_the_processors_own_fresh_signature(gateway: CardGateway) -> None:
    body = b'{"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}'
    now = int(time.time())
    assert gateway.read_event(body, signature(body, SECRET, now))["id"] == "evt_1"
    forged = [
        signature(body, "whsec_other", now),
        signature(body, SECRET, now - 301),
        signature(body + b" ", SECRET, now),
        "t=1,v1=ab",
        "",
        "é",
    ]
    for wrong in forged:
        with pytest.raises(ValueError, match="not signed"):
            gateway.read_event(body, wrong)


def test_without_a_secret_no_event_is_believed(sandbox_url: str) -> None:
    body = b'{"id": "evt_1"}'
    with pytest.raises(ValueError, match="not signed"):
        StripeGateway("sk_test_sandbox", sandbox_url, "").read_event(body, signature(body, "", int(time.time())))


def test_a_wrong_key_of_ours_is_no_banks_word_and_waits(sandbox_url: str) -> None:
    with pytest.raises(NotDone):
        StripeGateway("sk_test_wrong", sandbox_url, SECRET).get_intent("pi_1")
