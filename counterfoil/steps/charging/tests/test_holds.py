"""The card authorised at check-out, captured when the goods can go; renewed, warned of, let go, never shipped dead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.test import Client

from counterfoil.core import clock, shop
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Charge, Part
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.tests.build import (
    accepted,
    approved,
    at_the_bank,
    deliver,
    event,
    fault,
    intents,
    later,
    pays,
    signed,
    token,
)
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500  # two bottles at 25.00 and 15.00 of shipping
CAPTURE = "/v1/payment_intents/*/capture"


@pytest.fixture
def card(moving_card: str) -> str:
    """Time passes in these tests, also at the bank."""
    return moving_card


@pytest.fixture
def api() -> Api:
    return Api("owner", "Olga")


@pytest.fixture(autouse=True)
def _authorise(card: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("counterfoil.steps.charging.charge.PATIENCE", 0.3)
    ahead = requests.get(f"{card}/_ledger", timeout=10).json()["offset_seconds"]
    if ahead > 0:  # an earlier test has moved the processor's clock: ours goes with it
        move_our_clock(timedelta(seconds=ahead))
    rule(card_at_checkout="authorise")
    yield
    shop.forget()


def rule(**settings: Any) -> None:
    with writing():
        shop.change(**settings)


def all_is_well(*numbers: str) -> None:
    settle()
    assert judge_all() == []
    assert not Job.objects.filter(state="dead").exists()


def told(number: str) -> list[str]:
    return list(JournalEvent.objects.filter(subject=number).order_by("id").values_list("kind", flat=True))


def state_at_the_bank(card: str, number: str) -> list[tuple[str, int]]:
    return [(i["status"], i["amount"]) for i in intents(card, number)]


def move_our_clock(by: timedelta) -> None:
    with writing():
        clock.advance_business_time(by)


def bank_moves(card: str, days: int) -> None:
    """The processor's clock goes forward."""
    ahead = requests.get(f"{card}/_ledger", timeout=10).json()["offset_seconds"]
    moved = requests.post(f"{card}/_clock", json={"offset_seconds": int(ahead) + days * 86_400}, timeout=10)
    assert moved.status_code == 200, moved.text


def days_pass(card: str, days: int) -> None:
    """At the shop and at the processor."""
    bank_moves(card, days)
    move_our_clock(timedelta(days=days))
    for _ in range(3):
        sweep()
        settle()


def test_the_card_is_held_at_check_out_and_nothing_is_charged(api: Api, card: str) -> None:
    product(api, stock=10)
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["status"]) == ("authorised", 0, "pending")
    held = order["parts"][0]["authorisation"]
    assert held["amount"] == TOTAL
    hold = Charge.objects.get()
    assert hold.expires_at is not None
    # The day is the processor's own word: four days and 18 hours for a card that is not present.
    assert timedelta(days=4) < hold.expires_at - clock.business_now() < timedelta(days=5)
    assert state_at_the_bank(card, number) == [("requires_capture", TOTAL)]
    assert at_the_bank(card, number) == []
    assert "card_authorised" in told(number)
    all_is_well(number)


def test_the_charge_captures_what_is_held_once(api: Api, card: str) -> None:
    number = approved(api)
    assert api.order(number)["axes"]["money"] == "authorised"
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"], order["parts"][0]["authorisation"]) == ("charged", TOTAL, None)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len(intents(card, number)) == 1
    assert api.post(f"/orders/{number}/charge", {}).codes == {"already_charged"}
    assert [d["kind"] for d in order["documents"]].count("card-receipt") == 1
    all_is_well(number)


def test_a_charge_that_comes_before_the_hold_was_asked_for_does_it_first_under_the_same_key(
    api: Api, card: str
) -> None:
    product(api, stock=10)
    number = approved(api, saved=False)
    order = api.done(f"/orders/{number}/charge", {})
    assert order["charged"] == TOTAL
    later()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert len([s for s in state_at_the_bank(card, number) if s[0] != "canceled"]) == 1
    all_is_well(number)


def test_a_part_that_has_become_cheaper_is_captured_for_less_and_the_rest_is_let_go(api: Api, card: str) -> None:
    number = approved(api)
    accepted(api, number, {"kind": "cancel", "line": "PINOT-21", "quantity": 1})
    settle()
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["total"], order["charged"]) == (4000, 4000)
    assert at_the_bank(card, number) == [(4000, 0)]
    assert Charge.objects.get(state="succeeded").held == TOTAL
    all_is_well(number)


