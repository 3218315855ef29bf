"""What a customer does at the hosted page reaches us: also without a webhook, also at the last moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock, jobs
from counterfoil.core.db import execute, rows
from counterfoil.core.models import Job
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card.protocol import NotDone, OutcomeUnknown
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.records.orders.models import Order, Part, PayLink
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging.actions import expire_checkout, finish_session, open_card_page
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    approved,
    at_the_bank,
    declined,
    deliver,
    event,
    fault,
    later,
    pays,
    signed,
    time_passes,
    unfinished,
)
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500


@pytest.fixture
def api(card: str) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "PATIENCE", 0.0)


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def too_late(order: Order) -> None:
    """The check-out has had its time."""
    now = clock.business_now()
    Order.objects.filter(pk=order.pk).update(
        placed_at=now - timedelta(hours=1), next_check_at=now - timedelta(minutes=1)
    )


# --- nobody tells us ------------------------------------------------------------------------------------------------


def test_a_payment_whose_webhook_was_lost_is_taken_in_without_the_customers_browser(api: Api, card: str) -> None:
    number = declined(api)
    pays(open_card_page(order=number))
    assert Job.objects.filter(name="charging.look_link", state="queued").count() == 1
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", TOTAL, "pick")
    assert PayLink.objects.get().state == "complete"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert not Job.objects.filter(name="charging.look_link").exists()
    all_is_well()


def test_a_page_that_stands_open_is_asked_after_again_without_using_up_its_tries(api: Api, card: str) -> None:
    number = declined(api)
    address = open_card_page(order=number)
    for _ in range(3):
        time_passes()
        settle()
    asking = Job.objects.get(name="charging.look_link")
    assert (asking.state, asking.attempts) == ("queued", 0)
    assert asking.run_at > clock.real_now() + timedelta(seconds=60)
    pays(address)
    later()
    assert Part.objects.get().money == "charged"
    all_is_well()


def test_a_card_given_at_a_page_whose_webhook_was_lost_is_found_by_who_charges(api: Api, card: str) -> None:
    product(api, stock=9)
    number = api.done("/orders", order_body(card="pm_card_visa_chargeDeclined"))["number"]
    settle()
    assert Order.objects.get().card_state == "refused"
    pays(open_card_page(order=number))
    date = clock.business_now().date().isoformat()
    api.done(f"/orders/{number}/approval", {"ship_estimate": date})
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert PayLink.objects.get().state == "complete"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_payment_at_a_page_of_which_we_know_nothing_but_our_own_mark_is_taken_in(
    api: Api, card: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the making of the page and the writing of its id; the customer had the page open."""
    number = declined(api)
    address = open_card_page(order=number)
    known = PayLink.objects.get().session_id
    PayLink.objects.update(session_id="", url="", state="intended")
    Job.objects.filter(name="charging.look_link").delete()
    pays(address)
    told = event("checkout.session.completed", known)
    assert deliver(client, told, signed(told)) == 200
    settle()
    assert InboxEvent.objects.get().outcome == "page taken in"
    assert (Part.objects.get().money, PayLink.objects.get().state) == ("charged", "complete")
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_page_that_is_not_ours_is_not_taken_in(api: Api, card: str, client: Any) -> None:
    number = declined(api)
    address = open_card_page(order=number)
    known = PayLink.objects.get().session_id
    PayLink.objects.update(session_id="cs_test_other", key="another-link")
    pays(address)
    told = event("checkout.session.completed", known)
    assert deliver(client, told, signed(told)) == 200
    jobs.drain(only=("charging",))
    assert InboxEvent.objects.get().outcome != "page taken in"
    assert (Part.objects.get().money, Part.objects.get().charged) == ("declined", 0)


def test_a_page_that_we_thought_expired_and_that_was_paid_counts_as_paid(api: Api, card: str) -> None:
    number = declined(api)
    pays(open_card_page(order=number))
    PayLink.objects.update(state="expired")
    finish_session(session_id=PayLink.objects.get().session_id)
    finish_session(session_id=PayLink.objects.get().session_id)
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


