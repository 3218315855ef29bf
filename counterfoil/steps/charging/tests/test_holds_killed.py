"""Who dies in the middle of a charge of two holds leaves it to a worker, which takes each of them once."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging import sending
from counterfoil.steps.charging.tests.build import approved, at_the_bank, intents, later
from counterfoil.steps.charging.tests.test_holds import TOTAL, _authorise, all_is_well, api, dearer
from tests.support import Api

pytestmark = pytest.mark.django_db
__all__ = ["_authorise", "api"]  # fixtures


class Killed(BaseException):
    """The process is gone: nothing after this runs, not even an `except Exception`."""


def kill_at(monkeypatch: pytest.MonkeyPatch, instant: str, nth: int) -> None:
    """The nth time that the code comes to this instant, the process dies there. Once."""
    place, _, name = instant.partition(" ")
    owner: Any = next(place for place in (StripeGateway, sending, charging) if hasattr(place, name))
    whole, left = getattr(owner, name), [nth]

    def die(*args: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] > 0:
            return whole(*args, **more)
        monkeypatch.setattr(owner, name, whole)
        if place == "after":
            whole(*args, **more)
        raise Killed

    monkeypatch.setattr(owner, name, die)


INSTANTS = (
    ("after _begin", 1),
    ("after create_intent", 1),
    ("after confirm_intent", 1),
    ("after settle_held", 1),
    ("before capture_intent", 1),
    ("after capture_intent", 1),
    ("before settle_success", 1),
    ("after settle_success", 1),
    ("before capture_intent", 2),
    ("after capture_intent", 2),
    ("before settle_success", 2),
    ("after settle_success", 2),
)


@pytest.mark.parametrize(("instant", "nth"), INSTANTS)
def test_a_charge_of_two_holds_that_dies_at_any_instant_is_finished_by_a_worker_once(
    api: Api, card: str, instant: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    total = dearer(api, number)
    kill_at(monkeypatch, instant, nth)
    with pytest.raises(Killed):
        api.post(f"/orders/{number}/charge", {})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("charged", total)
    assert sorted(at_the_bank(card, number)) == sorted([(TOTAL, 0), (total - TOTAL, 0)])
    assert {i["status"] for i in intents(card, number)} <= {"succeeded", "canceled", "requires_confirmation"}
    all_is_well(number)


@pytest.mark.parametrize(("instant", "nth"), INSTANTS[1:10])
def test_a_cancelled_order_whose_charge_of_two_holds_died_keeps_no_money_and_holds_none(
    api: Api, card: str, instant: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    dearer(api, number)
    kill_at(monkeypatch, instant, nth)
    with pytest.raises(Killed):
        api.post(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    assert all(captured == back for captured, back in at_the_bank(card, number))
    assert "requires_capture" not in {i["status"] for i in intents(card, number)}
    all_is_well(number)
