"""The way back: cancelling an order, and carrying out what the customer accepted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.template.loader import render_to_string

from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Refused
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.advance import advance_after_commit
from counterfoil.flow.amend import apply_answer, cancel_order
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Hold, Line, Order, Part, Promise, Refund
from counterfoil.records.orders.refunds import decide_refund
from counterfoil.records.stock.tests.build import hold
from counterfoil.steps.alternatives.actions import answer_proposal, propose_alternatives
from counterfoil.steps.alternatives.tests.build import (
    ANN,
    PAT,
    balance_of,
    line_of,
    order,
    paid,
    part_of,
    product,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_the_amendment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `advance` would do afterwards is told elsewhere; here each act stands alone."""
    monkeypatch.setattr("counterfoil.core.journal._advance_now", None)


def agree(found: Order, **choice: Any) -> None:
    """The customer is offered this and says yes; the order is amended."""
    asked = propose_alternatives(order=found.number, actor=ANN, choices=[choice])
    answer_proposal(token=asked.token, choice=0)
    assert apply_answer(order=found.number)
    found.refresh_from_db()
    if found.cancelled_at is None:
        assert found.total == asked.choices[0]["total"], "the customer was told another total"


def books(found: Order) -> dict[str, int]:
    rows = Posting.objects.filter(entry__subject=found.number).values_list("account").annotate(Sum("amount"))
    return {account: amount for account, amount in rows if amount}


def jobs_named(name: str) -> int:
    return Job.objects.filter(name=name).count()


def adds_up(found: Order) -> None:
    """Order = parts, part = lines: after every amendment."""
    found.refresh_from_db()
    parts = list(Part.objects.filter(order=found))
    rows: list[Order | Part] = [found, *parts]
    for row in rows:
        assert row.total == row.subtotal + row.shipping + row.tax + row.rounding
    for name in ("subtotal", "shipping", "tax", "total"):
        assert getattr(found, name) == sum(getattr(p, name) for p in parts)
    for part in parts:
        assert part.subtotal == sum(ln.net for ln in Line.objects.filter(part=part))


# Cancelling


def test_cancelling_gives_the_stock_back_and_voids_the_card() -> None:
    wine = product("SYRAH", on_hand=4)
    found = order((wine, 6), reserved={"SYRAH": 4})
    cancel_order(order=found.number, reason="Changed her mind", actor=ANN)
    found.refresh_from_db()
    assert (found.cancelled_by, found.cancel_reason) == ("Ann", "Changed her mind")
    assert part_of(found).money == "voided"
    held = balance_of(wine)
    assert (held.on_hand, held.reserved, held.waiting) == (4, 0, 0)
    assert (line_of(found, "SYRAH").quantity, line_of(found, "SYRAH").cancelled) == (6, 6)
    assert not Refund.objects.exists()


def test_cancelling_twice_is_cancelling_once() -> None:
    found = order((product("SYRAH"), 6))
    cancel_order(order=found.number, reason="First", actor=ANN)
    again = cancel_order(order=found.number, reason="Second", actor=ANN)
    assert again.cancel_reason == "First"
    assert JournalEvent.objects.filter(subject=found.number, kind="order_cancelled").count() == 1


def test_a_paid_order_that_is_cancelled_is_refunded_by_itself() -> None:
    found = order((product("SYRAH"), 6))
    paid(found)
    cancel_order(order=found.number, reason="Sold out", actor=ANN)
    refund = Refund.objects.get(part__order=found)
    assert (refund.amount, refund.state, refund.key) == (17340, "pending", f"refund-{found.token[:20]}-1")
    assert (part_of(found).refund_owed, part_of(found).money) == (17340, "charged")
    assert books(found) == {"customer_deposits": 17340, "refunds_payable": -17340}
    assert jobs_named("charging.refund") == 1
    mail = Job.objects.get(name="mail.send").payload
    context = (mail if isinstance(mail, dict) else json.loads(mail))["context"]
    for kind in ("txt", "html"):
        words = " ".join(render_to_string(f"mail/cancelled.{kind}", context).replace("<b>", "").split())
        assert "Your card had been charged; we refund $173.40" in words


def test_of_a_charge_in_flight_the_bank_is_asked() -> None:
    found = order((product("SYRAH"), 6), money="unknown")
    cancel_order(order=found.number, reason="Too slow", actor=ANN)
    assert part_of(found).money == "unknown"
    assert jobs_named("charging.withdraw") == 1
    assert not Refund.objects.exists()


