"""After a decline: tried again, reminded, kept for the days that were said, then let go; whatever ends it ends all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.money import show
from counterfoil.core.shop import change, shop
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Hold, Line, Order, Part, PayLink
from counterfoil.records.orders.present import present
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging import overdue
from counterfoil.steps.charging.actions import finish_session, open_card_page, retry_charge
from counterfoil.steps.charging.capture import book_capture
from counterfoil.steps.charging.cards import close_links
from counterfoil.steps.charging.letters import owe_pay_mail
from counterfoil.steps.charging.tests.build import (
    accepted,
    after,
    approved,
    at_the_bank,
    declined,
    fault,
    in_two_parts,
    intents,
    later,
    pays,
    the_bank_thinks,
)
from counterfoil.steps.review.actions import hold_order, release_hold
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
LOST, FUNDS, GOOD = "pm_card_chargeDeclinedLostCard", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_visa"
WANTS_3DS = "pm_card_authenticationRequired"


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "PATIENCE", 0.0)


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def refused_by(api: Api, card: str, behaves_as: str) -> str:
    """An order whose card was good when it was saved and is declined so when it is charged."""
    number = approved(api)
    the_bank_thinks(card, number, behaves_as)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    return number


def decline(api: Api, number: str, part: int = 1) -> Any:
    return api.order(number)["parts"][part - 1]["decline"]


def subjects(api: Api, mailbox: Any, number: str) -> list[str]:
    """Of the mails to the customer, oldest first, without the order's number."""
    settle()
    mails = mailbox.mails(to=api.order(number)["customer"]["email"])
    return [m["subject"].removeprefix(f"{number}: ") for m in reversed(mails)]


# --- what a decline sets going --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaves_as", "code", "class_", "again"),
    [
        (LOST, "lost_card", "never", False),
        (FUNDS, "insufficient_funds", "later", True),
        (WANTS_3DS, "authentication_required", "customer", False),
    ],
)
def test_a_decline_is_shown_with_its_class_its_next_try_and_the_end_of_grace(
    api: Api, card: str, behaves_as: str, code: str, class_: str, again: bool
) -> None:
    before = clock.business_now()
    number = refused_by(api, card, behaves_as)
    found = decline(api, number)
    assert (found["code"], found["class"], found["attempts"], found["let_go_at"]) == (code, class_, 1, None)
    assert (found["retry_at"] is not None) is again
    if again:
        assert timedelta(hours=23.9) < datetime.fromisoformat(found["retry_at"]) - before < timedelta(hours=24.1)
    last = shop().today() + timedelta(days=7)
    assert shop().day_of(datetime.fromisoformat(found["grace_until"])) == last
    order = api.order(number)
    assert (order["queue"], order["next_action"]) == ("payment_problem", "send_pay_link")
    assert Charge.objects.get().decline_class == class_
    assert (Charge.objects.get().brand, Charge.objects.get().last4) == ("visa", "4242")
    all_is_well()


def test_only_an_order_that_was_declined_costs_a_further_statement(
    api: Api, card: str, django_assert_num_queries: Any
) -> None:
    number = approved(api)
    order = Order.objects.get()
    with django_assert_num_queries(9):
        assert present(order)["parts"][0]["decline"] is None
    the_bank_thinks(card, number, FUNDS)
    api.post(f"/orders/{number}/charge", {})
    with django_assert_num_queries(10):
        assert present(order)["parts"][0]["decline"] is not None


def test_what_the_processor_itself_does_not_take_is_ours_to_mend_and_no_mail_is_sent(
    api: Api, card: str, mailbox: Any
) -> None:
    number = approved(api, shipping={"method": "Ground", "price": 0}, total=20)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    found = decline(api, number)
    assert (found["code"], found["class"], found["retry_at"], found["grace_until"]) == (
        "processor_refused", "ours", None, None,
    )  # fmt: skip
    assert "please check your payment" not in subjects(api, mailbox, number)
    order = api.order(number)
    assert (order["queue"], order["next_action"], order["blockers"]) == ("payment_problem", "charge", [])
    with after(days=30):
        assert (Line.objects.get().reserved, Part.objects.get().let_go_at) == (2, None)
    all_is_well()


