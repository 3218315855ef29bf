"""The goods are let go in the very moment in which the customer pays, the clerk charges, or a second worker does it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.models import JournalEvent
from counterfoil.flow.advance import advance
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Line, Part
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.actions import let_go, open_card_page
from counterfoil.steps.charging.tests.build import at_the_bank, declined, later, the_bank_thinks
from tests.crowd import together, worked
from tests.support import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
TOTAL = 6500


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    return Api()


def eight_days_pass() -> None:
    """For every thread; the processor's own clock stands, so that its pages stay open."""
    with writing():
        clock.advance_business_time(timedelta(days=8))


def all_is_well() -> None:
    later()
    assert judge_all() == []


def test_who_pays_in_the_moment_of_letting_go_has_the_goods_or_keeps_the_money(api: Api, card: str) -> None:
    numbers = [declined(api) for _ in range(5)]
    pages = [open_card_page(order=number) for number in numbers]
    eight_days_pass()

    def act(n: int) -> int:
        if n % 2:
            return requests.post(
                pages[n // 2], data={"card": "pm_card_visa"}, allow_redirects=False, timeout=20
            ).status_code
        let_go(order=numbers[n // 2])
        return 0

    worked(together(10, act))
    later()
    for number in numbers:
        order = api.order(number)
        (part,) = order["parts"]
        if order["charged"]:
            assert at_the_bank(card, number) == [(TOTAL, 0)]
            assert (part["money"], part["decline"], order["queue"]) == ("charged", None, "pick")
            assert order["lines"][0]["reserved"] == 2
        else:
            assert at_the_bank(card, number) == []
            assert (part["money"], order["queue"]) == ("declined", "payment_problem")
            assert part["decline"]["let_go_at"] is not None
            assert order["lines"][0]["reserved"] == 0
    assert Balance.objects.get().reserved == 2 * Part.objects.filter(money="charged").count()
    all_is_well()


def test_many_workers_let_one_order_go_once(api: Api, card: str) -> None:
    number = declined(api)
    eight_days_pass()
    worked(together(5, lambda n: advance(number) if n % 2 else let_go(order=number)))
    later()
    assert JournalEvent.objects.filter(kind="goods_let_go").count() == 1
    balance = Balance.objects.get()
    assert (balance.on_hand, balance.reserved, balance.waiting) == (500, 0, 0)
    all_is_well()


def test_a_clerk_who_charges_in_the_moment_of_letting_go_charges_what_is_kept_or_nothing(api: Api, card: str) -> None:
    numbers = [declined(api) for _ in range(3)]
    for number in numbers:
        the_bank_thinks(card, number, "pm_card_visa")
    eight_days_pass()

    def act(n: int) -> int:
        if n % 2:
            return api.post(f"/orders/{numbers[n // 2]}/charge", {}).status
        let_go(order=numbers[n // 2])
        return 0

    found = worked(together(6, act))
    later()
    for number, status in zip(numbers, found[1::2], strict=True):
        charged = api.order(number)["charged"]
        reserved = Line.objects.get(order__number=number).reserved
        assert (status, charged, reserved) in {(200, TOTAL, 2), (409, 0, 0)}
        assert at_the_bank(card, number) == ([(TOTAL, 0)] if charged else [])
    all_is_well()
