"""A card is charged once, whatever is lost, repeated, cancelled or killed on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute
from counterfoil.core.models import Document, Job
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import OutcomeUnknown
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.records.orders.models import Charge, Order, Part, Refund
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging import sending
from counterfoil.steps.charging.actions import retry_refund
from counterfoil.steps.charging.settle import settle_decline, settle_success
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    approved,
    at_the_bank,
    deliver,
    event,
    fault,
    intents,
    later,
    signed,
)
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten seconds for a bank that will not answer."""
    monkeypatch.setattr(charging, "PATIENCE", 0.0)


def money(number: str) -> str:
    return Part.objects.get(order__number=number).money


def all_is_well(number: str) -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


# --- once -----------------------------------------------------------------------------------------------------------


def test_a_charge_takes_the_total_once_and_leaves_a_receipt(api: Api, card: str) -> None:
    number = approved(api)
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["charged"], order["owed"], order["queue"]) == (TOTAL, 0, "pick")
    again = api.post(f"/orders/{number}/charge", {})
    assert (again.status, again.codes) == (409, {"already_charged"})
    assert again.body["blockers"][0]["by"] == "owner's key"
    assert Document.objects.filter(subject=number, kind="card-receipt").count() == 1
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


def test_a_charge_that_comes_before_the_card_is_saved_saves_it_first(api: Api, card: str) -> None:
    number = approved(api, saved=False)
    assert Order.objects.get(number=number).card_state == "to_save"
    assert api.done(f"/orders/{number}/charge", {})["axes"]["money"] == "charged"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


def test_who_brings_the_proof_of_a_charge_second_changes_nothing(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    charge, before = Charge.objects.get(), api.order(number)
    settle_success(charge.pk, gateway().get_intent(charge.intent_id), by="a late worker")
    assert settle_decline(charge.pk, "too_late", "an old answer") is False
    after = api.order(number)
    assert (after["charged"], after["axes"], after["documents"]) == (TOTAL, before["axes"], before["documents"])
    assert Part.objects.get().charged_by == "owner's key"
    all_is_well(number)


def test_a_key_makes_a_charge_repeatable(api: Api, card: str) -> None:
    number = approved(api)
    first = api.post(f"/orders/{number}/charge", {}, Idempotency_Key="charge-1")
    again = api.post(f"/orders/{number}/charge", {}, Idempotency_Key="charge-1")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert at_the_bank(card, number) == [(TOTAL, 0)]


def test_a_part_that_does_not_exist_is_named(api: Api) -> None:
    number = approved(api)
    assert api.post(f"/orders/{number}/charge", {"part": 2}).fields == {"part"}
    assert api.post(f"/orders/{number}/charge", {"part": 99_999}).fields == {"part"}


def test_a_picker_does_not_charge(api: Api, card: str) -> None:
    number = approved(api)
    assert Api("picker").post(f"/orders/{number}/charge", {}).status == 403
    assert at_the_bank(card, number) == []


# --- the bank does not answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lost_answer", "error_500_after"])
def test_an_answer_that_is_lost_after_the_money_moved_is_asked_for(api: Api, card: str, kind: str) -> None:
    number = approved(api)
    with fault(card, kind, count=1, path=CONFIRM):
        answer = api.post(f"/orders/{number}/charge", {})
    assert answer.status == 202
    assert (answer.body["axes"]["money"], answer.body["charged"]) == ("unknown", 0)
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.codes) == (409, {"charge_in_flight"})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", TOTAL, "pick")
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


