"""15 to 17. Promises that cannot be kept: told in time; silence counts where the rule says so; else all goes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Notice, Order, Promise, Refund
from counterfoil.steps.charging.tests.build import at_the_bank
from tests.scenarios.moving import own_sandbox, time_passes
from tests.support import Api, order_body, product, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]
ANN = {"name": "Ann Moreau", "email": "ann.moreau@example.com"}


@pytest.fixture
def bank(settings: Any, tmp_path: Path) -> Iterator[str]:
    with own_sandbox(settings, tmp_path) as address:
        yield address


@pytest.fixture
def api(bank: str, mailbox: Any) -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 7})
    product(owner, supplier="Northfold")
    return owner


def day(after: int) -> date:
    return shop().today() + timedelta(days=after)


def subjects(mailbox: Any) -> list[str]:
    """Of the customer's mails since her last order, oldest first."""
    settle()
    newest_first = [m["subject"] for m in mailbox.mails(to=ANN["email"])]
    placed = next(i for i, s in enumerate(newest_first) if s.startswith("We have your order"))
    return newest_first[: placed + 1][::-1]


def delays(mailbox: Any) -> int:
    return sum("a delay, and your choice" in s for s in subjects(mailbox))


def placed(api: Api, **more: Any) -> str:
    number = str(api.done("/orders", order_body(customer=ANN, **more))["number"])
    settle()
    return number


def promised(api: Api, *, ships_in: int, comes_in: int) -> tuple[str, str]:
    """An order for what is not here, promised for one day; the supplier has confirmed that day. Its purchase order."""
    number = placed(api)
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(ships_in).isoformat()})
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "PINOT-21", "quantity": 2}]})
    confirm(api, po["number"], comes_in)
    return number, po["number"]


def confirm(api: Api, po: str, comes_in: int) -> None:
    api.done(f"/purchase-orders/{po}/confirmation", {"expected": day(comes_in).isoformat()})
    settle()


def days_pass(days: int) -> None:
    for _ in range(days):
        time_passes(days=1)


def promise_of(api: Api, number: str) -> dict[str, Any]:
    found: dict[str, Any] = api.order(number)["parts"][0]["promise"]
    return found


def events(number: str) -> list[str]:
    return list(JournalEvent.objects.filter(subject=number).order_by("id").values_list("kind", flat=True))


# --- 15 -------------------------------------------------------------------------------------------------------------


def test_scenario_15_without_a_stated_date_the_notice_goes_out_before_day_30(api: Api, mailbox: Any) -> None:
    number = placed(api)
    legal = day(30)
    order = api.order(number)
    assert (order["status"], order["parts"][0]["promise"]["date"]) == ("pending", None)
    assert order["parts"][0]["promise"]["legal_deadline"] == legal.isoformat()
    days_pass(24)
    assert delays(mailbox) == 0
    days_pass(1)
    assert delays(mailbox) == 1
    notice = Notice.objects.get()
    assert (notice.rule, notice.silence, notice.promised) == ("16 CFR 435", "consents", None)
    assert notice.answer_by <= legal
    assert notice.offered is not None
    assert notice.offered > legal
    mail = mailbox.mails(to=ANN["email"])[0]
    assert "Cancel the order; nothing is charged" in mail["text"]
    assert f"/orders/{Order.objects.get(number=number).token}" in mail["text"]
    assert promise_of(api, number)["legal_deadline"] == legal.isoformat()
    # Told once, however often one looks.
    days_pass(2)
    assert delays(mailbox) == 1
    assert judge_all() == []


def test_scenario_15_the_clock_of_an_order_that_is_stopped_runs_on_and_shows(api: Api, mailbox: Any) -> None:
    api.done("/stock", {"sku": "PINOT-21", "quantity": 6, "reason": "opening stock"})
    number = placed(api)
    api.done(f"/orders/{number}/holds", {"reason": "odd address"})
    legal = day(30)
    days_pass(25)
    assert promise_of(api, number)["legal_deadline"] == legal.isoformat()
    assert delays(mailbox) == 1
    assert judge_all() == []


