"""Days of lost webhooks, and what people do at the processor behind our back: found, put right or put on a list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import stripe
from django.db.models import F
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Refused
from counterfoil.core.models import Document, Job
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Order, Part, PayLink, Refund
from counterfoil.shell.cli import main
from counterfoil.shell.worker import owe_nightly
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging.actions import open_card_page, own_difference, reconcile, resolve_difference
from counterfoil.steps.charging.models import Difference, InboxEvent
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    approved,
    at_the_bank,
    declined,
    deliver,
    event,
    fault,
    later,
    pays,
    signed,
    token,
)
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
CLERK = Actor("person", "Ann", "clerk")


@pytest.fixture
def api(card: str) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "PATIENCE", 0.0)


@pytest.fixture
def bank(card: str) -> Any:
    """Somebody in the processor's own dashboard."""
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": card}, max_network_retries=0).v1


def charged(api: Api, **more: Any) -> str:
    number = approved(api, **more)
    api.done(f"/orders/{number}/charge", {})
    settle()
    return number


def taken_there(bank: Any, number: str, amount: int = TOTAL, *, marked: bool = True) -> str:
    """Money taken at the processor for this order's customer, of which we have no record; the charge's id."""
    order = Order.objects.select_related("customer").get(number=number)
    reference = {"order": number, "charge": f"pi-{token(number)}-1-9"} if marked else {}
    made = bank.payment_intents.create(
        {
            "amount": amount,
            "currency": "usd",
            "customer": order.customer.processor_id,
            "payment_method": order.card_method,
            "confirm": True,
            "off_session": True,
            "metadata": reference,
        }
    )
    assert made.status == "succeeded"
    return str(made.id)


def queue_of(number: str) -> tuple[str, str]:
    order = Order.objects.get(number=number)
    return order.queue, order.next_action


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def nothing_new() -> None:
    """A second comparison finds nothing to do and changes nothing."""
    before = (Charge.objects.count(), Refund.objects.count(), Difference.objects.count(), Part.objects.count())
    report = reconcile()
    assert (report.repaired, report.closed, report.unanswered) == ([], 0, [])
    after = (Charge.objects.count(), Refund.objects.count(), Difference.objects.count(), Part.objects.count())
    assert before == after


# --- what comes right by itself -------------------------------------------------------------------------------------


def test_four_days_of_lost_webhooks_are_made_good_in_one_comparison(api: Api, card: str) -> None:
    with fault(card, "webhooks_off"):
        by_link = [declined(api), declined(api)]
        for number in by_link:
            pays(open_card_page(order=number))
        lost = approved(api)
        with fault(card, "lost_answer", path=CONFIRM, count=1):
            assert api.post(f"/orders/{lost}/charge", {}).status == 202
    Job.objects.filter(name__in=["charging.look_link", "charging.send"]).delete()
    with writing():
        clock.advance_business_time(timedelta(days=4))
    assert {Part.objects.get(order__number=n).money for n in [*by_link, lost]} == {"declined", "unknown"}
    report = reconcile()
    assert len(report.repaired) == 3
    assert report.clean
    for number in [*by_link, lost]:
        assert Part.objects.get(order__number=number).money == "charged"
        assert at_the_bank(card, number) == [(TOTAL, 0)]
    nothing_new()
    all_is_well()


def test_a_payment_at_a_page_that_we_thought_expired_is_taken_in(api: Api, card: str) -> None:
    number = declined(api)
    pays(open_card_page(order=number))
    PayLink.objects.update(state="expired")
    report = reconcile()
    assert report.repaired == [f"{number}: payment taken in"]
    assert Part.objects.get().money == "charged"
    nothing_new()
    all_is_well()


def test_money_taken_for_a_cancelled_order_goes_back_by_itself(api: Api, card: str, bank: Any) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    settle()
    taken_there(bank, number)
    assert reconcile().clean
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    assert Refund.objects.get().state == "succeeded"
    nothing_new()
    all_is_well()


