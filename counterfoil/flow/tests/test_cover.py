"""Charged, cannot ship: at once in its queue, the customer asked the same day, all refunded after the shop's days."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from conftest import Mailbox
from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import change, shop
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.amend import cover
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order, Part, Proposal, Refund
from counterfoil.records.orders.slip import say_date
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.tests.build import at_the_bank, time_passes
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
OLD, NEW = "SYRAH-19", "SYRAH-20"


@pytest.fixture
def api(card: str) -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 4})
    family = {"producer": "Northfold", "name": "Hill Syrah", "size": "750 ml"}
    product(owner, OLD, price=2000, supplier="Northfold", family={**family, "vintage": 2019})
    product(owner, NEW, price=2100, supplier="Northfold", family={**family, "vintage": 2020})
    return owner


def soon(days: int = 1) -> str:
    """So many of the shop's working days from today."""
    return shop().business_days_from(shop().today(), days).isoformat()


def charged(api: Api, *lines: tuple[str, int], due: tuple[tuple[str, int], ...] = ((OLD, 3),)) -> tuple[str, str]:
    """An order that was charged since its wine is due tomorrow; its number and the purchase order's."""
    number = str(api.done("/orders", order_body(*(lines or ((OLD, 3),))))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon(2)})
    body = {"supplier": "Northfold", "lines": [{"sku": sku, "quantity": units} for sku, units in due]}
    bought = str(api.done("/purchase-orders", body)["number"])
    api.done(f"/purchase-orders/{bought}/confirmation", {"expected": soon(1)})
    api.done(f"/orders/{number}/charge")
    settle()
    assert place(number) == ("charged_waiting", "wait_for_goods")
    return number, bought


def place(number: str) -> tuple[str, str]:
    order = Order.objects.get(number=number)
    return order.queue, order.next_action


def slip(api: Api, bought: str, days: int = 12) -> Any:
    found = api.done(f"/purchase-orders/{bought}/confirmation", {"expected": soon(days)})
    settle()
    return found


def question(number: str) -> Proposal:
    return Proposal.objects.get(order__number=number, state="open")


def sent(number: str, kind: str) -> int:
    return JournalEvent.objects.filter(subject=number, kind=kind).count()


def well() -> None:
    settle()
    assert judge_all() == []


def after(days: int) -> datetime:
    """Noon at the shop, so many of its working days from now."""
    return shop().moment_of(shop().business_days_from(shop().today(), days), time(12))


# --- at once --------------------------------------------------------------------------------------------------------


def test_a_date_that_slips_puts_a_charged_order_there_and_asks_its_customer_the_same_moment(api: Api) -> None:
    product(api, "SYRAH-21", stock=0, price=1900)
    api.done("/stock", {"sku": NEW, "quantity": 6, "reason": "found"})
    number, bought = charged(api)
    told = slip(api, bought)
    assert [(s["order"], s["charged"], s["earliest"]) for s in told["slipped"]] == [(number, True, soon(12))]
    assert place(number) == ("cannot_ship", "wait_for_answer")
    assert api.order(number)["parts"][0]["cover_lost"]["refund_on"] == soon(3)
    asked = question(number)
    assert [c["kind"] for c in asked.choices] == ["later_date", "substitute", "cancel"]
    assert (asked.choices[1]["sku"], asked.choices[1]["difference"]) == (NEW, 0)
    assert asked.choices[0]["date"] >= soon(12)
    assert "give you back the full $" in asked.message
    assert asked.expires_at == shop().moment_of(date.fromisoformat(soon(3)) + timedelta(days=1), time())
    order = Order.objects.get(number=number)
    assert order.deadline is not None
    assert order.deadline <= date.fromisoformat(soon(3))
    well()


@pytest.mark.parametrize("how", ["overdue", "closed short", "date withdrawn"])
def test_however_the_goods_fail_to_come_the_order_goes_there(api: Api, how: str) -> None:
    number, bought = charged(api)
    if how == "closed short":
        api.done(f"/purchase-orders/{bought}/closure", {"reason": "sold out"})
    elif how == "date withdrawn":
        slip(api, bought, 20)
    else:
        with clock.at(after(2)):
            sweep()
            settle()
            assert place(number) == ("cannot_ship", "wait_for_answer")
            assert question(number).made_at.date() == clock.business_now().date()
        return
    settle()
    assert place(number) == ("cannot_ship", "wait_for_answer")
    assert sent(number, "cover_lost") == 1
    well()


def boxed(api: Api, number: str, where: str) -> dict[str, int]:
    """The box that it lies in by now, if that is where it breaks."""
    return {"package": api.done(f"/orders/{number}/packages")["id"]} if where == "in a box" else {}