def test_picked_bottles_go_back_to_the_shelf() -> None:
    wine = product("SYRAH")
    found = order((wine, 6), parcel="picked", stock="confirmed")
    Line.objects.filter(order=found).update(picked=6)
    hold(line_of(found, "SYRAH"), 6)
    type(balance_of(wine)).objects.filter(product=wine).update(waiting=0)
    cancel_order(order=found.number, reason="Too late", actor=ANN)
    held = balance_of(wine)
    assert (held.on_hand, held.reserved, held.picked, held.waiting) == (6, 0, 0, 0)
    assert part_of(found).parcel == "waiting"


def test_what_has_left_is_not_cancelled() -> None:
    found = order((product("SYRAH"), 6), parcel="shipped")
    with pytest.raises(Refused) as caught:
        cancel_order(order=found.number, reason="Too late", actor=ANN)
    assert [b.code for b in caught.value.blockers] == ["not_cancellable"]
    found.refresh_from_db()
    assert found.cancelled_at is None


def test_cancelling_takes_the_question_back() -> None:
    found = order((product("SYRAH"), 6))
    asked = propose_alternatives(order=found.number, actor=ANN, choices=[{"kind": "cancel"}])
    cancel_order(order=found.number, reason="She called", actor=ANN)
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_cancelling_wants_a_clerk_and_a_reason() -> None:
    found = order((product("SYRAH"), 6))
    with pytest.raises(Forbidden):
        cancel_order(order=found.number, reason="x", actor=PAT)
    for reason in ("  ", "x" * 501, "no\x00thing"):
        with pytest.raises(Invalid):
            cancel_order(order=found.number, reason=reason, actor=ANN)


# Refunds


def test_a_refund_never_exceeds_what_was_captured() -> None:
    found = order((product("SYRAH"), 6))
    paid(found)
    with writing():
        taken = take(found.number)
        decide_refund(order=taken, part=part_of(found), amount=17000, reason="Broken", actor=ANN)
        with pytest.raises(Refused) as caught:
            decide_refund(order=taken, part=part_of(found), amount=341, reason="Broken", actor=ANN)
        decide_refund(order=taken, part=part_of(found), amount=340, reason="Broken", actor=ANN)
    assert [b.code for b in caught.value.blockers] == ["over_refundable"]
    assert part_of(found).refund_owed == 17340


def test_the_newest_charge_gives_back_first() -> None:
    found = order((product("SYRAH"), 6))
    paid(found, 10000, 7340)
    with writing():
        taken = take(found.number)
        made = decide_refund(order=taken, part=part_of(found), amount=8000, reason="Broken", actor=ANN)
    assert [(Charge.objects.get(pk=r.charge_id).attempt, r.amount) for r in made] == [(2, 7340), (1, 660)]
    assert len({r.key for r in made}) == 2


def test_after_the_invoice_returns_and_tax_are_debited_and_the_last_refund_ends_at_zero() -> None:
    found = order((product("SYRAH"), 6), books="invoiced")
    paid(found)
    for amount in (5001, 333, 17340 - 5334):
        with writing():
            decide_refund(order=take(found.number), part=part_of(found), amount=amount, reason="Back", actor=ANN)
    assert books(found) == {"returns": 15900, "tax_payable": 1440, "refunds_payable": -17340}
    assert jobs_named("invoicing.credit_note") == 3


# What the customer accepted


def test_the_newer_vintage_takes_the_place_of_the_old_one() -> None:
    old, new = product("SYRAH-2019"), product("SYRAH-2020", price=2000, on_hand=12)
    found = order((old, 6), stock="short", sales_order_number="SO-1", books="sales_order")
    agree(found, kind="substitute", sku="SYRAH-2020")
    gone, came = line_of(found, "SYRAH-2019"), line_of(found, "SYRAH-2020")
    assert (gone.quantity, gone.cancelled, came.quantity, came.unit_price) == (0, 6, 6, 2000)
    assert came.replaces_id == gone.pk
    # The six that were kept while the customer thought are the order's in the same moment.
    assert (balance_of(old).waiting, balance_of(new).waiting) == (0, 0)
    assert (came.reserved, balance_of(new).reserved) == (6, 6)
    assert part_of(found).stock == "unchecked"
    assert jobs_named("acceptance.reissue") == 1
    adds_up(found)


def test_what_stays_of_a_line_stays_reserved() -> None:
    old, new = product("SYRAH-2019", on_hand=5), product("SYRAH-2020")
    found = order((old, 6), reserved={"SYRAH-2019": 5}, stock="short")
    agree(found, kind="substitute", sku="SYRAH-2020", quantity=2)
    line = line_of(found, "SYRAH-2019")
    assert (line.quantity, line.reserved, line.cancelled) == (4, 4, 2)
    held = balance_of(old)
    assert (held.on_hand, held.reserved, held.waiting) == (5, 4, 0)
    assert balance_of(new).waiting == 2
    adds_up(found)