@pytest.mark.parametrize("kind", ["lost_answer", "error_500_after"])
def test_who_waits_for_the_bank_gets_the_truth(api: Api, card: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "PATIENCE", 5.0)
    number = approved(api)
    with fault(card, kind, count=1, path=CONFIRM):
        order = api.done(f"/orders/{number}/charge", {})
    assert order["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


@pytest.mark.parametrize("kind", ["error_500", "rate_limit"])
def test_a_processor_that_fails_before_the_work_charges_later_and_once(api: Api, card: str, kind: str) -> None:
    number = approved(api)
    with fault(card, kind, count=3, path="/v1/payment_intents"):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
        later()
    later()
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


@pytest.mark.parametrize("kind", ["lost_answer", "error_500_after"])
def test_a_lost_answer_to_the_intent_makes_no_second_intent(api: Api, card: str, kind: str) -> None:
    number = approved(api)
    with fault(card, kind, count=1, path="/v1/payment_intents"):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    later()
    if kind == "lost_answer":
        assert api.order(number)["charged"] == TOTAL
        assert len(intents(card, number)) == 1
    assert len(at_the_bank(card, number)) <= 1
    assert len(at_the_bank(card, number)) == Charge.objects.filter(state="succeeded").count()


def test_a_processor_that_is_away_charges_nobody_and_is_asked_later(api: Api, card: str, settings: Any) -> None:
    number = approved(api)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert api.post(f"/orders/{number}/charge", {}).status == 202
    settings.STRIPE_API_BASE = card
    later()
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


# --- the bank says no -----------------------------------------------------------------------------------------------


def test_a_declined_card_takes_nothing_and_the_customer_gets_a_pay_link(api: Api, card: str, mailbox: Any) -> None:
    number = approved(api, card="pm_card_chargeCustomerFail")
    declined = api.post(f"/orders/{number}/charge", {})
    assert declined.status == 402
    assert declined.body["decline_code"]
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("declined", 0, "payment_problem")
    settle()
    mails = mailbox.mails(to=order["customer"]["email"])
    assert sum("please check your payment" in m["subject"] for m in mails) == 1
    assert at_the_bank(card, number) == []
    all_is_well(number)


def test_a_card_that_the_bank_does_not_want_saved_is_a_payment_problem(api: Api, card: str) -> None:
    product(api, stock=10)
    body = order_body(("PINOT-21", 2), card="pm_card_visa_chargeDeclined")
    number = api.done("/orders", body)["number"]
    settle()
    order = api.order(number)
    assert (order["status"], order["queue"], order["charged"]) == ("pending", "payment_problem", 0)
    assert "no_payment_method" in api.post(f"/orders/{number}/charge", {}).codes
    all_is_well(number)


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({"shipping": {"method": "Ground", "price": 0}, "total": 20}, 20),  # the processor takes no less than 50 cents
        ({"shipping": {"method": "Ground", "price": 0}, "total": 200_000_000}, 200_000_000),
    ],
)
def test_a_charge_that_the_processor_does_not_accept_at_all_is_a_payment_problem(
    api: Api, card: str, more: dict[str, Any], total: int
) -> None:
    number = approved(api, **more)
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.body["decline_code"]) == (402, "processor_refused")
    order = api.order(number)
    assert (order["total"], order["axes"]["money"], order["charged"]) == (total, "declined", 0)
    assert order["queue"] == "payment_problem"
    assert not Job.objects.filter(name="charging.send").exists()
    all_is_well(number)


def test_an_order_that_costs_nothing_is_settled_without_asking_the_bank(api: Api, card: str) -> None:
    number = approved(api, shipping={"method": "Ground", "price": 0}, total=0)
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"], order["owed"], order["queue"]) == ("charged", 0, 0, "pick")
    assert intents(card, number) == []
    assert api.post(f"/orders/{number}/charge", {}).codes == {"already_charged"}
    all_is_well(number)


# --- cancelled in the middle ----------------------------------------------------------------------------------------


def test_a_cancellation_while_the_bank_is_asked_gives_back_what_it_took(api: Api, card: str) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    order = api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    assert order["status"] == "cancelled"
    later()
    order = api.order(number)
    assert (order["charged"], order["refunded"], order["refund_owed"]) == (TOTAL, TOTAL, 0)
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well(number)


def test_a_cancellation_before_the_charge_was_sent_takes_nothing(api: Api, card: str, settings: Any) -> None:
    number = approved(api)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert api.post(f"/orders/{number}/charge", {}).status == 202
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    settings.STRIPE_API_BASE = card
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("voided", 0)
    assert at_the_bank(card, number) == []
    all_is_well(number)


def test_a_cancellation_after_the_sending_that_never_arrived_takes_nothing(api: Api, card: str) -> None:
    number = approved(api)
    with fault(card, "error_500", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("voided", 0)
    assert at_the_bank(card, number) == []
    all_is_well(number)


def test_a_charge_whose_key_the_processor_has_forgotten_is_never_repeated(api: Api, card: str, settings: Any) -> None:
    number = approved(api)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert api.post(f"/orders/{number}/charge", {}).status == 202
    execute("UPDATE orders_charge SET made_at = %s", [clock.real_now() - timedelta(hours=21)])
    settings.STRIPE_API_BASE = card
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["queue"], order["charged"]) == ("saved", "charge", 0)
    assert intents(card, number) == []
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    all_is_well(number)


# --- killed at every instant ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing after this runs, not even an `except Exception`."""


