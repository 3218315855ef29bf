"""A clerk amends what the customer agreed to; it is previewed, applied at once, undone by another amendment."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core import shop as shops
from counterfoil.core.db import writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Amendment, Line, Refund
from counterfoil.records.stock.models import Balance
from counterfoil.steps.charging.tests.build import accepted, at_the_bank, in_two_parts
from tests.support import Answer, Api, order_body, product, settle

pytestmark = pytest.mark.django_db
CONSENT = {"how": "telephone", "who": "June Harper", "note": "called us"}


@pytest.fixture
def api(card: str) -> Api:
    with writing():
        shops.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 100_000}}])
    owner = Api("owner", "Olga")
    product(owner, "PINOT-21", stock=50, price=2000)
    product(owner, "SYRAH-19", stock=10, price=1000)
    product(owner, "GRAND-15", stock=4, price=6000, sell_when_out="stop")
    return owner


def approved(api: Api, *lines: tuple[str, int], **more: Any) -> str:
    number = str(api.done("/orders", order_body(*(lines or (("PINOT-21", 2), ("SYRAH-19", 1))), **more))["number"])
    settle()
    day = shop().business_days_from(shop().today(), 1).isoformat()
    api.done(f"/orders/{number}/approval", {"ship_estimate": day})
    return number


def charged(api: Api, *lines: tuple[str, int]) -> str:
    number = approved(api, *lines)
    api.done(f"/orders/{number}/charge")
    settle()
    return number


def amend(api: Api, number: str, *changes: dict[str, Any], **more: Any) -> Answer:
    found = api.post(f"/orders/{number}/amendments", {"changes": list(changes), "consent": CONSENT, **more})
    settle()
    return found


def undo(api: Api, number: str, which: int = 1) -> Answer:
    found = api.post(f"/orders/{number}/amendments/{which}/undo", {"consent": CONSENT})
    settle()
    return found


def wanted(order: dict[str, Any]) -> dict[str, int]:
    return {ln["sku"]: ln["quantity"] for ln in order["lines"] if ln["quantity"]}


def well() -> None:
    settle()
    assert judge_all() == []


def test_everything_that_can_be_amended_is_amended_in_one_go(api: Api, card: str) -> None:
    number = approved(api)
    made = amend(
        api,
        number,
        {"kind": "quantity", "line": "PINOT-21", "quantity": 3},
        {"kind": "substitute", "line": "SYRAH-19", "sku": "GRAND-15", "price": 5000},
        {"kind": "price", "line": "PINOT-21", "price": 1900},
        {"kind": "delivery", "method": "Express"},
    )
    assert made.status == 201, made.body
    order = api.order(number)
    assert wanted(order) == {"PINOT-21": 3, "GRAND-15": 1}
    assert (order["subtotal"], order["shipping"], order["tax"]) == (3 * 1900 + 5000, 3500, 1070)
    assert order["shipping_method"] == "Express"
    assert made.body["consent"]["who"] == "June Harper"
    assert (made.body["before"]["order"]["total"], made.body["after"]["order"]["total"]) == (7000, order["total"])
    papers = [(d["kind"], d["version"]) for d in order["documents"] if d["kind"] == "sales-order"]
    assert papers == [("sales-order", 1), ("sales-order", 2)]  # the old one is kept
    assert all(ln["reserved"] == ln["quantity"] for ln in order["lines"])
    api.done(f"/orders/{number}/charge")
    settle()
    assert at_the_bank(card, number) == [(order["total"], 0)]
    well()


def test_a_preview_changes_nothing_and_is_what_comes(api: Api) -> None:
    number = approved(api)
    before = api.order(number)
    events = JournalEvent.objects.count()
    asked: list[dict[str, Any]] = [
        {"kind": "drop", "line": "SYRAH-19"},
        {"kind": "add", "sku": "GRAND-15", "quantity": 2},
    ]
    drawn = api.done(f"/orders/{number}/amendments", {"changes": asked, "preview": True})
    assert api.order(number) == before
    assert (JournalEvent.objects.count(), Amendment.objects.count()) == (events, 0)
    assert drawn["version"] == before["version"]
    made = amend(api, number, *asked, version=drawn["version"]).body
    money = [{k: p[k] for k in ("number", "subtotal", "shipping", "tax", "total")} for p in drawn["after"]["parts"]]
    assert money == [
        {k: p[k] for k in ("number", "subtotal", "shipping", "tax", "total")} for p in made["after"]["parts"]
    ]
    shown = {ln["sku"]: (ln["quantity"], ln["reserved"]) for ln in drawn["after"]["lines"]}
    assert shown == {"PINOT-21": (2, 2), "SYRAH-19": (0, 0), "GRAND-15": (2, 2)}
    well()


def test_an_amendment_of_another_version_hears_who_came_first(api: Api) -> None:
    number = approved(api)
    asked = {"kind": "quantity", "line": "PINOT-21", "quantity": 1}
    drawn = api.done(f"/orders/{number}/amendments", {"changes": [asked], "preview": True})
    Api("clerk", "Ann").done(f"/orders/{number}/holds", {"reason": "odd"})
    stale = amend(api, number, asked, version=drawn["version"])
    assert (stale.status, stale.codes) == (409, {"someone_else"})
    assert stale.body["blockers"][0]["by"] == "Ann"
    assert wanted(api.order(number)) == {"PINOT-21": 2, "SYRAH-19": 1}
    well()


def test_cheaper_after_the_charge_gives_back_and_undone_it_is_due_again_and_moves_nothing_by_itself(
    api: Api, card: str
) -> None:
    number = charged(api)
    total = api.order(number)["total"]
    assert amend(api, number, {"kind": "drop", "line": "SYRAH-19"}).body["refunded"] == 1100
    assert at_the_bank(card, number) == [(total, 1100)]
    undone = undo(api, number).body
    assert (undone["undoes"], undone["refunded"], undone["due"]) == (1, 0, 1100)
    order = api.order(number)
    assert (order["total"], order["owed"], order["axes"]["money"]) == (total, 1100, "saved")
    assert (wanted(order), order["queue"]) == ({"PINOT-21": 2, "SYRAH-19": 1}, "charge")
    assert at_the_bank(card, number) == [(total, 1100)]
    assert Refund.objects.count() == 1
    # Nothing ships until it is covered; charged once more, it is exactly the difference.
    assert "not_charged" in api.post(f"/orders/{number}/picks").codes
    api.done(f"/orders/{number}/charge")
    settle()
    assert sorted(at_the_bank(card, number)) == [(1100, 0), (total, 1100)]
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}")
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z1"})
    well()


def test_undone_and_done_again_without_a_charge_between_moves_money_once(api: Api, card: str) -> None:
    number = charged(api)
    total = api.order(number)["total"]
    amend(api, number, {"kind": "drop", "line": "SYRAH-19"})
    undo(api, number, 1)
    undo(api, number, 2)
    order = api.order(number)
    assert (wanted(order), order["axes"]["money"], order["owed"]) == ({"PINOT-21": 2}, "charged", 0)
    assert at_the_bank(card, number) == [(total, 1100)]
    well()


def test_dearer_after_the_charge_the_difference_alone_is_charged(api: Api, card: str) -> None:
    number = charged(api)
    total = api.order(number)["total"]
    made = amend(api, number, {"kind": "quantity", "line": "PINOT-21", "quantity": 3}).body
    assert (made["refunded"], made["due"]) == (0, 2200)
    assert api.order(number)["next_action"] == "charge"
    api.done(f"/orders/{number}/charge")
    settle()
    assert sorted(at_the_bank(card, number)) == [(2200, 0), (total, 0)]
    # Undone after the money moved: exactly what was taken for it goes back, once.
    assert undo(api, number).body["refunded"] == 2200
    settle()
    assert sum(taken - back for taken, back in at_the_bank(card, number)) == total
    well()


def test_an_undo_twice_is_done_once_and_the_second_hears_who(api: Api) -> None:
    number = approved(api)
    amend(api, number, {"kind": "drop", "line": "SYRAH-19"})
    assert undo(api, number).status == 201
    again = undo(api, number)
    assert (again.status, again.codes) == (409, {"someone_else"})
    assert "undone already by Olga" in again.body["detail"]
    well()


def test_only_the_newest_amendment_is_undone(api: Api) -> None:
    number = approved(api)
    amend(api, number, {"kind": "drop", "line": "SYRAH-19"})
    amend(api, number, {"kind": "quantity", "line": "PINOT-21", "quantity": 1})
    refused = undo(api, number, 1)
    assert (refused.status, refused.codes) == (409, {"someone_else"})
    assert undo(api, number, 2).status == 201
    assert undo(api, number, 3).status == 201
    assert wanted(api.order(number)) == {"PINOT-21": 1}
    well()


def test_what_has_left_is_not_amended_and_not_undone(api: Api) -> None:
    number = charged(api, ("PINOT-21", 2))
    amend(api, number, {"kind": "quantity", "line": "PINOT-21", "quantity": 1})
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}")
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z1"})
    for found in (undo(api, number), amend(api, number, {"kind": "quantity", "line": "PINOT-21", "quantity": 2})):
        assert (found.status, found.codes) == (409, {"already_shipped"})
    well()


def test_a_packed_box_is_opened_and_everything_is_back_on_the_shelf(api: Api) -> None:
    number = charged(api)
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}")
    amend(api, number, {"kind": "drop", "line": "SYRAH-19"})
    order = api.order(number)
    assert (order["axes"]["parcel"], order["queue"]) == ("waiting", "pick")
    syrah = Balance.objects.get(product__sku="SYRAH-19")
    assert (syrah.on_hand, syrah.reserved, syrah.picked) == (10, 0, 0)
    well()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "quantity", "line": "NONE", "quantity": 1}, "changes.0.line"),
        ({"kind": "quantity", "line": "PINOT-21"}, "changes.0.quantity"),
        ({"kind": "quantity", "line": "PINOT-21", "quantity": -1}, "changes.0.quantity"),
        ({"kind": "quantity", "line": "PINOT-21", "quantity": 2, "sku": "X"}, "changes.0.sku"),
        ({"kind": "quantity", "line": "PINOT-21", "quantity": 2}, "changes"),
        ({"kind": "add", "sku": "NONE", "quantity": 1}, "changes.0.sku"),
        ({"kind": "substitute", "line": "PINOT-21", "sku": "PINOT-21"}, "changes.0.sku"),
        ({"kind": "price", "line": "PINOT-21"}, "changes.0.price"),
        ({"kind": "delivery", "method": "Balloon"}, "changes.0.price"),
        ({"kind": "address"}, "changes.0.address"),
    ],
)
def test_a_change_that_makes_no_sense_is_said_at_its_field(api: Api, change: dict[str, Any], field: str) -> None:
    number = approved(api)
    wrong = amend(api, number, change)
    assert (wrong.status, field in wrong.fields) == (422, True), wrong.body
    assert not Amendment.objects.exists()


def test_to_take_everything_off_is_to_cancel(api: Api) -> None:
    number = approved(api, ("PINOT-21", 2))
    assert "cancel the order instead" in amend(api, number, {"kind": "drop", "line": "PINOT-21"}).body["detail"]


def test_what_is_sold_only_while_it_is_there_is_added_no_further(api: Api) -> None:
    refused = amend(api, approved(api), {"kind": "add", "sku": "GRAND-15", "quantity": 5})
    assert (refused.status, refused.codes) == (409, {"sold_out"})


def test_without_consent_only_what_costs_the_customer_less(api: Api) -> None:
    number = approved(api)
    nobody = {"consent": {"how": "not_needed"}}
    for change in (
        {"kind": "drop", "line": "SYRAH-19"},
        {"kind": "price", "line": "PINOT-21", "price": 2100},
        {"kind": "delivery", "method": "Express"},
    ):
        refused = amend(api, number, change, **nobody)
        assert (refused.status, refused.fields) == (422, {"consent.how"}), refused.body
    assert amend(api, number, {"kind": "price", "line": "PINOT-21", "price": 1500}, **nobody).status == 201
    assert amend(api, number, {"kind": "drop", "line": "SYRAH-19"}, consent=None).fields == {"consent.how"}
    assert amend(api, number, {"kind": "drop", "line": "SYRAH-19"}, consent={"how": "mail"}).fields == {"consent.who"}
    well()


def test_another_address_has_another_tax(api: Api) -> None:
    number = approved(api)
    there = {"name": "Zoë Brontë", "street": "1 Main", "city": "Reno", "state": "NV", "country": "US"}
    made = amend(api, number, {"kind": "address", "address": there})
    assert made.status == 201, made.body
    order = api.order(number)
    assert (order["shipping_address"]["city"], order["tax"], order["total"]) == ("Reno", 0, 6500)
    assert undo(api, number).status == 201
    assert (api.order(number)["shipping_address"]["city"], api.order(number)["total"]) == ("Napa", 7000)
    # A state that is written out is the same state, and taxed as it is.
    written = {**there, "city": "Sonoma", "state": "California"}
    assert amend(api, number, {"kind": "address", "address": written}).status == 201
    assert (api.order(number)["shipping_address"]["state"], api.order(number)["total"]) == ("CA", 7000)
    well()


def test_while_the_customer_is_asked_nobody_amends(api: Api) -> None:
    number = approved(api)
    api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})
    assert amend(api, number, {"kind": "drop", "line": "SYRAH-19"}).codes == {"question_open"}


def test_the_answer_of_a_customer_is_an_amendment_and_is_undone_like_one(api: Api, card: str) -> None:
    number = charged(api, ("PINOT-21", 2))
    total = api.order(number)["total"]
    accepted(api, number, {"kind": "substitute", "line": "PINOT-21", "sku": "SYRAH-19", "quantity": 1})
    settle()
    assert at_the_bank(card, number) == [(total, 1100)]
    (made,) = api.get(f"/orders/{number}/amendments").body["amendments"]
    assert (made["kind"], made["consent"]["how"], made["refunded"]) == ("answer", "link", 1100)
    assert undo(api, number).body["due"] == 1100
    assert wanted(api.order(number)) == {"PINOT-21": 2}
    assert at_the_bank(card, number) == [(total, 1100)]
    well()


# --- parts ----------------------------------------------------------------------------------------------------------


def merge(api: Api, number: str, part: int = 2, into: int = 1, **more: Any) -> Answer:
    found = api.post(f"/orders/{number}/merges", {"part": part, "into": into, **more})
    settle()
    return found


def test_parts_come_together_again_while_neither_is_charged(api: Api, card: str) -> None:
    number = in_two_parts(api)
    settle()
    before = api.order(number)
    assert len([p for p in before["parts"] if p["total"]]) == 2
    assert merge(api, number).status == 201
    order = api.order(number)
    assert order["total"] == before["total"]
    assert [(p["number"], p["total"], p["money"]) for p in order["parts"]] == [
        (1, before["total"], "saved"), (2, 0, "voided"),
    ]  # fmt: skip
    # Everything is on the shelf: the earlier promise stands.
    assert order["parts"][0]["promise"]["date"] == before["parts"][0]["promise"]["date"]
    api.done(f"/orders/{number}/charge")
    settle()
    assert at_the_bank(card, number) == [(before["total"], 0)]
    for act in ("picks", "packages"):
        api.done(f"/orders/{number}/{act}")
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z1"})
    settle()
    assert len([d for d in api.order(number)["documents"] if d["kind"] == "invoice"]) == 1
    well()


def test_a_part_that_is_charged_stays_a_part(api: Api) -> None:
    number = in_two_parts(api)
    api.done(f"/orders/{number}/charge", {"part": 1})
    refused = merge(api, number)
    assert (refused.status, refused.codes) == (409, {"already_charged"})
    well()


def test_goods_that_would_wait_for_others_wait_only_with_the_customers_word(api: Api) -> None:
    product(api, "LATE-20", price=1000)
    number = approved(api, ("PINOT-21", 2), ("LATE-20", 1))
    later = "2027-03-01"
    accepted(api, number, {"kind": "split", "line": "LATE-20", "date": later})
    refused = merge(api, number)
    assert (refused.status, refused.fields) == (422, {"consent.how"})
    assert merge(api, number, consent=CONSENT).status == 201
    assert api.order(number)["parts"][0]["promise"]["date"] == later
    well()


def test_a_split_of_a_split_is_three_parts_and_the_ledger_is_exact(api: Api, card: str) -> None:
    number = approved(api, ("PINOT-21", 6))
    day = "2027-03-01"
    accepted(api, number, {"kind": "split", "line": "PINOT-21", "quantity": 4, "date": day})
    second = next(p for p in api.order(number)["parts"] if p["number"] == 2)
    assert [ln["quantity"] for ln in second["lines"]] == [4]
    line = Line.objects.get(order__number=number, part__number=2)
    accepted(api, number, {"kind": "split", "line": line.pk, "quantity": 1, "date": day})
    settle()
    order = api.order(number)
    assert [[ln["quantity"] for ln in p["lines"]] for p in order["parts"]] == [[2], [3], [1]]
    assert sum(p["total"] for p in order["parts"]) == order["total"]
    assert all(ln["reserved"] == ln["quantity"] for ln in order["lines"])
    # Each is charged, shipped and invoiced by itself.
    for part in (1, 2, 3):
        api.done(f"/orders/{number}/charge", {"part": part})
        settle()
        api.done(f"/orders/{number}/picks", {"part": part})
        api.done(f"/orders/{number}/packages", {"part": part})
        api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{part}"})
        settle()
    order = api.order(number)
    assert order["status"] == "shipped"
    assert sorted(taken for taken, _ in at_the_bank(card, number)) == sorted(p["total"] for p in order["parts"])
    assert len([d for d in order["documents"] if d["kind"] == "invoice"]) == 3
    well()


def test_a_split_is_undone_by_merging(api: Api) -> None:
    number = in_two_parts(api)
    assert "merge its parts instead" in undo(api, number).body["detail"]
    assert merge(api, number).status == 201
    assert "ask the customer for a split" in undo(api, number, 2).body["detail"]
    well()
