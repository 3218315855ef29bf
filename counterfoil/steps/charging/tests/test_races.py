"""Many charge, cancel and refund one order at once; the processor is asked for its money once."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core import jobs
from counterfoil.core.models import Document
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card.protocol import CardError
from counterfoil.records.orders.models import Charge, Part, Refund
from counterfoil.steps.charging.actions import send_charge, send_refund
from counterfoil.steps.charging.tests.build import CONFIRM, approved, at_the_bank, fault, intents, later
from tests.crowd import together, worked
from tests.support import Answer, Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
TOTAL = 6500


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    return Api()


def all_is_well() -> None:
    later()
    assert judge_all() == []


def charge_at_once(number: str, count: int) -> list[Answer]:
    askers = [Api("clerk", f"Clerk {n}") for n in range(count)]
    return worked(together(count, lambda n: askers[n].post(f"/orders/{number}/charge", {})))


def test_ten_who_charge_one_order_at_once_take_the_money_once(api: Api, card: str) -> None:
    number = approved(api)
    found = charge_at_once(number, 10)
    assert sorted(a.status for a in found) == [200] + [409] * 9
    winner = Part.objects.get().charged_by
    for lost in (a for a in found if a.status == 409):
        (blocker,) = lost.body["blockers"]
        assert blocker["code"] in {"already_charged", "charge_in_flight"}
        assert blocker["by"] == winner
    assert winner.startswith("Clerk ")
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == Charge.objects.count() == 1
    assert Document.objects.filter(kind="card-receipt").count() == 1
    all_is_well()


def test_many_who_charge_before_the_card_is_saved_save_one_card_and_charge_once(api: Api, card: str) -> None:
    number = approved(api, saved=False)
    found = charge_at_once(number, 6)
    assert {a.status for a in found} <= {200, 202, 409}
    later()
    if not api.order(number)["charged"]:
        api.done(f"/orders/{number}/charge", {})
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_worker_and_a_clerk_who_bring_on_the_same_charge_capture_once(api: Api, card: str) -> None:
    number = approved(api)
    with fault(card, "delay", count=3, seconds=0.3, path="/v1/payment_intents"):

        def act(n: int) -> int:
            if n == 0:
                return api.post(f"/orders/{number}/charge", {}).status
            for _ in range(30):
                charge = Charge.objects.first()
                if charge is not None:
                    try:
                        send_charge(charge.pk)
                    except CardError:
                        continue
            return 0

        worked(together(3, act))
    later()
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == 1
    all_is_well()


def test_a_cancellation_that_meets_the_charge_leaves_no_money_behind(api: Api, card: str) -> None:
    numbers = [approved(api) for _ in range(4)]

    def act(n: int) -> Answer:
        number = numbers[n // 2]
        if n % 2:
            return api.post(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
        return api.post(f"/orders/{number}/charge", {})

    found = worked(together(8, act))
    assert all(a.status == 200 for a in found[1::2])
    assert all(a.status in {200, 202, 409} for a in found[::2])
    later()
    for number in numbers:
        order = api.order(number)
        assert order["status"] == "cancelled"
        assert order["charged"] == order["refunded"]
        assert all(taken == back for taken, back in at_the_bank(card, number))
    all_is_well()


def test_of_many_refunds_at_once_no_more_goes_back_than_was_taken(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    found = worked(
        together(8, lambda n: api.post(f"/orders/{number}/refunds", {"amount": 2000, "reason": f"broken bottle {n}"}))
    )
    assert sorted(a.status for a in found) == [201] * 3 + [409] * 5
    assert all(a.codes == {"over_refundable"} for a in found if a.status == 409)
    worked(together(3, lambda n: jobs.drain(worker=f"w{n}", only=("charging",))))
    assert Refund.objects.filter(state="succeeded").count() == 3
    assert at_the_bank(card, number) == [(TOTAL, 6000)]
    all_is_well()


def test_many_workers_pay_one_refund_once(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "broken bottle"})
    refund = Refund.objects.get()
    together(6, lambda n: send_refund(refund_id=refund.pk))
    later()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    all_is_well()


def test_the_bank_is_asked_again_by_many_after_a_lost_answer_and_paid_once(api: Api, card: str) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        found = charge_at_once(number, 5)
    assert sorted(a.status for a in found) == [200] + [409] * 4
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()