def test_scenario_15_what_can_leave_today_is_nobody_s_delay(api: Api, mailbox: Any) -> None:
    api.done("/stock", {"sku": "PINOT-21", "quantity": 6, "reason": "opening stock"})
    number = placed(api)
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(1).isoformat()})
    days_pass(29)
    assert (api.order(number)["queue"], delays(mailbox)) == ("charge", 0)
    assert judge_all() == []


# --- 17 -------------------------------------------------------------------------------------------------------------


def test_scenario_17_silence_to_a_first_definite_delay_is_consent(api: Api, mailbox: Any) -> None:
    number, po = promised(api, ships_in=8, comes_in=8)
    assert delays(mailbox) == 0
    old, new = day(8), day(20)
    confirm(api, po, 20)
    offered = shop().working_day(new)
    assert delays(mailbox) == 1
    order = api.order(number)
    assert (order["queue"], order["next_action"], order["status"]) == ("promise", "wait_for_answer", "processing")
    assert Notice.objects.get().answer_by == old
    days_pass(8)
    assert promise_of(api, number)["version"] == 1
    days_pass(1)
    kept = Promise.objects.get(part__order__number=number, version=2)
    assert (kept.date, kept.consent, kept.rule, kept.delay) == (offered, "implied", "16 CFR 435", True)
    assert kept.notice == Notice.objects.get()
    found = promise_of(api, number)
    assert (found["version"], found["date"], found["consent"]) == (2, offered.isoformat(), "implied")
    assert events(number).count("delay_consent_implied") == 1
    # It goes on: the goods come, and it is charged and sent.
    api.done("/goods-receipts", {"purchase_order": po, "lines": [{"sku": "PINOT-21", "received": 2}]})
    settle()
    assert api.order(number)["queue"] == "charge"
    api.done(f"/orders/{number}/charge", {})
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1Z1"})):
        api.done(f"/orders/{number}/{act}", body)
    settle()
    days_pass(1)
    assert api.order(number)["status"] == "shipped"
    assert judge_all() == []


def test_scenario_17_the_customer_says_wait_and_it_is_their_express_consent(api: Api, mailbox: Any) -> None:
    number, po = promised(api, ships_in=8, comes_in=8)
    confirm(api, po, 20)
    asked = api.order(number)["proposals"][0]
    assert [c["kind"] for c in asked["choices"]] == ["later_date", "cancel"]
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    settle()
    kept = Promise.objects.get(part__order__number=number, version=2)
    assert (kept.consent, kept.delay, kept.notice) == ("express", True, Notice.objects.get())
    assert Notice.objects.get().outcome == "wait"
    assert (api.order(number)["queue"], delays(mailbox)) == ("goods", 1)
    assert judge_all() == []


def test_scenario_17_a_supplier_who_is_in_time_after_all_ends_the_question(api: Api, mailbox: Any) -> None:
    number, po = promised(api, ships_in=8, comes_in=8)
    confirm(api, po, 20)
    confirm(api, po, 7)
    assert subjects(mailbox)[-1] == f"{number}: it does not have to wait after all"
    assert (Notice.objects.get().outcome, api.order(number)["queue"]) == ("withdrawn", "goods")
    assert promise_of(api, number)["version"] == 1
    assert judge_all() == []


# --- 16 -------------------------------------------------------------------------------------------------------------


