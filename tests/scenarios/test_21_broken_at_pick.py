"""21. A broken bottle at pick: another lot is tried, a count is queued, payment untouched until resolved."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from conftest import Mailbox
from counterfoil.core.actor import SYSTEM
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.sourcing.actions import close_count
from counterfoil.steps.sourcing.models import CountTask
from tests.doors.build import soon
from tests.support import Api, order_body, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]
SKU = "QUILL-19"


@pytest.fixture
def api(card: str) -> Api:
    return Api()


def lot(api: Api, name: str, units: int, until: str, bin_: str) -> None:
    given = {"lot": name, "best_before": until, "bin": bin_}
    api.done("/stock", {"sku": SKU, "quantity": units, "reason": f"lot {name} came", **given})


def charged(api: Api, units: int) -> str:
    """An order that is paid and waits to be picked."""
    number: str = api.done("/orders", order_body((SKU, units)))["number"]
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    api.done(f"/orders/{number}/charge", {})
    settle()
    assert api.order(number)["queue"] == "pick"
    return number


def money(order: dict[str, Any]) -> tuple[str, int, int]:
    part = order["parts"][0]
    return part["money"], part["charged"], part["refunded"]


def places(api: Api) -> dict[str, tuple[int, int, int]]:
    found = api.get(f"/products/{SKU}").body["places"]
    return {p["lot"]: (p["on_hand"], p["picked"], p["quarantined"]) for p in found}


def timeline(api: Api, number: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = api.get(f"/orders/{number}/timeline").body["events"]
    return events


def test_scenario_21_a_broken_bottle_has_another_lot_tried_and_the_money_stays_as_it_is(api: Api) -> None:
    api.done("/products", {"sku": SKU, "name": "Quill Late Harvest 2019", "price": 2500, "currency": "USD"})
    lot(api, "L1", 3, "2029-01-31", "A-1")
    lot(api, "L2", 2, "2030-01-31", "B-7")
    number = charged(api, 3)
    listed = next(d for d in api.get(f"/orders/{number}/documents").body["documents"] if d["kind"] == "pick-list")
    assert listed["number"].startswith("PL-")
    before = money(api.order(number))
    # Two are in the picker's hands, the third is broken. It came out of the lot that the list named.
    api.done(f"/orders/{number}/picks", {"lines": [{"sku": SKU, "quantity": 2, "short": 1}]})
    settle()
    assert places(api) == {"L1": (0, 2, 1), "L2": (2, 0, 0)}
    tried = next(e for e in timeline(api, number) if e["kind"] == "pick_tried_elsewhere")
    assert "take 1 from bin B-7, lot L2" in tried["text"]
    after = api.order(number)
    assert (money(after), after["queue"], after["parts"][0]["stock"]) == (before, "pick", "confirmed")
    # Somebody looks for it; until then nothing is lost and nothing is booked.
    task = CountTask.objects.get()
    assert (task.order_number, task.missing, task.closed_at) == (number, 1, None)
    # The other lot is there: the order goes its way, and nobody had to be told anything.
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/packages", {})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z21"})
    settle()
    shipped = api.order(number)
    assert (shipped["status"], money(shipped)) == ("shipped", before)
    assert judge_all() == []


def test_scenario_21_when_no_other_lot_is_left_the_customer_is_told_that_day_and_still_no_money_moves(
    api: Api, mailbox: Mailbox
) -> None:
    api.done("/products", {"sku": SKU, "name": "Quill Late Harvest 2019", "price": 2500, "currency": "USD"})
    lot(api, "L1", 3, "2029-01-31", "A-1")
    number = charged(api, 3)
    before = money(api.order(number))
    api.done(f"/orders/{number}/picks", {"lines": [{"sku": SKU, "quantity": 2, "short": 1}]})
    settle()
    after = api.order(number)
    line = after["lines"][0]
    assert (line["picked"], line["reserved"], line["short"]) == (2, 0, 1)
    assert (money(after), after["parts"][0]["stock"]) == (before, "short")
    # Charged, cannot ship: red at the desk, and the customer hears the same day, with what they can choose.
    assert (after["queue"], after["next_action"]) == ("cannot_ship", "wait_for_answer")
    lost = after["parts"][0]["cover_lost"]
    assert lost["at"][:10] == after["placed_at"][:10]
    (mail,) = mailbox.mails(to=after["customer"]["email"], subject="a delay, and your choice")
    said = " ".join(mail["text"].split())
    assert "You have paid for 1 × Quill Late Harvest 2019, which we cannot ship as we promised" in said
    for choice in ("Wait:", "Without 1 × Quill Late Harvest 2019, $25.00 less", "what you paid is refunded in full"):
        assert choice in said
    assert f"by {say_date(date.fromisoformat(lost['refund_on']))}, we cancel" in said
    told = next(e for e in timeline(api, number) if e["kind"] == "pick_fell_short")
    assert told["data"]["lines"][0]["missing"] == 1
    task = CountTask.objects.get()
    assert (task.order_number, task.missing) == (number, 1)
    # It is found after all: back on the shelf, and the order has it at once.
    close_count(task=task.pk, found=1, actor=SYSTEM)
    settle()
    whole = api.order(number)
    assert (whole["queue"], whole["lines"][0]["reserved"], money(whole)) == ("pick", 1, before)
    assert mailbox.mails(to=after["customer"]["email"], subject="it does not have to wait after all")
    assert judge_all() == []
