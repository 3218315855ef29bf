"""The wire to the processor: what counts as an outage, and what an error says of the work behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from counterfoil.gateways import card
from counterfoil.gateways.card.breaker import AFTER
from counterfoil.gateways.card.protocol import CardError, Intent, NotDone, OutcomeUnknown, Refusal, Wrong
from counterfoil.gateways.card.stripe.gateway import StripeGateway

pytestmark = pytest.mark.django_db  # the shop's time zone is a setting
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def gateway(sandbox_url: str) -> StripeGateway:
    requests.delete(f"{sandbox_url}/_faults", timeout=10)
    return StripeGateway("sk_test_sandbox", sandbox_url, "whsec_test")


def fault(sandbox: str, **order: Any) -> None:
    answer = requests.post(f"{sandbox}/_faults", json=order, timeout=10)
    assert answer.status_code == 200, answer.text


def raised(call: Callable[[], Any]) -> CardError:
    with pytest.raises(CardError) as error:
        call()
    return error.value


def test_a_processor_that_nobody_hears_is_asked_no_more_until_a_moment_that_is_named() -> None:
    away = StripeGateway("sk_test_sandbox", NOBODY, "")
    errors = [raised(lambda: away.get_intent("pi_1")) for _ in range(AFTER + 1)]
    assert {type(error) for error in errors} == {NotDone}
    assert [str(error) for error in errors[:-1]] == ["the processor cannot be reached"] * AFTER
    assert "cannot be reached since" in str(errors[-1])
    assert "we try again at" in str(errors[-1])
    last = errors[-1]
    assert isinstance(last, NotDone)
    assert 0 < last.seconds <= 2


def test_silence_slowness_and_its_own_errors_open_the_breaker_and_an_answer_closes_it(
    gateway: StripeGateway, sandbox_url: str
) -> None:
    for kind in ("rate_limit", "error_500", "lost_call", "rate_limit", "error_500"):
        fault(sandbox_url, kind=kind, count=1, method="*")
        raised(lambda: gateway.get_intent("pi_nobody"))
    assert gateway.breaker.away() is not None
    assert "we try again" in str(raised(lambda: gateway.get_intent("pi_nobody")))
    time.sleep(2.1)
    assert isinstance(raised(lambda: gateway.get_intent("pi_nobody")), Wrong)  # an answer: there is no such charge
    assert gateway.breaker.away() is None


def test_declines_and_requests_of_ours_that_it_does_not_accept_are_answers(gateway: StripeGateway) -> None:
    customer = gateway.create_customer(name="Zoë Brontë", email="zoe@example.com", reference="1", key="breaker-c")
    for n in range(AFTER + 1):
        refusal = raised(
            lambda n=n: gateway.save_card(  # type: ignore[misc]
                customer=customer, source="pm_card_visa_chargeDeclined", reference="CF-1", key=f"breaker-s-{n}"
            )
        )
        assert isinstance(refusal, Refusal)
        assert isinstance(raised(lambda: gateway.get_intent("pi_nobody")), Wrong)
    assert gateway.breaker.away() is None


def test_an_error_stored_under_a_key_is_told_from_a_fresh_one_and_is_no_outage(
    gateway: StripeGateway, sandbox_url: str
) -> None:
    customer = gateway.create_customer(name="Zoë Brontë", email="zoe@example.com", reference="1", key="stored-500-c")
    method = gateway.save_card(customer=customer, source="pm_card_visa", reference="1", key="stored-500-s").method_id
    fault(sandbox_url, kind="error_500_kept", count=1, path="/v1/payment_intents")

    def create() -> Intent:
        return gateway.create_intent(
            amount=100, currency="USD", customer=customer, method=method, reference={}, key="stored-500"
        )

    errors = [raised(create) for _ in range(AFTER + 2)]
    assert all(isinstance(error, OutcomeUnknown) for error in errors)
    assert [getattr(error, "replayed", None) for error in errors] == [False] + [True] * (AFTER + 1)
    assert gateway.breaker.away() is None


def test_a_lost_answer_is_not_a_replayed_one(gateway: StripeGateway, sandbox_url: str) -> None:
    fault(sandbox_url, kind="lost_answer", count=1, path="/v1/customers")
    error = raised(lambda: gateway.create_customer(name="Zoë", email="zoe@example.com", reference="1", key="lost-c"))
    assert isinstance(error, OutcomeUnknown)
    assert not error.replayed
    assert gateway.create_customer(name="Zoë", email="zoe@example.com", reference="1", key="lost-c")


def test_who_does_not_answer_within_the_time_that_the_shop_gives_is_asked_again_what_came_of_it(
    sandbox_url: str, settings: Any
) -> None:
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = "sk_test_sandbox", sandbox_url
    settings.CARD_READ_SECONDS = 0.4
    requests.delete(f"{sandbox_url}/_faults", timeout=10)
    fault(sandbox_url, kind="delay", count=1, seconds=4.5, method="*")
    began = time.monotonic()
    assert isinstance(raised(lambda: card.gateway().get_intent("pi_nobody")), OutcomeUnknown)
    assert time.monotonic() - began < 4