def test_scenario_16_no_reply_to_a_second_delay_cancels_and_nothing_is_charged(
    api: Api, bank: str, mailbox: Any
) -> None:
    number, po = promised(api, ships_in=8, comes_in=8)
    confirm(api, po, 20)
    days_pass(9)
    assert promise_of(api, number)["consent"] == "implied"
    confirm(api, po, 30)  # the second one, 39 days after the placing
    assert delays(mailbox) == 2
    second = Notice.objects.order_by("id").last()
    assert second is not None
    assert second.silence == "cancels"
    legal = date.fromisoformat(promise_of(api, number)["legal_deadline"])
    assert second.answer_by == legal
    order = api.order(number)
    assert (order["queue"], order["status"]) == ("question", "waiting_for_customer")
    days_pass((legal - shop().today()).days)
    assert api.order(number)["status"] == "waiting_for_customer"
    days_pass(1)
    order = api.order(number)
    assert (order["status"], order["axes"]["money"], order["charged"]) == ("cancelled", "voided", 0)
    assert subjects(mailbox)[-1] == f"{number} is cancelled"
    assert at_the_bank(bank, number) == []
    assert events(number).count("order_cancelled") == 1
    days_pass(2)
    assert judge_all() == []


def test_scenario_16_all_money_returns_unasked_and_once(api: Api, bank: str, mailbox: Any) -> None:
    number, po = promised(api, ships_in=1, comes_in=1)
    total = api.done(f"/orders/{number}/charge", {})["charged"]
    assert total == 6500
    confirm(api, po, 70)  # paid, and late by more than silence can agree to
    notice = Notice.objects.get()
    assert notice.silence == "cancels"
    days_pass((notice.answer_by - shop().today()).days + 1)
    order = api.order(number)
    assert (order["status"], order["refunded"]) == ("cancelled", total)
    assert at_the_bank(bank, number) == [(total, total)]
    assert Refund.objects.count() == 1
    days_pass(3)
    assert at_the_bank(bank, number) == [(total, total)]
    assert judge_all() == []


def test_scenario_16_a_delay_that_nobody_can_date_wants_a_yes(api: Api, bank: str, mailbox: Any) -> None:
    product(api, "LAST-19", stock=2, sell_when_out="stop")
    number = placed(api, lines=[{"sku": "LAST-19", "quantity": 2}])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(3).isoformat()})
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/picks", {"lines": [{"sku": "LAST-19", "quantity": 1, "short": 1}]})
    settle()
    days_pass(1)
    notice = Notice.objects.get()
    assert (notice.offered, notice.silence) == (None, "cancels")
    assert "We do not know yet when we can ship it" in mailbox.mails(to=ANN["email"])[0]["text"]
    days_pass((notice.answer_by - shop().today()).days + 1)
    assert (api.order(number)["status"], at_the_bank(bank, number)) == ("cancelled", [(6500, 6500)])
    assert judge_all() == []


def test_scenario_16_who_waits_without_a_date_is_left_to_wait(api: Api, bank: str, mailbox: Any) -> None:
    product(api, "LAST-19", stock=2, sell_when_out="stop")
    number = placed(api, lines=[{"sku": "LAST-19", "quantity": 2}])
    api.done(f"/orders/{number}/approval", {"ship_estimate": day(3).isoformat()})
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/picks", {"lines": [{"sku": "LAST-19", "quantity": 1, "short": 1}]})
    days_pass(1)
    asked = api.order(number)["proposals"][0]
    assert asked["choices"][0]["text"].startswith("Wait: you get the date as soon as we know it")
    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    settle()
    found = promise_of(api, number)
    assert (found["date"], found["legal_deadline"], found["consent"]) == (None, None, "express")
    days_pass(40)
    assert api.order(number)["status"] == "processing"
    assert judge_all() == []


def test_scenario_16_a_question_of_a_clerk_s_does_not_stop_the_clock(api: Api, bank: str, mailbox: Any) -> None:
    number = placed(api)
    days_pass(24)
    choices = [{"kind": "later_date", "date": day(60).isoformat()}, {"kind": "cancel"}]
    api.done(f"/orders/{number}/proposals", {"choices": choices, "expires_at": f"{day(90).isoformat()}T12:00:00Z"})
    days_pass(1)
    notice = Notice.objects.get()
    assert (notice.silence, notice.answer_by) == ("cancels", day(5))
    assert delays(mailbox) == 1, "by when to answer, and what happens else"
    days_pass(6)
    assert api.order(number)["status"] == "cancelled"
    assert judge_all() == []
