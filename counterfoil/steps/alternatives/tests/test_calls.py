"""The customer needs it by a day that the promise misses, or prefers to be asked on the telephone: somebody calls, and
what they say decides what is next."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.models import Job
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.records.customers.actions import remember_customer
from counterfoil.records.orders.models import Call, Order, Proposal
from counterfoil.steps.alternatives.calls import take_offer
from counterfoil.steps.alternatives.needed import need_by
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db
OLGA = Actor("person", "Olga", "owner")


@pytest.fixture
def api() -> Api:
    return Api("owner", "Olga")


def day(ahead: int) -> str:
    return (shop().today() + timedelta(days=ahead)).isoformat()


def needed(api: Api, *, by: int, ships: int, method: str = "Courier of ours") -> str:
    """An approved order that is needed in `by` days and promised in `ships`; its number. Of a delivery that the shop
    does not list nothing is known: it is there on the day on which it ships.
    """
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=50)
    shipping = {"method": method, "price": 1500}
    body = order_body(("PINOT-21", 1), card=None, payment={"method": "cheque"}, needed_by=day(by), shipping=shipping)
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


def test_who_said_yes_to_a_later_date_in_writing_is_not_called_about_it(api: Api) -> None:
    number = needed(api, by=2, ships=4)
    asked = api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "later_date", "date": day(9)}]})
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    assert place(api, number) == ("charge", "record_payment")


def test_the_days_on_the_way_count_and_a_clerk_hears_another_day(api: Api) -> None:
    there = shop().arrives(shop().business_days_from(shop().today(), 2), "Ground")
    ships = (shop().business_days_from(shop().today(), 2) - shop().today()).days
    by = (there - shop().today()).days
    in_time, late = (needed(api, by=by - less, ships=ships, method="Ground") for less in (0, 1))
    assert place(api, in_time) == ("charge", "record_payment")
    assert place(api, late) == ("call", "call")
    need_by(order=late, actor=OLGA, day=there)
    assert place(api, late) == ("charge", "record_payment")
    need_by(order=late, actor=OLGA, day=shop().today())
    assert place(api, late) == ("call", "call")
    # On the telephone they take the express: that is there in time, or it is still a call, and is no question any more.
    take_offer(order=late, actor=OLGA, choice={"kind": "expedite", "method": "Express"}, spoken_to="Zoë")
    assert api.order(late)["shipping"] == 3500
    assert place(api, late) == ("charge", "record_payment")
    assert not Job.objects.filter(name="mail.send", key__startswith="question:").exists()
    assert Proposal.objects.get().answered_via == "telephone with Zoë, Olga"
    assert judge_all() == []


def test_a_customer_who_does_not_accept_is_offered_something_else(api: Api) -> None:
    number = needed(api, by=2, ships=4)
    api.done(f"/orders/{number}/calls", {"outcome": "declined"})
    assert place(api, number) == ("promise", "renew_promise")
    assert judge_all() == []


@pytest.mark.parametrize("outcome", ["no_answer", "call_back"])
def test_who_was_not_reached_is_called_again_when_it_is_time(api: Api, outcome: str) -> None:
    number = needed(api, by=2, ships=4)
    at = clock.business_now() + timedelta(hours=3)
    more = {"call_back_at": at.isoformat()} if outcome == "call_back" else {}
    api.done(f"/orders/{number}/calls", {"outcome": outcome, **more})
    assert place(api, number) == ("promise", "call_later")
    again = Call.objects.get().call_back_at
    assert again is not None
    looked_at = Order.objects.get(number=number).next_check_at
    assert looked_at is not None
    assert looked_at <= again
    if outcome == "no_answer":
        assert again == shop().moment_of(shop().business_days_from(shop().today(), 1), time(9))
    with clock.at(again + timedelta(seconds=5)):
        sweep()
        assert place(api, number) == ("call", "call")


def test_who_never_answers_is_asked_by_mail_the_third_time(api: Api) -> None:
    number = needed(api, by=2, ships=4, method="Ground")
    for _ in range(3):
        api.done(f"/orders/{number}/calls", {"outcome": "no_answer"})
    assert place(api, number) == ("question", "wait_for_answer")
    asked = Proposal.objects.get()
    assert [c["kind"] for c in asked.choices][-2:] == ["later_date", "cancel"]
    assert "by telephone" in asked.message
    api.done(f"/proposals/{asked.token}/answer", {"choice": len(asked.choices) - 2})
    assert place(api, number) == ("charge", "record_payment")
    assert judge_all() == []


def asked_on_the_telephone(api: Api, *kinds: str) -> str:
    """An order whose customer is asked, and prefers the telephone; its number."""
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=50)
    number = str(api.done("/orders", order_body(card=None, payment={"method": "cheque"}))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(4)})
    choices = [{"kind": kind, **({"date": day(9)} if kind == "later_date" else {})} for kind in kinds]
    api.done(f"/orders/{number}/proposals", {"choices": choices})
    assert place(api, number) == ("question", "wait_for_answer")
    remember_customer(order=number, actor=OLGA, note_text="Rings back after six", prefers="phone")
    assert place(api, number) == ("call", "call")
    return number


def test_a_question_is_asked_on_the_telephone_where_they_prefer_it_and_the_call_answers_it(api: Api) -> None:
    number = asked_on_the_telephone(api, "later_date", "cancel")
    unsaid = api.post(f"/orders/{number}/calls", {"outcome": "accepted"})
    assert (unsaid.status, unsaid.fields) == (422, {"choice"})
    answer = api.done(f"/orders/{number}/calls", {"outcome": "accepted", "choice": 0, "spoken_to": "Zoë"})
    assert answer["queue"] == "charge"
    assert [Proposal.objects.get().state, Call.objects.get().proposal_id] == ["accepted", Proposal.objects.get().pk]
    refused = asked_on_the_telephone(api, "later_date")
    api.done(f"/orders/{refused}/calls", {"outcome": "declined"})
    assert Proposal.objects.get(order__number=refused).state == "declined"
    events = [e["kind"] for e in api.get(f"/orders/{number}/timeline").body["events"]]
    assert [k for k in events if k in {"customer_remembered", "customer_called", "proposal_accepted"}] == [
        "customer_remembered", "customer_called", "proposal_accepted",
    ]  # fmt: skip
    assert judge_all() == []


def test_a_question_that_nobody_answers_on_the_telephone_goes_out_by_mail_again(api: Api) -> None:
    number = asked_on_the_telephone(api, "later_date")
    for round_ in range(3):
        api.done(f"/orders/{number}/calls", {"outcome": "no_answer"})
        assert place(api, number) == ("question", "wait_for_answer"), round_
    assert Job.objects.filter(name="mail.send", key__contains=f"{number}:question").count() == 2
    with clock.at(clock.business_now() + timedelta(days=5)):
        sweep()
        assert place(api, number) == ("question", "wait_for_answer")
    # Preferring mail is no call either.
    other = asked_on_the_telephone(api, "later_date")
    remember_customer(order=other, actor=OLGA, note_text="", prefers="mail", was="Rings back after six")
    assert place(api, other) == ("question", "wait_for_answer")


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
