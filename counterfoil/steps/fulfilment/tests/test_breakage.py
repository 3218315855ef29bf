"""A bottle breaks on the packing table: set aside with its cause, another fetched, or the line open again."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Job, JournalEvent
from counterfoil.records.orders.models import Charge, Hold, Package
from counterfoil.records.stock.models import Balance, Movement, PickPlan
from counterfoil.records.stock.tests.build import agree, at
from counterfoil.steps.fulfilment.actions import break_units, issue_pick_list, pack_order, pick_order, ship_order
from counterfoil.steps.fulfilment.tests.build import CLEO, PAUL, PIA, Built, an_order
from counterfoil.steps.fulfilment.tests.test_lots_at_pick import stocked

pytestmark = pytest.mark.django_db


def on_the_table(*wanted: tuple[str, int], **more: Any) -> Built:
    built = an_order(*wanted, **more)
    pick_order(order=built.number, actor=PIA)
    return built


def breaks(built: Built, sku: str, units: int = 1, **more: Any) -> None:
    break_units(order=built.number, actor=PAUL, lines=[{"sku": sku, "quantity": units}], **more)


def told(built: Built) -> JournalEvent:
    return JournalEvent.objects.filter(subject=built.number, kind="units_broken").latest("id")


def money(built: Built) -> tuple[str, int, int, list[str]]:
    part = built.part()
    return part.money, part.charged, part.refund_owed, list(Charge.objects.values_list("state", flat=True))


def test_another_is_fetched_while_there_is_one_and_no_money_moves() -> None:
    built = stocked(("A", "A-1", 3, 90), ("B", "B-2", 4, 200), others=3)
    issue_pick_list(order=built.number, part=1, actor=PIA)
    pick_order(order=built.number, actor=PIA)
    before = money(built)
    breaks(built, "QUILL")
    line = built.line("QUILL")
    assert (line.picked, line.reserved, line.open_units) == (2, 1, 0)
    assert (built.part().parcel, built.part().stock, money(built)) == ("picking", "confirmed", before)
    # It is set aside as of the lot and the bin that it came from, and the ledger says why; no shelf is counted for it.
    assert at(built.products["QUILL"]) == {("A-1", "A"): (0, 2, 1), ("B-2", "B"): (4, 0, 0)}
    moved = Movement.objects.get(kind="broke_at_packing")
    assert (moved.reason, moved.actor) == (f"broken when {built.number} was packed", "Paul")
    assert not Job.objects.filter(name="sourcing.count").exists()
    event = told(built)
    assert event.text == "Broken at packing: 1 × QUILL. Set aside. Instead of 1 × QUILL: fetch 1 from bin B-2, lot B"
    assert event.data["lines"] == [{"line": line.pk, "sku": "QUILL", "quantity": 1, "missing": 0,
                                    "elsewhere": [{"bin": "B-2", "lot": "B", "quantity": 1}]}]  # fmt: skip
    assert PickPlan.objects.get().place.lot == "B"
    # What is promised to others is not touched, and the order goes its way.
    assert (built.balance("QUILL").reserved, built.balance("QUILL").free) == (4, 0)
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=CLEO, carrier="Box & Wheel", tracking_number="BW 21 1")
    assert at(built.products["QUILL"]) == {("A-1", "A"): (0, 0, 1), ("B-2", "B"): (3, 0, 0)}
    agree(built.products["QUILL"])


def test_where_no_other_is_free_the_line_is_open_again_and_waits() -> None:
    built = on_the_table(("QUILL", 3), ("TERN", 1), products={"QUILL": {"on_hand": 3}})
    pack_order(order=built.number, actor=PIA, lines=[{"sku": "TERN", "quantity": 1}])
    before = money(built)
    breaks(built, "QUILL", 2)
    line = built.line("QUILL")
    assert (line.picked, line.reserved, line.open_units) == (1, 0, 2)
    assert built.units("QUILL") == (0, 0, 1, 0, 2)
    assert (built.balance("QUILL").waiting, built.line("TERN").packed) == (2, 1)
    assert (built.part().parcel, built.part().stock, money(built)) == ("picking", "short", before)
    assert Job.objects.get(name="sourcing.fill").payload == {"product": line.product_id}
    assert told(built).text == "Broken at packing: 2 × QUILL. Set aside. 2 × QUILL: open again"
    # The last one breaks too: the stock axis has nowhere further to fall.
    breaks(built, "QUILL", part=1)
    assert (built.line("QUILL").open_units, built.part().parcel, built.part().stock) == (3, "picking", "short")
    agree(built.products["QUILL"])


def test_when_all_of_it_broke_the_parcel_waits_as_if_nobody_had_begun() -> None:
    built = on_the_table(("QUILL", 2))
    breaks(built, "QUILL", 2)
    assert (built.part().parcel, built.part().picked_by) == ("waiting", "")
    assert built.units("QUILL") == (8, 2, 0, 0, 2)
    pick_order(order=built.number, actor=PIA)
    assert (built.part().parcel, built.units("QUILL")) == ("picked", (6, 0, 2, 0, 2))


def test_of_five_that_break_two_are_fetched_and_three_are_waited_for() -> None:
    built = on_the_table(("QUILL", 5), products={"QUILL": {"on_hand": 9}})
    Balance.objects.filter(product=built.products["QUILL"]).update(reserved=2)
    breaks(built, "QUILL", 5)
    line = built.line("QUILL")
    assert (line.picked, line.reserved, line.open_units, built.part().stock) == (0, 2, 3, "short")
    assert (built.balance("QUILL").free, built.balance("QUILL").waiting) == (0, 3)
    assert told(built).data["lines"][0]["missing"] == 3


def test_a_hold_does_not_mend_a_bottle() -> None:
    built = on_the_table(("QUILL", 2))
    Hold.objects.create(order=built.order, reason="address", placed_by="Cleo", at=built.order.placed_at)
    breaks(built, "QUILL")
    assert built.units("QUILL") == (8, 1, 1, 0, 1)


def test_what_cannot_have_broken_is_refused_and_moves_nothing() -> None:
    built = an_order(("QUILL", 2))
    with pytest.raises(Refused) as caught:
        breaks(built, "QUILL")
    assert [b.code for b in caught.value.blockers] == ["not_picked"]
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 1}])
    for sku, units, field in (("QUILL", 2, "lines.0.quantity"), ("GULL", 1, "lines.0.sku")):
        with pytest.raises(Invalid) as wrong:
            breaks(built, sku, units)
        assert [name for name, _ in wrong.value.errors] == [field]
    with pytest.raises(Missing):
        breaks(built, "QUILL", part=2)
    with pytest.raises(Forbidden):
        break_units(order=built.number, actor=CLEO, lines=[{"sku": "QUILL", "quantity": 1}])
    pack_order(order=built.number, actor=PIA)
    with pytest.raises(Refused) as caught:
        breaks(built, "QUILL")
    assert [(b.code, b.by) for b in caught.value.blockers] == [("someone_else", "Pia")]
    assert built.units("QUILL") == (8, 0, 2, 0, 0)
    assert not Movement.objects.filter(kind="broke_at_packing").exists()


def box_of(built: Built) -> Package:
    return Package.objects.get(order__number=built.number, unpacked_at=None)


def test_what_broke_in_a_closed_box_opens_it_and_the_rest_is_packed_anew() -> None:
    built = on_the_table(("QUILL", 3), ("TERN", 1))
    pack_order(order=built.number, actor=PIA)
    before, box = money(built), box_of(built)
    assert built.part().parcel == "packed"
    breaks(built, "QUILL", package=box.pk)
    quill, tern = built.line("QUILL"), built.line("TERN")
    assert (quill.picked, quill.packed, quill.reserved, tern.picked, tern.packed) == (2, 0, 1, 1, 0)
    assert (built.part().parcel, built.part().packed_by, built.part().stock, money(built)) == (
        "picking", "", "confirmed", before,
    )  # fmt: skip
    event = told(built)
    assert event.text.startswith("Broken in box 1: 1 × QUILL. Set aside. Box 1 is open again. Instead of 1 × QUILL: ")
    assert event.data["package"] == box.pk
    assert Movement.objects.get(kind="broke_at_packing").reason == f"broken in box 1 of {built.number}"
    with pytest.raises(Refused) as caught:
        ship_order(order=built.number, actor=CLEO, carrier="Box & Wheel", tracking_number="BW 21 1")
    assert [b.code for b in caught.value.blockers] == ["not_picked"]
    with pytest.raises(Refused, match="nothing of it is in a box"):
        breaks(built, "QUILL", package=box.pk)
    pick_order(order=built.number, actor=PIA)
    again = pack_order(order=built.number, actor=PIA)
    assert (again.number, again.lines[0]["quantity"], box_of(built)) == (2, 3, again)
    ship_order(order=built.number, actor=CLEO, carrier="Box & Wheel", tracking_number="BW 21 1")
    assert built.units("QUILL") == (6, 0, 0, 3, 1)
    agree(built.products["QUILL"])


def test_a_clerk_opens_one_of_two_boxes_and_where_no_other_is_free_the_line_waits() -> None:
    built = on_the_table(("QUILL", 2), ("TERN", 1), products={"QUILL": {"on_hand": 2}})
    first = pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 2}])
    pack_order(order=built.number, actor=PIA)
    break_units(order=built.number, actor=CLEO, lines=[{"sku": "QUILL", "quantity": 2}], package=first.pk)
    assert (built.line("QUILL").open_units, built.line("TERN").packed, box_of(built).number) == (2, 1, 2)
    assert (built.part().parcel, built.part().stock) == ("picking", "short")
    agree(built.products["QUILL"])


def test_no_box_is_opened_that_is_not_there_and_nothing_breaks_that_is_not_in_it() -> None:
    built, other = on_the_table(("QUILL", 2), ("TERN", 1)), on_the_table(("QUILL", 1))
    first = pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 2}])
    pack_order(order=built.number, actor=PIA)
    stranger = pack_order(order=other.number, actor=PIA)
    for sku, units, field in (("QUILL", 3, "lines.0.quantity"), ("TERN", 1, "lines.0.quantity")):
        with pytest.raises(Invalid) as wrong:
            breaks(built, sku, units, package=first.pk)
        assert [name for name, _ in wrong.value.errors] == [field]
    for package in (stranger.pk, 0):
        with pytest.raises(Invalid) as wrong:
            breaks(built, "QUILL", package=package)
        assert [name for name, _ in wrong.value.errors] == ["package"]
    with pytest.raises(Missing):
        breaks(built, "QUILL", package=first.pk, part=2)
    ship_order(order=built.number, actor=CLEO, carrier="Box & Wheel", tracking_number="BW 1", packages=[first.pk])
    for package in (first.pk, box_of_number(built, 2).pk):
        with pytest.raises(Refused) as caught:
            breaks(built, "TERN", package=package)
        assert [b.code for b in caught.value.blockers] == ["already_shipped"]
    assert not Movement.objects.filter(kind="broke_at_packing").exists()


def box_of_number(built: Built, number: int) -> Package:
    return Package.objects.get(order__number=built.number, number=number)