def test_a_cheaper_substitute_after_charging_refunds_exactly_the_difference_and_its_tax() -> None:
    product("SYRAH-2020", price=2300)
    found = order((product("SYRAH-2019"), 6))
    paid(found)
    agree(found, kind="substitute", sku="SYRAH-2020")
    refund = Refund.objects.get(part__order=found)
    assert (refund.amount, refund.tax) == (660, 60)
    part = part_of(found)
    assert part.charged - part.refund_owed == part.total
    adds_up(found)


def test_an_answer_is_carried_out_once() -> None:
    product("SYRAH-2020", price=2300)
    found = order((product("SYRAH-2019"), 6))
    paid(found)
    agree(found, kind="substitute", sku="SYRAH-2020")
    assert not apply_answer(order=found.number)
    assert Refund.objects.filter(part__order=found).count() == 1
    assert Line.objects.filter(order=found).count() == 2


def test_a_picked_box_is_opened_before_its_lines_change() -> None:
    red, rose = product("RED", on_hand=0), product("ROSE")
    product("OTHER", price=2400)
    found = order((red, 2), (rose, 3), parcel="picking", stock="short")
    Line.objects.filter(order=found, sku="RED").update(picked=2)
    hold(line_of(found, "RED"), 2)
    type(balance_of(red)).objects.filter(product=red).update(waiting=0)
    agree(found, kind="substitute", line="ROSE", sku="OTHER")
    assert part_of(found).parcel == "waiting"
    assert (line_of(found, "RED").reserved, line_of(found, "RED").picked) == (2, 0)


def test_a_later_date_is_a_new_promise_and_the_legal_deadline_never_comes_nearer() -> None:
    found = order((product("SYRAH"), 6))
    day = shop().today() + timedelta(days=20)
    agree(found, kind="later_date", date=day.isoformat())
    part = part_of(found)
    assert (part.promise_date, part.legal_deadline, part.promise_version) == (day, day, 2)
    assert Promise.objects.get(part=part, version=2).basis == "later date accepted"
    agree(found, kind="later_date", date=(day - timedelta(days=5)).isoformat())
    assert part_of(found).legal_deadline == day


def test_faster_delivery_changes_method_and_total() -> None:
    found = order((product("SYRAH"), 6))
    agree(found, kind="expedite", method="Express", price=3500)
    assert (found.shipping_method, found.shipping, found.total) == ("Express", 3500, 19340)
    mail = Job.objects.get(name="mail.send", payload__kind="amended").payload["context"]
    assert "Express delivery instead of Ground" in render_to_string("mail/amended.txt", mail)
    assert "Express delivery instead of Ground" in render_to_string("mail/amended.html", mail)
    adds_up(found)


def test_what_is_missing_becomes_a_part_of_its_own_and_costs_nothing_more() -> None:
    wine, rose = product("SYRAH", price=999, on_hand=4), product("ROSE", price=333, on_hand=3)
    found = order((wine, 7), (rose, 3), reserved={"SYRAH": 4, "ROSE": 3}, stock="short")
    before = found.total
    day = shop().today() + timedelta(days=9)
    agree(found, kind="split", date=day.isoformat())
    first, second = part_of(found, 1), part_of(found, 2)
    assert found.total == before
    assert (first.shipping, second.shipping, second.promise_date) == (1500, 0, day)
    assert (second.stock, second.money, second.parcel, second.books) == ("unchecked", "saved", "waiting", "none")
    assert (line_of(found, "SYRAH", 1).quantity, line_of(found, "SYRAH", 1).reserved) == (4, 4)
    assert (line_of(found, "SYRAH", 2).quantity, line_of(found, "SYRAH", 2).reserved) == (3, 0)
    held = balance_of(wine)
    assert (held.reserved, held.waiting) == (4, 3)
    adds_up(found)


def test_a_line_moves_with_what_is_reserved_for_it() -> None:
    wine, rose = product("SYRAH"), product("ROSE", on_hand=3)
    found = order((wine, 6), (rose, 3), reserved={"ROSE": 3})
    agree(found, kind="split", line="ROSE")
    assert line_of(found, "ROSE", 2).reserved == 3
    assert (balance_of(rose).reserved, balance_of(wine).waiting) == (3, 6)
    assert part_of(found, 2).promise_date == part_of(found, 1).promise_date
    adds_up(found)