@pytest.mark.parametrize("where", ["at pick", "at packing", "in a box"])
def test_a_bottle_that_breaks_puts_a_paid_order_there(api: Api, where: str) -> None:
    api.done("/stock", {"sku": OLD, "quantity": 3, "reason": "opening"})
    number = str(api.done("/orders", order_body((OLD, 3)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon(2)})
    api.done(f"/orders/{number}/charge")
    settle()
    assert place(number)[0] == "pick"
    paid = api.order(number)["parts"][0]["charged"]
    if where == "at pick":
        api.done(f"/orders/{number}/picks", {"lines": [{"sku": OLD, "quantity": 2, "short": 1}]})
    else:
        api.done(f"/orders/{number}/picks")
        api.done(f"/orders/{number}/breakages", {"lines": [{"sku": OLD, "quantity": 1}]} | boxed(api, number, where))
    settle()
    assert place(number) == ("cannot_ship", "wait_for_answer")
    part = api.order(number)["parts"][0]
    assert (part["money"], part["charged"], part["refunded"]) == ("charged", paid, 0)
    assert sent(number, "delay_notice_sent") == 1
    well()


@pytest.mark.parametrize("where", ["at pick", "at packing", "in a box"])
def test_what_another_lot_on_the_shelf_replaces_is_no_loss(api: Api, where: str) -> None:
    api.done("/stock", {"sku": OLD, "quantity": 5, "reason": "opening"})
    number = str(api.done("/orders", order_body((OLD, 3)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon(2)})
    api.done(f"/orders/{number}/charge")
    settle()
    if where == "at pick":
        api.done(f"/orders/{number}/picks", {"lines": [{"sku": OLD, "quantity": 2, "short": 1}]})
    else:
        api.done(f"/orders/{number}/picks")
        api.done(f"/orders/{number}/breakages", {"lines": [{"sku": OLD, "quantity": 1}]} | boxed(api, number, where))
    settle()
    assert place(number) == ("pick", "pick")
    assert not Proposal.objects.exists()
    well()


def test_of_several_wines_the_customer_may_do_without_the_one_that_fails(api: Api) -> None:
    product(api, "PINOT-21", stock=10, price=2500)
    number, bought = charged(api, (OLD, 3), ("PINOT-21", 1))
    slip(api, bought)
    without = next(c for c in question(number).choices if c["kind"] == "cancel" and c["line"] is not None)
    assert (without["quantity"], without["old_sku"]) == (3, OLD)
    token = question(number).token
    api.done(f"/proposals/{token}/answer", {"choice": question(number).choices.index(without)})
    settle()
    order = api.order(number)
    assert order["refunded"] == 3 * 2000
    assert order["queue"] == "pick"
    assert order["parts"][0]["cover_lost"] is None
    well()


# --- what the customer says -----------------------------------------------------------------------------------------


def test_who_agrees_to_wait_waits_until_that_day_and_is_asked_again_when_it_is_over(api: Api) -> None:
    number, bought = charged(api)
    slip(api, bought)
    api.done(f"/proposals/{question(number).token}/answer", {"choice": 0})
    settle()
    assert place(number) == ("charged_waiting", "wait_for_goods")
    with clock.at(after(5)):
        sweep()
        settle()
        assert place(number) == ("charged_waiting", "wait_for_goods"), "the refund's day is theirs no more"
    slip(api, bought, 20)
    assert place(number) == ("cannot_ship", "wait_for_answer"), "a later date than they agreed to"
    assert Proposal.objects.filter(order__number=number).count() == 2
    well()


def test_a_substitute_that_they_choose_ships_at_no_higher_price(api: Api) -> None:
    api.done("/stock", {"sku": NEW, "quantity": 3, "reason": "found"})
    number, bought = charged(api)
    slip(api, bought)
    api.done(f"/proposals/{question(number).token}/answer", {"choice": 1})
    settle()
    order = api.order(number)
    assert (order["queue"], order["total"], order["refunded"]) == ("pick", order["charged"], 0)
    assert {ln["sku"]: ln["reserved"] for ln in order["lines"]} == {OLD: 0, NEW: 3}
    well()


def test_goods_that_come_after_all_take_the_question_back_and_the_customer_is_told(api: Api) -> None:
    number, bought = charged(api)
    slip(api, bought)
    token = question(number).token
    api.done(f"/purchase-orders/{bought}/confirmation", {"expected": soon(1)})
    settle()
    assert place(number) == ("charged_waiting", "wait_for_goods")
    assert Proposal.objects.get(token=token).state == "withdrawn"
    assert api.post(f"/proposals/{token}/answer", {"choice": 0}).status == 409
    assert sent(number, "cover_back") == 1
    assert Part.objects.get(order__number=number).cover_refund_on is None
    with clock.at(after(6)):
        clock_goods(api, bought)
        sweep()
        settle()
        assert place(number)[0] == "pick", "and nothing was refunded"
    assert not Refund.objects.exists()


def clock_goods(api: Api, bought: str) -> None:
    api.done("/goods-receipts", {"purchase_order": bought, "lines": [{"sku": OLD, "received": 3}]})


def test_who_is_being_asked_by_a_clerk_hears_of_the_loss_the_same_day_and_keeps_what_was_offered(
    api: Api, mailbox: Mailbox
) -> None:
    api.done("/stock", {"sku": NEW, "quantity": 3, "reason": "found"})
    number, bought = charged(api)
    theirs = [
        {"kind": "later_date", "date": soon(4)},
        {"kind": "substitute", "line": OLD, "sku": NEW, "quantity": 2, "price": 1900},
        {"kind": "cancel"},
    ]
    first = api.done(f"/orders/{number}/proposals", {"choices": theirs, "message": "Would the 2020 do?"})
    slip(api, bought)
    assert place(number) == ("cannot_ship", "wait_for_answer")
    assert [q.state for q in Proposal.objects.filter(order__number=number).order_by("pk")] == ["withdrawn", "open"]
    late = api.post(f"/proposals/{first['token']}/answer", {"choice": 1})
    assert (late.status, "asked you anew" in late.body["detail"]) == (409, True)
    asked = question(number)
    # One question: ours, with what of the clerk's still stands; their day is not true any more.
    assert [(c["kind"], c.get("price")) for c in asked.choices] == [
        ("later_date", None), ("substitute", 2000), ("substitute", 1900), ("cancel", None)
    ]  # fmt: skip
    assert asked.choices[0]["date"] == soon(12)
    assert "Would the 2020 do?" in asked.message
    part = Part.objects.get(order__number=number)
    assert (part.cover_question, str(part.cover_refund_on)) == (asked.pk, soon(3))
    (mail,) = mailbox.mails(to=Order.objects.get(number=number).email, subject="a delay, and your choice")
    assert "we cancel the order and give you back the full" in " ".join(mail["text"].split())
    # They take two; the third is missing still: they are asked about that one, and its money goes back on the day.
    api.done(f"/proposals/{asked.token}/answer", {"choice": 2})
    settle()
    assert place(number) == ("cannot_ship", "wait_for_answer")
    assert "You have paid for 1 ×" in question(number).message
    well()
    with clock.at(after(4)):
        sweep()
        settle()
        assert api.order(number)["status"] == "cancelled"


def test_of_two_wines_that_fail_each_has_what_stands_in_or_is_left_out_and_the_price_is_said(api: Api) -> None:
    product(api, "GAMAY-19", price=1500, supplier="Northfold")
    api.done("/stock", {"sku": NEW, "quantity": 3, "reason": "found"})
    lines = ((OLD, 3), ("GAMAY-19", 2))
    number, bought = charged(api, *lines, due=lines)
    slip(api, bought)
    asked = question(number)
    assert [c["kind"] for c in asked.choices] == ["later_date", "change", "cancel"]
    assert asked.choices[1]["text"].endswith(f", ships {say_date(date.fromisoformat(asked.choices[1]['date']))}")
    change = asked.choices[1]
    assert change["text"].startswith("3 × Wine SYRAH-20 instead of 2019, at the same price; without 2 × Wine GAMAY-19")
    assert (change["difference"], held(NEW)) == (-2 * 1500, 3)
    api.done(f"/proposals/{asked.token}/answer", {"choice": 1})
    settle()
    order = api.order(number)
    assert (order["queue"], order["refunded"]) == ("pick", 2 * 1500)
    assert {ln["sku"]: ln["reserved"] for ln in order["lines"]} == {OLD: 0, NEW: 3, "GAMAY-19": 0}
    well()


def held(sku: str) -> int:
    return Balance.objects.get(product__sku=sku).reserved


# --- the refund -----------------------------------------------------------------------------------------------------


def test_without_an_answer_all_of_it_goes_back_by_itself_after_the_shops_days(
    api: Api, card: str, mailbox: Mailbox
) -> None:
    number, bought = charged(api)
    total = api.order(number)["total"]
    slip(api, bought)
    with clock.at(after(3)):
        sweep()
        settle()
        assert place(number) == ("cannot_ship", "wait_for_answer"), "the last day is theirs to the end"
    with clock.at(after(4)):
        sweep()
        settle()
        order = api.order(number)
        assert (order["status"], order["refunded"], order["parts"][0]["money"]) == ("cancelled", total, "charged")
        assert "no answer" in JournalEvent.objects.get(subject=number, kind="order_cancelled").text
        sweep()
        settle()
        assert at_the_bank(card, number) == [(total, total)]
        to = Order.objects.get(number=number).email
        subjects = [m["subject"] for m in mailbox.mails(to=to)]
        assert len([s for s in subjects if s.endswith("is cancelled")]) == 1, subjects
        assert len([s for s in subjects if s.endswith("a delay, and your choice")]) == 1, subjects
        assert judge_all() == []


def test_the_shop_decides_how_many_days(api: Api) -> None:
    with writing():
        change(cannot_ship_days=1)
    number, bought = charged(api)
    slip(api, bought)
    assert api.order(number)["parts"][0]["cover_lost"]["refund_on"] == soon(1)
    with pytest.raises(ValueError, match="cannot_ship_days"), writing():
        change(cannot_ship_days=0)


def test_who_said_none_of_these_is_refunded_on_the_same_day_unless_a_person_finds_another_way(api: Api) -> None:
    number, bought = charged(api)
    slip(api, bought)
    api.done(f"/proposals/{question(number).token}/answer", {"decline": True})
    settle()
    assert place(number) == ("cannot_ship", "offer_alternative")
    assert Proposal.objects.filter(order__number=number).count() == 1, "not the same question again"
    with clock.at(after(4)):
        sweep()
        settle()
        assert api.order(number)["status"] == "cancelled"


def test_a_question_that_is_still_open_is_waited_for_and_then_it_goes_back(api: Api) -> None:
    number, bought = charged(api)
    slip(api, bought)
    api.done(f"/proposals/{question(number).token}/answer", {"decline": True})
    until = after(8).isoformat().replace("+00:00", "Z")
    choices = [{"kind": "later_date", "date": soon(20)}]
    api.done(f"/orders/{number}/proposals", {"choices": choices, "expires_at": until})
    with clock.at(after(5)):
        sweep()
        settle()
        assert place(number) == ("cannot_ship", "wait_for_answer"), "a clerk has named the customer a later day"
    with clock.at(after(9)):
        sweep()
        settle()
        assert api.order(number)["status"] == "cancelled"


@pytest.mark.parametrize("at", ["note_cover_lost", "ask_uncovered", "refund_uncovered"])
def test_killed_between_any_two_steps_it_is_done_once_all_the_same(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    number, bought = charged(api)
    real: Callable[[str], bool] = cover.COVER[at]
    dies = iter([True])

    def killed(order: str) -> bool:
        if next(dies, False):
            with writing():
                real(order)
                raise SystemError("the process dies before the commit")
        return real(order)

    monkeypatch.setitem(cover.COVER, at, killed)
    api.post(f"/purchase-orders/{bought}/confirmation", {"expected": soon(12)})
    for _ in range(3):
        later()
    assert (sent(number, "cover_lost"), sent(number, "delay_notice_sent")) == (1, 1)
    if at == "refund_uncovered":
        api.done(f"/proposals/{question(number).token}/answer", {"decline": True})
    last = after(4)
    for minutes in (0, 2, 4):  # what failed is looked at again a minute later
        with clock.at(last + timedelta(minutes=minutes)):
            sweep()
            later()
    order = api.order(number)
    assert (order["status"], order["refunded"]) == ("cancelled", order["charged"])
    assert len(at_the_bank(card, number)) == 1
    assert sent(number, "order_cancelled") == 1
    assert next(dies, "has died") == "has died"


def later() -> None:
    time_passes()
    settle()


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_refund_at_the_same_moment_leave_one_of_both(api: Api, card: str) -> None:
    number, bought = charged(api)
    slip(api, bought)
    token = question(number).token
    with clock.at(after(4)):
        Proposal.objects.filter(token=token).update(expires_at=clock.business_now() + timedelta(seconds=1))

        def run(act: Callable[[], object]) -> None:
            try:
                act()
            finally:
                connection.close()

        todo: list[Callable[[], object]] = [lambda: advance(number)] * 3
        todo.append(lambda: api.post(f"/proposals/{token}/answer", {"choice": 0}))
        threads = [threading.Thread(target=run, args=(act,)) for act in todo]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        later()
        order = api.order(number)
        chosen = Proposal.objects.get(token=token).state == "accepted"
        assert order["status"] == ("processing" if chosen else "waiting_for_customer"), order["status"]
        assert order["refunded"] == 0
        Proposal.objects.filter(token=token, state="open").update(expires_at=clock.business_now())
        later()
        advance(number)
        later()
        order = api.order(number)
        assert (order["refunded"] > 0) is (not chosen)
        assert judge_all() == []
