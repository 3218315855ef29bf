"""Fees and payouts: what the processor keeps and sends is in our books, to the cent, once for each of its objects."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
import stripe
from django.db import connections

from counterfoil.core.actor import Actor
from counterfoil.core.errors import Refused
from counterfoil.core.models import Job
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Entry
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.actions import look_at_balance, reconcile, resolve_difference
from counterfoil.steps.charging.clearing import agreements
from counterfoil.steps.charging.models import BalanceEntry, Difference, Payout
from counterfoil.steps.charging.tests.bank import FEE, TOTAL, balance, books, charged, compared, days_pass, ledger
from counterfoil.steps.charging.tests.build import deliver, event, fault, later, signed
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
NET = TOTAL - FEE
CLERK = Actor("person", "Ann", "clerk")


@pytest.fixture
def shop_api(own_bank: str) -> Api:
    """The shop's doors, with a bank of its own behind them."""
    return Api()


def clearing() -> int:
    return books().get("card_clearing", 0)


def test_a_charge_waits_in_clearing_with_its_fee_off_as_the_processor_has_it(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    assert clearing() == TOTAL
    (before,) = agreements()
    assert [(n.order, n.amount, n.waits) for n in before.named] == [(number, TOTAL, True)]
    assert judge_all() == []  # nothing is wrong: its line has not been read
    compared()
    assert clearing() == NET == balance(own_bank)
    assert books()["card_fees"] == FEE
    assert agreements()[0].agrees
    assert BalanceEntry.objects.get().charge == Charge.objects.get()


def test_a_payout_empties_clearing_into_the_bank(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    charged(shop_api)
    days_pass(2)
    compared()
    assert [(p.amount, p.status, p.booked) for p in Payout.objects.all()] == [(2 * NET, "paid", 2 * NET)]
    assert clearing() == 0 == balance(own_bank)
    assert books()["bank"] == 2 * NET
    charged(shop_api)
    compared()
    assert clearing() == NET == balance(own_bank)


def test_looking_again_enters_nothing_twice(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    days_pass(2)
    compared()
    before = (Entry.objects.count(), BalanceEntry.objects.count(), Payout.objects.count())
    for _ in range(2):
        look_at_balance()
        report = reconcile()
        assert (report.repaired, report.differences) == ([], [])
    assert (Entry.objects.count(), BalanceEntry.objects.count(), Payout.objects.count()) == before


def test_a_payout_that_the_bank_sends_back_is_taken_back_and_goes_out_with_the_next(
    shop_api: Api, own_bank: str
) -> None:
    charged(shop_api)
    with fault(own_bank, "payout_fails", path="/v1/payouts", count=1):
        days_pass(2)
        requests.get(f"{own_bank}/healthz", timeout=10)
        reconcile()
    reconcile()
    first = Payout.objects.get()
    assert (first.status, first.booked) == ("failed", 0)
    assert "bank" not in books()
    assert clearing() == NET == balance(own_bank)
    row = Difference.objects.get(closed_at=None)
    assert (row.kind, row.object_id, row.amount) == ("payout_failed", first.payout_id, NET)
    assert judge_all() == []
    with pytest.raises(Refused, match="asked just now: the bank still has came back"):
        resolve_difference(difference=row.pk, actor=CLERK, remedy="ask")
    days_pass(1)
    resolve_difference(difference=row.pk, actor=CLERK, remedy="ask")
    assert not Difference.objects.filter(closed_at=None).exists()
    compared()
    assert clearing() == 0 == balance(own_bank)
    assert books()["bank"] == NET
    assert not Difference.objects.filter(closed_at=None).exists()


def test_a_webhook_brings_fee_and_payout_before_the_night(shop_api: Api, own_bank: str, client: Any) -> None:
    charged(shop_api)
    told = event("payment_intent.succeeded", Charge.objects.get().intent_id, id_="evt_paid")
    assert deliver(client, told, signed(told)) == 200
    settle()
    assert Job.objects.filter(name="charging.balance").count() == 1
    later()
    assert clearing() == NET
    days_pass(2)
    (payout,) = ledger(own_bank)["payouts"]
    told = event("payout.paid", payout["id"], id_="evt_payout")
    for _ in range(2):
        assert deliver(client, told, signed(told)) == 200
        settle()
    assert (clearing(), books()["bank"]) == (0, NET)
    later()
    assert judge_all() == []


def test_charges_in_a_row_are_asked_about_together(shop_api: Api, own_bank: str, client: Any) -> None:
    for n in range(3):
        charged(shop_api)
        told = event("payment_intent.succeeded", Charge.objects.latest("id").intent_id, id_=f"evt_{n}")
        deliver(client, told, signed(told))
    settle()
    assert Job.objects.filter(name="charging.balance").count() == 1


def test_four_days_without_webhooks_leave_no_payout_behind(shop_api: Api, own_bank: str) -> None:
    with fault(own_bank, "webhooks_off"):
        for _ in range(4):
            charged(shop_api)
            days_pass(1)
    report = reconcile()
    assert report.payouts == len(ledger(own_bank)["payouts"]) == Payout.objects.count() > 1
    assert clearing() == balance(own_bank)
    compared()


def test_refunds_and_refunds_that_come_back_leave_clearing_in_agreement(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    shop_api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    settle()
    bouncing = charged(shop_api, card="pm_card_refundFail")
    shop_api.done(f"/orders/{bouncing}/refunds", {"amount": 700, "reason": "corked"})
    settle()
    reconcile()
    reconcile()
    assert clearing() == 2 * NET - 1000 == balance(own_bank)
    assert judge_all() == []


def test_currencies_clear_each_by_itself(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    charged(shop_api, currency="JPY", lines=[{"sku": "PINOT-21", "quantity": 1, "unit_price": 2500}])
    compared()
    yen = next(a for a in agreements() if a.currency == "JPY")
    assert yen.agrees
    assert yen.books == 2500 + 1500 - 116 == balance(own_bank, "jpy")
    days_pass(2)
    compared()
    assert {(p.currency, p.amount) for p in Payout.objects.all()} == {("USD", NET), ("JPY", 4000 - 116)}
    assert [(a.currency, a.books, a.agrees) for a in agreements()] == [("JPY", 0, True), ("USD", 0, True)]


def test_money_of_another_shop_on_the_same_account_stays_out_of_our_books(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    theirs = stripe.StripeClient("sk_test_own", base_addresses={"api": own_bank}, max_network_retries=0).v1
    theirs.payment_intents.create(
        {"amount": 9900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
         "allowed_payment_method_types": ["card"]}
    )  # fmt: skip
    days_pass(2)
    compared()
    payout = Payout.objects.get()
    assert payout.amount > NET == payout.booked
    assert (clearing(), books()["bank"]) == (0, NET)
    assert BalanceEntry.objects.filter(kind="charge").count() == 1


def test_a_charge_that_is_recognised_after_its_payout_corrects_the_payout(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    late = charged(shop_api)
    Charge.objects.filter(part__order__number=late).update(state="confirming")
    days_pass(2)
    look_at_balance(again=True)
    assert Payout.objects.get().booked == NET
    Charge.objects.filter(part__order__number=late).update(state="succeeded")
    compared()
    assert (Payout.objects.get().booked, Payout.objects.get().postings) == (2 * NET, 2)
    assert (clearing(), books()["bank"]) == (0, 2 * NET)


def test_a_line_of_nothing_that_we_know_is_named_and_booked_as_a_fee_with_one_click(
    shop_api: Api, own_bank: str
) -> None:
    charged(shop_api)
    compared()
    seen = BalanceEntry.objects.get()
    BalanceEntry.objects.create(
        entry_id="txn_reserve", kind="other", source_id="", amount=-300, fee=0, net=-300, currency="USD",
        text="Card network fine", made_at=seen.made_at, available_on=seen.available_on,
    )  # fmt: skip
    reconcile()
    row = Difference.objects.get()
    assert (row.kind, row.object_id, row.amount) == ("entry_unknown", "txn_reserve", 300)
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    assert books()["card_fees"] == FEE + 300
    assert reconcile().clean
    assert agreements()[0].agrees


def test_clearing_that_does_not_agree_names_what_it_is_that_differs(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    compared()
    BalanceEntry.objects.update(amount=TOTAL - 40, net=NET - 40)
    (one,) = agreements()
    assert not one.agrees
    assert [(n.order, n.amount, n.waits) for n in one.named] == [(number, 40, False)]
    assert any(number in finding for _, finding in judge_all())
    BalanceEntry.objects.update(amount=TOTAL, net=NET - 40)  # nobody can say what this is
    assert reconcile().differences[0].kind == "clearing_differs"
    assert any("has no name" in finding for _, finding in judge_all())
    row = Difference.objects.get(closed_at=None)
    page = at_the_desk("bookkeeper").get("/desk/bank").content.decode()
    assert "Ask the bank again" in page
    assert "put it right there and ask again" in page
    with pytest.raises(Refused, match="asked just now"):
        resolve_difference(difference=row.pk, actor=CLERK, remedy="ask")
    BalanceEntry.objects.update(net=NET)
    resolve_difference(difference=row.pk, actor=CLERK, remedy="ask")
    assert not Difference.objects.filter(closed_at=None).exists()


def test_a_fee_that_is_not_the_processors_is_found_by_verify(shop_api: Api, own_bank: str) -> None:
    charged(shop_api)
    compared()
    BalanceEntry.objects.update(fee=FEE + 1)
    assert any("the fee is 220 here and 219 at the processor" in finding for _, finding in judge_all())


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_looks_at_once_enter_every_line_once(own_bank: str) -> None:
    api = Api()
    for _ in range(3):
        charged(api)
    days_pass(2)
    failures: list[BaseException] = []

    def look() -> None:
        try:
            look_at_balance(again=True)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert books()["bank"] == 3 * NET
    assert books()["card_fees"] == 3 * FEE
    assert clearing() == 0 == balance(own_bank)
    assert Entry.objects.filter(kind="payout").count() == 1
