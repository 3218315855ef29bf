"""Refunds by line, refunds that fail, and refunds paid by hand: the books always say through which till."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.errors import Forbidden
from counterfoil.core.models import Job
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Charge, Line, Refund
from counterfoil.steps.charging.actions import retry_refund
from counterfoil.steps.charging.tests.build import (
    accepted,
    approved,
    at_the_bank,
    deliver,
    event,
    fault,
    later,
    signed,
)
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
FEE = 219  # 2.9 % and 0.30, known once the processor's webhook has come
BOTTLE = 2500


@pytest.fixture
def api(card: str) -> Api:
    return Api()


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def tills() -> dict[str, int]:
    """What lies in each till, and what is owed back, by the books."""
    held = Posting.objects.values_list("account").annotate(Sum("amount"))
    return {a: n for a, n in held if n and a in {"card_clearing", "other_clearing", "refunds_payable"}}


def bottles(number: str, count: int) -> dict[str, Any]:
    return {"lines": [{"sku": "PINOT-21", "quantity": count}], "reason": "corked"}


# --- by line --------------------------------------------------------------------------------------------------------


def test_bottles_that_the_customer_gave_up_and_got_back_are_not_refunded_again(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    accepted(api, number, {"kind": "cancel", "line": "PINOT-21", "quantity": 1})
    settle()
    assert api.order(number)["refunded"] == BOTTLE
    assert api.post(f"/orders/{number}/refunds", bottles(number, 2)).status == 422
    assert api.done(f"/orders/{number}/refunds", bottles(number, 1))["amount"] == BOTTLE
    assert api.post(f"/orders/{number}/refunds", bottles(number, 1)).status == 422
    all_is_well()
    assert at_the_bank(card, number) == [(TOTAL, 2 * BOTTLE)]


def test_a_wine_that_lies_in_two_parcels_is_refunded_over_both(api: Api, card: str) -> None:
    product(api, stock=9)
    number = str(api.done("/orders", order_body(("PINOT-21", 3)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    date = (shop().today() + timedelta(days=1)).isoformat()
    accepted(api, number, {"kind": "split", "line": "PINOT-21", "quantity": 2, "date": date})
    settle()
    api.done(f"/orders/{number}/charge", {})
    assert len(api.order(number)["parts"]) == 2
    assert api.post(f"/orders/{number}/refunds", bottles(number, 4)).status == 422
    api.done(f"/orders/{number}/refunds", bottles(number, 3))
    assert sum(r.amount for r in Refund.objects.all()) == 3 * BOTTLE
    assert all(ln.refunded == ln.quantity for ln in Line.objects.all())
    assert {p["refund_owed"] for p in api.order(number)["parts"]} == {BOTTLE, 2 * BOTTLE}
    assert api.post(f"/orders/{number}/refunds", bottles(number, 1)).status == 422
    all_is_well()
    assert api.order(number)["refunded"] == 3 * BOTTLE


def test_one_wine_named_twice_in_a_refund_is_counted_together(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    twice = {"lines": [*bottles(number, 1)["lines"], *bottles(number, 2)["lines"]], "reason": "corked"}
    assert api.post(f"/orders/{number}/refunds", twice).status == 422
    assert (Refund.objects.count(), Line.objects.get().refunded) == (0, 0)
    all_is_well()


# --- by hand --------------------------------------------------------------------------------------------------------


def failed(api: Api, card: str, number: str) -> Refund:
    """A refund that the processor could not pay."""
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    refund = Refund.objects.get()
    with fault(card, "refund_fails", count=1, path="*"):
        later()
    refund.refresh_from_db()
    return refund


def sent_back(api: Api, card: str, client: Any, number: str) -> Refund:
    """A refund that was paid, and that the customer's bank sent back."""
    refund = failed(api, card, number)
    told = event("refund.failed", refund.refund_id, id_=f"evt_{refund.pk}")
    assert deliver(client, told, signed(told)) == 200
    settle()
    refund.refresh_from_db()
    assert refund.state == "failed"
    return refund


def test_a_card_refund_that_came_back_can_be_written_down_as_paid_by_hand(api: Api, card: str, client: Any) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    refund = sent_back(api, card, client, number)
    assert tills() == {"card_clearing": TOTAL, "refunds_payable": -1000}
    for _ in range(2):
        retry_refund(order=number, refund_id=refund.pk, actor=SYSTEM, by_hand=True)
    order = api.order(number)
    assert (order["refunded"], order["refund_owed"], order["queue"]) == (1000, 0, "pick")
    assert tills() == {"card_clearing": TOTAL, "other_clearing": -1000}
    all_is_well()
    assert tills() == {"card_clearing": TOTAL - FEE, "other_clearing": -1000}


def test_a_card_refund_that_the_processor_never_took_can_be_paid_by_hand(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    refund = Refund.objects.get()
    intent = refund.charge.intent_id
    Charge.objects.update(intent_id="pi_gone")
    settle()
    refund.refresh_from_db()
    assert (refund.state, api.order(number)["queue"]) == ("failed", "payment_problem")
    Charge.objects.update(intent_id=intent)
    retry_refund(order=number, refund_id=refund.pk, actor=SYSTEM, by_hand=True)
    assert tills() == {"card_clearing": TOTAL, "other_clearing": -1000}
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_refund_on_its_way_is_not_paid_by_hand_as_well(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    refund = Refund.objects.get()
    retry_refund(order=number, refund_id=refund.pk, actor=SYSTEM, by_hand=True)
    refund.refresh_from_db()
    assert refund.state == "pending"
    all_is_well()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    assert tills() == {"card_clearing": TOTAL - 1000}


def test_every_try_of_a_refund_has_a_number_of_its_own(api: Api, card: str, client: Any) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    refund = sent_back(api, card, client, number)
    first, keys = refund.key, []
    for _ in range(10):
        Refund.objects.update(state="failed")
        retry_refund(order=number, refund_id=refund.pk, actor=SYSTEM)
        keys.append(Refund.objects.get().key)
    assert keys == [f"{first}~{n}" for n in range(2, 12)]
    assert max(len(key) for key in keys) <= 60
    all_is_well()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]


def test_a_picker_does_not_say_that_money_was_paid_back(api: Api, card: str) -> None:
    number = approved(api)
    with pytest.raises(Forbidden):
        retry_refund(order=number, refund_id=1, actor=Actor("person", "Pim", "picker"), by_hand=True)
