"""A customer on the telephone without an e-mail address: the order goes its whole way, and nothing is lost on it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Job, JournalEvent, Telling
from counterfoil.desk.tests.build import ANN, at_the_desk, product
from counterfoil.desk.tests.test_telephone import FORM, NEW
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.mail.telling import open_tellings
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.models import Notice, Order
from counterfoil.steps.alternatives.actions import propose_alternatives
from counterfoil.steps.review.actions import approve_order
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
BARE = {**FORM, "email": "", "payment_method": "cheque"}


def taken(desk: Client, attempt: str = "tel-0123456789ab", sku: str = "PINOT", **more: str) -> Order:
    form = {name: value for name, value in BARE.items() if not name.startswith("quantity:")}
    answer = desk.post(NEW, {**form, "attempt": attempt, f"quantity:{sku}": "6", **more})
    assert answer.status_code == 303, re.findall(r'class="wrong"[^>]*>([^<]*)', answer.content.decode())
    return Order.objects.get(number=answer["Location"].split("/")[3])


def later(days: int) -> None:
    with writing():
        clock.advance_business_time(timedelta(days=days))


def owed(order: Order) -> list[str]:
    return [telling.kind for telling in open_tellings(order.number)]


def test_an_order_without_an_address_goes_its_whole_way_and_all_of_it_is_told_on_the_telephone() -> None:
    product("PINOT", on_hand=20, age_restricted=True)
    desk, api = at_the_desk("clerk"), Api("owner")
    order = taken(desk, gift_message="Cheers")
    number = order.number
    assert (order.email, order.customer.email_key) == ("", "tel:15035550101")
    assert owed(order) == [], "the clerk has read it back"
    assert "Nothing is mailed" in desk.get(f"/desk/orders/{number}/placed").content.decode()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop.shop().today().isoformat()})
    assert owed(order) == ["promised"]
    slip = desk.get(f"/desk/queues/charge?order={number}").content.decode()
    assert "No e-mail: to be told by telephone" in slip
    assert f'name="telling" value="{open_tellings()[0].pk}"' in slip
    page = desk.get("/desk/tell").content.decode()
    assert 'href="tel:(503) 555-0101"' in page
    assert "we expect to ship it on" in page
    assert order.token not in page, "nobody can say a link"
    assert ">1<" in desk.get("/desk/queues/call").content.decode()
    thing = open_tellings()[0]
    assert desk.post("/desk/tell", {"telling": str(thing.pk), "how": "told", "order": number}).status_code == 303
    again = desk.post("/desk/tell", {"telling": str(thing.pk), "how": "told"}, follow=True).content.decode()
    assert "Ann has done that already" in again
    assert owed(order) == []
    told = JournalEvent.objects.get(subject=number, kind="customer_told")
    assert (told.actor, told.text[:18]) == ("Ann", "Told by telephone:")
    api.done(f"/orders/{number}/charge", {"kind": "cheque", "reference": "77", "amount": order.total})
    api.done(f"/orders/{number}/picks", {})
    box = api.done(f"/orders/{number}/packages", {"weight_g": 3000})
    sent = {"carrier": "UPS", "tracking_number": f"1Z{number}", "packages": [box["id"]]}
    api.done(f"/orders/{number}/shipments", sent)
    settle()
    assert owed(order) == ["shipped"]
    shipped = open_tellings(number)[0]
    # The papers of a gift go to the buyer, and not into the parcel: by post, where there is no mail.
    assert any(paper.startswith(("SO-", "INV-")) for paper in shipped.documents)
    page = desk.get("/desk/tell").content.decode()
    assert f"1Z{number}" in page
    assert f"/desk/orders/{number}/documents/{shipped.documents[0]}.pdf" in page
    assert desk.get(f"/desk/orders/{number}/documents/{shipped.documents[0]}.pdf").status_code == 200
    assert api.done(f"/orders/{number}/deliveries", {})["status"] == "delivered"
    clock.forget()
    shop.forget()
    with CaptureQueriesContext(connection) as asked:
        page = desk.get(f"/desk/orders/{number}").content.decode()
    assert not any('FROM "core_telling"' in q["sql"] for q in asked.captured_queries), "it costs no statement"
    assert "no e-mail address" in page
    assert not Job.objects.filter(name="mail.send").exists()
    # The next call from the same number is the same customer.
    assert taken(desk, attempt="tel-ba9876543210").customer_id == order.customer_id
    assert Customer.objects.count() == 1
    assert judge_all() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"phone": ""}, "phone"), ({"phone": "call me"}, "phone"), ({"payment_method": "card"}, "payment_method")],
)
def test_who_cannot_be_mailed_must_be_rung_and_pays_otherwise_than_by_a_link(
    changes: dict[str, str], field: str
) -> None:
    product("PINOT", on_hand=20)
    answer = at_the_desk("clerk").post(NEW, {**BARE, **changes})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.content.decode()
    assert not Order.objects.exists()


def test_a_question_is_asked_on_the_telephone_until_somebody_answers() -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    order = taken(desk)
    approve_order(order=order.number, ship_estimate=shop.shop().today(), actor=ANN)
    with writing():
        shop.change(proposal_days=60)
    propose_alternatives(order=order.number, actor=ANN, choices=[{"kind": "cancel"}])
    for _ in range(4):
        sweep()
        order.refresh_from_db()
        assert (order.queue, owed(order)) == ("call", ["promised"]), "it is asked where its answer is taken"
        assert desk.post(f"/desk/orders/{order.number}/acts/call", {"outcome": "no_answer"}).status_code == 303
        later(4)
    assert not Job.objects.filter(name="mail.send").exists()


def test_silence_is_no_yes_of_whom_no_mail_has_told() -> None:
    product("FAR", on_hand=0, lead_time_days=9)
    order = taken(at_the_desk("clerk"), sku="FAR")
    approve_order(order=order.number, ship_estimate=shop.shop().business_days_from(shop.shop().today(), 3), actor=ANN)
    later(2)
    sweep()
    notice = Notice.objects.get()
    assert notice.silence == Notice.CANCELS
    order.refresh_from_db()
    assert order.queue == "call"


@pytest.mark.parametrize("role", ["picker", "buyer", "bookkeeper"])
def test_only_who_talks_to_customers_may_say_that_they_were_told(role: str) -> None:
    product("PINOT", on_hand=20)
    order = taken(at_the_desk("clerk"))
    approve_order(order=order.number, ship_estimate=shop.shop().today(), actor=ANN)
    desk = at_the_desk(role)
    thing = str(Telling.objects.get().pk)
    assert [desk.get("/desk/tell").status_code, desk.post("/desk/tell", {"telling": thing}).status_code] == [403, 403]
    assert owed(order) == ["promised"]