def dearer(api: Api, number: str) -> int:
    """The customer takes a dearer wine instead; the new total."""
    if api.get("/products/GRAND-15").status == 404:
        product(api, "GRAND-15", stock=20, price=6000)
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "GRAND-15", "quantity": 2, "price": 6000})
    settle()
    return int(api.order(number)["total"])


def test_of_a_part_that_has_become_dearer_the_difference_is_held_before_the_first_is_captured(
    api: Api, card: str
) -> None:
    number = approved(api)
    total = dearer(api, number)
    assert total > TOTAL
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"]) == ("charged", total)
    assert sorted(at_the_bank(card, number)) == sorted([(TOTAL, 0), (total - TOTAL, 0)])
    calls = requests.get(f"{card}/_ledger", timeout=10).json()["calls"]
    mine = {i["id"] for i in intents(card, number)}
    done = [c["path"].rsplit("/", 1)[-1] for c in calls if any(i in c["path"] for i in mine)]
    assert done.index("capture") > max(n for n, what in enumerate(done) if what == "confirm")
    all_is_well(number)


def test_when_the_difference_is_declined_nothing_is_captured_and_the_customer_is_asked(
    api: Api, card: str, mailbox: Any
) -> None:
    number = approved(api)
    total = dearer(api, number)
    with_another_card(number, "pm_card_chargeCustomerFail")
    answer = api.post(f"/orders/{number}/charge", {})
    assert answer.status == 402
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("declined", 0, "payment_problem")
    assert order["parts"][0]["authorisation"]["amount"] == TOTAL
    assert at_the_bank(card, number) == []
    assert ("requires_capture", TOTAL) in state_at_the_bank(card, number)
    all_is_well(number)
    # The customer pays at the page; what the bank held for us is let go by itself.
    pays(pay_page(number))
    later()
    reconcile()
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["parts"][0]["authorisation"]) == ("charged", total, None)
    assert at_the_bank(card, number) == [(total, 0)]
    assert ("canceled", TOTAL) in state_at_the_bank(card, number)
    all_is_well(number)


def with_another_card(number: str, source: str) -> None:
    """From now on the processor charges another of the customer's cards."""
    from counterfoil.gateways.card import gateway
    from counterfoil.records.orders.models import Order

    known = Order.objects.get(number=number)
    saved = gateway().save_card(
        customer=known.customer.processor_id, source=source, reference=number, key=f"other-{source}-{token(number)}"
    )
    Order.objects.filter(pk=known.pk).update(card_method=saved.method_id)


def pay_page(number: str) -> str:
    from counterfoil.steps.charging.actions import open_card_page

    return open_card_page(order=number)


def test_a_hold_that_the_bank_refuses_is_a_payment_problem_and_its_page_takes_no_money_before_the_goods_are_there(
    api: Api, card: str
) -> None:
    product(api, stock=0)
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_chargeCustomerFail"))["number"]
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("declined", 0)
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop.shop().today().isoformat()})
    settle()
    assert api.order(number)["queue"] == "payment_problem"
    pays(pay_page(number))
    later()
    reconcile()
    later()
    order = api.order(number)
    # The other card was saved and is held; not a cent was taken for bottles that are not there.
    assert (order["axes"]["money"], order["charged"]) == ("authorised", 0)
    assert at_the_bank(card, number) == []
    all_is_well(number)


def test_a_hold_that_was_refused_for_want_of_funds_is_asked_for_again_and_nothing_is_charged(
    api: Api, card: str
) -> None:
    product(api, stock=0)
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_chargeCustomerFail"))["number"]
    settle()
    order = api.order(number)
    assert (order["axes"]["money"], order["parts"][0]["decline"]["class"]) == ("declined", "later")
    with_another_card(number, "pm_card_visa")  # there is money on it now
    days_pass(card, 2)
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"]) == ("authorised", 0)
    assert order["parts"][0]["decline"] is None, "a decline that is over lets no goods go when the hold lapses"
    assert at_the_bank(card, number) == []
    all_is_well(number)


