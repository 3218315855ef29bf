"""Lists: newest first, page by page, and nothing twice or left out while more is being sold."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import stripe

from sandbox.tests.inside import MORNING, Inside
from sandbox.tests.running import DAY

SERVICES = ["payment_intents", "charges", "refunds", "disputes", "payouts", "events", "balance_transactions"]


@pytest.fixture(scope="module")
def shop() -> Inside:
    """Five days of a small shop, with a dispute, a refund and a payout each."""
    inside = Inside()
    for day in range(5):
        inside.pay("pm_card_createDispute", 1_000 + day)
        paid = inside.pay("pm_card_bypassPending", 9_000 + day)
        inside.stripe.refunds.create({"payment_intent": paid.id, "amount": 100 + day})
        _checkout(inside)
        inside.later(DAY)
    return inside


def _checkout(inside: Inside) -> None:
    line: Any = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Wine"}}, "quantity": 1}
    inside.stripe.checkout.sessions.create(
        {"mode": "payment", "success_url": "https://shop.example.com/done", "line_items": [line]}
    )


def _service(shop: Inside, name: str) -> Any:
    return shop.stripe.checkout.sessions if name == "sessions" else getattr(shop.stripe, name)


@pytest.mark.parametrize("name", [*SERVICES, "sessions"])
def test_every_list_pages_newest_first_without_gaps(shop: Inside, name: str) -> None:
    service = _service(shop, name)
    whole = service.list({"limit": 100})
    ids = [thing.id for thing in whole.data]
    assert len(ids) >= 5
    assert not whole.has_more
    assert len(set(ids)) == len(ids)
    assert [thing.id for thing in service.list({"limit": 2}).auto_paging_iter()] == ids
    page = service.list({"limit": 2, "starting_after": ids[1]})
    assert ([thing.id for thing in page.data], page.has_more) == (ids[2:4], len(ids) > 4)
    back = service.list({"limit": 2, "ending_before": ids[3]})
    assert [thing.id for thing in back.data] == ids[1:3]
    created = [thing.created for thing in whole.data]
    if name != "balance_transactions" and name != "payouts":  # these say when the balance was changed
        assert created == sorted(created, reverse=True)


@pytest.mark.parametrize("name", ["payment_intents", "charges", "refunds", "disputes", "events", "sessions"])
def test_every_list_can_be_cut_by_time(shop: Inside, name: str) -> None:
    service = _service(shop, name)
    everything = list(service.list({"limit": 100}).auto_paging_iter())
    third = MORNING + 2 * DAY
    for word, fits in (("gt", operator.gt), ("gte", operator.ge), ("lt", operator.lt), ("lte", operator.le)):
        found = [thing.id for thing in service.list({"limit": 100, "created": {word: third}}).auto_paging_iter()]
        assert found == [thing.id for thing in everything if fits(thing.created, third)]
    with pytest.raises(stripe.InvalidRequestError):
        service.list({"created": {"about": third}})


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"starting_after": "ch_nobody"}, {"colour": "red"}])
@pytest.mark.parametrize("name", [*SERVICES, "sessions"])
def test_a_page_that_makes_no_sense_is_refused(shop: Inside, name: str, wrong: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        _service(shop, name).list(wrong)


def test_a_page_does_not_begin_after_an_object_of_another_kind(shop: Inside) -> None:
    intent = shop.stripe.payment_intents.list().data[0]
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.charges.list({"starting_after": intent.id})


def test_events_and_entries_can_be_asked_for_by_type(shop: Inside) -> None:
    disputes = shop.stripe.events.list({"type": "charge.dispute.*", "limit": 100}).data
    assert {event.type for event in disputes} == {"charge.dispute.created", "charge.dispute.funds_withdrawn"}
    assert len(disputes) == 10
    some = shop.stripe.events.list({"types": ["refund.created", "payout.paid"], "limit": 100}).data
    assert {event.type for event in some} == {"refund.created", "payout.paid"}
    assert {e.type for e in shop.stripe.balance_transactions.list({"type": "refund"}).data} == {"refund"}
    refund = shop.stripe.refunds.list().data[0]
    [entry] = shop.stripe.balance_transactions.list({"source": refund.id}).data
    assert entry.id == refund.balance_transaction
