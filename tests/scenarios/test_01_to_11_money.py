"""1, 2, 4 to 11: the money of one order while the network, the clock, colleagues and the processor do their worst."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.machine import shift
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.core.shop import change, shop
from counterfoil.desk.models import Deed
from counterfoil.desk.tests.build import at_the_desk, person
from counterfoil.flow import advance
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.records.books.models import Entry
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import MONEY, Charge, Part, PayLink, Refund, Shipment
from counterfoil.steps.charging import charge, refunding, sending
from counterfoil.steps.charging.actions import open_card_page, reconcile
from counterfoil.steps.charging.grace import retry_is_due
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    approved,
    at_the_bank,
    declined,
    deliver,
    event,
    fault,
    intents,
    later,
    pays,
    signed,
    the_bank_thinks,
    token,
)
from counterfoil.steps.fulfilment.actions import ship
from tests.crowd import together, worked
from tests.support import Answer, Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
ONE = "/v1/payment_intents/*"
RACE = pytest.mark.django_db(transaction=True)
SENT = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}


@pytest.fixture
def card(moving_card: str) -> str:
    """Time passes in these tests, also at the bank."""
    return moving_card


@pytest.fixture
def api(card: str, mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(charge, "PATIENCE", 0.1)
    ahead = requests.get(f"{card}/_ledger", timeout=10).json()["offset_seconds"]
    if ahead > 0:  # an earlier test has moved the processor's clock: ours goes with it
        with writing():
            clock.advance_business_time(timedelta(seconds=ahead))
    return Api("owner", "Olga")


def all_is_well(*numbers: str) -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def days_pass(card: str, days: int) -> None:
    """At the shop and at the processor."""
    ahead = int(requests.get(f"{card}/_ledger", timeout=10).json()["offset_seconds"])
    requests.post(f"{card}/_clock", json={"offset_seconds": ahead + days * 86_400}, timeout=10).raise_for_status()
    with writing():
        clock.advance_business_time(timedelta(days=days))
    sweep()
    later()


def kinds(number: str) -> list[str]:
    return list(JournalEvent.objects.filter(subject=number).order_by("id").values_list("kind", flat=True))


def test_scenario_01_captured_though_our_call_timed_out_is_one_capture_and_the_order_shows_paid(
    api: Api, card: str
) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM), fault(card, "rate_limit", path=ONE, method="GET"):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    assert api.order(number)["axes"]["money"] == "unknown"
    assert api.post(f"/orders/{number}/charge", {}).codes == {"charge_in_flight"}  # asking again does not charge again
    later()  # the restarted worker
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", TOTAL, "pick")
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == 1
    all_is_well(number)


@RACE
@pytest.mark.race
def test_scenario_02_cancel_and_charge_in_the_same_instant_never_end_charged_and_forgotten(api: Api, card: str) -> None:
    numbers = [approved(api) for _ in range(5)]

    def act(n: int) -> Answer:
        number = numbers[n // 2]
        if n % 2:
            return api.post(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
        return api.post(f"/orders/{number}/charge", {})

    found = worked(together(10, act))
    assert {a.status for a in found[1::2]} == {200}
    later()
    for number in numbers:
        order = api.order(number)
        taken = at_the_bank(card, number)
        assert order["status"] == "cancelled"
        assert (order["charged"], order["refunded"]) in {(0, 0), (TOTAL, TOTAL)}
        assert taken in ([], [(TOTAL, TOTAL)])
    all_is_well(*numbers)


def test_scenario_04_an_authorisation_that_expired_overnight_stops_the_packer_and_is_offered_anew(
    api: Api, card: str, settings: Any
) -> None:
    with writing():
        change(card_at_checkout="authorise", charge_on="shipped")
    number = approved(api)
    api.done(f"/orders/{number}/picks", {})
    address, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"  # the night: nobody is asked
    with writing():
        clock.advance_business_time(timedelta(days=6))
    stopped = api.post(f"/orders/{number}/packages", {})
    assert stopped.codes == {"authorisation_expired"}
    assert "pay" in stopped.body["blockers"][0]["message"]
    page = at_the_desk("clerk").get(f"/desk/orders/{number}").content.decode()
    assert "acts/authorise" in page
    assert "acts/pay-link" in page
    settings.STRIPE_API_BASE = address
    ahead = int(requests.get(f"{card}/_ledger", timeout=10).json()["offset_seconds"])
    requests.post(f"{card}/_clock", json={"offset_seconds": ahead + 6 * 86_400}, timeout=10).raise_for_status()
    api.post(f"/orders/{number}/authorisation", {})
    sweep()
    later()
    assert api.order(number)["axes"]["money"] == "authorised"
    api.done(f"/orders/{number}/packages", {"weight_g": 3000})
    api.done(f"/orders/{number}/shipments", SENT)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


class Killed(BaseException):
    """The process is gone: nothing after this runs, not even an `except Exception`."""


def kill(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, place: str) -> None:
    """The next time that the code comes to this instant, the process dies there. Once."""
    whole = getattr(owner, name)

    def die(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(owner, name, whole)
        if place == "after":
            whole(*args, **more)
        raise Killed

    monkeypatch.setattr(owner, name, die)


STEPS: dict[str, tuple[Any, str]] = {
    "the charge is intended": (charge, "_begin"),
    "the intent is made": (StripeGateway, "create_intent"),
    "the charge is claimed": (sending, "_claim"),
    "the bank is asked": (StripeGateway, "confirm_intent"),
    "the charge is booked": (sending, "settle_success"),
    "the label is written": (ship, "tracking_url"),
    "the shipment is told": (ship, "owe_mail"),
    "the invoice is issued": (advance, "issue_invoice"),
    "the mail is sent": (EmailMultiAlternatives, "send"),
    "a refund is sent": (refunding, "apply_refund"),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_scenario_05_killed_at_any_step_of_charge_label_invoice_and_mail_nothing_is_lost_or_doubled(
    api: Api, card: str, mailbox: Any, step: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = f"{place}.{step.replace(' ', '.')}@example.com"
    number = approved(api, customer={"name": "Zoë Brontë", "email": mail})
    settle()
    kill(monkeypatch, *STEPS[step], place)
    acts: tuple[tuple[str, dict[str, Any]], ...] = (
        ("charge", {}),
        ("picks", {}),
        ("packages", {"weight_g": 3000}),
        ("shipments", SENT),
        ("refunds", {"amount": 1000, "reason": "a bottle arrived broken"}),
    )
    died = 0
    for act, body in acts:
        died += _does(lambda act=act, body=body: _until_done(api, number, act, body))  # type: ignore[misc]
        died += _does(settle)
    assert died == 1, f"the process never came to where {step}"
    later()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]
    assert Charge.objects.get().state == "succeeded"
    assert [r.state for r in Refund.objects.all()] == ["succeeded"]
    assert Shipment.objects.count() == 1
    for kind in ("invoice", "card-receipt", "credit-note"):
        assert Document.objects.filter(kind=kind).count() == 1, kind
    told = [(m["subject"], m["message_id"]) for m in mailbox.mails(to=mail)]
    subjects = {subject for subject, _ in told}
    assert len({message_id for _, message_id in told}) == len(subjects)  # a second copy is recognised as the same
    assert any("on its way" in s or "shipped" in s.lower() for s in subjects)
    all_is_well(number)


def _does(work: Callable[[], object]) -> int:
    """1 when the process died at it; another then does it again."""
    try:
        work()
    except Killed:
        later()
        work()
        return 1
    return 0


def _until_done(api: Api, number: str, act: str, body: dict[str, Any]) -> None:
    """What a clerk does who sees the order after a restart: again, unless it stands there as done."""
    answer = api.post(f"/orders/{number}/{act}", body, Idempotency_Key=f"{number}-{act}")
    done = {"already_charged", "already_shipped", "someone_else"}
    assert answer.status < 300 or answer.codes & done or answer.status == 409, (act, answer.body)


def test_scenario_06_a_late_success_of_a_cancelled_order_stays_cancelled_and_the_money_goes_back(
    api: Api, card: str, client: Any
) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM), fault(card, "rate_limit", path=ONE, method="GET"):
        api.post(f"/orders/{number}/charge", {})
    # As if we had given it up: the processor's word comes only now.
    with writing():
        Charge.objects.update(state="withdrawn")
        jobs.settle("charging.send", str(Charge.objects.get().pk))
    with writing():
        taken, part = take(number), Part.objects.get()
        moves = [shift(MONEY, "withdraw", part, part=1)]
        note(taken, "charge_withdrawn", actor=SYSTEM, part=part, text="given up", moves=moves)
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    (intent,) = intents(card, number)
    for kind in ("payment_intent.succeeded", "payment_intent.canceled"):
        body = event(kind, intent["id"], id_=f"evt_{kind}")
        assert deliver(client, body, signed(body)) == 200
    later()
    order = api.order(number)
    assert (order["status"], order["charged"], order["refunded"]) == ("cancelled", TOTAL, TOTAL)
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well(number)


@RACE
@pytest.mark.race
def test_scenario_07_one_webhook_five_times_at_once_and_out_of_order_changes_one_thing(
    api: Api, card: str, mailbox: Any
) -> None:
    mail = "five.times@example.com"
    number = declined(api, customer={"name": "Zoë Brontë", "email": mail})
    pays(open_card_page(order=number))
    session = PayLink.objects.get().session_id
    (intent,) = [i for i in intents(card, number) if i["amount_captured"]]
    bodies = [event("payment_intent.succeeded", intent["id"], id_="evt_b")] * 2
    bodies += [event("checkout.session.completed", session, id_="evt_a")] * 5
    found = worked(together(len(bodies), lambda n: deliver(Client(), bodies[n], signed(bodies[n]))))
    assert set(found) == {200}
    worked(together(4, lambda n: jobs.drain(worker=f"w{n}", only=("charging",))))
    later()
    assert api.order(number)["charged"] == TOTAL
    assert kinds(number).count("card_charged") == 1
    assert Entry.objects.filter(kind="capture", subject=number).count() == 1
    assert Document.objects.filter(kind="card-receipt").count() == 1
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    sent = [m["message_id"] for m in mailbox.mails(to=mail)]
    assert len(sent) == len(set(sent))
    all_is_well(number)


def test_scenario_08_a_webhook_that_is_faster_than_our_own_note_is_matched_and_applied(
    api: Api, card: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    kill(monkeypatch, StripeGateway, "open_session", "after")
    with pytest.raises(Killed):
        open_card_page(order=number)
    assert PayLink.objects.get().session_id == ""  # the page is there, and we have no note of it
    (session,) = [
        s
        for s in requests.get(f"{card}/_ledger", timeout=10).json()["objects"]["checkout.session"]
        if token(number) in json.dumps(s["metadata"]) and s["mode"] == "payment"
    ]  # by the order's own mark: a number is given again by every test, the sandbox keeps them all
    pays(session["url"])
    body = event("checkout.session.completed", session["id"])
    assert deliver(client, body, signed(body)) == 200
    later()
    assert api.order(number)["charged"] == TOTAL
    all_is_well(number)


def test_scenario_09_after_four_days_without_webhooks_every_payment_is_matched_and_the_breaks_are_listed(
    api: Api, card: str
) -> None:
    paid = approved(api)
    api.done(f"/orders/{paid}/charge", {})
    with fault(card, "webhooks_off"):
        by_link = declined(api)
        pays(open_card_page(order=by_link))
        lost = approved(api)
        with fault(card, "lost_answer", count=1, path=CONFIRM), fault(card, "rate_limit", path=ONE, method="GET"):
            api.post(f"/orders/{lost}/charge", {})
        # Somebody gives money back at the processor's own pages: nobody told us.
        (intent,) = [i for i in intents(card, paid) if i["amount_captured"]]
        given = requests.post(
            f"{card}/v1/refunds", data={"payment_intent": intent["id"], "amount": 700},
            auth=("sk_test_sandbox", ""), timeout=10,
        )  # fmt: skip
        assert given.status_code == 200, given.text
        Job.objects.filter(name__in=["charging.look_link", "charging.send", "charging.inbox"]).delete()
        with writing():
            clock.advance_business_time(timedelta(days=4))
    report = reconcile()
    for number in (by_link, lost):
        assert api.order(number)["charged"] == TOTAL
    assert [(d.kind, d.order_number, d.amount) for d in report.differences] == [("refund_unknown", paid, 700)]
    row = Difference.objects.get()
    assert (api.order(paid)["queue"], row.found_at <= clock.business_now()) == ("bank_differs", True)
    page = at_the_desk("bookkeeper").get("/desk/bank").content.decode()
    assert paid in page
    assert "Book the refund" in page
    answer = at_the_desk("bookkeeper").post(f"/desk/bank/{row.pk}", {"remedy": "take_over"})
    assert answer.status_code == 303
    assert reconcile().clean
    all_is_well(paid, by_link, lost)


@RACE
@pytest.mark.race
def test_scenario_10_ten_charges_of_one_order_by_page_bulk_api_and_job_are_one_and_the_others_hear_whose(
    api: Api, card: str
) -> None:
    # The card was short of funds yesterday: clerks may try it, and our own job is just about to.
    number = approved(api)
    the_bank_thinks(card, number, "pm_card_chargeDeclinedInsufficientFunds")
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    the_bank_thinks(card, number, "pm_card_visa")
    Part.objects.update(retry_at=clock.business_now())
    facts = facts_of(find(number))
    assert retry_is_due(facts, facts.parts[0])
    with writing():
        for n in (8, 9):
            jobs.enqueue("charging.retry", key=f"{number}:{n}", payload={"order": number})
    earlier = JournalEvent.objects.order_by("id").values_list("pk", flat=True).last() or 0
    keys = [Api("clerk", f"Clerk {n}") for n in range(4)]
    desks = [Client() for _ in range(4)]
    for n, desk in enumerate(desks):
        desk.force_login(person("clerk", f"Desk {n}"))

    def act(n: int) -> tuple[int, str]:
        if n < 4:
            answer = keys[n].post(f"/orders/{number}/charge", {})
            return answer.status, json.dumps(answer.body)
        if n < 6:
            page = desks[n - 4].post(f"/desk/orders/{number}/acts/charge", {})
            return page.status_code, page.content.decode()
        if n < 8:
            begun = desks[n - 4].post("/desk/queues/charge/acts", {"order": number, "sure": "yes"})
            jobs.drain(worker=f"desk{n}", only=("desk",))
            return begun.status_code, begun["Location"].rsplit("/", 1)[1]
        return jobs.drain(worker=f"w{n}", only=("charging",)), ""

    found = worked(together(10, act))
    later()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    after = JournalEvent.objects.filter(subject=number, pk__gt=earlier)
    assert after.filter(kind="card_charged").count() == 1
    winner = after.get(kind="charge_begun").actor

    def hears(words: str) -> bool:
        return f"charged by {winner}" in words or f"charge by {winner} is on its way" in words

    assert sum(status in {200, 303} for status, _ in found[:6]) <= 1
    told = [words for status, words in found[:6] if status == 409]
    assert len(told) >= 5
    assert [words for words in told if not hears(words)] == []
    # A row of a run: done, or refused with the winner's name; or with that of the colleague whose run has the order.
    rows = [Deed.objects.get(run=int(run)) for _, run in found[6:8]]
    for row, other in (rows, rows[::-1]):
        page = desks[0].get(f"/desk/runs/{row.run_id}").content.decode()
        if row.state == Deed.DONE:
            assert (row.user.name, row.message) == (winner, f"{number}: $65.00 charged.")
        elif "is working on it with other orders" in row.message:
            assert row.message.startswith(other.user.name)
            assert other.state == Deed.DONE or hears(other.message)
        else:
            assert hears(row.message), row.message
            assert hears(page)
    assert sum(status for status, _ in found[8:]) >= 2  # both jobs ran
    assert not Job.objects.filter(name="charging.retry").exists()
    all_is_well(number)


def test_scenario_11_while_a_line_is_unconfirmed_every_door_to_a_charge_refuses_and_names_it(
    api: Api, card: str
) -> None:
    product(api, "PINOT-21", stock=10)
    product(api, "SYRAH-19", stock=1)
    number = str(api.done("/orders", order_body(("PINOT-21", 1), ("SYRAH-19", 3)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    refused = api.post(f"/orders/{number}/charge", {})
    assert refused.codes == {"line_short"}
    assert [b["line"] for b in refused.body["blockers"]] == ["SYRAH-19"]
    assert api.post(f"/orders/{number}/charge", {"part": 1}).codes == {"line_short"}
    desk = at_the_desk("clerk")
    page = desk.post(f"/desk/orders/{number}/acts/charge", {})
    assert page.status_code == 409
    assert "SYRAH-19" in page.content.decode()
    begun = desk.post("/desk/queues/charge/acts", {"order": number, "sure": "yes"})
    jobs.drain(only=("desk",))
    rows = desk.get(begun["Location"])
    assert "SYRAH-19" in rows.content.decode()
    later()  # no job of ours charges it either
    assert intents(card, number) == []
    assert api.order(number)["charged"] == 0
    # A date that the supplier has not confirmed, or one too late, does not help.
    api.done("/suppliers", {"name": "Northfold", "lead_time_days": 3})
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "SYRAH-19", "quantity": 6}]})
    assert api.post(f"/orders/{number}/charge", {}).codes == {"due_too_late"}
    far = (shop().today() + timedelta(days=20)).isoformat()
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": far})
    assert api.post(f"/orders/{number}/charge", {}).codes == {"due_too_late"}
    near = shop().business_days_from(shop().today(), 1).isoformat()
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": near})
    assert api.done(f"/orders/{number}/charge", {})["axes"]["money"] == "charged"
    all_is_well(number)