def test_when_the_goods_are_let_go_the_bank_lets_go_what_it_still_holds(api: Api, card: str) -> None:
    number = approved(api)
    dearer(api, number)
    with_another_card(number, "pm_card_chargeCustomerFail")
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    rule(retry_after_hours=[])
    Part.objects.update(grace_until=clock.business_now(), retry_at=None)
    later()
    advance(number)
    later()
    order = api.order(number)
    assert order["parts"][0]["decline"]["let_go_at"] is not None
    assert (order["parts"][0]["authorisation"], order["charged"]) == (None, 0)
    assert ("canceled", TOTAL) in state_at_the_bank(card, number)
    all_is_well(number)


def test_cancelling_lets_the_hold_go(api: Api, card: str) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["parts"][0]["authorisation"]) == ("voided", 0, None)
    assert state_at_the_bank(card, number) == [("canceled", TOTAL)]
    all_is_well(number)


def test_cancelling_while_the_bank_is_asked_to_hold_leaves_nothing_held(api: Api, card: str) -> None:
    product(api, stock=10)
    with fault(card, "lost_answer", count=1, path="/v1/payment_intents/*/confirm"):
        number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
        settle()
    assert state_at_the_bank(card, number) == [("requires_capture", TOTAL)]  # and we do not know
    assert api.order(number)["axes"]["money"] == "saved"
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    assert state_at_the_bank(card, number) == [("canceled", TOTAL)]
    assert api.order(number)["axes"]["money"] == "voided"
    all_is_well(number)


# --- time -----------------------------------------------------------------------------------------------------------


def test_two_days_before_the_bank_lets_go_the_desk_is_warned_once(api: Api, card: str) -> None:
    product(api, stock=0)
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
    settle()
    days_pass(card, 2)
    assert "authorisation_ending" not in told(number)
    days_pass(card, 1)
    sweep()
    assert told(number).count("authorisation_ending") == 1
    all_is_well(number)


def test_list_slip_and_money_panel_speak_of_the_end_from_the_day_that_is_set(
    api: Api, card: str, client: Client
) -> None:
    product(api, stock=0)
    number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
    settle()
    days_pass(card, 3)
    client.force_login(User.objects.create_user("cleo@example.com", "a long password", name="Cleo", role="clerk"))

    def says(page: str) -> str:
        return re.sub(r"<[^>]+>", "", client.get(page).content.decode())

    # 42 hours are left: more than a day, less than the two that are set.
    row, money = "approval ends 4", "The bank holds $65.00 for us until"
    slip = re.compile(r"The bank holds \$65\.00 only until [^\n·]+, 4\d h more")
    listed = says(f"/desk/queues/review?order={number}")
    order = client.get(f"/desk/orders/{number}").content.decode()
    assert row in listed
    assert slip.search(listed)
    assert money in says(f"/desk/orders/{number}")
    assert '<div class="say warn"><span aria-hidden="true">◔</span><div>The bank holds' in order
    assert re.search(r"◔.{0,200}The bank holds \$65\.00 only until", order[order.index("imeline") :], re.DOTALL)
    assert "<td>Still to be paid</td><td>$65.00</td>" in order
    rule(authorisation_warning_days=1)
    listed = says(f"/desk/queues/review?order={number}")
    assert row not in listed
    assert not slip.search(listed)
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    assert "<td>Still to be paid</td><td>$0.00</td>" in client.get(f"/desk/orders/{number}").content.decode()


def test_a_hold_whose_time_is_over_is_asked_for_again_from_the_saved_card(api: Api, card: str) -> None:
    number = approved(api)
    days_pass(card, 6)
    order = api.order(number)
    assert told(number).count("authorisation_lapsed") == 1
    assert (order["axes"]["money"], order["parts"][0]["authorisation"]["amount"]) == ("authorised", TOTAL)
    assert state_at_the_bank(card, number) == [("canceled", TOTAL), ("requires_capture", TOTAL)]
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


def test_where_the_saved_card_is_refused_then_the_customer_gets_a_link_to_pay(
    api: Api, card: str, mailbox: Any
) -> None:
    number = approved(api)
    with_another_card(number, "pm_card_chargeCustomerFail")
    days_pass(card, 6)
    order = api.order(number)
    assert (order["axes"]["money"], order["queue"], order["charged"]) == ("declined", "payment_problem", 0)
    assert any(number in m["subject"] and "payment" in m["subject"] for m in mailbox.mails())
    pays(pay_page(number))
    later()
    reconcile()
    later()
    assert api.order(number)["charged"] == TOTAL
    all_is_well(number)


