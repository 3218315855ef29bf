"""Disputes: a task with its deadline, an answer given once, and money that is never counted or given back twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connections

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.errors import Forbidden, Invalid, Refused, StillAsking
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.stripe import settlement
from counterfoil.records.orders.models import Order, Part, Refund
from counterfoil.records.orders.slip import say_moment
from counterfoil.steps.charging import answering
from counterfoil.steps.charging.actions import (
    accept_loss,
    look_at_dispute,
    own_dispute,
    reconcile,
    retry_refund,
    send_evidence,
)
from counterfoil.steps.charging.disputes import take_in
from counterfoil.steps.charging.evidence import pack_of
from counterfoil.steps.charging.models import Dispute
from counterfoil.steps.charging.tests.bank import (
    DISPUTE_FEE,
    FEE,
    TOTAL,
    balance,
    books,
    charged,
    compared,
    days_pass,
    disputed,
    ledger,
    only,
    place,
    ship,
    verdict,
)
from counterfoil.steps.charging.tests.build import deliver, event, fault, later, signed
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
ANN = Actor("person", "Ann", "clerk")
BOB = Actor("person", "Bob", "bookkeeper")
ANSWER = "/v1/disputes/*"


@pytest.fixture
def shop_api(own_bank: str) -> Api:
    """The shop's doors, with a bank of its own behind them."""
    return Api()


def kinds(number: str) -> list[str]:
    """What the timeline says of disputes, oldest first."""
    found = JournalEvent.objects.filter(subject=number, kind__startswith="dispute").order_by("id")
    return list(found.values_list("kind", flat=True))


def in_dispute(api: Api, sandbox: str, *, shipped: bool = True, **more: Any) -> tuple[str, Dispute]:
    """An order that its customer disputes, taken in by a comparison."""
    number = charged(api)
    if shipped:
        ship(api, number)
    disputed(sandbox, number, **more)
    reconcile()
    return number, Dispute.objects.get(order__number=number)


# --- taken in -------------------------------------------------------------------------------------------------------