def test_a_webhook_of_an_order_that_is_not_here_yet_waits_and_becomes_a_task_only_where_it_matches_nothing(
    api: Api, card: str, bank: Any, client: Client
) -> None:
    number, never = approved(api), approved(api)
    for n, one in enumerate((number, never)):
        body = event("payment_intent.succeeded", taken_there(bank, one), id_=f"evt_{n}")
        Order.objects.filter(number=one).update(number=f"AWAY-{n}")  # its transaction has not committed yet
        assert deliver(client, body, signed(body)) == 200
    settle()
    assert InboxEvent.objects.filter(handled_at=None).count() == 2
    Order.objects.filter(number="AWAY-0").update(number=number)
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]  # matched, booked and on its way back by itself
    assert InboxEvent.objects.get(event_id="evt_0").outcome == "charge looked at"
    assert InboxEvent.objects.get(event_id="evt_1").handled_at is None
    InboxEvent.objects.update(received_at=clock.real_now() - timedelta(minutes=3))
    later()
    row = Difference.objects.get()
    assert (row.kind, row.order_number, row.amount) == ("captured_unknown", "", TOTAL)
    assert InboxEvent.objects.get(event_id="evt_1").outcome.startswith("matches nothing")
    assert not Job.objects.filter(state="dead").exists()


def test_a_refund_that_came_back_while_nobody_was_told_is_owed_again(api: Api, card: str) -> None:
    number = charged(api, card="pm_card_refundFail")
    api.done(f"/orders/{number}/refunds", {"reason": "corked", "amount": 1000})
    settle()
    reconcile()
    assert Refund.objects.get().state == "failed"
    assert Part.objects.get().refund_owed == 1000
    assert queue_of(number) == ("payment_problem", "refund_again")
    nothing_new()


# --- what a person must look at -------------------------------------------------------------------------------------


def test_money_taken_behind_our_back_stands_under_bank_differs_until_it_is_booked(
    api: Api, card: str, bank: Any
) -> None:
    number = approved(api)
    intent = taken_there(bank, number)
    report = reconcile()
    row = Difference.objects.get()
    assert [d.pk for d in report.differences] == [row.pk]
    assert (row.kind, row.object_id, row.order_number, row.amount) == ("captured_unknown", intent, number, TOTAL)
    assert queue_of(number) == ("bank_differs", "look_at_bank")
    nothing_new()
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    row.refresh_from_db()
    assert (row.closed_by, row.remedy) == ("Ann", "take_over")
    assert Part.objects.get().money == "charged"
    assert queue_of(number)[0] == "pick"
    with pytest.raises(Refused):
        resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    nothing_new()
    all_is_well()


@pytest.mark.parametrize(("gift", "sent"), [(0, False), (1000, False), (1000, True)])
def test_what_is_booked_twice_goes_back_by_itself(api: Api, card: str, bank: Any, gift: int, sent: bool) -> None:
    number = charged(api)
    if sent:
        for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1"})):
            api.done(f"/orders/{number}/{act}", body)
        settle()
    if gift:  # they paid the whole price all the same: it lessens nothing of what was taken twice
        api.done(f"/orders/{number}/refunds", {"amount": gift, "reason": "a label was torn"})
        later()
    taken_there(bank, number)
    reconcile()
    resolve_difference(difference=Difference.objects.get().pk, actor=CLERK, remedy="take_over")
    later()
    assert sorted(at_the_bank(card, number)) == [(TOTAL, gift), (TOTAL, TOTAL)]
    # Nothing of the sale goes back with it: only the gift is credited.
    assert Document.objects.filter(kind="credit-note").count() == (1 if sent else 0)
    assert api.order(number)["axes"]["books"] == ("invoiced" if sent else "sales_order")
    nothing_new()
    all_is_well()


def test_money_of_no_order_can_only_go_back(api: Api, card: str, bank: Any) -> None:
    number = approved(api)
    intent = taken_there(bank, number, 1200, marked=False)
    assert not reconcile().clean
    row = Difference.objects.get()
    assert (row.order_number, row.amount) == ("", 1200)
    assert queue_of(number)[0] == "charge"
    with pytest.raises(Invalid):
        resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    resolve_difference(difference=row.pk, actor=CLERK, remedy="refund_it")
    there = bank.refunds.list({"payment_intent": intent}).data
    assert [r.amount for r in there] == [1200]
    assert reconcile().clean
    nothing_new()


def test_a_refund_made_in_the_processors_dashboard_is_booked_with_one_click(api: Api, card: str, bank: Any) -> None:
    number = charged(api)
    made = bank.refunds.create({"payment_intent": Charge.objects.get().intent_id, "amount": 700})
    reconcile()
    row = Difference.objects.get()
    assert (row.kind, row.object_id, row.amount) == ("refund_unknown", made.id, 700)
    assert queue_of(number)[0] == "bank_differs"
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    later()
    assert at_the_bank(card, number) == [(TOTAL, 700)]  # not sent once more
    assert Part.objects.get().refunded == 700
    nothing_new()
    all_is_well()