def test_a_hold_that_the_bank_has_let_go_in_the_middle_of_a_charge_is_replaced_by_the_card(api: Api, card: str) -> None:
    number = approved(api)
    (intent,) = intents(card, number)
    done = requests.post(f"{card}/v1/payment_intents/{intent['id']}/cancel", auth=("sk_test_sandbox", ""), timeout=10)
    assert done.status_code == 200, done.text
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"]) == ("charged", TOTAL)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    assert "authorisation_lapsed" in told(number)
    all_is_well(number)


def test_the_processors_word_that_a_hold_is_gone_is_enough(api: Api, card: str, client: Any) -> None:
    number = approved(api)
    (intent,) = intents(card, number)
    requests.post(f"{card}/v1/payment_intents/{intent['id']}/cancel", auth=("sk_test_sandbox", ""), timeout=10)
    body = event("payment_intent.canceled", intent["id"])
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert "authorisation_lapsed" in told(number)
    assert api.order(number)["axes"]["money"] == "authorised"  # asked for again
    all_is_well(number)


# --- unknown outcomes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lost_answer", "error_500", "error_500_after", "rate_limit"])
@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/payment_intents/*/confirm"])
def test_a_hold_is_asked_for_once_whatever_is_lost(api: Api, card: str, kind: str, path: str) -> None:
    product(api, stock=10)
    with fault(card, kind, count=1, path=path):
        number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
        settle()
    later()
    live = [s for s in state_at_the_bank(card, number) if s[0] == "requires_capture"]
    assert live == [("requires_capture", TOTAL)]
    assert api.order(number)["axes"]["money"] == "authorised"
    all_is_well(number)


@pytest.mark.parametrize("kind", ["lost_answer", "error_500", "error_500_after", "rate_limit"])
def test_a_capture_is_made_once_whatever_is_lost(api: Api, card: str, kind: str) -> None:
    number = approved(api)
    with fault(card, kind, count=1, path=CAPTURE):
        assert api.post(f"/orders/{number}/charge", {}).status in {200, 202}
    later()
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


@pytest.mark.parametrize("first", ["error_500_kept", "error_500_after"])
def test_a_hold_that_took_two_tries_is_captured_though_that_takes_two_tries_too(
    api: Api, card: str, first: str
) -> None:
    product(api, stock=10)
    with fault(card, first, count=1, path="/v1/payment_intents"):
        number = api.done("/orders", order_body(("PINOT-21", 2), card="pm_card_visa"))["number"]
        settle()
        later()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop.shop().today().isoformat()})
    settle()
    assert "~2" in Charge.objects.get().create_key
    with fault(card, "error_500_kept", count=1, path=CAPTURE):
        assert api.post(f"/orders/{number}/charge", {}).status in {200, 202}
    later()
    assert (api.order(number)["charged"], at_the_bank(card, number)) == (TOTAL, [(TOTAL, 0)])
    assert Charge.objects.get().capture_key.endswith("~2-capture~2")
    all_is_well(number)


def test_a_cancellation_while_a_capture_is_unknown_gives_back_what_it_took(api: Api, card: str) -> None:
    number = approved(api)
    with fault(card, "lost_answer", count=9, path=CAPTURE), fault(card, "rate_limit", path="/v1/payment_intents/*"):
        api.post(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    later()
    order = api.order(number)
    assert (order["status"], order["charged"] - order["refunded"]) == ("cancelled", 0)
    assert all(taken == back for taken, back in at_the_bank(card, number))
    assert not [s for s in state_at_the_bank(card, number) if s[0] == "requires_capture"]
    all_is_well(number)


# --- when the charge is made ----------------------------------------------------------------------------------------


def to_the_door(api: Api, number: str) -> None:
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/packages", {"weight_g": 3000})


def test_a_shop_that_charges_when_it_has_packed(api: Api, card: str) -> None:
    rule(charge_on="packed")
    number = approved(api)
    assert api.order(number)["queue"] == "pick"
    to_the_door(api, number)
    order = api.order(number)
    assert (order["queue"], order["next_action"], order["charged"]) == ("charge", "charge", 0)
    sent = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    assert api.post(f"/orders/{number}/shipments", sent).codes == {"not_charged"}
    assert api.done(f"/orders/{number}/charge", {})["queue"] == "ship"
    api.done(f"/orders/{number}/shipments", sent)
    all_is_well(number)


@pytest.mark.parametrize("at_checkout", ["save", "authorise"])
def test_a_shop_that_charges_as_it_ships(api: Api, card: str, at_checkout: str) -> None:
    rule(charge_on="shipped", card_at_checkout=at_checkout)
    number = approved(api)
    to_the_door(api, number)
    order = api.order(number)
    assert (order["queue"], order["charged"]) == ("ship", 0)
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"})
    order = api.order(number)
    assert (order["status"], order["charged"]) == ("shipped", TOTAL)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


def test_a_card_that_is_declined_at_the_door_ships_nothing(api: Api, card: str) -> None:
    rule(charge_on="shipped", card_at_checkout="save")
    number = approved(api, card="pm_card_chargeCustomerFail")
    to_the_door(api, number)
    answer = api.post(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"})
    assert answer.status == 402, answer.body
    order = api.order(number)
    assert (order["shipments"], order["axes"]["parcel"], order["queue"]) == ([], "packed", "payment_problem")
    all_is_well(number)
    # After the days of grace the box is emptied, and its bottles are anybody's again.
    Part.objects.update(grace_until=clock.business_now(), retry_at=None)
    advance(number)
    later()
    order = api.order(number)
    assert (order["axes"]["parcel"], order["axes"]["stock"], order["lines"][0]["picked"]) == ("waiting", "unchecked", 0)
    assert order["packages"] == []
    balance = Balance.objects.get()
    assert (balance.reserved, balance.picked, balance.waiting) == (0, 0, 0)
    all_is_well(number)


def test_a_shipment_waits_while_the_bank_has_not_answered(api: Api, card: str, settings: Any) -> None:
    rule(charge_on="shipped", card_at_checkout="save")
    number = approved(api)
    to_the_door(api, number)
    sent = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    with fault(card, "lost_answer", count=1, path="/v1/payment_intents/*/confirm"):
        settings.STRIPE_API_BASE = card
        with fault(card, "rate_limit", path="/v1/payment_intents/*", method="GET"):
            assert api.post(f"/orders/{number}/shipments", sent).codes == {"charge_in_flight"}
    assert api.order(number)["shipments"] == []
    later()
    api.done(f"/orders/{number}/shipments", sent)
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    all_is_well(number)


