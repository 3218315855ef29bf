"""Two windows are open on one order, and both give money back at the same instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from conftest import Mailbox
from counterfoil.core.access.models import User
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Line, Refund
from counterfoil.steps.charging.tests.build import approved, at_the_bank, later
from tests.crowd import together, worked
from tests.support import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
TOTAL, BOTTLE = 6500, 2500
Window = Callable[[], int]  # what it answers


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    return Api()


def charged(api: Api) -> str:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    return number


def by_api(number: str, **wanted: Any) -> Window:
    """A window of another program, under a key of its own."""
    clerk = Api("clerk", "Clerk")
    return lambda: clerk.post(f"/orders/{number}/refunds", {"reason": "corked", **wanted}).status


def at_the_desk(number: str, role: str, **form: str) -> Window:
    """A browser window, with the page that its person has open."""
    browser = Client()
    user = User.objects.create_user(f"{role}@example.com", "a long password", name=role.title(), role=role)
    browser.force_login(user)
    assert browser.get(f"/desk/orders/{number}").status_code == 200
    return lambda: browser.post(f"/desk/orders/{number}/acts/refund", {"reason": "corked", **form}).status_code


def at_once(*windows: Window) -> list[int]:
    return sorted(worked(together(len(windows), lambda n: windows[n]())))


def all_is_well() -> None:
    later()
    assert judge_all() == []


def test_two_who_give_everything_back_give_it_back_once(api: Api, card: str) -> None:
    number = charged(api)
    whole = {"everything": "yes"}
    assert at_once(at_the_desk(number, "clerk", **whole), at_the_desk(number, "bookkeeper", **whole)) == [303, 409]
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    assert Refund.objects.count() == 1
    all_is_well()


def test_an_amount_and_a_line_that_together_are_more_than_was_taken_do_not_both_go(api: Api, card: str) -> None:
    number = charged(api)
    lines = [{"sku": "PINOT-21", "quantity": 2}]
    found = at_once(at_the_desk(number, "clerk", amount="50.00"), by_api(number, lines=lines))
    # Who comes too late at the desk reads it at the amount; another program is told that it is refused.
    assert found in ([201, 422], [303, 409])
    later()
    assert at_the_bank(card, number) == [(TOTAL, 5000)]
    # The loser has left nothing behind: not even the mark that its bottles had gone back.
    assert Line.objects.get().refunded == (2 if found == [201, 422] else 0)
    all_is_well()


def test_two_pieces_that_fit_both_go_and_nothing_more(api: Api, card: str) -> None:
    number = charged(api)
    assert at_once(at_the_desk(number, "clerk", amount="40.00"), by_api(number, amount=2500)) == [201, 303]
    assert api.post(f"/orders/{number}/refunds", {"amount": 1, "reason": "more"}).codes == {"over_refundable"}
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well()


def test_the_same_bottle_is_given_back_by_one_of_two_windows(api: Api, card: str) -> None:
    number = charged(api)
    line = {"lines": [{"sku": "PINOT-21", "quantity": 2}]}
    assert at_once(by_api(number, **line), by_api(number, **line)) in ([201, 409], [201, 422])
    later()
    assert at_the_bank(card, number) == [(TOTAL, 2 * BOTTLE)]
    all_is_well()


def test_a_refund_and_a_cancellation_at_once_give_back_what_was_taken_and_no_more(api: Api, card: str) -> None:
    number = charged(api)
    clerk = Api("clerk", "Cleo")
    cancel: Window = lambda: clerk.post(f"/orders/{number}/cancellation", {"reason": "moved away"}).status  # noqa: E731
    assert at_once(by_api(number, amount=4000), cancel) in ([200, 201], [200, 409])
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well()
