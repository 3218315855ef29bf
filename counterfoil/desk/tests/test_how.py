"""`/how-it-works` and the order that is followed: public, and only ever the demo's invented one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core.models import Document, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.desk import how
from counterfoil.desk.followed import arranged
from counterfoil.desk.tests.build import ANN, order, product
from counterfoil.records.orders.models import Charge, Line, Order
from counterfoil.steps.alternatives.actions import answer_proposal, propose_alternatives
from counterfoil.steps.charging.actions import charge_order
from counterfoil.steps.fulfilment.actions import deliver_order, pack_order, pick_order, ship_order
from counterfoil.steps.review.actions import approve_order

pytestmark = pytest.mark.django_db


def delivered(reference: str, *, ask: bool = False) -> Order:
    """An order that has gone the whole way; what was paid for it was paid by cheque, and is shown as by card.

    Asked, its customer gives up the second wine.
    """
    wanted = [("A", 1), ("B", 1)] if ask else [("A", 1)]
    made = order(*wanted, reference=reference, payment_method="cheque")
    approve_order(order=made.number, ship_estimate=shop().today(), actor=ANN)
    if ask:
        without = {"kind": "cancel", "line": Line.objects.get(order=made, sku="B").pk}
        question = propose_alternatives(order=made.number, actor=ANN, choices=[without, {"kind": "cancel"}])
        answer_proposal(token=question.token, choice=0)
        made.refresh_from_db()
    charge_order(order=made.number, actor=ANN, offline={"reference": reference, "amount": made.total})
    pick_order(order=made.number, actor=ANN)
    pack_order(order=made.number, actor=ANN)
    ship_order(order=made.number, actor=ANN, carrier="UPS", tracking_number=f"1Z{reference}")
    deliver_order(order=made.number, actor=ANN)
    Order.objects.filter(pk=made.pk).update(payment_method="card")
    return Order.objects.get(pk=made.pk)


def test_everybody_may_read_how_it_works_and_it_asks_the_database_next_to_nothing() -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = Client().get("/how-it-works")
    assert page.status_code == 200
    assert "Your card is charged when everything on your order is on our shelf" in page.content.decode()
    assert "/how-it-works/follow" not in page.content.decode()
    assert len(asked) <= 2


def test_a_real_shop_shows_no_order_and_a_demo_only_one_of_its_own(settings: Any) -> None:
    product("A", on_hand=9)
    visitors = delivered("visitor-1")
    assert Client().get("/how-it-works/follow").status_code == 404
    settings.DEMO = True
    assert Client().get("/how-it-works/follow").status_code == 404  # nothing but a visitor's own order
    told = delivered("demo-001")
    with CaptureQueriesContext(connection) as asked:
        page = Client().get("/how-it-works/follow")
    text = page.content.decode()
    assert len(asked) <= 12
    assert told.number in text
    assert visitors.number not in text
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    theirs, own = (Document.objects.filter(subject=o.number, kind="invoice").get() for o in (visitors, told))
    assert Client().get(f"/how-it-works/follow/papers/{theirs.number}.pdf").status_code == 404
    assert Client().get(f"/how-it-works/follow/papers/{own.number}.png")["Content-Type"] == "image/png"
    settings.DEMO = False
    assert Client().get(f"/how-it-works/follow/papers/{own.number}.png").status_code == 404


def test_each_event_paper_and_sum_stands_at_its_step() -> None:
    product("A", on_hand=9)
    told = delivered("demo-002")
    events = list(JournalEvent.objects.filter(subject=told.number).order_by("id"))
    papers = list(Document.objects.filter(subject=told.number).order_by("id"))
    seen = {
        one.told.code: one
        for one in arranged(how.steps(shop()), events, papers, list(Charge.objects.filter(part__order=told)))
    }
    assert sum(len(one.moments) for one in seen.values()) == len([e for e in events if e.kind != "mail_sent"])
    assert [d.kind for d in seen["review"].papers] == ["web-order"]
    assert [d.kind for d in seen["pack"].papers] == ["pick-list", "packing-slip"]
    assert any("Delivered" in m.text for m in seen["way"].moments)
    assert (seen["stock"].taken, seen["charge"].taken, seen["filed"].taken) == (0, told.total, told.total)


def test_both_screens_stand_at_each_step_as_they_were_then(settings: Any) -> None:
    settings.DEMO = True
    product("A", on_hand=9)
    product("B", on_hand=9)
    told = delivered("demo-003", ask=True)
    page = Client().get("/how-it-works/follow").content.decode()
    step = {code: text for code, _, text in (part.partition('"') for part in page.split('<li id="')[1:])}
    assert 'class="screens"' not in step["checkout"]
    assert "Approve and mail the date" in step["arrives"]
    assert "One of us reads your order." in step["arrives"]
    assert "units reserved" in step["arrives"]  # they are kept from the check-out on
    assert "missing" not in step["arrives"]
    assert "Make the sales order, in two copies" in step["review"]
    asked, answered = step["stock"].split('class="screens"')[1:]
    assert "We need your answer." in asked
    assert "1 × Copper Gate B" in asked
    assert f"${(told.total + 2400) / 100:.2f}" in asked
    assert "<s>1 × Copper Gate B</s>" in answered
    assert "Your card has not been charged yet." in answered
    assert "May we pick?" in step["charge"]
    assert "Your card has not been charged yet." not in step["charge"].split('class="screens"')[1]
    assert "It is on its way." in step["ship"]
    assert "1Zdemo-003" in step["ship"]
    assert "Nothing more: it has arrived." in step["way"]
    # Nothing on them leads anywhere, or could be sent.
    assert page.count('<details class="screens">') == page.count("Both screens then"), (
        "folded, and said where each stood"
    )
    assert "at the desk under “Review” · their page says" in step["arrives"]
    assert "/acts/" not in page
    assert "/desk/print" not in page
    assert told.version == Order.objects.get(pk=told.pk).version