def test_a_shipment_with_a_number_that_was_used_before_charges_nothing(api: Api, card: str) -> None:
    rule(charge_on="shipped", card_at_checkout="save")
    sent = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    first, second = approved(api), approved(api)
    for number in (first, second):
        to_the_door(api, number)
    api.done(f"/orders/{first}/shipments", sent)
    assert api.post(f"/orders/{second}/shipments", sent).status == 422
    assert at_the_bank(card, second) == []
    all_is_well(first, second)


def test_an_authorisation_that_is_over_stops_the_pick_and_can_be_asked_for_again(
    api: Api, card: str, settings: Any
) -> None:
    rule(charge_on="shipped")
    number = approved(api)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"  # nobody can be asked overnight
    move_our_clock(timedelta(days=6))
    answer = api.post(f"/orders/{number}/picks", {})
    assert answer.codes == {"authorisation_expired"}
    settings.STRIPE_API_BASE = card
    bank_moves(card, 6)
    sweep()
    later()
    order = api.order(number)
    assert order["axes"]["money"] == "authorised"
    to_the_door(api, number)
    all_is_well(number)


def test_a_clerk_has_the_bank_hold_the_money_by_hand(api: Api, card: str) -> None:
    rule(card_at_checkout="save")
    number = approved(api)
    order = api.done(f"/orders/{number}/authorisation", {})
    assert (order["axes"]["money"], order["parts"][0]["authorisation"]["amount"]) == ("authorised", TOTAL)
    assert api.post(f"/orders/{number}/authorisation", {}).codes == {"already_charged"}
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    all_is_well(number)


def test_money_held_at_the_processor_that_nobody_here_wants_is_listed_and_let_go(api: Api, card: str) -> None:
    from counterfoil.core.actor import Actor
    from counterfoil.steps.charging.actions import resolve_difference

    number = approved(api)
    hold = Charge.objects.get()
    Charge.objects.filter(pk=hold.pk).update(state="withdrawn")  # as a mistake of ours would leave it
    (row,) = reconcile().differences
    assert (row.kind, row.amount, row.order_number) == ("held_unknown", TOTAL, number)
    resolve_difference(difference=row.pk, actor=Actor("person", "Olga", "owner"), remedy="let_go")
    assert state_at_the_bank(card, number) == [("canceled", TOTAL)]
    assert reconcile().differences == []
