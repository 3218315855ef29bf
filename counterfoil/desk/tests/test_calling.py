"""The call beside the list: whom, why, what to offer, its outcome by one button; and the customer at a glance."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, jobs, shop
from counterfoil.core.models import Job
from counterfoil.desk import doing
from counterfoil.desk.models import Deed
from counterfoil.desk.tests.build import ANN, at_the_desk, order, product
from counterfoil.flow.verify import judge_all
from counterfoil.records.catalogue.models import Family
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Call, Order, Proposal
from counterfoil.steps.alternatives.actions import propose_alternatives
from counterfoil.steps.review.actions import approve_order

pytestmark = pytest.mark.django_db
WHO = {"name": "June Harper", "email": "june@example.com", "phone": "+1 503 555 0101", "payment_method": "cheque"}


def working(days: int) -> date:
    return shop.shop().business_days_from(shop.shop().today(), days)


def late(*wanted: tuple[str, int], ships: int = 4, needed: int = 3) -> Order:
    made = order(*wanted, **WHO, needed_by=working(needed))
    approve_order(order=made.number, ship_estimate=working(ships), actor=ANN)
    made.refresh_from_db()
    return made


def act(desk: Client, made: Order, verb: str, **form: str) -> int:
    return desk.post(f"/desk/orders/{made.number}/acts/{verb}", form).status_code


def test_the_sheet_says_whom_to_call_why_and_what_to_offer_and_the_offer_is_taken_in_one_click() -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    made = late(("PINOT", 2))
    page = desk.get("/desk/queues/call").content.decode()
    assert "+1 503 555 0101" in page
    assert "Everything is here: ship it sooner" in page
    assert "Express instead of Ground, $20.00 more" in page
    offer = {"kind:0": "later_date", "date:0": working(1).isoformat()}
    assert act(desk, made, "take-offer", **offer) == 303
    made.refresh_from_db()
    assert (made.queue, Call.objects.get().outcome) == ("charge", "accepted")
    assert judge_all() == []


def test_a_wine_in_stock_is_offered_for_one_that_comes_too_late() -> None:
    family = Family.objects.create(producer="Copper Gate", name="Syrah")
    product("SY-19", family=family, vintage=2019, lead_time_days=9)
    product("SY-20", on_hand=9, family=family, vintage=2020, name="Copper Gate Syrah 2020")
    product("PINOT", on_hand=9)
    made = late(("SY-19", 2), ("PINOT", 1), ships=9, needed=5)
    desk = at_the_desk("clerk")
    page = desk.get(f"/desk/orders/{made.number}").content.decode()
    assert "2 × Copper Gate Syrah 2020 instead of" in page
    assert "Part now: 1 of 2 wines are here" in page


def test_a_question_for_who_prefers_the_telephone_is_answered_from_the_sheet() -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    made = order(("PINOT", 2), **WHO)
    approve_order(order=made.number, ship_estimate=working(3), actor=ANN)
    choices = [{"kind": "later_date", "date": working(8).isoformat()}, {"kind": "cancel"}]
    propose_alternatives(order=made.number, actor=ANN, choices=choices)
    assert act(desk, made, "remember", note="At work until six", prefers="phone", note_was="") == 303
    page = desk.get("/desk/queues/call").content.decode()
    assert "“At work until six”" in page
    assert "prefers the telephone" in page
    assert "Cancel the order; nothing is charged" in page
    assert act(desk, made, "call", outcome="call_back", call_back_at="") == 422
    assert act(desk, made, "call", outcome="accepted:0", note="fine", call_back_at="2001-01-01T10:00") == 303
    assert Proposal.objects.get().choice == 0
    # Somebody else's note is not written over unseen.
    assert act(desk, made, "remember", note="Mine", prefers="phone", note_was="") == 409
    assert Customer.objects.get().note == "At work until six"
    assert act(desk, made, "remember", note="4242 4242 4242 4242", prefers="", note_was="At work until six") == 303
    assert "4242 4242" not in Customer.objects.get().note
    assert act(desk, made, "needed-by", needed_by=working(1).isoformat()) == 303
    assert act(desk, made, "needed-by", needed_by=(shop.shop().today() - timedelta(days=1)).isoformat()) == 422


def test_enter_in_a_field_of_the_call_is_no_yes() -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    made = late(("PINOT", 2))
    assert act(desk, made, "call", outcome="", note="in the car") == 422
    assert not Call.objects.exists()
    assert act(desk, made, "call", outcome="", note="in the car", call_back_at=f"{working(1)}T10:30") == 303
    assert Call.objects.get().outcome == "call_back"


def test_a_yes_on_the_telephone_waits_for_its_undo_and_a_call_that_nobody_took_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doing, "undo_seconds", lambda: 20)
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    made = late(("PINOT", 2))
    assert act(desk, made, "call", outcome="no_answer") == 303
    assert Call.objects.get().outcome == "no_answer"
    offer = {"kind:0": "later_date", "date:0": working(1).isoformat()}
    assert act(desk, made, "take-offer", **offer) == 303
    assert (Deed.objects.get().state, Proposal.objects.count()) == ("waiting", 0)
    assert f"{made.number}: customer&#39;s choice goes out in" in desk.get("/desk/stock").content.decode()
    desk.post(f"/desk/deeds/{Deed.objects.get().pk}/undo")
    choices = [{"kind": "later_date", "date": working(8).isoformat()}, {"kind": "cancel"}]
    propose_alternatives(order=made.number, actor=ANN, choices=choices)
    assert act(desk, made, "call", outcome="accepted:1") == 303
    assert Proposal.objects.get().state == "open"
    Job.objects.filter(name="desk.deed").update(run_at=clock.real_now())
    jobs.drain(only=("desk",))
    assert Proposal.objects.get().choice == 1
    made.refresh_from_db()
    assert made.status == "cancelled"


def test_a_called_order_among_many_takes_at_most_twelve_statements() -> None:
    family = Family.objects.create(producer="Copper Gate", name="Syrah")
    product("SY-19", family=family, vintage=2019, lead_time_days=9)
    for year in range(2000, 2012):
        product(f"SY-{year}", on_hand=9, family=family, vintage=year)
    desk = at_the_desk("clerk")
    counts = []
    for size in (1, 8):
        made = [late(("SY-19", 2), ships=9, needed=5) for _ in range(size)][-1]
        for path in ("/desk/queues/call", f"/desk/orders/{made.number}"):
            clock.forget()
            shop.forget()
            with CaptureQueriesContext(connection) as asked:
                assert desk.get(path).status_code == 200
            # Settings and clock are at hand in any process for two seconds.
            told = [q["sql"] for q in asked if "core_setting" not in q["sql"] and "businessclock" not in q["sql"]]
            counts.append((path, len(told)))
    assert max(n for _, n in counts) <= 12, counts
    assert [n for _, n in counts[:2]] == [n for _, n in counts[2:]], counts
