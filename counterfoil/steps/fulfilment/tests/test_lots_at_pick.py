"""Which lot goes into the box: chosen for the list, kept to by the pick, replaced by another when it fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import change, shop
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Line, Part
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.stock.models import Balance, Movement, PickPlan, Place
from counterfoil.records.stock.tests.build import agree, at, shelve
from counterfoil.steps.fulfilment.actions import issue_pick_list, pack_order, pick_order, return_order, ship_order
from counterfoil.steps.fulfilment.tests.build import PIA, Built, an_order

pytestmark = pytest.mark.django_db


def stocked(*lots: tuple[str, str, int, int | None], sku: str = "QUILL", units: int = 3, others: int = 0) -> Built:
    """A paid order of `units`; by lot: bin, units and days until it ends, the first one the oldest. `others` more
    units are reserved for other orders."""
    built = an_order((sku, units), products={sku: {"on_hand": units}})
    wine = built.products[sku]
    Place.objects.filter(product=wine).delete()
    for age, (lot, bin_, there, days) in enumerate(lots):
        ends = None if days is None else shop().today() + timedelta(days=days)
        shelve(wine, there, lot=lot, bin=bin_, best_before=ends, days_ago=99 - age)
    on_hand = sum(there for _, _, there, _ in lots)
    Balance.objects.filter(product=wine).update(on_hand=on_hand, reserved=units + others)
    return built


def listed(built: Built) -> list[tuple[str, str | None, int]]:
    """Bin, lot and units, as the pick list says it."""
    paper = issue_pick_list(order=built.number, part=1, actor=PIA)
    return [(ln["bin"], ln.get("lot"), ln["quantity"]) for ln in paper.content["lines"]]


def last(built: Built, kind: str) -> JournalEvent:
    return JournalEvent.objects.get(subject=built.number, kind=kind)


def test_the_list_names_the_lot_that_ends_first_and_the_pick_takes_it() -> None:
    built = stocked(("LATE", "A-1", 5, 400), ("SOON", "B-2", 2, 90), ("NONE", "A-9", 5, None))
    assert listed(built) == [("A-1", "LATE", 1), ("B-2", "SOON", 2)]
    pick_order(order=built.number, actor=PIA)
    assert at(built.products["QUILL"]) == {
        ("A-1", "LATE"): (4, 1, 0),
        ("B-2", "SOON"): (0, 2, 0),
        ("A-9", "NONE"): (5, 0, 0),
    }
    agree(built.products["QUILL"])
    assert not PickPlan.objects.exists()


def test_a_shop_that_goes_by_age_takes_the_oldest_lot() -> None:
    with writing():
        change(lots_by="fifo")
    assert listed(stocked(("OLD", "A-1", 5, 400), ("SOON", "B-2", 5, 90))) == [("A-1", "OLD", 3)]


def test_two_lists_do_not_send_two_pickers_for_the_same_bottles() -> None:
    first = stocked(("A", "A-1", 4, 90), ("B", "B-2", 8, 200), others=3)
    assert listed(first) == [("A-1", "A", 3)]
    second = an_order(("QUILL", 3))
    Balance.objects.filter(product=first.products["QUILL"]).update(reserved=6)
    assert listed(second) == [("A-1", "A", 1), ("B-2", "B", 2)]
    # Whoever comes first leaves the other what the other's list says.
    pick_order(order=second.number, actor=PIA)
    pick_order(order=first.number, actor=PIA)
    assert at(first.products["QUILL"]) == {("A-1", "A"): (0, 4, 0), ("B-2", "B"): (6, 2, 0)}


def test_a_picker_may_say_which_lot_it_was() -> None:
    built = stocked(("A", "A-1", 5, 90), ("B", "B-2", 5, 200))
    lines: list[dict[str, Any]] = [
        {"sku": "QUILL", "quantity": 2, "lot": "B"},
        {"sku": "QUILL", "quantity": 1, "lot": "A"},
    ]
    pick_order(order=built.number, actor=PIA, lines=lines)
    assert at(built.products["QUILL"]) == {("A-1", "A"): (4, 1, 0), ("B-2", "B"): (3, 2, 0)}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"quantity": 3, "lot": "NEVER"}, "lines.0.quantity"),
        ({"quantity": 3, "lot": "B"}, "lines.0.quantity"),
        ({"quantity": 3, "bin": "Z-1"}, "lines.0.quantity"),
    ],
)
def test_a_lot_that_is_not_there_is_told_at_its_line_and_moves_nothing(said: dict[str, Any], field: str) -> None:
    built = stocked(("A", "A-1", 5, 90), ("B", "B-2", 2, 200))
    before = at(built.products["QUILL"])
    with pytest.raises(Invalid) as caught:
        pick_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", **said}])
    assert [f for f, _ in caught.value.errors] == [field]
    assert at(built.products["QUILL"]) == before
    assert not Movement.objects.filter(subject=built.number).exists()


def test_a_broken_bottle_has_another_lot_tried_and_the_order_keeps_its_units() -> None:
    built = stocked(("A", "A-1", 4, 90), ("B", "B-2", 1, 200))
    pick_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 2, "short": 1}])
    line = built.line("QUILL")
    assert (line.reserved, line.picked, line.open_units) == (1, 2, 0)
    # One is set aside where it stood; the other bottle of that lot is left alone, another lot is tried first.
    assert at(built.products["QUILL"]) == {("A-1", "A"): (1, 2, 1), ("B-2", "B"): (1, 0, 0)}
    assert (built.part().stock, built.part().parcel) == ("confirmed", "picking")
    told = last(built, "pick_tried_elsewhere")
    assert told.data["lines"][0]["elsewhere"] == [{"bin": "B-2", "lot": "B", "quantity": 1}]
    assert "bin B-2, lot B" in told.text
    pick_order(order=built.number, actor=PIA)
    assert at(built.products["QUILL"]) == {("A-1", "A"): (1, 2, 1), ("B-2", "B"): (0, 1, 0)}
    assert (built.line("QUILL").picked, built.part().parcel) == (3, "picked")
    agree(built.products["QUILL"])


def test_what_is_promised_to_others_is_not_tried_and_only_the_rest_is_open_again() -> None:
    built = stocked(("A", "A-1", 3, 90), ("B", "B-2", 2, 200), others=1)
    pick_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 1, "short": True}])
    line = built.line("QUILL")
    assert (line.reserved, line.picked, line.open_units) == (1, 1, 1)
    assert (built.part().stock, built.balance("QUILL").reserved, built.balance("QUILL").free) == ("short", 2, 0)
    assert last(built, "pick_fell_short").data["lines"] == [{"line": line.pk, "sku": "QUILL", "missing": 1}]
    assert last(built, "pick_tried_elsewhere").data["lines"][0]["missing"] == 1
    agree(built.products["QUILL"])


def test_what_was_picked_goes_back_to_where_it_came_from_and_its_lot_comes_back_with_it() -> None:
    built = stocked(("A", "A-1", 2, 90), ("B", "B-2", 5, 200))
    wine = built.products["QUILL"]
    pick_order(order=built.number, actor=PIA)
    with writing():
        put_back_parcel(taken_order=take(built.number), part=built.part(), actor=PIA)
    assert at(wine) == {("A-1", "A"): (2, 0, 0), ("B-2", "B"): (5, 0, 0)}
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=PIA, carrier="Box & Wheel", tracking_number="BW 17 4")
    assert at(wine) == {("B-2", "B"): (4, 0, 0)}
    assert {(m.lot, m.shipped) for m in Movement.objects.filter(kind="shipped")} == {("A", 2), ("B", 1)}
    back = [{"sku": "QUILL", "quantity": 3}]
    return_order(order=built.number, actor=PIA, lines=back, condition="sellable", reason="sent to the wrong house")
    assert at(wine) == {("A-1", "A"): (2, 0, 0), ("B-2", "B"): (5, 0, 0)}
    agree(wine)


def test_two_boxes_of_one_line_each_take_their_own_lots() -> None:
    built = stocked(("A", "A-1", 2, 90), ("B", "B-2", 5, 200))
    pick_order(order=built.number, actor=PIA)
    for units in (1, 2):
        pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": units}])
    ship_order(order=built.number, actor=PIA, carrier="Box & Wheel", tracking_number="BW 17 5")
    assert built.units("QUILL") == (4, 0, 0, 3, 0)
    agree(built.products["QUILL"])


@pytest.mark.parametrize("lines", [1, 12])
def test_a_pick_costs_the_same_statements_however_many_lines_it_has(lines: int) -> None:
    built = an_order(*[(f"W{n}", 2) for n in range(lines)])
    issue_pick_list(order=built.number, part=1, actor=PIA)
    with CaptureQueriesContext(connection) as asked:
        pick_order(order=built.number, actor=PIA)
    assert Line.objects.filter(order__number=built.number, picked=2).count() == lines
    assert Part.objects.get(order__number=built.number).parcel == "picked"
    assert len(asked) <= 40, len(asked)
