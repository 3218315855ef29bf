"""Whatever is due by itself is done, by whoever looks next; what is not done is named by `verify`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from counterfoil.core import clock, jobs, journal, pulse
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, writing
from counterfoil.core.errors import blocked
from counterfoil.core.models import Document, Job
from counterfoil.core.shop import shop
from counterfoil.flow import advance as advancing
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.amend import cancel_order
from counterfoil.flow.verify import judge_all, states
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.gateways.mail.reach import wake_mails
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Charge, Order, Part, Refund
from counterfoil.records.stock.models import Balance
from counterfoil.steps.acceptance import actions as acceptance
from counterfoil.steps.charging.tests.build import approved, later, unfinished
from counterfoil.steps.review.actions import approve_order
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(card: str) -> Api:
    return Api()


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def placed(api: Api, stock: int = 50) -> str:
    if api.get("/products/PINOT-21").status == 404:
        product(api, stock=stock)
    return str(api.done("/orders", order_body(card=None))["number"])


def approve_and_die(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody approves, and their process dies right after the commit: only its job is left."""
    with monkeypatch.context() as dying:
        dying.setattr(journal, "_advance_now", None)
        approve_order(order=number, ship_estimate=shop().today(), actor=SYSTEM)


# --- no wake-up is lost ---------------------------------------------------------------------------------------------


def test_who_reads_an_order_before_an_act_does_not_put_to_rest_what_the_act_calls_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = placed(api)
    store = advancing._store_seen
    others = iter(["a colleague"])

    def after_another(*seen: Any) -> bool:
        for _ in others:
            approve_and_die(number, monkeypatch)
        return store(*seen)

    monkeypatch.setattr(advancing, "_store_seen", after_another)
    advance(number)
    order = api.order(number)
    assert (order["queue"], order["axes"]["books"], order["axes"]["stock"]) == ("pick", "sales_order", "confirmed")
    all_is_well()