def kill_at(monkeypatch: pytest.MonkeyPatch, instant: str) -> None:
    """The next time that the code comes to this instant, the process dies there. Once."""
    place, _, name = instant.partition(" ")
    owner: Any = next(place for place in (StripeGateway, sending, charging) if hasattr(place, name))
    whole = getattr(owner, name)

    def die(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(owner, name, whole)
        if place == "after":
            whole(*args, **more)
        raise Killed

    monkeypatch.setattr(owner, name, die)


INSTANTS = (
    "before _begin",
    "after _begin",
    "before create_intent",
    "after create_intent",
    "before _claim",
    "after _claim",
    "before confirm_intent",
    "after confirm_intent",
    "before settle_success",
    "after settle_success",
)


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_charge_that_dies_at_any_instant_is_finished_by_a_worker_once(
    api: Api, card: str, instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    kill_at(monkeypatch, instant)
    with pytest.raises(Killed):
        api.post(f"/orders/{number}/charge", {})
    later()
    if instant == "before _begin":
        assert at_the_bank(card, number) == []
        api.done(f"/orders/{number}/charge", {})
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == 1
    assert api.post(f"/orders/{number}/charge", {}).codes == {"already_charged"}
    all_is_well(number)


@pytest.mark.parametrize("instant", INSTANTS[1:8])
def test_a_cancelled_order_whose_charge_died_keeps_no_money(
    api: Api, card: str, instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    kill_at(monkeypatch, instant)
    with pytest.raises(Killed):
        api.post(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert order["charged"] == order["refunded"]
    taken = at_the_bank(card, number)
    assert taken == ([(TOTAL, TOTAL)] if instant == "after confirm_intent" else [])
    all_is_well(number)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_refund_that_dies_at_the_bank_is_paid_once(
    api: Api, card: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    kill_at(monkeypatch, f"{place} refund")
    with pytest.raises(Killed):
        settle()
    later()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    assert api.order(number)["refunded"] == 1000
    all_is_well(number)


# --- refunds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lost_answer", "error_500", "rate_limit"])
def test_a_refund_is_paid_once_whatever_is_lost(api: Api, card: str, kind: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    with fault(card, kind, count=2, path="/v1/refunds"):
        later()
    later()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    assert [r["state"] for r in api.order(number)["refunds"]] == ["succeeded"]
    all_is_well(number)


def test_a_refund_never_exceeds_what_was_captured(api: Api, card: str) -> None:
    number = approved(api)
    path = f"/orders/{number}/refunds"
    assert api.post(path, {"amount": 1, "reason": "too early"}).codes == {"over_refundable"}
    api.done(f"/orders/{number}/charge", {})
    assert api.post(path, {"amount": TOTAL + 1, "reason": "too much"}).codes == {"over_refundable"}
    api.done(path, {"amount": TOTAL - 1, "reason": "nearly all"})
    assert api.post(path, {"amount": 2, "reason": "too much"}).codes == {"over_refundable"}
    api.done(path, {"reason": "the rest"})
    assert api.post(path, {"amount": 1, "reason": "too much"}).codes == {"over_refundable"}
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well(number)


def test_a_refund_that_the_customers_bank_sends_back_is_owed_again_and_can_be_tried_again(
    api: Api, card: str, client: Any
) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    with fault(card, "refund_fails", count=1, path="*"):
        api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
        later()
    assert api.order(number)["refunded"] == 1000
    refund = Refund.objects.get()
    for id_ in ("evt_back_1", "evt_back_2"):
        told = event("refund.failed", refund.refund_id, id_=id_)
        assert deliver(client, told, signed(told)) == 200
        settle()
    order = api.order(number)
    assert (order["refunded"], order["refund_owed"], order["queue"]) == (0, 1000, "payment_problem")
    assert judge_all() == []
    retry_refund(order=number, refund_id=refund.pk, actor=SYSTEM)
    later()
    order = api.order(number)
    assert (order["refunded"], order["refund_owed"], order["queue"]) == (1000, 0, "pick")
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    all_is_well(number)


def test_an_unknown_outcome_is_asked_for_until_it_is_known(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        api.post(f"/orders/{number}/charge", {})

    def silent(self: StripeGateway, intent_id: str) -> Any:
        raise OutcomeUnknown("nobody there")

    with monkeypatch.context() as held:
        held.setattr(StripeGateway, "get_intent", silent)
        later()
        assert money(number) == "unknown"
        assert Job.objects.filter(name="charging.send", state="queued").count() == 1
    later()
    assert money(number) == "charged"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