# --- check-outs that take too long ----------------------------------------------------------------------------------


def test_a_checkout_completed_at_the_last_moment_is_not_cancelled_by_its_expiry(api: Api, card: str) -> None:
    product(api, stock=9)
    order = unfinished()
    address = open_card_page(order=order.number)
    session = PayLink.objects.get().session_id
    PayLink.objects.update(state="expired")  # so the processor is not asked to close it
    expire_checkout(order=order.number)
    assert Job.objects.filter(name="flow.cancel", state="queued").count() == 1
    pays(address)
    finish_session(session_id=session)
    assert Order.objects.get().finished
    settle()
    order.refresh_from_db()
    assert (order.cancelled_at, order.status, order.card_state) == (None, "pending", "saved")
    all_is_well()


def test_a_checkout_completed_before_it_is_closed_becomes_an_order(api: Api, card: str) -> None:
    product(api, stock=9)
    order = unfinished()
    pays(open_card_page(order=order.number))
    too_late(order)
    sweep()
    settle()
    order.refresh_from_db()
    assert (order.finished, order.cancelled_at, order.status) == (True, None, "pending")
    all_is_well()


def test_a_checkout_that_nobody_completes_is_cancelled_and_its_page_is_closed(
    api: Api, card: str, caplog: pytest.LogCaptureFixture
) -> None:
    product(api, stock=9)
    order = unfinished()
    address = open_card_page(order=order.number)
    too_late(order)
    sweep()
    assert "does not come to rest" not in caplog.text
    settle()
    order.refresh_from_db()
    assert order.status == "cancelled"
    with pytest.raises(AssertionError, match="expired"):
        pays(address)
    all_is_well()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_looking_again_and_again_does_not_hurry_an_expiry_that_waits_for_the_processor(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    product(api, stock=9)
    order = unfinished()
    open_card_page(order=order.number)
    too_late(order)
    calls: list[str] = []

    def away(self: StripeGateway, session_id: str, *, key: str) -> Any:
        calls.append(session_id)
        raise NotDone("the processor cannot be reached")

    monkeypatch.setattr(StripeGateway, "expire_session", away)
    for _ in range(6):
        sweep()
        advance(order.number)
        while jobs.run_one(only=("charging",)):
            pass
        if state == "running":
            execute("UPDATE core_job SET state = 'running', lease_until = %s", [clock.real_now() + timedelta(hours=1)])
    assert len(calls) == 1
    assert rows("SELECT COUNT(*) FROM core_job WHERE name = 'charging.expire_checkout'") == [(1,)]


def test_an_unanswered_charge_is_asked_for_less_and_less_often(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202

    def silent(self: StripeGateway, intent_id: str) -> Any:
        raise OutcomeUnknown("nobody there")

    waits: list[float] = []
    with monkeypatch.context() as held:
        held.setattr(StripeGateway, "get_intent", silent)
        for _ in range(4):
            time_passes()
            jobs.drain(only=("charging",))
            asking = Job.objects.get(name="charging.send")
            waits.append((asking.run_at - clock.real_now()).total_seconds())
    assert waits == sorted(waits)
    assert Job.objects.get(name="charging.send").attempts == 4
    assert waits[-1] > 10
    all_is_well()


def test_confirming_again_without_an_answer_does_not_forget_how_often_it_was_tried(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)

    def silent(self: StripeGateway, intent_id: str, *, key: str) -> Any:
        raise OutcomeUnknown("nobody there")

    with monkeypatch.context() as held:
        held.setattr(StripeGateway, "confirm_intent", silent)
        assert api.post(f"/orders/{number}/charge", {}).status == 202
        for _ in range(4):
            time_passes()
            jobs.drain(only=("charging",))
        assert Job.objects.get(name="charging.send").attempts == 4
    all_is_well()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
