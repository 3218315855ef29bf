"""The customer's page: who may open it, and what it may say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core.models import Job
from counterfoil.core.shop import shop
from counterfoil.desk.tests.build import ANN, at_the_desk, order, product
from counterfoil.records.orders.models import Contact, Order, Proposal
from counterfoil.steps.alternatives.actions import propose_alternatives
from counterfoil.steps.review.actions import approve_order

pytestmark = pytest.mark.django_db


def test_a_wrong_link_opens_nothing_and_says_so_kindly() -> None:
    answer = Client().get("/orders/not-a-token")
    assert answer.status_code == 404
    assert "link" in answer.content.decode()


def test_a_customer_reads_that_the_card_has_not_been_charged() -> None:
    product("A", on_hand=5)
    page = Client().get(f"/orders/{order(('A', 1)).token}")
    assert "Your card has not been charged yet." in page.content.decode()
    assert page["Cache-Control"].startswith("private")


def test_papers_of_another_order_and_papers_of_the_house_stay_shut() -> None:
    product("A", on_hand=50)
    mine, other = order(("A", 1)), order(("A", 1))
    for one in (mine, other):
        approve_order(order=one.number, ship_estimate=shop().today(), actor=ANN)
    theirs = f"/orders/{mine.token}/documents/WO-{other.number}.pdf"
    assert Client().get(theirs).status_code == 404
    paper = Client().get(f"/orders/{mine.token}/documents/WO-{mine.number}.pdf")
    assert (paper.status_code, paper["Content-Type"]) == (200, "application/pdf")
    assert Client().get(f"/orders/{mine.token}/documents/SO-0001-C.pdf").status_code == 404


def test_a_choice_is_taken_once_and_only_for_its_own_order() -> None:
    product("A", on_hand=50)
    mine, other = order(("A", 1)), order(("A", 1))
    later = shop().today() + timedelta(days=9)
    asked = propose_alternatives(
        order=mine.number, actor=ANN, choices=[{"kind": "cancel"}, {"kind": "later_date", "date": later}]
    )
    form = {"proposal": asked.token, "choice": "1"}
    assert Client().post(f"/orders/{other.token}/answer", form).status_code == 422
    assert Proposal.objects.get(pk=asked.pk).state == "open"
    assert Client().post(f"/orders/{mine.token}/answer", form).status_code == 303
    assert Proposal.objects.get(pk=asked.pk).choice == 1
    assert Client().post(f"/orders/{mine.token}/answer", {**form, "choice": "0"}).status_code in {409, 422}
    assert Proposal.objects.get(pk=asked.pk).choice == 1


def test_what_a_customer_wrote_is_shown_as_text() -> None:
    product("A", on_hand=5)
    nasty = '<script>alert("x")</script>'
    made = order(("A", 1), gift_message=nasty, comment=nasty, name=nasty)
    Order.objects.filter(pk=made.pk).update(flags=[{"code": "x", "text": nasty}])
    for page in (
        Client().get(f"/orders/{made.token}"),
        at_the_desk().get(f"/desk/orders/{made.number}"),
        at_the_desk().get("/desk/queues/review"),
    ):
        assert "<script>alert" not in page.content.decode()


def test_what_a_customer_writes_stands_on_their_order_at_the_desk_and_in_the_shops_mail() -> None:
    product("A", on_hand=50)
    mine, other = order(("A", 1)), order(("A", 1))
    said = {"message": "Ring twice: 4111 1111 1111 1111"}
    sent = [Client().post(f"/orders/{mine.token}/message", said) for _ in range(2)]  # a double click
    assert [answer.status_code for answer in sent] == [303, 303]
    written = Contact.objects.get()
    assert (written.order_id, written.direction, "4111 1111" in written.text) == (mine.pk, "in", False)
    assert "Ring twice" in Client().get(sent[0]["Location"].split("#")[0]).content.decode()
    assert "Ring twice" in at_the_desk().get(f"/desk/orders/{mine.number}").content.decode()
    assert "Ring twice" not in Client().get(f"/orders/{other.token}").content.decode()
    mail = Job.objects.get(name="mail.send", payload__kind="message")
    assert mail.payload["to"] == shop().email
    assert 'id="e-message"' in Client().post(f"/orders/{mine.token}/message", {"message": " "}).content.decode()
    tries = [Client().post(f"/orders/{mine.token}/message", {"message": f"and {n}"}).status_code for n in range(6)]
    assert tries[-1] == 429


def test_the_customers_page_asks_as_much_for_one_line_as_for_twenty() -> None:
    for n in range(20):
        product(f"W-{n}", on_hand=9)
    asked = []
    for many in (1, 20):
        made = order(*[(f"W-{n}", 1) for n in range(many)])
        approve_order(order=made.number, ship_estimate=shop().today(), actor=ANN)
        with CaptureQueriesContext(connection) as found:
            assert Client().get(f"/orders/{made.token}").status_code == 200
        asked.append(len(found))
    assert max(asked) <= 12
    assert asked[1] - asked[0] <= 2  # settings and clock are read anew every two seconds
