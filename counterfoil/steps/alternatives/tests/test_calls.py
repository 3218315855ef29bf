"""The customer needs it by a day that the promise misses: somebody calls, and what they say decides what is next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Call
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api("owner", "Olga")


def day(ahead: int) -> str:
    return (shop().today() + timedelta(days=ahead)).isoformat()


def needed(api: Api, *, by: int, ships: int) -> str:
    """An approved order that is needed in `by` days and promised in `ships`; its number."""
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=50)
    body = order_body(("PINOT-21", 1), card=None, payment={"method": "cheque"}, needed_by=day(by))
    number = str(api.done("/orders", body)["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(ships)})
    return number


def place(api: Api, number: str) -> tuple[str, str]:
    order = api.order(number)
    return order["queue"], order["next_action"]


def test_a_promise_that_misses_the_day_of_need_is_a_call(api: Api) -> None:
    assert place(api, needed(api, by=2, ships=4)) == ("call", "call")
    assert place(api, needed(api, by=4, ships=4)) == ("charge", "record_payment")
    assert judge_all() == []


def test_a_customer_who_accepts_the_date_is_not_called_again(api: Api) -> None:
    number = needed(api, by=2, ships=4)
    answer = api.done(f"/orders/{number}/calls", {"outcome": "accepted", "note": "Fine, the party has moved"})
    assert answer["queue"] == "charge"
    told = api.get(f"/orders/{number}/timeline").body["events"][-1]
    assert told["kind"] == "customer_called"
    assert "accepts" in told["text"]
    assert "party has moved" in told["text"]
    assert judge_all() == []


def test_a_later_date_than_the_accepted_one_is_another_call(api: Api) -> None:
    number = needed(api, by=2, ships=4)
    api.done(f"/orders/{number}/calls", {"outcome": "accepted"})
    asked = api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "later_date", "date": day(9)}]})
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    assert place(api, number) == ("call", "call")


def test_a_customer_who_does_not_accept_is_offered_something_else(api: Api) -> None:
    number = needed(api, by=2, ships=4)
    api.done(f"/orders/{number}/calls", {"outcome": "declined"})
    assert place(api, number) == ("promise", "renew_promise")
    assert judge_all() == []


@pytest.mark.parametrize("outcome", ["no_answer", "call_back"])
def test_who_was_not_reached_is_called_again(api: Api, outcome: str) -> None:
    number = needed(api, by=2, ships=4)
    more = {"call_back_at": f"{day(1)}T17:00:00Z"} if outcome == "call_back" else {}
    api.done(f"/orders/{number}/calls", {"outcome": outcome, **more})
    assert place(api, number) == ("call", "call")
    assert Call.objects.get().outcome == outcome


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": "perhaps"}, "outcome"),
        ({"outcome": "call_back"}, "call_back_at"),
        ({"outcome": "accepted", "call_back_at": "2999-01-01T00:00:00Z"}, "call_back_at"),
        ({"outcome": "call_back", "call_back_at": "2001-01-01T00:00:00Z"}, "call_back_at"),
        ({"outcome": "accepted", "note": "x" * 501}, "note"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused_at_its_field(api: Api, body: dict[str, Any], field: str) -> None:
    number = needed(api, by=2, ships=4)
    answer = api.post(f"/orders/{number}/calls", body)
    assert answer.status == 422
    assert answer.fields == {field}
    assert not Call.objects.exists()


def test_there_is_nothing_to_call_about_in_time_or_when_cancelled(api: Api) -> None:
    in_time = needed(api, by=9, ships=4)
    assert api.post(f"/orders/{in_time}/calls", {"outcome": "accepted"}).status == 409
    late = needed(api, by=2, ships=4)
    api.done(f"/orders/{late}/cancellation", {"reason": "changed their mind"})
    assert api.post(f"/orders/{late}/calls", {"outcome": "accepted"}).codes == {"cancelled"}
