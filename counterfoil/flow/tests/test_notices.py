"""Notices of delay on real orders: once for an event, exactly one end, whatever crashes or comes at the same time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from counterfoil.core import clock
from counterfoil.core.db import execute, writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.shop import change, shop
from counterfoil.flow import noticing
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.verify import promises
from counterfoil.records.orders.models import Amendment, Notice, Order, Part, Promise, Proposal, Refund
from tests.crowd import together, worked
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 7})
    product(owner, supplier="Northfold")
    return owner


def day(after: int) -> str:
    return (shop().today() + timedelta(days=after)).isoformat()


def slipped(api: Api, *, ships_in: int = 8, comes_in: int = 20, **more: Any) -> str:
    """An order, paid at the door, whose goods the supplier has put off."""
    number = str(api.done("/orders", order_body(card=None, **more))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(ships_in)})
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "PINOT-21", "quantity": 2}]})
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": day(comes_in)})
    return number


def mails(kind: str) -> int:
    return sum(job.payload["kind"] == kind for job in Job.objects.filter(name="mail.send"))


def later(days: int) -> None:
    with writing():
        clock.advance_business_time(timedelta(days=days))
    sweep()


def told(number: str, kind: str) -> int:
    return JournalEvent.objects.filter(subject=number, kind=kind).count()


def well() -> None:
    for check in (promises.versions, promises.notices, promises.lapsed):
        assert check() == [], check.__doc__


# --- once -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_many_who_look_at_once_tell_the_customer_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as nobody:
        # Nobody tells until all are there.
        nobody.setitem(noticing.NOTICES, "send_notice", lambda number: False)
        number = slipped(api)
    assert Notice.objects.count() == 0
    worked(together(8, lambda _: advance(number)))
    assert (Notice.objects.count(), Proposal.objects.count(), mails("delay")) == (1, 1, 1)
    assert told(number, "delay_notice_sent") == 1
    well()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_many_who_come_after_the_last_day_end_it_once(api: Api) -> None:
    number = slipped(api, comes_in=70)
    with writing():
        clock.advance_business_time(timedelta(days=31))
    worked(together(8, lambda _: advance(number)))
    order = Order.objects.get(number=number)
    assert order.cancelled_at is not None
    assert (told(number, "promise_lapsed"), told(number, "order_cancelled"), mails("cancelled")) == (1, 1, 1)
    assert Notice.objects.get().outcome == "lapsed"
    well()


def test_who_dies_before_the_commit_has_told_nobody_and_the_next_one_does(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as dying:
        dying.setattr("counterfoil.steps.alternatives.notices.owe_mail", dies)
        slipped(api)
    number = Order.objects.get().number
    assert (Notice.objects.count(), mails("delay")) == (0, 0)
    settle()
    advance(number)
    assert (Notice.objects.count(), told(number, "delay_notice_sent")) == (1, 1)
    well()


def test_who_dies_while_it_lapses_has_cancelled_nothing_and_the_sweep_does(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = slipped(api, comes_in=70)

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as dying:
        dying.setattr(noticing, "cancel_taken", dies)
        later(31)
    assert Order.objects.get(number=number).cancelled_at is None
    assert Notice.objects.get().closed_at is None
    assert any("last day for an answer is over" in words for words in promises.lapsed())
    later(1)
    assert Order.objects.get(number=number).cancelled_at is not None
    assert told(number, "order_cancelled") == 1
    well()


def test_nobody_is_taken_to_have_agreed_to_a_day_that_is_over_by_then(api: Api) -> None:
    """Told late, of a day that is near: no answer counts as a yes only until that day."""
    with writing():
        change(notice_days=9)
    slipped(api, ships_in=0, comes_in=6)
    found = Notice.objects.get()
    assert found.offered is not None
    assert found.silence == "consents"
    assert found.answer_by == found.offered < shop().today() + timedelta(days=9)


# --- answers --------------------------------------------------------------------------------------------------------


def test_a_question_of_a_clerk_takes_the_place_of_a_notice_that_waits_for_no_answer(api: Api) -> None:
    number = slipped(api)
    assert Notice.objects.get().silence == "consents"
    api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "later_date", "date": day(25)}]})
    assert [q.state for q in Proposal.objects.order_by("id")] == ["withdrawn", "open"]
    assert Notice.objects.get().outcome == "superseded"
    well()


def test_who_wants_none_of_it_has_until_the_law_s_date_and_is_then_given_all_back(api: Api) -> None:
    number = slipped(api)
    asked = Proposal.objects.get()
    api.done(f"/proposals/{asked.token}/answer", {"decline": True})
    order = api.order(number)
    assert (order["queue"], order["next_action"]) == ("promise", "renew_promise")
    later(10)
    assert Promise.objects.filter(part__order__number=number).count() == 1, "no is no consent"
    later(21)
    assert api.order(number)["status"] == "cancelled"
    well()


def test_a_late_answer_is_refused_and_the_end_is_the_one_that_was_told(api: Api) -> None:
    number = slipped(api, comes_in=70)
    asked = Proposal.objects.get()
    with writing():
        clock.advance_business_time(timedelta(days=31))
    late = api.post(f"/proposals/{asked.token}/answer", {"choice": 0})
    assert late.status == 409
    settle()
    assert api.order(number)["status"] == "cancelled"
    well()


def test_the_customer_cancels_by_the_notice_s_own_link(api: Api) -> None:
    number = slipped(api)
    asked = Proposal.objects.get()
    cancel = next(n for n, c in enumerate(asked.choices) if c["kind"] == "cancel")
    api.done(f"/proposals/{asked.token}/answer", {"choice": cancel})
    settle()
    assert (api.order(number)["status"], Notice.objects.get().outcome) == ("cancelled", "cancel")
    well()


def test_a_wine_that_could_stand_in_is_offered_no_dearer_and_kept(api: Api) -> None:
    family = {"producer": "Copper Gate", "name": "Pinot"}
    product(api, "PINOT-19", supplier="Northfold", family={**family, "vintage": 2019})
    product(api, "PINOT-20", stock=5, price=9900, family={**family, "vintage": 2020})
    number = str(api.done("/orders", order_body(("PINOT-19", 2), card=None))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(8)})
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "PINOT-19", "quantity": 2}]})
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": day(20)})
    asked = Proposal.objects.get()
    assert [c["kind"] for c in asked.choices] == ["later_date", "substitute", "cancel"]
    assert asked.choices[1]["difference"] == 0
    assert api.get("/products/PINOT-20").body["reserved"] == 2
    api.done(f"/proposals/{asked.token}/answer", {"choice": 1})
    settle()
    assert [ln["sku"] for ln in api.order(number)["lines"] if ln["quantity"]] == ["PINOT-20"]
    assert Notice.objects.get().outcome == "change"
    well()


def test_of_two_parts_only_the_late_one_lapses(api: Api) -> None:
    product(api, "HERE-20", stock=5)
    number = str(api.done("/orders", order_body(("HERE-20", 1), ("PINOT-21", 2), card=None))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(8)})
    asked = api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "split", "line": "PINOT-21"}]})
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    settle()
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "PINOT-21", "quantity": 2}]})
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": day(70)})
    sent = {"carrier": "UPS", "tracking_number": "1Z1"}
    for act, body in (("picks", {"part": 1}), ("packages", {"part": 1}), ("shipments", sent)):
        api.done(f"/orders/{number}/{act}", body)
    settle()
    told_of = Notice.objects.get()
    assert (told_of.part.number, told_of.silence) == (2, "cancels")
    assert [c["kind"] for c in told_of.proposal.choices] == ["later_date", "cancel_parts"]
    later((told_of.answer_by - shop().today()).days + 1)
    settle()
    order = api.order(number)
    assert (order["status"], order["cancelled_at"]) == ("shipped", None)
    assert {ln["sku"]: ln["quantity"] for ln in order["lines"]} == {"HERE-20": 1, "PINOT-21": 0}
    assert not Refund.objects.exists()
    # Nobody is thanked for an answer that they did not give, nor said to have chosen it.
    mail = Job.objects.get(name="mail.send", key__contains=":lapsed:").payload["context"]
    for words in (render_to_string(f"mail/amended.{end}", mail) for end in ("txt", "html")):
        assert "we had no yes to what we asked you" in words
        assert "for your answer" not in words
    made = Amendment.objects.latest("pk")
    assert (made.text.partition(":")[0], made.consent) == ("No yes came in time", {})
    well()


# --- by rule, by setting, by import ---------------------------------------------------------------------------------


def test_where_the_rule_takes_no_silence_for_a_yes_every_delay_wants_one(api: Api) -> None:
    with writing():
        change(promise_rules=[{**shop().promise_rules[0], "silent_days": 0, "code": "ours"}])
    slipped(api)
    found = Notice.objects.get()
    assert (found.silence, found.rule) == ("cancels", "ours")


def test_a_notice_keeps_the_terms_it_was_sent_with(api: Api) -> None:
    slipped(api)
    before = Notice.objects.get().answer_by
    with writing():
        change(notice_days=9, promise_rules=[{**shop().promise_rules[0], "silent_days": 0}])
    sweep()
    after = Notice.objects.get()
    assert (after.answer_by, after.silence) == (before, "consents")


def test_an_order_that_was_over_when_it_came_is_left_to_a_person(api: Api) -> None:
    placed = clock.business_now() - timedelta(days=45)
    number = str(api.done("/orders", order_body(card=None, placed_at=placed.isoformat()))["number"])
    part = Part.objects.get(order__number=number)
    assert part.clock_over
    assert part.legal_deadline == shop().day_of(placed) + timedelta(days=30)
    later(20)
    assert (api.order(number)["status"], Notice.objects.count()) == ("pending", 0)
    # A person gives a date: from then on it is looked after like any other.
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(3)})
    assert not Part.objects.get(order__number=number).clock_over
    well()


def test_what_lapses_unseen_is_named_by_verify(api: Api) -> None:
    number = str(api.done("/orders", order_body(card=None))["number"])
    assert promises.lapsed() == []
    with writing():
        clock.advance_business_time(timedelta(days=26))
    assert [words.partition(":")[0] for words in promises.lapsed()] == [f"{number} part 1"]
    sweep()
    well()


def test_a_promise_that_was_changed_behind_our_back_is_named_by_verify(api: Api) -> None:
    number = slipped(api, comes_in=5)
    well()
    with writing():
        execute("UPDATE orders_part SET promise_date = %s", [shop().today() + timedelta(days=99)])
    assert [words.partition(":")[0] for words in promises.versions()] == [f"{number} part 1"]