def test_who_only_writes_down_where_an_order_stands_leaves_its_job_to_a_worker(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = placed(api)
    approve_and_die(number, monkeypatch)
    advancing.store(number)
    assert Job.objects.filter(name="flow.advance", state="queued").count() == 1
    assert api.order(number)["axes"]["books"] == "none"
    later()
    assert api.order(number)["queue"] == "pick"
    all_is_well()


def test_an_act_refused_for_somebody_was_faster_is_looked_at_again_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = placed(api)
    approve_and_die(number, monkeypatch)
    make = acceptance.make_sales_order
    refusals = iter([blocked("someone_else", "somebody was faster")])

    def refused_once(**given: Any) -> Any:
        for refusal in refusals:
            raise refusal
        return make(**given)

    monkeypatch.setattr(advancing, "make_sales_order", refused_once)
    advance(number)
    assert api.order(number)["queue"] == "pick"
    assert not Job.objects.filter(name="flow.advance").exists()


def test_an_act_that_is_always_refused_leaves_a_true_queue_and_its_job(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = placed(api)
    approve_and_die(number, monkeypatch)

    def refused(**given: Any) -> Any:
        raise blocked("someone_else", "never")

    monkeypatch.setattr(advancing, "make_sales_order", refused)
    advance(number)
    assert (Order.objects.get().queue, Job.objects.filter(name="flow.advance").count()) == ("sales_order", 1)
    assert judge_all() == []


def test_one_order_that_cannot_be_advanced_does_not_hold_up_the_others(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, *sound = [placed(api) for _ in range(3)]
    now = clock.business_now()
    for n, number in enumerate([sick, *sound]):
        Order.objects.filter(number=number).update(next_check_at=now - timedelta(minutes=5 - n), queue="nowhere")
    whole = advancing.advance

    def stumble(number: str) -> None:
        if number == sick:
            raise ValueError("a fact that nobody thought of")
        whole(number)

    with monkeypatch.context() as broken:
        broken.setattr(advancing, "advance", stumble)
        assert sweep() == 3
        assert sweep() == 0
    assert set(Order.objects.filter(number__in=sound).values_list("queue", flat=True)) == {"review"}
    again = Order.objects.get(number=sick)
    assert again.next_check_at is not None
    assert now < again.next_check_at <= now + timedelta(minutes=2)
    with clock.at(now + timedelta(minutes=3)):
        sweep()
    assert Order.objects.get(number=sick).queue == "review"


# --- what nobody paid -----------------------------------------------------------------------------------------------


def on_the_way(api: Api) -> str:
    """A parcel to be paid at the door has left."""
    number = placed(api)
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    for act, body in (("picks", {}), ("packages", {}), ("shipments", {"carrier": "UPS", "tracking_number": "1Z1"})):
        api.done(f"/orders/{number}/{act}", body)
    settle()
    return number


def bring_back(api: Api, number: str, quantity: int) -> None:
    line = {"sku": "PINOT-21", "quantity": quantity}
    api.done(f"/orders/{number}/returns", {"lines": [line], "condition": "sellable", "reason": "not accepted"})
    settle()


def books() -> dict[str, int]:
    held = Posting.objects.values_list("account").annotate(Sum("amount"))
    return {account: amount for account, amount in held if amount}


def test_a_parcel_not_accepted_at_the_door_is_credited_and_nobody_owes_anything(api: Api) -> None:
    number = on_the_way(api)
    total = api.order(number)["total"]
    assert (Part.objects.get().money, books()["receivable"]) == ("receivable", total)
    bring_back(api, number, 2)
    order = api.order(number)
    assert (order["status"], order["axes"]["money"], order["axes"]["books"]) == ("returned", "voided", "credited")
    assert "receivable" not in books()
    assert books()["returns"] == total
    note = Document.objects.get(kind="credit-note")
    assert str(total // 100) in str(note.content["amount"])
    advance(number)
    assert Document.objects.filter(kind="credit-note").count() == 1
    assert not Refund.objects.exists()
    all_is_well()


def test_a_parcel_of_which_half_came_back_is_still_to_be_paid(api: Api) -> None:
    number = on_the_way(api)
    bring_back(api, number, 1)
    assert (Part.objects.get().money, Part.objects.get().books) == ("receivable", "invoiced")
    assert not Document.objects.filter(kind="credit-note").exists()
    all_is_well()


def test_an_unfinished_checkout_of_a_short_wine_leaves_nobody_waiting(api: Api) -> None:
    product(api, stock=1)
    order = unfinished(("PINOT-21", 3))
    held = Balance.objects.get()
    assert (held.reserved, held.waiting) == (1, 2)
    assert judge_all() == []
    cancel_order(order=order.number, reason="not completed", actor=SYSTEM, only_unfinished=True)
    settle()
    held = Balance.objects.get()
    assert (held.on_hand, held.reserved, held.waiting) == (1, 0, 0)
    all_is_well()


def test_a_finished_order_is_not_cancelled_as_an_unfinished_one(api: Api) -> None:
    number = placed(api)
    cancel_order(order=number, reason="not completed", actor=SYSTEM, only_unfinished=True)
    assert Order.objects.get().cancelled_at is None


# --- verify names what is broken ------------------------------------------------------------------------------------


def charged(api: Api) -> str:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    settle()
    return number


def keep_too_much(api: Api) -> None:
    charged(api)
    execute("UPDATE orders_part SET total = total - 100, subtotal = subtotal - 100")


def keep_what_was_cancelled(api: Api) -> None:
    charged(api)
    execute("UPDATE orders_order SET cancelled_at = %s", [clock.business_now()])


def unanswered_charge(api: Api) -> None:
    charged(api)
    execute("UPDATE orders_charge SET state = 'confirming', made_at = %s", [clock.real_now() - timedelta(minutes=11)])


def refund_without_end(api: Api) -> None:
    number = charged(api)
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    execute("UPDATE orders_refund SET made_at = %s", [clock.real_now() - timedelta(days=8)])


def receivable_that_nobody_owes(api: Api) -> None:
    on_the_way(api)
    execute("UPDATE orders_part SET money = 'voided'")


def by_hand_out_of_the_wrong_till(api: Api) -> None:
    number = charged(api)
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    settle()
    execute("UPDATE orders_refund SET refund_id = 'by hand'")


def sales_order_that_nobody_owes(api: Api) -> None:
    number = placed(api)
    with pytest.MonkeyPatch.context() as dying:
        approve_and_die(number, dying)
    execute("DELETE FROM core_job WHERE name = 'flow.advance'")


def checkout_that_nobody_ends(api: Api) -> None:
    product(api, stock=5)
    unfinished()
    execute("UPDATE orders_order SET placed_at = %s", [clock.business_now() - timedelta(hours=1)])
    execute("DELETE FROM core_job WHERE name = 'flow.advance'")


@pytest.mark.parametrize(
    ("broken", "invariant", "words"),
    [
        (keep_too_much, "money: parts agree", "we keep 6500"),
        (keep_what_was_cancelled, "money: parts agree", "or is cancelled"),
        (unanswered_charge, "money: nothing has been unanswered", "has been unknown since"),
        (refund_without_end, "money: nothing has been unanswered", "has been on its way since"),
        (receivable_that_nobody_owes, "books: accounts agree", "receivable holds 6500 USD, the orders say 0"),
        (by_hand_out_of_the_wrong_till, "books: accounts agree", "other_clearing holds 0 USD, the orders say -1000"),
        (by_hand_out_of_the_wrong_till, "money: our ledger", "captured and refunded are 6500, 0 here and 6500, 1000"),
        (sales_order_that_nobody_owes, "process: nothing that is due", "make_sales_order is due by itself"),
        (checkout_that_nobody_ends, "process: nothing that is due", "end_checkout is due by itself"),
    ],
)
def test_what_is_broken_is_named(api: Api, broken: Callable[[Api], None], invariant: str, words: str) -> None:
    broken(api)
    found = [finding for name, finding in judge_all() if name.startswith(invariant)]
    assert any(words in finding for finding in found), judge_all()


def test_a_refund_of_a_day_and_a_charge_of_a_minute_are_not_broken(api: Api) -> None:
    number = charged(api)
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    Refund.objects.update(made_at=clock.real_now() - timedelta(days=1))
    Charge.objects.update(made_at=clock.real_now() - timedelta(minutes=1))
    assert judge_all() == []


def test_what_a_job_owes_is_not_left_undone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    number = placed(api)
    approve_and_die(number, monkeypatch)
    assert not [name for name, _ in judge_all() if name.startswith("process")]
    execute("UPDATE core_job SET run_at = %s", [clock.real_now()])
    jobs.drain(only=("flow",))
    assert api.order(number)["queue"] == "pick"


def test_a_shop_without_a_mail_server_keeps_its_mails_and_its_books_are_not_broken(settings: Any) -> None:
    settings.EMAIL_URL = ""
    with writing():
        owe_mail("welcome", to="june@example.com", key="1", context={"subject": "Welcome"})
    long_ago = clock.real_now() - timedelta(hours=1)
    Job.objects.update(run_at=long_ago)
    assert judge_all() == []
    assert states.mails_that_wait() == ["1 mail waits: no mail server is named (EMAIL_URL)"]
    jobs.drain()
    assert Job.objects.get().attempts == 0, "a mail that nobody may send is not given up"
    # Named at last: what waited is due at once, and stays no longer unsaid.
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    assert wake_mails() == 1
    assert Job.objects.get().run_at <= clock.real_now()
    assert states.mails_that_wait() == []
    Job.objects.update(run_at=long_ago)
    assert [name for name, _ in judge_all()] == ["jobs: none is dead or stuck"]
    # A shop whose mails went out before has lost its server.
    settings.EMAIL_URL = ""
    pulse.beat("mail", to="here")
    jobs.drain()
    assert "mails went out before" in judge_all()[0][1]
