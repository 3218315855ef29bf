"""Two answers at once, an answer against a clerk, an amendment against its undo: one wins, the other hears it."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.models import JournalEvent
from counterfoil.flow.verify import states, units
from counterfoil.flow.verify.amendments import unbroken
from counterfoil.records.orders.models import Amendment, Line, Offered, Proposal
from tests.crowd import together, worked
from tests.support import Answer, Api, order_body, product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
CONSENT = {"how": "mail", "who": "June Harper"}


@pytest.fixture
def api() -> Api:
    owner = Api("owner", "Olga")
    product(owner, "SYRAH-19", stock=3)
    product(owner, "SYRAH-20", stock=9)
    return owner


def asked(api: Api) -> tuple[str, str]:
    """An order and the token of its question: the 2020 instead, or one bottle fewer."""
    number = str(api.done("/orders", order_body(("SYRAH-19", 3), card=None))["number"])
    choices = [
        {"kind": "substitute", "line": "SYRAH-19", "sku": "SYRAH-20", "quantity": 3},
        {"kind": "cancel", "line": "SYRAH-19", "quantity": 1},
    ]
    return number, str(api.done(f"/orders/{number}/proposals", {"choices": choices})["token"])


def well() -> None:
    for check in (units.balances, units.lines, units.offered, states.replay, unbroken):
        assert check() == [], check.__doc__


def test_of_two_answers_at_once_one_is_kept_and_the_other_hears_which(api: Api) -> None:
    for _ in range(6):
        number, token = asked(api)

        def answer(n: int, token: str = token) -> Answer:
            return api.post(f"/proposals/{token}/answer", {"choice": n})

        found = worked(together(2, answer))
        assert sorted(a.status for a in found) == [200, 409]
        lost = next(a for a in found if a.status == 409)
        assert lost.codes == {"someone_else"}
        assert "the question was answered on" in lost.body["detail"]
        kept = Proposal.objects.get(token=token)
        assert str(kept.choices[kept.choice or 0]["text"]) in lost.body["detail"]
        assert JournalEvent.objects.filter(subject=number, kind="order_amended").count() == 1
        sold = Line.objects.filter(order__number=number, sku="SYRAH-20").exists()
        assert sold == (kept.choice == 0)
        api.done(f"/orders/{number}/cancellation", {"reason": "next"})
    assert not Offered.objects.filter(released_at=None).exists()
    well()


def test_an_answer_and_its_withdrawal_at_once_are_one_of_them(api: Api) -> None:
    for _ in range(6):
        number, token = asked(api)

        def act(n: int, number: str = number, token: str = token) -> Answer:
            if n:
                return api.ask("DELETE", f"/orders/{number}/proposals/{token}")
            return api.post(f"/proposals/{token}/answer", {"choice": 0})

        answered, withdrawn = worked(together(2, act))
        assert {answered.status < 300, withdrawn.status < 300} == {True, False}
        assert (Proposal.objects.get(token=token).state == "accepted") == (answered.status == 200)
        api.done(f"/orders/{number}/cancellation", {"reason": "next"})
    well()


def test_of_amendments_drawn_from_one_version_one_is_made(api: Api) -> None:
    number = str(api.done("/orders", order_body(("SYRAH-19", 3), card=None))["number"])
    version = api.order(number)["version"]

    def act(n: int) -> Answer:
        change: dict[str, Any] = {"kind": "quantity", "line": "SYRAH-19", "quantity": 1 + n % 2}
        body = {"changes": [change], "consent": CONSENT, "version": version}
        return api.post(f"/orders/{number}/amendments", body)

    found = worked(together(6, act))
    assert sorted(a.status for a in found) == [201, *[409] * 5]
    assert all(a.codes == {"someone_else"} for a in found if a.status == 409)
    assert Amendment.objects.count() == 1
    well()


def test_an_undo_pressed_by_many_is_one_undo(api: Api) -> None:
    number = str(api.done("/orders", order_body(("SYRAH-19", 3), card=None))["number"])
    change = {"kind": "quantity", "line": "SYRAH-19", "quantity": 1}
    api.done(f"/orders/{number}/amendments", {"changes": [change], "consent": CONSENT})
    found = worked(together(6, lambda n: api.post(f"/orders/{number}/amendments/1/undo", {"consent": CONSENT})))
    assert sorted(a.status for a in found) == [201, *[409] * 5]
    assert Line.objects.get(order__number=number).quantity == 3
    assert Amendment.objects.count() == 2
    well()