def test_a_charge_that_the_processor_does_not_know_is_named(api: Api, card: str) -> None:
    number = charged(api)
    real = Charge.objects.get().intent_id
    Charge.objects.update(intent_id="pi_nobody_has_this", create_key="elsewhere")
    reconcile()
    kinds = {d.kind: d.object_id for d in Difference.objects.all()}
    assert kinds == {"missing_there": "pi_nobody_has_this", "captured_unknown": real}
    Charge.objects.update(intent_id=real)
    report = reconcile()
    assert (report.closed, report.clean) == (2, True)
    assert {d.closed_by for d in Difference.objects.all()} == {SYSTEM.name}
    assert queue_of(number)[0] == "pick"


def test_another_amount_there_is_named_and_once_explained_stays_closed(api: Api, card: str) -> None:
    charged(api)
    Charge.objects.update(amount=TOTAL - 100)
    reconcile()
    row = Difference.objects.get()
    assert (row.kind, row.amount) == ("amount_differs", 100)
    with pytest.raises(Invalid):
        resolve_difference(difference=row.pk, actor=CLERK, remedy="note")
    resolve_difference(difference=row.pk, actor=CLERK, remedy="note", reason="the accountant knows")
    assert reconcile().clean
    Charge.objects.update(amount=TOTAL - 300)
    assert not reconcile().clean  # not what was explained
    Charge.objects.update(amount=TOTAL)
    assert reconcile().clean
    row.refresh_from_db()
    assert row.closed_by == SYSTEM.name


def booked_as(amount: int) -> None:
    """Our books have the charge with this amount, as a restored table would."""
    charge = Charge.objects.get()
    by = amount - charge.amount
    with writing():
        taken = take(charge.part.order.number)
        Charge.objects.filter(pk=charge.pk).update(amount=amount)
        Part.objects.filter(pk=charge.part_id).update(charged=amount)
        post(
            cause=f"test:{amount}", kind="capture", subject=taken.number, text="test", currency="USD",
            amounts={"card_clearing": by, "customer_deposits": -by},
        )  # fmt: skip


def test_what_the_bank_took_more_is_booked_with_one_click_and_goes_back(api: Api, card: str) -> None:
    number = charged(api)
    booked_as(TOTAL - 100)
    Part.objects.update(total=TOTAL - 100, shipping=F("shipping") - 100)
    Order.objects.update(total=TOTAL - 100, shipping=F("shipping") - 100)
    reconcile()
    row = Difference.objects.get()
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    later()
    assert at_the_bank(card, number) == [(TOTAL, 100)]
    assert (Part.objects.get().charged, Part.objects.get().refunded) == (TOTAL, 100)
    nothing_new()
    all_is_well()


def test_what_the_bank_took_less_is_booked_with_one_click_and_the_rest_is_charged(api: Api, card: str) -> None:
    number = charged(api)
    booked_as(TOTAL + 400)
    Part.objects.update(total=TOTAL + 400, shipping=F("shipping") + 400)
    Order.objects.update(total=TOTAL + 400, shipping=F("shipping") + 400)
    reconcile()
    row = Difference.objects.get()
    assert (row.kind, row.amount) == ("amount_differs", 400)
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    assert queue_of(number)[0] == "payment_problem"
    assert api.post(f"/orders/{number}/picks", {}).status == 409  # nothing leaves for less than it costs
    api.done(f"/orders/{number}/charge", {})
    assert sorted(at_the_bank(card, number)) == [(400, 0), (TOTAL, 0)]
    nothing_new()
    all_is_well()


def test_a_charge_that_the_bank_never_took_is_booked_so_with_one_click_and_taken_again(api: Api, card: str) -> None:
    number = charged(api)
    lost = Charge.objects.get()
    with writing():
        order = take(number)
        more = Charge.objects.create(
            part=lost.part, attempt=2, amount=500, currency="USD", state="succeeded", create_key="elsewhere",
            confirm_key="elsewhere", intent_id="pi_nobody_has_this", actor="x", made_at=clock.real_now(),
            settled_at=clock.business_now(),
        )  # fmt: skip
        Part.objects.update(charged=F("charged") + 500)
        post(
            cause="test:more", kind="capture", subject=order.number, text="test", currency="USD",
            amounts={"card_clearing": 500, "customer_deposits": -500},
        )  # fmt: skip
    reconcile()
    row = Difference.objects.get()
    assert (row.kind, row.object_id) == ("missing_there", "pi_nobody_has_this")
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    more.refresh_from_db()
    assert (more.state, more.amount, Part.objects.get().charged) == ("withdrawn", 0, TOTAL)
    assert queue_of(number)[0] == "pick"
    nothing_new()
    all_is_well()