def test_the_mail_says_until_when_goods_are_kept_and_whether_we_try_again(api: Api, card: str, mailbox: Any) -> None:
    number = refused_by(api, card, FUNDS)
    text = mailbox.mails(to=api.order(number)["customer"]["email"])[0]["text"]
    last = shop().today() + timedelta(days=7)
    assert f"We keep your goods until {last:%a} {last.day} {last:%b %Y}" in text
    assert "we try the card once more on" in text
    lost = refused_by(api, card, LOST)
    text = mailbox.mails(to=api.order(lost)["customer"]["email"])[0]["text"]
    assert "use another card" in text
    assert "We do not try the card again by ourselves" in text


# --- tried again ----------------------------------------------------------------------------------------------------


def test_a_card_without_funds_is_tried_again_the_next_day_and_the_order_goes_on(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    with after(hours=23):
        assert len(intents(card, number)) == 1
    the_bank_thinks(card, number, GOOD)
    with after(hours=24.1):
        order = api.order(number)
        assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", TOTAL, "pick")
        assert decline(api, number) is None
    assert [c.actor for c in Charge.objects.order_by("pk")] == ["owner's key", "Counterfoil"]
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_each_further_decline_plans_the_next_try_until_the_schedule_is_used_up(
    api: Api, card: str, mailbox: Any
) -> None:
    number = refused_by(api, card, FUNDS)
    kept = decline(api, number)["grace_until"]
    for hours, tries, more in ((24.1, 2, True), (72.1, 3, True), (120.1, 4, False)):
        with after(hours=hours):
            found = decline(api, number)
            assert (found["attempts"], found["grace_until"]) == (tries, kept)
            assert (found["retry_at"] is not None) is more
    assert len(intents(card, number)) == 4
    # One mail for the decline, one for each reminder; none for a try of ours that failed as before.
    assert subjects(api, mailbox, number).count("please check your payment") == 1
    with after(hours=160):
        assert len(intents(card, number)) == 4
    all_is_well()


def test_a_retry_whose_decline_is_worse_is_the_last_one_and_tells_the_customer(
    api: Api, card: str, mailbox: Any
) -> None:
    number = refused_by(api, card, FUNDS)
    the_bank_thinks(card, number, LOST)
    with after(hours=24.1):
        found = decline(api, number)
        assert (found["class"], found["retry_at"]) == ("never", None)
        assert subjects(api, mailbox, number).count("please check your payment") == 2
    with after(hours=150):
        assert len(intents(card, number)) == 2
    all_is_well()


def test_two_workers_who_try_a_card_again_try_it_once(api: Api, card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = refused_by(api, card, FUNDS)
    whole = charging.charge_order
    once = iter(["a second worker"])

    def after_another(**given: Any) -> Any:
        for _ in once:
            retry_charge(order=number)
        return whole(**given)

    monkeypatch.setattr("counterfoil.steps.charging.overdue.charge_order", after_another)
    with after(hours=24.1):
        pass
    assert len(intents(card, number)) == 2
    all_is_well()


def test_a_retry_that_gets_no_answer_is_asked_for_and_never_repeated(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    the_bank_thinks(card, number, GOOD)
    with (
        fault(card, "lost_answer", count=1, path="/v1/payment_intents/*/confirm"),
        after(hours=24.1),
    ):
        later()
        assert api.order(number)["axes"]["money"] == "charged"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == 2
    all_is_well()


def test_a_retry_waits_for_a_processor_that_is_away(api: Api, card: str, settings: Any) -> None:
    number = refused_by(api, card, FUNDS)
    the_bank_thinks(card, number, GOOD)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with after(hours=24.1):
        assert Part.objects.get().money in {"declined", "charging"}
        settings.STRIPE_API_BASE = card
        later()
        assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_held_order_is_not_tried_and_is_as_soon_as_it_is_released(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    the_bank_thinks(card, number, GOOD)
    hold = hold_order(order=number, reason="ask them", actor=SYSTEM)
    with after(hours=30):
        assert len(intents(card, number)) == 1
        assert judge_all() == []
        release_hold(order=number, hold=hold.pk, actor=SYSTEM)
        settle()
        assert api.order(number)["charged"] == TOTAL
    all_is_well()


def test_a_retry_taken_back_before_it_was_sent_leaves_the_decline_as_it_was(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = refused_by(api, card, FUNDS)
    create = StripeGateway.create_intent

    def hold_and_create(self: StripeGateway, **more: Any) -> Any:
        hold_order(order=number, reason="ask them", actor=SYSTEM)
        return create(self, **more)

    with monkeypatch.context() as busy:
        busy.setattr(StripeGateway, "create_intent", hold_and_create)
        with after(hours=24.1):
            order = api.order(number)
            assert (order["axes"]["money"], order["queue"]) == ("saved", "payment_problem")
            assert decline(api, number)["class"] == "later"
    release_hold(order=number, hold=Hold.objects.get().pk, actor=SYSTEM)
    pays(open_card_page(order=number))
    later()
    assert api.order(number)["charged"] == TOTAL
    all_is_well()


# --- who presses the button -----------------------------------------------------------------------------------------


def test_a_clerk_may_try_a_card_that_may_work_later(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    the_bank_thinks(card, number, GOOD)
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert decline(api, number) is None
    with after(days=9):
        assert api.order(number)["queue"] == "pick"
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_tries_on_another_order_of_the_customer_count_on_the_same_card(api: Api, card: str) -> None:
    with writing():
        change(retry_limits=[{"from": "2021-04-01", "network": "*", "attempts": 3, "days": 30, "source": "test"}])
    zoe = {"name": "Zoë Brontë", "email": "zoe.limit@example.com"}
    first, second = approved(api, customer=zoe), approved(api, customer=zoe)
    for number in (first, second):
        the_bank_thinks(card, number, FUNDS)
    assert [api.post(f"/orders/{n}/charge", {}).status for n in (first, first, second)] == [402] * 3
    refused = api.post(f"/orders/{second}/charge", {})
    assert (refused.status, refused.codes) == (409, {"no_payment_method"})
    assert "as its network allows" in refused.body["blockers"][0]["message"]
    assert decline(api, second)["retry_at"] is None, "a month is longer than the grace"
    assert len(intents(card, first)) + len(intents(card, second)) == 3
    all_is_well()


# --- reminded -------------------------------------------------------------------------------------------------------


def test_the_customer_is_reminded_on_the_second_day_and_the_day_before_the_last_once_each(
    api: Api, card: str, mailbox: Any
) -> None:
    number = refused_by(api, card, LOST)
    last = shop().today() + timedelta(days=7)
    words = f"your order is kept until {last:%a} {last.day} {last:%b %Y}"
    seen = []
    for day in range(1, 8):
        moment = shop().moment_of(shop().today() + timedelta(days=day), datetime.min.time().replace(hour=12))
        with clock.at(moment):
            for _ in range(2):
                sweep()
                settle()
            seen.append(subjects(api, mailbox, number).count(words))
    assert seen == [0, 1, 1, 1, 1, 2, 2]
    text = next(m["text"] for m in mailbox.mails(to=api.order(number)["customer"]["email"]) if words in m["subject"])
    assert "pay with another one" in text
    assert "We do not try the card again by ourselves" in text
    all_is_well()


def test_a_worker_that_was_away_for_days_sends_one_reminder_not_two(api: Api, card: str, mailbox: Any) -> None:
    number = refused_by(api, card, LOST)
    with after(days=6.5):
        sent = [s for s in subjects(api, mailbox, number) if "kept until" in s]
    assert len(sent) == 1
    all_is_well()


def test_a_setting_that_changes_does_not_move_what_was_promised(api: Api, card: str, mailbox: Any) -> None:
    number = refused_by(api, card, LOST)
    kept = decline(api, number)["grace_until"]
    with writing():
        change(grace_days=1, reminder_days=[])
    with after(days=2.9):
        assert any("kept until" in s for s in subjects(api, mailbox, number))
        assert decline(api, number)["grace_until"] == kept
        assert Line.objects.get().reserved == 2
    all_is_well()


# --- let go ---------------------------------------------------------------------------------------------------------


def test_after_the_grace_the_goods_are_anybodys_and_the_customer_is_told_once(
    api: Api, card: str, mailbox: Any
) -> None:
    product(api, stock=2)
    number = refused_by(api, card, FUNDS)
    waiting = approved(api, customer={"name": "Ada Byron", "email": "ada@example.com"})
    assert api.order(waiting)["queue"] == "stock"
    with after(days=8):
        order = api.order(number)
        assert (order["axes"]["stock"], order["axes"]["money"], order["queue"]) == (
            "unchecked", "declined", "payment_problem",
        )  # fmt: skip
        assert order["lines"][0]["reserved"] == 0
        assert decline(api, number)["let_go_at"] is not None
        assert api.order(waiting)["queue"] == "charge", "who waited gets the bottles"
        for _ in range(3):
            sweep()
            settle()
        assert subjects(api, mailbox, number).count("we could not keep your goods any longer") == 1
        assert JournalEvent.objects.filter(kind="goods_let_go").count() == 1
        balance = Balance.objects.get()
        assert (balance.on_hand, balance.reserved, balance.waiting) == (2, 2, 0)
        with writing():
            owe_pay_mail(take(number), key="desk")
        assert subjects(api, mailbox, number)[-1] == "please check your payment"
        text = mailbox.mails(to=order["customer"]["email"])[0]["text"]
        assert "no longer kept for you" in text
        assert "give this card another try" not in text
        assert judge_all() == []
    assert at_the_bank(card, number) == []
    all_is_well()


def test_let_go_goods_are_not_bought_in_again_for_who_does_not_pay(api: Api, card: str) -> None:
    number = declined(api)
    with after(days=8):
        assert api.order(number)["axes"]["stock"] == "unchecked"
        api.done(f"/orders/{number}/stock-check", {})
        assert api.order(number)["lines"][0]["reserved"] == 0
        assert Balance.objects.get().waiting == 0
        assert judge_all() == []
    all_is_well()


def test_after_that_the_pay_link_only_saves_a_card_and_the_order_goes_the_ordinary_way(api: Api, card: str) -> None:
    number = declined(api)
    with after(days=8):
        address = open_card_page(order=number)
        assert PayLink.objects.latest("pk").mode == "setup"
        pays(address)
        later()
        order = api.order(number)
        assert (order["axes"]["money"], order["axes"]["stock"], order["queue"]) == ("saved", "confirmed", "charge")
        assert (order["lines"][0]["reserved"], decline(api, number)) == (2, None)
        assert at_the_bank(card, number) == []
        assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_card_given_when_the_goods_are_gone_is_not_charged(api: Api, card: str) -> None:
    product(api, stock=2)
    number = declined(api)
    with after(days=8):
        assert api.order(approved(api))["queue"] == "charge"
        pays(open_card_page(order=number))
        later()
        order = api.order(number)
        assert (order["axes"]["money"], order["queue"]) == ("saved", "stock")
        assert api.post(f"/orders/{number}/charge", {}).codes == {"line_short"}
        assert judge_all() == []
    assert at_the_bank(card, number) == []
    all_is_well()


def test_a_page_that_stands_open_is_closed_before_the_goods_are_let_go(api: Api, card: str) -> None:
    number = declined(api)
    address = open_card_page(order=number)
    with after(days=8):
        assert PayLink.objects.get().state == "expired"
        assert requests.post(address, data={"card": GOOD}, timeout=10).status_code == 410
        assert decline(api, number)["let_go_at"] is not None
    assert at_the_bank(card, number) == []
    all_is_well()


def test_a_page_that_is_opened_while_the_others_are_closed_is_closed_too(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    opened = list[str]()

    def close_and_meet_the_customer(order: Order) -> None:
        close_links(order)
        if not opened:
            opened.append(open_card_page(order=number))

    monkeypatch.setattr(overdue, "close_links", close_and_meet_the_customer)
    with after(days=8):
        assert decline(api, number)["let_go_at"] is not None
        assert requests.post(opened[0], data={"card": GOOD}, timeout=10).status_code == 410
    assert at_the_bank(card, number) == []
    all_is_well()


def test_a_payment_that_we_have_not_heard_of_keeps_the_goods(api: Api, card: str) -> None:
    number = declined(api)
    pays(open_card_page(order=number))
    with after(days=8):
        order = api.order(number)
        assert (order["axes"]["money"], order["queue"], order["lines"][0]["reserved"]) == ("charged", "pick", 2)
        assert decline(api, number) is None
    assert not JournalEvent.objects.filter(kind="goods_let_go").exists()
    all_is_well()


def test_goods_are_not_let_go_while_the_processor_cannot_be_asked_about_an_open_page(
    api: Api, card: str, settings: Any
) -> None:
    number = declined(api)
    open_card_page(order=number)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with after(days=8):
        assert Line.objects.get().reserved == 2
        settings.STRIPE_API_BASE = card
        later()
        assert Line.objects.get().reserved == 0
    all_is_well()


def test_a_page_paid_although_we_let_the_goods_go_brings_the_order_back(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor told us that the page was closed, and it was not: what it took is a fact."""
    number = declined(api)
    address = open_card_page(order=number)
    PayLink.objects.update(state="expired")
    with after(days=8):
        assert decline(api, number)["let_go_at"] is not None
        pays(address)
        finish_session(session_id=PayLink.objects.get().session_id)
        settle()
        order = api.order(number)
        assert (order["axes"]["money"], order["axes"]["stock"], order["queue"]) == ("charged", "confirmed", "pick")
        assert judge_all() == []
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_nothing_is_let_go_while_we_wait_for_the_customers_answer(api: Api, card: str) -> None:
    number = declined(api)
    asked = api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})
    with after(days=6.9):
        assert Line.objects.get().reserved == 2
    with after(days=8):
        # The question has ended by itself; then the grace has.
        assert api.order(number)["proposals"][0]["state"] == "expired"
        assert Line.objects.get().reserved == 0
    assert asked["token"]
    all_is_well()


# --- what ends it ---------------------------------------------------------------------------------------------------


def nothing_stands() -> None:
    for part in Part.objects.all():
        assert (part.decline_class, part.retry_at, part.grace_until, part.let_go_at) == ("", None, None, None)


def test_a_payment_at_the_page_ends_it_and_the_card_that_paid_is_kept_for_later(api: Api, card: str) -> None:
    number = refused_by(api, card, LOST)
    old = Order.objects.get().card_method
    pays(open_card_page(order=number), "pm_card_mastercard")
    later()
    order = Order.objects.get()
    assert (order.card_brand, order.card_last4, order.card_state) == ("mastercard", "4444", "saved")
    assert order.card_method != old
    assert api.order(number)["queue"] == "pick"
    nothing_stands()
    all_is_well()


def test_the_part_that_comes_later_is_charged_to_the_card_that_paid_the_first(api: Api, card: str) -> None:
    number = in_two_parts(api)
    the_bank_thinks(card, number, LOST)
    later()
    assert api.post(f"/orders/{number}/charge", {"part": 1}).status == 402
    assert api.post(f"/orders/{number}/charge", {"part": 2}).codes == {"no_payment_method"}
    pays(open_card_page(order=number), "pm_card_mastercard")
    later()
    assert [p["money"] for p in api.order(number)["parts"]] == ["charged", "saved"]
    api.done(f"/orders/{number}/charge", {"part": 2})
    assert {(c.brand, c.last4) for c in Charge.objects.filter(state="succeeded")} == {("mastercard", "4444")}
    nothing_stands()
    all_is_well()


def test_who_has_paid_a_part_is_not_told_that_nothing_was_charged(api: Api, card: str, mailbox: Any) -> None:
    number = in_two_parts(api)
    paid = api.done(f"/orders/{number}/charge", {"part": 1})["charged"]
    the_bank_thinks(card, number, LOST)
    assert api.post(f"/orders/{number}/charge", {"part": 2}).status == 402
    later()
    mail = mailbox.mails(subject=f"{number}: please check your payment")[0]
    for words in (mail["text"], mail["html"]):
        assert f"You have paid {show(paid, 'USD')} of it; of the rest nothing has been charged" in words
        assert "Nothing has been charged" not in words
    all_is_well()


@pytest.mark.parametrize("days", [0.5, 8], ids=["within the grace", "after it"])
def test_a_cancellation_ends_it_and_gives_back_what_was_kept(api: Api, card: str, days: float) -> None:
    number = declined(api)
    with after(days=days):
        api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
        settle()
        nothing_stands()
        balance = Balance.objects.get()
        assert (balance.on_hand, balance.reserved, balance.waiting) == (500, 0, 0)
        assert judge_all() == []
    with after(days=20):
        assert len(intents(card, number)) == 1
    all_is_well()


def test_a_change_that_the_customer_agreed_to_has_let_go_goods_kept_anew(api: Api, card: str, mailbox: Any) -> None:
    number = declined(api)
    with after(days=8):
        assert Line.objects.get().reserved == 0
        accepted(api, number, {"kind": "cancel", "line": "PINOT-21", "quantity": 1})
        settle()
        found = decline(api, number)
        assert (found["let_go_at"], found["class"]) == (None, "later")
        assert shop().day_of(datetime.fromisoformat(found["grace_until"])) == shop().today() + timedelta(days=7)
        assert Line.objects.get().reserved == 1
        assert subjects(api, mailbox, number).count("please check your payment") == 2
        assert judge_all() == []
        with after(days=8):
            assert Line.objects.get().reserved == 0
            assert judge_all() == []
    all_is_well()


def test_a_reconciled_charge_ends_it_too(api: Api, card: str) -> None:
    """Somebody charged the customer in the processor's own dashboard."""
    number = declined(api)
    known = Order.objects.select_related("customer").get()
    the_bank_thinks(card, number, GOOD)
    made = gateway().create_intent(
        amount=TOTAL, currency="USD", customer=known.customer.processor_id, method=known.card_method,
        reference={"order": number}, key=f"by-hand-{number}",
    )  # fmt: skip
    done = gateway().confirm_intent(made.id, key=f"by-hand-{number}-confirm")
    with writing():
        book_capture(take(number), done, actor=SYSTEM)
    assert api.order(number)["queue"] == "pick"
    nothing_stands()


# --- the cost -------------------------------------------------------------------------------------------------------


def test_a_sweep_over_declined_orders_comes_to_rest(api: Api, card: str) -> None:
    number = declined(api)
    with after(days=8):
        settle()
        assert sweep() == 0
        assert Order.objects.get(number=number).next_check_at is None
    with after(days=3):
        jobs.drain(worker="again")
    assert not Job.objects.filter(name__startswith="charging.").exists()
