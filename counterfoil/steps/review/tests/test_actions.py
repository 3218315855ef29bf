"""A person approves every order, once, with a date that the customer reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor
from counterfoil.core.errors import Refused
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.verify import states
from counterfoil.records.customers.models import Account, Customer
from counterfoil.records.orders.models import Order, Part, Promise, Proposal
from counterfoil.records.orders.owners import claim_orders
from counterfoil.steps.review.actions import approve_order
from tests.crowd import together, worked
from tests.support import Api, order_body, product

ANN = Actor("person", "Ann", CLERK)


def placed(api: Api, **more: Any) -> str:
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=50)
    return str(api.done("/orders", order_body(("PINOT-21", 2), **more))["number"])


def day(days: int = 1) -> str:
    return (shop().today() + timedelta(days=days)).isoformat()


@pytest.fixture
def api(db: None) -> Api:
    return Api()


@pytest.mark.django_db
class TestApproving:
    def test_an_approval_promises_the_date_and_tells_the_customer(self, api: Api) -> None:
        number = placed(api)
        order = api.done(f"/orders/{number}/approval", {"ship_estimate": day(3)})
        assert (order["review"], order["status"]) == ("approved", "processing")
        assert order["parts"][0]["promise"]["date"] == day(3)
        assert order["parts"][0]["promise"]["legal_deadline"] == day(30)
        assert Promise.objects.get().basis == "review"
        mail = Job.objects.get(name="mail.send", payload__kind="promised").payload
        assert mail["to"] == order["customer"]["email"]

    def test_the_sales_order_and_the_stock_check_follow_by_themselves(self, api: Api) -> None:
        number = placed(api)
        order = api.done(f"/orders/{number}/approval", {"ship_estimate": day()})
        assert (order["axes"]["books"], order["axes"]["stock"]) == ("sales_order", "confirmed")
        assert Document.objects.filter(subject=number).count() == 3
        assert not Job.objects.filter(name="flow.advance").exists()

    def test_today_may_be_promised_and_yesterday_may_not(self, api: Api) -> None:
        number = placed(api)
        for wrong in (day(-1), day(4000)):
            assert api.post(f"/orders/{number}/approval", {"ship_estimate": wrong}).fields == {"ship_estimate"}
        assert api.post(f"/orders/{number}/approval", {"ship_estimate": day(0)}).status == 200

    def test_a_second_approval_is_told_who_did_it(self, api: Api) -> None:
        number = placed(api)
        api.done(f"/orders/{number}/approval", {"ship_estimate": day()})
        refused = Api("clerk", "Ben").post(f"/orders/{number}/approval", {"ship_estimate": day(9)})
        assert (refused.status, refused.codes) == (409, {"someone_else"})
        assert refused.body["blockers"][0]["by"] == "owner's key"
        assert Part.objects.get().promise_version == 1

    def test_who_worked_from_an_old_page_is_told_who_came_between(self, api: Api) -> None:
        number = placed(api)
        seen = Order.objects.get(number=number).version
        api.done(f"/orders/{number}/holds", {"reason": "call them first"})
        with pytest.raises(Refused) as refused:
            approve_order(order=number, ship_estimate=shop().today(), actor=ANN, version=seen)
        (blocker,) = refused.value.blockers
        assert (blocker.code, blocker.by) == ("someone_else", "owner's key")

    def test_a_picker_approves_nothing(self, api: Api) -> None:
        number = placed(api)
        assert Api("picker").post(f"/orders/{number}/approval", {"ship_estimate": day()}).status == 403
        assert Order.objects.get().review == "pending"


@pytest.mark.django_db
class TestHolding:
    def test_nothing_moves_while_an_order_is_held(self, api: Api) -> None:
        number = placed(api)
        hold = api.done(f"/orders/{number}/holds", {"reason": "odd address"})
        refused = api.post(f"/orders/{number}/approval", {"ship_estimate": day()})
        assert (refused.status, refused.codes) == (409, {"on_hold"})
        assert refused.body["blockers"][0]["by"] == "owner's key"
        assert [b["code"] for b in api.order(number)["blockers"]] == ["on_hold"]
        for _ in range(2):
            assert api.ask("DELETE", f"/orders/{number}/holds/{hold['id']}").status == 204
        assert api.order(number)["blockers"] == []
        assert JournalEvent.objects.filter(kind="hold_released").count() == 1
        assert api.post(f"/orders/{number}/approval", {"ship_estimate": day()}).status == 200

    def test_a_hold_after_the_approval_stops_what_follows_and_its_release_lets_it_go(self, api: Api) -> None:
        number = placed(api, lines=[{"sku": "PINOT-21", "quantity": 60}])
        api.done(f"/orders/{number}/approval", {"ship_estimate": day()})
        hold = api.done(f"/orders/{number}/holds", {"reason": "odd address"})
        assert "on_hold" in api.post(f"/orders/{number}/charge", {}).codes
        api.ask("DELETE", f"/orders/{number}/holds/{hold['id']}")
        assert api.order(number)["holds"] == []

    def test_a_hold_needs_a_reason_and_belongs_to_its_order(self, api: Api) -> None:
        number, other = placed(api), placed(api)
        assert api.post(f"/orders/{number}/holds", {"reason": "  "}).fields == {"reason"}
        hold = api.done(f"/orders/{number}/holds", {"reason": "odd address"})
        assert api.ask("DELETE", f"/orders/{other}/holds/{hold['id']}").status == 404
        assert api.order(number)["holds"]


@pytest.mark.django_db
class TestDetails:
    def test_a_misspelt_address_is_put_right_with_the_mails_that_wait_and_the_customer_behind_it(
        self, api: Api
    ) -> None:
        number = placed(api, customer={"name": "Zoe Brown", "email": "zoe@gmial.com"})
        api.done(f"/orders/{number}/approval", {"ship_estimate": day()})
        asked = api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})
        given_up, waits, question = Job.objects.filter(name="mail.send").order_by("id")
        old = Order.objects.get().token
        Job.objects.filter(pk=given_up.pk).update(state=Job.DEAD, attempts=20)
        issued = list(Document.objects.order_by("id").values_list("sha256", flat=True))
        known = Customer.objects.get()
        order = api.done(f"/orders/{number}/customer", {"email": "zoe@gmail.com", "phone": "+1 503 555 0101"})
        assert order["customer"] == {"name": "Zoe Brown", "email": "zoe@gmail.com", "phone": "+1 503 555 0101"}
        new = Order.objects.get().token
        assert (new != old, new[:20] == old[:20], len(new)) == (True, True, 42)
        mails = Job.objects.filter(name="mail.send").order_by("id")
        assert [m.pk for m in mails] == [given_up.pk, waits.pk, question.pk], "those that wait bring the new link"
        for mail in mails:
            assert (mail.state, mail.payload["to"]) == (Job.QUEUED, "zoe@gmail.com")
            assert new in str(mail.payload)
            assert old not in str(mail.payload)
        event = JournalEvent.objects.get(kind="details_changed")
        assert "E-mail zoe@gmail.com instead of zoe@gmial.com" in event.text
        assert "the order has a new link, the old one opens nothing any more" in event.text
        assert event.data["before"] == {"email": "zoe@gmial.com", "phone": ""}
        for path in ("", "/pay", "/card"):
            assert Client().get(f"/orders/{old}{path}").status_code == 404
        assert Client().get(f"/orders/{new}").status_code == 200
        assert api.post(f"/proposals/{asked['token']}/answer", {"choice": 0}).status == 404
        assert order["proposals"][0]["token"] == Proposal.objects.get().token
        assert Customer.objects.get().pk == known.pk
        assert Customer.objects.get(email_key="zoe@gmail.com").phone_key == "15035550101"
        assert list(Document.objects.order_by("id").values_list("sha256", flat=True)) == issued
        api.done(f"/orders/{number}/customer", {"email": "zoe@gmail.com"})
        assert JournalEvent.objects.filter(kind="details_changed").count() == 1
        api.done(f"/orders/{number}/customer", {"email": "Zoe@gmail.com"})
        assert Order.objects.get().token == new, "it is the same mailbox"
        # Everything has been mailed: the next address gets a mail of its own for the link.
        Job.objects.filter(name="mail.send").delete()
        api.done(f"/orders/{number}/customer", {"email": "zoe.brown@example.com"})
        mail = Job.objects.get(name="mail.send")
        assert (mail.payload["kind"], mail.payload["to"]) == ("new_link", "zoe.brown@example.com")
        assert mail.payload["context"]["url"].endswith(f"/orders/{Order.objects.get().token}")
        assert Order.objects.get().token != new

    def test_bad_details_are_told_by_field_and_an_old_page_and_a_picker_change_nothing(self, api: Api) -> None:
        number = placed(api)
        door, version = f"/orders/{number}/customer", Order.objects.get().version
        wrong = {"name": " ", "email": "zoe at gmail", "phone": "1" * 41, "gift_message": "x" * 2001}
        assert api.post(door, wrong).fields == set(wrong)
        assert Api("picker").post(door, {"name": "Zoe"}).status == 403
        Order.objects.update(phone="+1 503 555 0199")  # as somebody gave it who named her address
        Customer.objects.update(phone="+1 503 555 0101", phone_key="15035550101")
        api.done(door, {"name": "Zoe Brown", "gift_message": "Happy birthday", "version": version})
        known = Customer.objects.get()
        assert (known.name, known.phone, known.phone_key) == ("Zoe Brown", "+1 503 555 0101", "15035550101")
        late = api.post(door, {"name": "Zoe White", "version": version})
        assert (late.status, late.codes) == (409, {"someone_else"})
        assert (Order.objects.get().name, Order.objects.get().gift_message) == ("Zoe Brown", "Happy birthday")
        Part.objects.update(parcel="packed")
        assert api.post(door, {"gift_message": ""}).codes == {"already_shipped"}

    def test_an_order_goes_to_the_customer_of_its_new_address_unless_its_card_is_kept_for_the_other(
        self, api: Api
    ) -> None:
        there = placed(api, customer={"name": "Zoe Brown", "email": "zoe@gmail.com"})
        by_card = placed(api, customer={"name": "Zoe Brown", "email": "zoe@gmial.com"})
        at_door = placed(api, customer={"name": "Zoe B", "email": "zoe@gmial.com"}, payment={"method": "on_delivery"})
        for number in (by_card, at_door):
            api.done(f"/orders/{number}/customer", {"email": "Zoe@gmail.com"})
        of = dict(Order.objects.values_list("number", "customer__email_key"))
        assert of == {there: "zoe@gmail.com", by_card: "zoe@gmial.com", at_door: "zoe@gmail.com"}
        # Who proves the address gets all of them into the account, and nobody gets them by the old one.
        old, new = (
            Account.objects.create(email_key=key, email=key, name="Zoe", made_at=clock.real_now())
            for key in ("zoe@gmial.com", "zoe@gmail.com")
        )
        assert [claim_orders(account=old), claim_orders(account=new)] == [0, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_two_who_approve_at_once_one_is_told_who_was_faster() -> None:
    owner, ann, ben = Api(), Api("clerk", "Ann"), Api("clerk", "Ben")
    for _ in range(5):
        number = placed(owner)
        found = worked(
            together(2, lambda n: (ann, ben)[n].post(f"/orders/{number}/approval", {"ship_estimate": day(n + 1)}))  # noqa: B023
        )
        assert sorted(a.status for a in found) == [200, 409]
        winner = ("Ann", "Ben")[[a.status for a in found].index(200)]
        (lost,) = (a for a in found if a.status == 409)
        assert [(b["code"], b["by"]) for b in lost.body["blockers"]] == [("someone_else", winner)]
        assert Order.objects.get(number=number).approved_by == winner
        assert Promise.objects.filter(part__order__number=number).count() == 1
        assert Document.objects.filter(subject=number, kind="sales-order").count() == 1
    assert states.replay() == states.queues() == []