def test_a_click_on_what_has_left_the_house_is_refused_with_the_reason(api: Api, card: str) -> None:
    number = charged(api)
    Part.objects.update(parcel="shipped")
    booked_as(TOTAL + 400)
    reconcile()
    with pytest.raises(Refused, match="the goods have left"):
        resolve_difference(difference=Difference.objects.get().pk, actor=CLERK, remedy="take_over")
    assert Difference.objects.get().closed_at is None
    assert number


def test_a_refund_that_the_processor_never_paid_is_owed_again(api: Api, card: str) -> None:
    number = charged(api)
    api.done(f"/orders/{number}/refunds", {"reason": "corked", "amount": 1000})
    settle()
    real = Refund.objects.get()
    Refund.objects.update(refund_id="re_nobody_has_this", key="elsewhere")
    reconcile()
    missing = Difference.objects.get(kind="refund_missing")
    assert missing.object_id == "re_nobody_has_this"
    assert Difference.objects.get(kind="refund_unknown").object_id == real.refund_id
    resolve_difference(difference=missing.pk, actor=CLERK, remedy="take_over")
    assert Part.objects.get().refund_owed == 1000
    assert Refund.objects.get().state == "failed"


# --- who may, and where it stands -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["picker", "buyer", "channel"])
def test_only_who_answers_for_money_settles_differences(api: Api, card: str, bank: Any, role: str) -> None:
    taken_there(bank, approved(api))
    reconcile()
    row = Difference.objects.get()
    somebody = Actor("person", "Bob", role)
    for act in (
        lambda: reconcile(actor=somebody),
        lambda: own_difference(difference=row.pk, actor=somebody),
        lambda: resolve_difference(difference=row.pk, actor=somebody, remedy="take_over"),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Difference.objects.get(closed_at=None).owner == ""
    assert not Charge.objects.exists()


def at_the_desk(role: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(f"{role}@example.com", "a-long-password", name="Ann", role=role))
    return client


def test_the_desk_lists_differences_and_settles_them(api: Api, card: str, bank: Any) -> None:
    number = approved(api)
    taken_there(bank, number)
    taken_there(bank, number, 1200, marked=False)
    reconcile()
    row, stray = Difference.objects.get(order_number=number), Difference.objects.get(order_number="")
    desk = at_the_desk("bookkeeper")
    page = desk.get("/desk/bank").content.decode()
    assert number in page
    assert stray.object_id in page
    assert page.count("Give it back") == 2
    assert page.count("Book it here") == 1
    queue = desk.get("/desk/queues/bank_differs").content.decode()
    assert number in queue
    assert "2 orders" in queue or ">2</span>" in queue  # the rail counts the one of no order too
    assert desk.post(f"/desk/bank/{row.pk}", {"remedy": "mine"}).status_code == 303
    row.refresh_from_db()
    assert row.owner == "Ann"
    assert desk.post(f"/desk/bank/{stray.pk}", {"remedy": "take_over"}).status_code == 422
    assert desk.post(f"/desk/bank/{row.pk}", {"remedy": "note", "reason": ""}).status_code == 422
    assert desk.post(f"/desk/bank/{row.pk}", {"remedy": "take_over"}).status_code == 303
    assert desk.post(f"/desk/bank/{row.pk}", {"remedy": "take_over"}).status_code == 409
    assert at_the_desk("picker").post(f"/desk/bank/{stray.pk}", {"remedy": "refund_it"}).status_code == 403
    assert list(Difference.objects.filter(closed_at=None)) == [stray]
    assert desk.post("/desk/bank/compare").status_code == 303
    settle()
    all_is_well()


def test_the_command_says_what_differs_and_how_it_ended(
    api: Api, card: str, bank: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    number = approved(api)
    assert main(["reconcile"]) == 0
    taken_there(bank, number)
    assert main(["reconcile"]) == 1
    said = capsys.readouterr().out
    assert f"DIFFERS    {number}" in said
    assert "1 open" in said
    resolve_difference(difference=Difference.objects.get().pk, actor=CLERK, remedy="refund_it")
    assert main(["reconcile"]) == 0


def test_each_day_is_compared_once_whichever_worker_comes_first(api: Api, card: str) -> None:
    assert not owe_nightly(date(2026, 11, 23))  # the shop's first day
    assert not owe_nightly(date(2026, 11, 23))
    assert owe_nightly(date(2026, 11, 24))
    assert not owe_nightly(date(2026, 11, 24))
    assert Job.objects.filter(name="charging.reconcile").count() == 1
    settle()
    assert not Job.objects.filter(name="charging.reconcile").exists()
    assert owe_nightly(date(2026, 11, 25))