def test_a_chargeback_is_a_task_with_the_banks_own_deadline(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    (there,) = ledger(own_bank)["disputes"]
    assert row.due_by is not None
    assert int(row.due_by.timestamp()) == there["due_by"]
    order = Order.objects.get(number=number)
    assert (order.queue, order.next_action) == ("bank_differs", "answer_dispute")
    assert order.deadline == shop().day_of(row.due_by)
    assert (row.state, row.inquiry, row.amount, row.held) == ("open", False, TOTAL, TOTAL)
    assert kinds(number) == ["dispute_opened"]
    compared()
    assert books()["disputes"] == TOTAL
    assert books()["card_fees"] == FEE + DISPUTE_FEE
    assert books()["card_clearing"] == balance(own_bank) == -FEE - DISPUTE_FEE


def test_an_inquiry_takes_nothing_and_still_wants_an_answer(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank, inquiry=True)
    assert (row.inquiry, row.held) == (True, 0)
    assert place(number) == ("bank_differs", "answer_dispute")
    assert "disputes" not in books()
    compared()
    shop_api.done(f"/orders/{number}/refunds", {"reason": "as they asked"})
    later()
    reconcile()
    assert only().state == "closed"
    assert kinds(number) == ["dispute_opened", "dispute_closed"]
    assert place(number)[0] != "bank_differs"
    compared()


def test_a_webhook_is_a_hint_and_the_same_one_five_times_is_one_dispute(
    shop_api: Api, own_bank: str, client: Any
) -> None:
    number = charged(shop_api)
    dispute = disputed(own_bank, number)
    for n in range(5):
        told = event("charge.dispute.created", dispute, id_=f"evt_{n % 2}")
        assert deliver(client, told, signed(told)) == 200
        settle()
    assert place(number) == ("bank_differs", "answer_dispute")
    assert kinds(number) == ["dispute_opened"]
    compared()


def test_a_dispute_of_somebody_elses_charge_is_left_alone(shop_api: Api, own_bank: str, client: Any) -> None:
    told = event("charge.dispute.created", "du_nobody_knows")
    assert deliver(client, told, signed(told)) == 200
    settle()
    assert not Dispute.objects.exists()
    assert not Job.objects.filter(state="dead").exists()


def test_four_days_of_lost_webhooks_about_disputes_are_found(shop_api: Api, own_bank: str) -> None:
    with fault(own_bank, "webhooks_off"):
        opened, lost, won = charged(shop_api), charged(shop_api), charged(shop_api)
        for number in (opened, lost, won):
            disputed(own_bank, number)
        verdict(own_bank, next(d["id"] for d in ledger(own_bank)["disputes"][1:2]), "lost")
        verdict(own_bank, next(d["id"] for d in ledger(own_bank)["disputes"][2:3]), "won")
        days_pass(4)
    reconcile()
    states = dict(Dispute.objects.values_list("order__number", "state"))
    assert states == {opened: "open", lost: "lost", won: "won"}
    assert kinds(lost) == ["dispute_opened", "dispute_lost"]
    assert kinds(won) == ["dispute_opened", "dispute_won"]
    compared()


def test_what_comes_late_and_says_less_than_we_know_changes_nothing(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    dispute = disputed(own_bank, number)
    early = gateway().get_dispute(dispute)
    verdict(own_bank, dispute, "lost")
    take_in(gateway().get_dispute(dispute))
    take_in(early)
    assert only().state == "lost"
    assert kinds(number) == ["dispute_opened", "dispute_lost"]
    compared()


def test_an_inquiry_that_becomes_a_chargeback_is_answered_anew(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank, inquiry=True)
    send_evidence(dispute=row.pk, actor=ANN)
    assert place(number)[0] == "transit"
    verdict(own_bank, row.dispute_id, "escalated")
    reconcile()
    row = only()
    assert (row.state, row.inquiry, row.held, row.answer) == ("open", False, TOTAL, "")
    assert place(number) == ("bank_differs", "answer_dispute")
    assert send_evidence(dispute=row.pk, actor=ANN).state == "answered"
    assert kinds(number) == ["dispute_opened", "dispute_answered"] * 2
    assert Document.objects.filter(kind="evidence").count() == 2
    compared()


# --- answered -------------------------------------------------------------------------------------------------------


def test_the_bank_is_told_of_no_answer_that_the_customer_did_not_give(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    wait = {"choices": [{"kind": "later_date", "date": shop().today().isoformat()}]}
    ways: list[dict[str, Any]] = [{"choice": 0}, {"decline": True}, {}, {"late": True}]
    for way in ways:
        token = shop_api.done(f"/orders/{number}/proposals", wait)["token"]
        if not way:
            assert shop_api.ask("DELETE", f"/orders/{number}/proposals/{token}").status == 204
        elif "late" in way:
            days_pass(8)
        else:
            shop_api.done(f"/proposals/{token}/answer", way)
        settle()
    disputed(own_bank, number)
    reconcile()
    asked = next(s for s in pack_of(only())["sections"] if s["title"] == "Questions and answers")
    ends = [row["what"] for row in asked["rows"] if " offered: " not in row["what"]]
    assert [end.split(":")[0] for end in ends] == [
        "The customer's answer (link)", "The customer's answer (link)", "The question was taken back",
        "No answer came in time",
    ]  # fmt: skip
    # Who orders by telephone agrees where they give their card, and not before.
    Order.objects.update(channel="phone", card_source="", placed_at=clock.business_now() - timedelta(days=3))
    (agreed,) = next(s for s in pack_of(only())["sections"] if s["title"] == "Agreement to the later charge")["rows"]
    saved = JournalEvent.objects.get(subject=number, kind="card_saved")
    assert "agreed at the card page, as they gave their card, that" in agreed["what"]
    assert agreed["when"] == say_moment(saved.at) != say_moment(Order.objects.get().placed_at)


def test_the_evidence_goes_to_the_bank_once_and_the_order_goes_on(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    row = send_evidence(dispute=row.pk, actor=ANN)
    assert (row.state, row.answered_by, row.owner) == ("answered", "Ann", "Ann")
    there = _there(own_bank, row)
    assert there["status"] == "under_review"
    told = there["evidence"]
    assert told["customer_name"] == "Zoë Brontë"
    assert told["shipping_tracking_number"] == "1Z999AA10123456784"
    assert told["product_description"] == "2 × Wine PINOT-21"
    assert number in told["uncategorized_text"]
    assert place(number)[0] == "transit"
    assert Order.objects.get(number=number).deadline is None
    with pytest.raises(Refused):
        send_evidence(dispute=row.pk, actor=BOB)
    assert kinds(number) == ["dispute_opened", "dispute_answered"]
    paper = Document.objects.get(kind="evidence")
    assert (paper.number, paper.subject) == (row.document, number)
    compared()


def _there(sandbox: str, row: Dispute) -> dict[str, Any]:
    found = requests.get(f"{sandbox}/_ledger", timeout=10).json()["objects"]["dispute"]
    return next(d for d in found if d["id"] == row.dispute_id)


def test_our_own_words_go_instead_of_the_summary(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    send_evidence(dispute=row.pk, actor=ANN, text="  winning_evidence ")
    reconcile()
    assert only().state == "won"
    assert kinds(number) == ["dispute_opened", "dispute_answered", "dispute_won"]
    compared()
    assert books()["card_clearing"] == TOTAL - FEE == balance(own_bank)
    assert "disputes" not in books()


def test_a_card_number_in_our_words_does_not_reach_the_bank(shop_api: Api, own_bank: str) -> None:
    _, row = in_dispute(shop_api, own_bank)
    said = {"text": "Paid with 4111 1111 1111 1111, signed for at the door."}
    shop_api.done(f"/disputes/{row.pk}/evidence", said)
    words = _there(own_bank, row)["evidence"]["uncategorized_text"]
    assert "4111 1111" not in words
    assert "•••• 1111" in words


def test_an_answer_whose_outcome_was_lost_is_asked_for_and_not_given_twice(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    with fault(own_bank, "lost_answer", path=ANSWER, count=1), pytest.raises(StillAsking):
        send_evidence(dispute=row.pk, actor=ANN)
    assert only().submitted_at is None
    with pytest.raises(Refused, match="Ann is just answering"):
        accept_loss(dispute=row.pk, actor=BOB)
    later()
    row = only()
    assert (row.state, row.answered_by) == ("answered", "Ann")
    assert _there(own_bank, row)["evidence_details"]["submission_count"] == 1
    assert kinds(number) == ["dispute_opened", "dispute_answered"]
    assert not Job.objects.filter(name="charging.answer").exists()
    compared()


def test_an_answer_that_never_left_goes_out_by_its_job_even_after_a_day(shop_api: Api, own_bank: str) -> None:
    _, row = in_dispute(shop_api, own_bank)
    with fault(own_bank, "error_500", path=ANSWER, count=1), pytest.raises(StillAsking):
        send_evidence(dispute=row.pk, actor=ANN)
    key = only().answer_key
    Dispute.objects.update(asked_at=clock.real_now() - timedelta(hours=21))
    later()
    assert only().state == "answered"
    assert only().answer_key == f"{key}~2"
    assert _there(own_bank, row)["evidence_details"]["submission_count"] == 1


def test_an_error_that_the_processor_keeps_under_a_key_stops_no_answer(shop_api: Api, own_bank: str) -> None:
    """It did the work and answered 500, and would repeat that for a day."""
    number, row = in_dispute(shop_api, own_bank)
    with fault(own_bank, "error_500_after", path=ANSWER, count=1), pytest.raises(StillAsking):
        send_evidence(dispute=row.pk, actor=ANN)
    later()
    assert only().state == "answered"
    assert _there(own_bank, row)["evidence_details"]["submission_count"] == 1
    assert kinds(number) == ["dispute_opened", "dispute_answered"]


def test_an_answer_that_the_bank_does_not_take_leaves_the_task_open(
    shop_api: Api, own_bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, row = in_dispute(shop_api, own_bank)
    with pytest.raises(Invalid):
        send_evidence(dispute=row.pk, actor=ANN, text="x" * 15_001)
    monkeypatch.setattr(answering, "LONGEST", 30_000)
    monkeypatch.setattr(settlement, "_LONGEST", 30_000)
    with pytest.raises(Refused, match="does not accept"):
        send_evidence(dispute=row.pk, actor=ANN, text="x" * 25_000)
    assert (only().state, only().answer, only().document) == ("open", "", "")
    assert place(number) == ("bank_differs", "answer_dispute")
    assert not Job.objects.filter(name="charging.answer").exists()
    assert send_evidence(dispute=row.pk, actor=ANN).state == "answered"


def test_accepting_the_loss_ends_it(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    row = accept_loss(dispute=row.pk, actor=ANN)
    assert (row.state, row.held) == ("lost", TOTAL)
    assert kinds(number) == ["dispute_opened", "dispute_answered", "dispute_lost"]
    assert place(number)[0] == "transit"
    compared()
    assert books()["dispute_losses"] == TOTAL
    assert "disputes" not in books()


def test_an_inquiry_that_we_give_in_to_costs_nothing(shop_api: Api, own_bank: str) -> None:
    _, row = in_dispute(shop_api, own_bank, inquiry=True)
    assert accept_loss(dispute=row.pk, actor=ANN).state == "closed"
    compared()
    assert books()["card_clearing"] == TOTAL - FEE


def test_a_dispute_that_nobody_answered_in_time_is_lost(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    days_pass(10)
    with pytest.raises(Refused, match="lost"):
        send_evidence(dispute=_seen(row), actor=ANN)
    assert kinds(number) == ["dispute_opened", "dispute_lost"]
    compared()


def _seen(row: Dispute) -> int:
    look_at_dispute(row.dispute_id)
    return row.pk


def test_evidence_that_the_bank_has_already_decided_without_is_not_called_sent(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    verdict(own_bank, row.dispute_id, "lost")
    assert send_evidence(dispute=row.pk, actor=ANN).state == "lost"
    assert only().submitted_at is None
    assert kinds(number) == ["dispute_opened", "dispute_lost"]


@pytest.mark.parametrize("role", ["picker", "buyer", "channel"])
def test_only_who_answers_for_money_answers_disputes(shop_api: Api, own_bank: str, role: str) -> None:
    _, row = in_dispute(shop_api, own_bank)
    somebody = Actor("person", "Pim", role)
    for act in (send_evidence, accept_loss, own_dispute):
        with pytest.raises(Forbidden):
            act(dispute=row.pk, actor=somebody)
    assert only().answer == ""


def test_a_dispute_has_an_owner(shop_api: Api, own_bank: str) -> None:
    _, row = in_dispute(shop_api, own_bank)
    own_dispute(dispute=row.pk, actor=BOB)
    assert only().owner == "Bob"
    accept_loss(dispute=row.pk, actor=ANN)
    assert only().owner == "Bob"
    with pytest.raises(Refused):
        own_dispute(dispute=row.pk, actor=ANN)


# --- nothing ships on dead money, nothing goes back twice -----------------------------------------------------------


def test_nothing_is_shipped_while_the_bank_has_the_money(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank, shipped=False)
    found = shop_api.post(f"/orders/{number}/picks", {})
    assert (found.status, found.codes) == (409, {"not_charged"})
    assert "dispute" in found.body["blockers"][0]["message"]
    send_evidence(dispute=row.pk, actor=ANN)
    assert place(number) == ("cannot_ship", "wait_for_bank")
    assert shop_api.post(f"/orders/{number}/picks", {}).codes == {"not_charged"}
    verdict(own_bank, row.dispute_id, "won")
    reconcile()
    assert place(number) == ("pick", "pick")
    ship(shop_api, number)
    compared()


def test_a_chargeback_after_packing_stops_the_parcel_at_the_door(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    shop_api.done(f"/orders/{number}/picks", {})
    shop_api.done(f"/orders/{number}/packages", {})
    disputed(own_bank, number)
    reconcile()
    found = shop_api.post(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"})
    assert found.codes == {"not_charged"}


def test_an_inquiry_stops_no_parcel(shop_api: Api, own_bank: str) -> None:
    number, _ = in_dispute(shop_api, own_bank, shipped=False, inquiry=True)
    ship(shop_api, number)
    assert place(number) == ("bank_differs", "answer_dispute")


def test_a_lost_dispute_of_goods_that_are_still_here_is_a_refund_and_no_loss(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank, shipped=False)
    accept_loss(dispute=row.pk, actor=ANN)
    assert place(number) == ("cannot_ship", "cancel")
    order = shop_api.order(number)
    assert (order["charged"], order["refunded"], order["owed"]) == (TOTAL, TOTAL, 0)
    assert "lost" in shop_api.post(f"/orders/{number}/picks", {}).body["blockers"][0]["message"]
    assert "dispute_losses" not in books()
    shop_api.done(f"/orders/{number}/cancellation", {"reason": "the bank gave them their money back"})
    later()
    assert [(i["amount_captured"], i["amount_refunded"]) for i in ledger(own_bank)["payment_intents"]] == [(TOTAL, 0)]
    compared()
    assert books()["card_clearing"] == -FEE - DISPUTE_FEE == balance(own_bank)
    assert books()["card_fees"] == FEE + DISPUTE_FEE
    assert not books().keys() & {"customer_deposits", "refunds_payable", "disputes", "dispute_losses"}


def test_the_customer_is_not_refunded_for_money_that_their_bank_gave_them(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank)
    for _ in range(2):
        found = shop_api.post(f"/orders/{number}/refunds", {"amount": 100, "reason": "to be kind"})
        assert (found.status, found.codes) == (409, {"over_refundable"})
        assert "dispute" in found.body["blockers"][0]["message"]
        if only().state == "open":
            accept_loss(dispute=row.pk, actor=ANN)
    assert not Refund.objects.exists()
    compared()


def test_what_was_refunded_before_is_not_disputed_again(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    ship(shop_api, number)
    shop_api.done(f"/orders/{number}/refunds", {"amount": 1500, "reason": "late"})
    settle()
    disputed(own_bank, number)
    reconcile()
    assert only().amount == TOTAL - 1500
    accept_loss(dispute=only().pk, actor=ANN)
    assert shop_api.post(f"/orders/{number}/refunds", {"amount": 1, "reason": "x"}).codes == {"over_refundable"}
    compared()
    assert books()["dispute_losses"] == TOTAL - 1500


def test_a_refund_that_was_owed_when_the_bank_took_the_money_is_paid_by_it(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    ship(shop_api, number)
    shop_api.done(f"/orders/{number}/refunds", {"amount": 1500, "reason": "late"})
    disputed(own_bank, number)  # before the refund was sent
    settle()
    reconcile()
    assert Refund.objects.get().state == "failed"
    with pytest.raises(Refused, match="dispute"):
        retry_refund(order=number, refund_id=Refund.objects.get().pk, actor=ANN, by_hand=True)
    accept_loss(dispute=only().pk, actor=ANN)
    refund, part = Refund.objects.get(), Part.objects.get()
    assert (refund.state, part.refund_owed, part.refunded) == ("succeeded", 0, 1500)
    assert (only().held, books()["dispute_losses"]) == (TOTAL - 1500, TOTAL - 1500)
    assert place(number)[0] == "transit"
    compared()


def test_a_refund_that_had_to_wait_for_the_bank_is_sent_when_we_win(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    ship(shop_api, number)
    shop_api.done(f"/orders/{number}/refunds", {"amount": 1500, "reason": "late"})
    dispute = disputed(own_bank, number)
    settle()
    reconcile()
    verdict(own_bank, dispute, "won")
    reconcile()
    later()
    assert Refund.objects.get().state == "succeeded"
    assert [i["amount_refunded"] for i in ledger(own_bank)["payment_intents"]] == [1500]
    compared()


def test_a_cancelled_orders_money_goes_back_when_the_bank_returns_it_to_us(shop_api: Api, own_bank: str) -> None:
    number, row = in_dispute(shop_api, own_bank, shipped=False)
    shop_api.done(f"/orders/{number}/cancellation", {"reason": "they want it no more"})
    later()
    assert not Refund.objects.exists()
    assert judge_all() == []
    verdict(own_bank, row.dispute_id, "won")
    reconcile()
    later()
    assert [i["amount_refunded"] for i in ledger(own_bank)["payment_intents"]] == [TOTAL]
    compared()


def test_a_dispute_that_we_do_not_know_of_is_found_by_verify(shop_api: Api, own_bank: str) -> None:
    number = charged(shop_api)
    disputed(own_bank, number)
    assert any(number in finding and "do not know" in finding for _, finding in judge_all())
    compared()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_answers_at_once_are_one_answer(own_bank: str) -> None:
    api = Api()
    _, row = in_dispute(api, own_bank)
    said: list[str] = []
    lock = threading.Lock()

    def answer(n: int) -> None:
        try:
            act = send_evidence if n % 2 else accept_loss
            act(dispute=row.pk, actor=Actor("person", f"Person {n}", "clerk"))
            word = "done"
        except Refused as refused:
            word = f"refused: {refused}"
        except BaseException as error:
            word = repr(error)
        finally:
            connections.close_all()
        with lock:
            said.append(word)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("done") == 1
    assert all(word == "done" or word.startswith("refused: ") for word in said)
    assert Document.objects.filter(kind="evidence").count() <= 1
    assert kinds(row.order.number).count("dispute_answered") == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_hints_at_once_are_one_dispute(own_bank: str) -> None:
    api = Api()
    number = charged(api)
    dispute = disputed(own_bank, number)
    failures: list[BaseException] = []

    def look() -> None:
        try:
            look_at_dispute(dispute)
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
    assert kinds(number) == ["dispute_opened"]
    assert books()["disputes"] == TOTAL
