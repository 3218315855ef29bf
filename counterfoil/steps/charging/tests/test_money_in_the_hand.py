"""Money that a clerk holds: one slip for one charge, never the same slip for two orders, given back by hand."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps

from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import execute, writing
from counterfoil.core.errors import Refused
from counterfoil.core.models import Job
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card.terminal.models import Slip, SlipNumber, SlipReturn
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Part, Refund
from counterfoil.records.orders.refunds import decide_refund
from counterfoil.steps.charging.actions import reconcile, resolve_difference, retry_refund
from counterfoil.steps.charging.differences import advice_on, open_differences, remedies_of
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.offline import TILL
from counterfoil.steps.charging.slips import still
from counterfoil.steps.charging.tests.build import approved, later
from tests.crowd import together, worked
from tests.support import Answer, Api, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
CLERK = Actor("person", "Clara", "clerk")


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    return Api()


def counter(api: Api, method: str = "terminal") -> str:
    """An order to be paid at the counter, ready to be; its number."""
    return approved(api, payment={"method": method})


def pays(api: Api, number: str, reference: str, **more: Any) -> Answer:
    return api.post(f"/orders/{number}/charge", {"reference": reference, "amount": TOTAL, **more})


def all_is_well() -> None:
    later()
    assert judge_all() == []
    assert reconcile().differences == []
    assert not Job.objects.filter(state="dead").exists()


# --- taking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "given", "kind"),
    [
        ("terminal", {"brand": "visa", "last4": "4242"}, "card"),
        ("terminal", {"kind": "transfer"}, "transfer"),
        ("cheque", {}, "cheque"),
        ("cheque", {"kind": "cash"}, "cash"),
        ("on_delivery", {}, "cash"),
        ("on_delivery", {"last4": "4242"}, "card"),
    ],
)
def test_what_a_clerk_records_is_one_slip_and_one_charge(
    api: Api, method: str, given: dict[str, str], kind: str
) -> None:
    number = counter(api, method)
    assert pays(api, number, "No. 17", **given).status == 200
    slip, charge = Slip.objects.get(), Charge.objects.get()
    assert (slip.kind, slip.number, slip.amount, slip.currency, slip.state) == (kind, "No. 17", TOTAL, "USD", "done")
    assert (slip.order_number, slip.by, slip.last4) == (number, "owner's key", given.get("last4", ""))
    assert (charge.intent_id, charge.reference, charge.amount) == (f"slip_{slip.pk}", "No. 17", TOTAL)
    assert api.order(number)["charged"] == TOTAL
    all_is_well()


def test_a_slip_that_is_refused_leaves_nothing_behind(api: Api) -> None:
    number = counter(api)
    assert pays(api, number, "1", amount=TOTAL - 1).fields == {"amount"}
    assert pays(api, number, "").fields == {"reference"}
    assert pays(api, number, "1", kind="gold").fields == {"kind"}
    assert pays(api, number, "1", last4="42").fields == {"last4"}
    assert not Slip.objects.exists()
    assert not Charge.objects.exists()
    assert pays(api, number, "1").status == 200


@pytest.mark.parametrize("again", ["Cheque 2041", "cheque  2041 ", "CHEQUE2041"])
def test_the_same_slip_is_never_money_of_two_orders(api: Api, again: str) -> None:
    first, second = counter(api, "cheque"), counter(api, "cheque")
    assert pays(api, first, "Cheque 2041").status == 200
    refused = pays(api, second, again, kind="cheque")
    assert (refused.status, refused.fields) == (422, {"reference"})
    message = refused.body["errors"][0]["message"]
    assert f"is already entered on {first}" in message
    assert api.order(second)["charged"] == 0
    assert Slip.objects.count() == Charge.objects.count() == 1
    assert pays(api, second, again, kind="transfer").status == 200  # another kind of paper with that number
    all_is_well()


def test_who_does_not_say_what_it_is_a_number_of_may_use_one_for_many_orders(api: Api) -> None:
    for number in (counter(api, "cheque"), counter(api, "cheque")):
        assert pays(api, number, "till 1").status == 200
    all_is_well()


def test_cash_has_no_number_of_its_own(api: Api) -> None:
    for number in (counter(api, "on_delivery"), counter(api, "on_delivery")):
        assert pays(api, number, "paid at the door").status == 200
    all_is_well()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_one_slip_entered_on_two_orders_at_once_pays_one(api: Api) -> None:
    numbers = [counter(api, "cheque") for _ in range(4)]
    askers = [Api("clerk", f"Clerk {n}") for n in range(4)]
    found = worked(together(4, lambda n: pays(askers[n], numbers[n], "Cheque 2041", kind="cheque")))
    assert sorted(one.status for one in found) == [200, 422, 422, 422]
    assert Slip.objects.count() == Charge.objects.count() == SlipNumber.objects.count() == 1
    all_is_well()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_slip_entered_by_many_on_one_order_is_entered_once(api: Api) -> None:
    number = counter(api, "cheque")
    askers = [Api("clerk", f"Clerk {n}") for n in range(4)]
    found = worked(together(4, lambda n: pays(askers[n], number, "Cheque 2041")))
    assert sorted(one.status for one in found) == [200, 409, 409, 409]
    assert Slip.objects.count() == Charge.objects.count() == 1


def test_an_order_that_costs_nothing_needs_no_slip(api: Api) -> None:
    api.done("/products", {"sku": "GIFT", "name": "A gift", "price": 0, "currency": "USD"})
    api.done("/stock", {"sku": "GIFT", "quantity": 5, "reason": "opening stock"})
    free: dict[str, Any] = {"lines": [{"sku": "GIFT", "quantity": 1}], "shipping": {"method": "Ground", "price": 0}}
    number = approved(api, payment={"method": "terminal"}, **free)
    assert api.post(f"/orders/{number}/charge", {"reference": "gift", "amount": 0}).status == 200
    assert not Slip.objects.exists()
    all_is_well()


def test_the_desk_asks_what_it_is_and_says_which_field_is_wrong(api: Api) -> None:
    first, second = counter(api, "cheque"), counter(api, "cheque")
    desk = at_the_desk()
    form = {"reference": "17", "amount": "65.00", "kind": "transfer", "last4": ""}
    page = desk.get(f"/desk/orders/{first}").content.decode()
    assert 'name="kind"' in page
    assert 'value="cheque" selected' in page
    assert desk.post(f"/desk/orders/{first}/acts/record-payment", form).status_code == 303
    assert Slip.objects.get().kind == "transfer"
    answer = desk.post(f"/desk/orders/{second}/acts/record-payment", form)
    assert answer.status_code == 422
    assert f"is already entered on {first}" in answer.content.decode()


# --- giving back ----------------------------------------------------------------------------------------------------


def test_what_a_person_gives_back_stands_on_the_slip_as_paid(api: Api) -> None:
    number = counter(api)
    pays(api, number, "17")
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    noted = SlipReturn.objects.get()
    assert (noted.amount, noted.state, noted.paid_by) == (1000, "succeeded", "owner's key")
    assert api.order(number)["refunded"] == 1000
    all_is_well()


def test_what_goes_back_unasked_waits_until_a_person_says_that_they_paid_it(api: Api) -> None:
    number = counter(api)
    pays(api, number, "17")
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    settle()
    refund, noted = Refund.objects.get(), SlipReturn.objects.get()
    assert (refund.state, noted.state, noted.amount) == ("pending", "pending", TOTAL)
    all_is_well()
    for _ in range(2):
        retry_refund(order=number, refund_id=refund.pk, actor=CLERK)
    noted.refresh_from_db()
    assert (noted.state, noted.paid_by) == ("succeeded", "Clara")
    assert SlipReturn.objects.count() == 1
    all_is_well()


def test_a_person_may_be_quicker_than_the_note(api: Api) -> None:
    number = counter(api)
    pays(api, number, "17")
    with writing():
        taken = take(number)
        decide_refund(order=taken, part=Part.objects.get(order=taken), amount=500, reason="late", actor=SYSTEM)
    retry_refund(order=number, refund_id=Refund.objects.get().pk, actor=CLERK)
    settle()
    assert SlipReturn.objects.get().state == "succeeded"
    all_is_well()


# --- comparing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind", "ours", "theirs"),
    [
        ("UPDATE orders_charge SET intent_id = ''", "slip_alone", "no charge", "on the slip"),
        ("UPDATE terminal_slip SET amount = 7000", "slip_differs", "$65.00 charged", "$70.00 on the slip"),
        ("UPDATE terminal_slip SET state = 'waiting'", "slip_missing", "$65.00 charged", "no slip"),
        ("UPDATE terminal_slipreturn SET state = 'pending'", "return_differs", "refund succeeded", "to be given back"),
        ("UPDATE terminal_slipreturn SET mark = '{}'", "return_differs", "no refund", "given back"),
        ("DELETE FROM terminal_slipreturn", "return_differs", "refund succeeded", "nothing on the slip"),
    ],
)
def test_a_slip_and_a_charge_that_do_not_agree_are_a_row_until_they_do(
    api: Api, change: str, kind: str, ours: str, theirs: str
) -> None:
    number = counter(api)
    pays(api, number, "17", last4="4242")
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    slip, noted = Slip.objects.get(), SlipReturn.objects.get()
    assert reconcile().differences == []
    execute(change)
    rows = [row for row in reconcile().differences if row.kind == kind]
    assert rows
    row = rows[0]
    assert row.order_number == number
    assert ours in row.ours
    assert theirs in row.theirs
    assert api.order(number)["queue"] == "bank_differs"
    assert reconcile().differences == open_differences()  # found again, not twice
    slip.save()
    noted.save()
    Charge.objects.update(intent_id=f"slip_{slip.pk}")
    assert reconcile().differences == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("UPDATE orders_charge SET intent_id = ''", "slip_alone"),
        ("UPDATE terminal_slip SET amount = 7000", "slip_differs"),
        ("UPDATE terminal_slip SET amount = 6000", "slip_differs"),
        ("UPDATE terminal_slip SET state = 'waiting'", "slip_missing"),
        ("UPDATE orders_charge SET intent_id = 'slip_0'", "slip_missing"),
        ("UPDATE terminal_slipreturn SET state = 'pending', paid_at = NULL", "return_differs"),
        ("DELETE FROM terminal_slipreturn", "return_differs"),
    ],
)
def test_one_click_brings_a_slip_and_its_charge_in_line(api: Api, change: str, kind: str) -> None:
    number = counter(api)
    pays(api, number, "17", last4="4242")
    if kind == "return_differs":
        api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    settle()
    execute(change)
    if change.startswith("DELETE"):
        execute("UPDATE terminal_slip SET returned = 0")
    for _ in range(3):  # another may show only when the first is settled
        for row in sorted(reconcile().differences, key=lambda row: row.kind != kind):
            assert remedies_of(row)[0] == "take_over"
            if still(row) is None:  # the click before has settled this one, too
                with pytest.raises(Refused):
                    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
                continue
            resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
        settle()
    assert Difference.objects.filter(kind=kind, remedy="take_over").exists()
    assert reconcile().differences == []
    order = api.order(number)
    if kind == "slip_differs":
        booked = Slip.objects.get().amount
        assert order["charged"] == booked
        assert order["axes"]["money"] == ("charged" if booked > TOTAL else "unpaid")
        assert order["refund_owed"] + order["refunded"] == max(0, booked - TOTAL)
        assert order["owed"] == max(0, TOTAL - booked)
    else:
        assert (order["charged"], order["axes"]["money"]) == (TOTAL, "charged")
    all_is_well()


def test_money_on_a_slip_that_nobody_booked_is_booked_on_its_order_with_one_click(api: Api) -> None:
    number = counter(api)
    stands = {"order": number, "slip": "88", "by": "Ann"}
    slip = TILL.create_intent(amount=TOTAL, currency="USD", method="cheque", reference=stands, key="by hand")
    TILL.confirm_intent(slip.id, key="by hand")
    (row,) = reconcile().differences
    assert (row.kind, row.order_number) == ("slip_alone", number)
    resolve_difference(difference=row.pk, actor=CLERK, remedy="take_over")
    order = api.order(number)
    assert (order["charged"], order["owed"], order["axes"]["money"]) == (TOTAL, 0, "charged")
    assert Charge.objects.get().reference == "88"
    assert reconcile().differences == []
    all_is_well()


def test_what_was_handed_back_without_a_refund_of_ours_has_no_click_and_says_what_to_do(api: Api) -> None:
    number = counter(api)
    pays(api, number, "17", last4="4242")
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    execute("UPDATE terminal_slipreturn SET mark = '{}'")
    row = next(r for r in reconcile().differences if r.ours == "no refund")
    assert remedies_of(row) == ("note",)
    assert "Decide one on the order" in advice_on(row)


def test_slips_are_compared_even_while_the_processor_is_away(api: Api, settings: Any) -> None:
    pays(api, counter(api), "17")
    execute("UPDATE terminal_slip SET amount = 7000")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(Exception, match="cannot be reached"):
        reconcile()
    assert [row.kind for row in open_differences()] == ["slip_differs"]


# --- before there were slips ----------------------------------------------------------------------------------------


def test_what_was_recorded_before_there_were_slips_gets_its_slip(api: Api) -> None:
    first, second = counter(api, "cheque"), counter(api, "on_delivery")
    pays(api, first, "2041")
    pays(api, second, "at the door")
    api.done(f"/orders/{first}/refunds", {"amount": 1000, "reason": "corked"})
    with writing():
        taken = take(second)
        decide_refund(order=taken, part=Part.objects.get(order=taken), amount=500, reason="late", actor=SYSTEM)
    made = list(Slip.objects.order_by("id").values("kind", "number", "amount", "order_number", "state", "mark"))
    settle()
    for table in ("slipreturn", "slip", "slipnumber"):
        execute(f"DELETE FROM terminal_{table}")
    Charge.objects.update(intent_id="")
    migration = importlib.import_module("counterfoil.gateways.card.terminal.migrations.0002_slips_of_what_was_recorded")
    for _ in range(2):
        migration.write_slips(apps)
    again = list(Slip.objects.order_by("id").values("kind", "number", "amount", "order_number", "state", "mark"))
    assert again == made
    assert list(SlipReturn.objects.order_by("id").values_list("amount", "state")) == [
        (1000, "succeeded"),
        (500, "pending"),
    ]
    assert list(Slip.objects.order_by("id").values_list("returned", flat=True)) == [1000, 500]
    assert pays(api, counter(api, "cheque"), "2041", kind="cheque").status == 422
    all_is_well()
