"""The bank is asked to hold an amount once: also after the difference was refused, and when another card is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from counterfoil.core import clock, shop
from counterfoil.core.db import execute, writing
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.actions import look_at_holds, open_card_page, reconcile
from counterfoil.steps.charging.tests.build import accepted, approved, at_the_bank, intents, later, pays
from counterfoil.steps.charging.tests.test_holds import with_another_card
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
HELD, DEARER = 6500, 13500


@pytest.fixture
def api() -> Api:
    return Api("owner", "Olga")


@pytest.fixture(autouse=True)
def _authorise(card: str) -> Iterator[None]:
    with writing():
        shop.change(card_at_checkout="authorise")
    yield
    shop.forget()


def refused_the_difference(api: Api) -> str:
    """Held at check-out, then made dearer, and the bank does not give the difference; the order's number."""
    number = approved(api)
    product(api, "GRAND-15", stock=20, price=6000)
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "GRAND-15", "quantity": 2, "price": 6000})
    settle()
    with_another_card(number, "pm_card_chargeCustomerFail")
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    return number


def all_is_well() -> None:
    later()
    assert judge_all() == []


def held_there(card: str, number: str) -> list[int]:
    return [i["amount"] for i in intents(card, number) if i["status"] == "requires_capture"]


def test_a_clerk_cannot_have_a_second_amount_held_beside_the_first(api: Api, card: str) -> None:
    number = refused_the_difference(api)
    answer = api.post(f"/orders/{number}/authorisation", {})
    assert (answer.status, answer.codes) == (409, {"already_charged"})
    assert held_there(card, number) == [HELD]
    all_is_well()


def test_a_card_given_at_a_page_that_only_saves_leaves_the_hold_as_it_is(api: Api, card: str, mailbox: Any) -> None:
    number = refused_the_difference(api)
    stop = api.done(f"/orders/{number}/holds", {"reason": "odd address"})  # so that the page takes no money
    pays(open_card_page(order=number))
    later()
    reconcile()
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["parts"][0]["authorisation"]["amount"]) == ("authorised", HELD)
    assert held_there(card, number) == [HELD]
    all_is_well()
    # The charge takes what is held, and the difference from the new card.
    assert api.ask("DELETE", f"/orders/{number}/holds/{stop['id']}").status == 204
    assert api.done(f"/orders/{number}/charge", {})["charged"] == DEARER
    assert sorted(at_the_bank(card, number)) == [(HELD, 0), (DEARER - HELD, 0)]
    assert Charge.objects.filter(state="held").count() == 0
    all_is_well()


def test_a_hold_that_lapses_while_a_job_has_just_looked_is_asked_for_all_the_same(api: Api, card: str) -> None:
    number = approved(api)
    (hold,) = Charge.objects.filter(state="held")
    # A worker is just asking for a hold of this order, and has seen that there is one.
    execute(
        "INSERT INTO core_job (name, key, payload, state, run_at, attempts, fence, worker, last_error, created_at, "
        "lease_until) VALUES ('charging.authorise', %s, '{}', 'running', %s, 1, 1, 'elsewhere', '', %s, %s)",
        [f"charging.authorise:{number}", *[clock.real_now()] * 2, clock.real_now() + timedelta(minutes=1)],
    )
    requests.post(f"{card}/v1/payment_intents/{hold.intent_id}/cancel", auth=("sk_test_sandbox", ""), timeout=10)
    look_at_holds(order=number, intent_id=hold.intent_id)
    settle()
    assert held_there(card, number) == [HELD]
    assert api.order(number)["axes"]["money"] == "authorised"
