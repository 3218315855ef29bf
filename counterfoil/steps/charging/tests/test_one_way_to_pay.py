"""A customer pays at a page or we charge the card, never both at once; and if it happens, the surplus goes back."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Declined, Refused, StillAsking
from counterfoil.core.models import Job, JournalEvent
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Order, Part, PayLink, Refund
from counterfoil.steps.charging import cards
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging.actions import charge_order, finish_session, open_card_page
from counterfoil.steps.charging.settle import give_surplus_back
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    accepted,
    approved,
    at_the_bank,
    declined,
    fault,
    in_two_parts,
    intents,
    later,
    pays,
    the_bank_changes_its_mind,
)
from counterfoil.steps.review.actions import hold_order
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500


@pytest.fixture
def api(card: str) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "PATIENCE", 0.0)


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def parts(api: Api, number: str) -> list[tuple[str, int]]:
    return [(p["money"], p["charged"]) for p in api.order(number)["parts"]]


# --- a page or a charge ---------------------------------------------------------------------------------------------


def test_a_page_that_opens_while_the_clerk_presses_charge_is_closed_before_the_bank_is_asked(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    opened: list[str] = []
    close = cards.close_links

    def close_and_customer_opens(order: Order) -> None:
        close(order)
        if not opened:
            opened.append(open_card_page(order=number))

    monkeypatch.setattr(charging, "close_links", close_and_customer_opens)
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"]) == ("charged", TOTAL)
    with pytest.raises(AssertionError, match="expired"):
        pays(opened[0])
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_who_always_finds_a_page_just_opening_charges_nothing(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    monkeypatch.setattr(charging, "close_links", lambda order: cards._link(order.number))
    with pytest.raises(StillAsking):
        charge_order(order=number, actor=SYSTEM)
    assert (Charge.objects.count(), at_the_bank(card, number)) == (1, [])


def test_no_page_opens_while_a_charge_is_on_its_way(api: Api, card: str) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    with pytest.raises(Refused):
        open_card_page(order=number)
    assert not PayLink.objects.exists()
    all_is_well()
    assert at_the_bank(card, number) == [(TOTAL, 0)]


def test_a_page_that_was_paid_before_the_charge_is_taken_in_and_nothing_is_charged(api: Api, card: str) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    pays(open_card_page(order=number))
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.codes) == (409, {"already_charged"})
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def paid_at_the_page_although_we_closed_it(number: str, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """The page is paid just before our own call `at`, and our record of it says that it was closed."""
    whole = getattr(StripeGateway, at)
    address = open_card_page(order=number)
    PayLink.objects.update(state="expired")

    def pay_first(self: StripeGateway, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(StripeGateway, at, whole)
        pays(address)
        finish_session(session_id=PayLink.objects.get().session_id)
        return whole(self, *args, **more)

    monkeypatch.setattr(StripeGateway, at, pay_first)


def test_what_was_paid_twice_goes_back_by_itself(api: Api, card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    paid_at_the_page_although_we_closed_it(number, monkeypatch, "confirm_intent")
    api.done(f"/orders/{number}/charge", {})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["refunded"]) == ("charged", 2 * TOTAL, TOTAL)
    assert sorted(at_the_bank(card, number)) == [(TOTAL, 0), (TOTAL, TOTAL)]
    all_is_well()


def test_of_two_payments_the_one_that_was_too_much_goes_back_whole(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    first = Charge.objects.get()
    with writing():
        order = take(number)
        part = Part.objects.get(order=order)
        part.total, part.shipping = TOTAL + 2000, part.shipping + 2000
        part.charged = 2 * TOTAL + 2000
        part.save()
        Charge.objects.create(
            part=part, attempt=2, amount=TOTAL + 2000, currency="USD", state="succeeded", method="link",
            create_key="page", confirm_key="page", intent_id="pi_page", actor="x", made_at=clock.real_now(),
        )  # fmt: skip
        give_surplus_back(order, part)
    (back,) = Refund.objects.all()
    assert (back.charge_id, back.amount) == (first.pk, TOTAL)


def test_a_decline_of_our_charge_does_not_take_away_what_the_page_was_paid(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    paid_at_the_page_although_we_closed_it(number, monkeypatch, "confirm_intent")
    api.post(f"/orders/{number}/charge", {})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", TOTAL, "pick")
    assert Charge.objects.filter(state="declined").count() == 2
    assert not Job.objects.filter(name="charging.pay_mail").exists()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_charge_taken_back_does_not_take_away_what_the_page_was_paid(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    paid_at_the_page_although_we_closed_it(number, monkeypatch, "create_intent")
    create = StripeGateway.create_intent

    def hold_and_create(self: StripeGateway, **more: Any) -> Any:
        hold_order(order=number, reason="ask them", actor=SYSTEM)
        return create(self, **more)

    monkeypatch.setattr(StripeGateway, "create_intent", hold_and_create)
    api.post(f"/orders/{number}/charge", {})
    assert Charge.objects.filter(state="withdrawn").count() == 1
    assert parts(api, number) == [("charged", TOTAL)]
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_what_a_page_was_paid_goes_back_when_the_order_was_cancelled_while_the_bank_was_asked(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    paid_at_the_page_although_we_closed_it(number, monkeypatch, "confirm_intent")
    with fault(card, "error_500", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    assert parts(api, number) == [("unknown", TOTAL)]
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert (order["status"], order["charged"], order["refunded"]) == ("cancelled", TOTAL, TOTAL)
    assert at_the_bank(card, number) == [(TOTAL, TOTAL)]
    all_is_well()


def test_a_page_closed_while_it_was_being_made_is_expired_and_nobody_is_sent_there(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    made: list[str] = []
    whole = StripeGateway.open_session

    def slow(self: StripeGateway, **more: Any) -> Any:
        session = whole(self, **more)
        made.append(session.url)
        cards.close_links(Order.objects.get(number=number))
        return session

    monkeypatch.setattr(StripeGateway, "open_session", slow)
    with pytest.raises(Refused):
        open_card_page(order=number)
    with pytest.raises(AssertionError, match="expired"):
        pays(made[0])
    assert PayLink.objects.get().state == "expired"
    assert at_the_bank(card, number) == []
    all_is_well()


def test_who_presses_pay_twice_comes_to_one_page_that_works(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    seen: list[str] = []
    whole = StripeGateway.open_session

    def second_press(self: StripeGateway, **more: Any) -> Any:
        monkeypatch.setattr(StripeGateway, "open_session", whole)
        seen.append(open_card_page(order=number))
        return whole(self, **more)

    monkeypatch.setattr(StripeGateway, "open_session", second_press)
    assert open_card_page(order=number) == seen[0]
    pays(seen[0])
    later()
    assert parts(api, number) == [("charged", TOTAL)]
    all_is_well()


def test_a_page_paid_at_an_old_lower_amount_leaves_the_rest_due_and_payable(api: Api, card: str) -> None:
    number = declined(api)
    address = open_card_page(order=number)
    product(api, "GRAND-18", stock=9, price=9000)
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "GRAND-18", "quantity": 2, "price": 9000})
    dear = api.order(number)["total"]
    assert dear > TOTAL
    pays(address)
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["owed"]) == ("declined", TOTAL, dear - TOTAL)
    assert order["queue"] == "payment_problem"
    assert api.post(f"/orders/{number}/picks", {}).status == 409
    again = open_card_page(order=number)
    assert PayLink.objects.get(state="open").amount == dear - TOTAL
    pays(again)
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["owed"], order["queue"]) == ("charged", dear, 0, "pick")
    assert sum(taken for taken, _ in at_the_bank(card, number)) == dear
    all_is_well()


# --- what the clerk has seen ----------------------------------------------------------------------------------------


def test_one_press_charges_both_parts_of_the_order_that_the_clerk_has_seen(api: Api, card: str) -> None:
    number = in_two_parts(api)
    charge_order(order=number, actor=SYSTEM, version=api.order(number)["version"])
    order = api.order(number)
    assert [money for money, _ in parts(api, number)] == ["charged", "charged"]
    assert (order["charged"], order["owed"]) == (order["total"], 0)
    assert sum(taken for taken, _ in at_the_bank(card, number)) == order["total"]
    all_is_well()


def test_saving_the_card_first_is_no_reason_to_refuse_what_the_clerk_has_seen(api: Api, card: str) -> None:
    number = approved(api, saved=False)
    charge_order(order=number, actor=SYSTEM, version=Order.objects.get().version)
    assert parts(api, number) == [("charged", TOTAL)]
    all_is_well()


def test_closing_the_customers_page_first_is_no_reason_to_refuse_what_the_clerk_has_seen(api: Api, card: str) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    open_card_page(order=number)
    charge_order(order=number, actor=SYSTEM, version=Order.objects.get().version)
    assert parts(api, number) == [("charged", TOTAL)]
    all_is_well()


def test_who_has_seen_an_older_order_charges_nothing(api: Api, card: str) -> None:
    number = approved(api)
    seen = api.order(number)["version"]
    hold = api.done(f"/orders/{number}/holds", {"reason": "ask them"})
    assert api.ask("DELETE", f"/orders/{number}/holds/{hold['id']}").status == 204
    with pytest.raises(Refused) as refused:
        charge_order(order=number, actor=SYSTEM, version=seen)
    assert [b.code for b in refused.value.blockers] == ["someone_else"]
    assert at_the_bank(card, number) == []


def test_after_a_decline_the_other_part_is_not_tried(api: Api, card: str) -> None:
    number = in_two_parts(api, card="pm_card_chargeCustomerFail")
    with pytest.raises(Declined):
        charge_order(order=number, actor=SYSTEM)
    assert parts(api, number) == [("declined", 0), ("saved", 0)]
    later()
    assert parts(api, number) == [("declined", 0), ("saved", 0)]
    assert len(intents(card, number)) == 1
    assert list(Charge.objects.order_by("id").values_list("state", flat=True)) == ["declined", "withdrawn"]
    all_is_well()


def test_what_each_part_still_costs_is_owed_although_another_was_paid_and_emptied(api: Api, card: str) -> None:
    number = in_two_parts(api)
    api.done(f"/orders/{number}/charge", {"part": 1})
    accepted(api, number, {"kind": "cancel", "line": "PINOT-21", "quantity": 1})
    settle()
    order = api.order(number)
    unpaid = next(p for p in order["parts"] if p["charged"] == 0)
    assert order["charged"] > 0
    assert order["owed"] == unpaid["total"] > order["total"] - order["charged"]
    all_is_well()


# --- held at the last moment, a key that is wrong -------------------------------------------------------------------


def test_a_hold_placed_between_the_press_and_the_bank_takes_the_charge_back(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(api)
    whole = charging._await_all

    def held_first(*given: Any) -> bool:
        hold_order(order=number, reason="a stolen card?", actor=SYSTEM)
        return whole(*given)

    monkeypatch.setattr(charging, "_await_all", held_first)
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.codes) == (409, {"on_hold"})
    assert (parts(api, number), Charge.objects.get().state) == ([("saved", 0)], "withdrawn")
    all_is_well()
    assert at_the_bank(card, number) == []


def test_a_wrong_key_of_ours_is_no_refusal_by_the_bank(api: Api, card: str, settings: Any) -> None:
    number = approved(api)
    settings.STRIPE_API_KEY = "sk_test_rotated"
    assert api.post(f"/orders/{number}/charge", {}).status == 202
    settle()
    assert parts(api, number) == [("charging", 0)]
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    later()
    assert parts(api, number) == [("charged", TOTAL)]
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert not Charge.objects.filter(state="declined").exists()
    all_is_well()


@pytest.mark.parametrize("meanwhile", ["", "hold", "dearer", "refused", "cancelled"])
def test_a_charge_that_waits_for_its_card_follows_by_itself_or_says_why_not(
    api: Api, card: str, settings: Any, meanwhile: str
) -> None:
    settings.STRIPE_API_KEY = "sk_test_rotated"
    number = approved(api, card="pm_card_visa_chargeDeclined" if meanwhile == "refused" else "pm_card_visa")
    order = Order.objects.get(number=number)
    assert (order.card_state, order.queue) == ("to_save", "charge")
    for _ in range(2):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    assert Job.objects.filter(name="charging.asked").count() == 1
    assert JournalEvent.objects.filter(subject=number, kind="charge_owed").count() == 1
    if meanwhile == "hold":
        api.done(f"/orders/{number}/holds", {"reason": "the address"})
        assert api.post(f"/orders/{number}/charge", {}).codes == {"on_hold"}  # it is known already: no 202
    if meanwhile == "dearer":
        Part.objects.update(total=TOTAL + 100)
    if meanwhile == "cancelled":
        api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    later()
    told = [e["text"] for e in api.get(f"/orders/{number}/timeline").body["events"] if e["kind"] == "charge_not_made"]
    why = {
        "hold": "on hold: the address",
        "dearer": "$65.00 was to be charged and now it is $66.00; look and charge again",
        "refused": "the bank refused to save the card; ask for another",
    }.get(meanwhile)
    assert told == ([f"Not charged, as owner's key had asked: {why}"] if why else [])
    taken = [] if meanwhile else [(TOTAL, 0)]
    assert at_the_bank(card, number) == taken
    assert Part.objects.get().charged_by == ("" if meanwhile else "owner's key")
    if meanwhile == "dearer":
        Part.objects.update(total=TOTAL)
    all_is_well()
    assert at_the_bank(card, number) == taken


def test_a_charge_that_cannot_be_sent_while_a_page_stays_open_is_owed(
    api: Api, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = declined(api)
    the_bank_changes_its_mind(number)
    with monkeypatch.context() as busy:
        busy.setattr(charging, "close_links", lambda order: cards._link(order.number))
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    later()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well()


def test_a_hold_that_waits_for_its_card_is_asked_for_again(api: Api, card: str, settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_rotated"
    number = approved(api)
    refused = api.post(f"/orders/{number}/authorisation", {})
    assert (refused.status, refused.codes) == (409, {"charge_in_flight"})
    assert "Nothing is held; ask for it again" in refused.body["blockers"][0]["message"]
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    assert api.done(f"/orders/{number}/authorisation", {})["axes"]["money"] == "authorised"