def test_doing_without_a_line_leaves_the_rest() -> None:
    rose = product("ROSE", price=1000)
    found = order((product("SYRAH"), 6), (rose, 3), stock="short")
    agree(found, kind="cancel", line="ROSE")
    assert (line_of(found, "ROSE").quantity, line_of(found, "ROSE").cancelled) == (0, 3)
    assert (found.total, balance_of(rose).waiting) == (17340, 0)
    assert found.cancelled_at is None
    adds_up(found)


def test_the_last_line_of_a_part_takes_its_shipping_to_the_other_part() -> None:
    found = order((product("SYRAH"), 6), (product("ROSE", price=1000, on_hand=3), 3), reserved={"ROSE": 3})
    agree(found, kind="split", line="SYRAH", quantity=6)
    agree(found, kind="cancel", line="ROSE")
    assert (part_of(found, 1).total, part_of(found, 1).money) == (0, "voided")
    assert (part_of(found, 2).shipping, found.total) == (1500, 17340)
    adds_up(found)


def test_the_customer_may_choose_to_cancel() -> None:
    found = order((product("SYRAH"), 6))
    paid(found)
    agree(found, kind="cancel")
    assert found.cancelled_at is not None
    assert found.cancelled_by == "June Harper"
    assert Refund.objects.get(part__order=found).amount == 17340


def test_an_answer_waits_while_the_bank_is_asked() -> None:
    found = order((product("SYRAH"), 6))
    asked = propose_alternatives(order=found.number, actor=ANN, choices=[{"kind": "expedite", "method": "Express"}])
    answer_proposal(token=asked.token, choice=0)
    Part.objects.filter(order=found).update(money="unknown")
    assert not apply_answer(order=found.number)
    asked.refresh_from_db()
    assert asked.applied_at is None
    Part.objects.filter(order=found).update(money="declined")
    assert apply_answer(order=found.number)


def test_a_dearer_choice_after_the_old_total_was_paid_is_laid_before_a_person() -> None:
    found = order((product("SYRAH"), 6))
    asked = propose_alternatives(order=found.number, actor=ANN, choices=[{"kind": "expedite", "method": "Express"}])
    answer_proposal(token=asked.token, choice=0)
    paid(found)
    assert apply_answer(order=found.number)
    found.refresh_from_db()
    assert (found.shipping_method, found.total) == ("Ground", 17340)
    assert "paid meanwhile" in Hold.objects.get(order=found).reason
    assert not apply_answer(order=found.number)


def test_nothing_is_counted_twice_when_the_order_is_cancelled_after_a_change() -> None:
    product("SYRAH-2020", price=2300)
    old = product("SYRAH-2019", on_hand=6)
    found = order((old, 6), reserved={"SYRAH-2019": 6})
    paid(found)
    agree(found, kind="substitute", sku="SYRAH-2020", quantity=4)
    cancel_order(order=found.number, reason="After all", actor=ANN)
    part = part_of(found)
    assert part.refund_owed == part.charged
    assert books(found) == {"customer_deposits": 17340, "refunds_payable": -17340}
    held = balance_of(old)
    assert (held.on_hand, held.reserved, held.waiting) == (6, 0, 0)


def test_the_answer_call_returns_with_the_order_amended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.core.journal._advance_now", advance_after_commit)
    product("SYRAH-2020", on_hand=12)
    found = order((product("SYRAH-2019"), 6), stock="short", books="sales_order")
    Order.objects.filter(pk=found.pk).update(review="approved", approved_by="Ann")
    offered = {"kind": "substitute", "sku": "SYRAH-2020"}
    asked = propose_alternatives(order=found.number, actor=ANN, choices=[offered])
    found.refresh_from_db()
    assert (found.status, found.queue) == ("waiting_for_customer", "question")
    assert answer_proposal(token=asked.token, choice=0).applied_at is not None
    assert line_of(found, "SYRAH-2020").reserved == 6
    assert part_of(found).stock == "confirmed"
    found.refresh_from_db()
    assert (found.status, found.queue) == ("processing", "charge")


def test_a_cancelled_order_comes_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.core.journal._advance_now", advance_after_commit)
    found = order((product("SYRAH", on_hand=6), 6), reserved={"SYRAH": 6}, stock="confirmed", books="sales_order")
    Order.objects.filter(pk=found.pk).update(review="approved", approved_by="Ann")
    cancel_order(order=found.number, reason="Changed her mind", actor=ANN)
    found.refresh_from_db()
    assert (found.status, found.queue) == ("cancelled", "cancelled")
