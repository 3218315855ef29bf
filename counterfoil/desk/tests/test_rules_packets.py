"""Which paper is printed when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from counterfoil.core.paperwork import check_paper_settings
from counterfoil.core.shop import Shop
from counterfoil.desk.packets import GOODS, NEVER, NOW, PACKING, Sheet, waits_for

AT_PACKING = Shop(print_at="packing")
FEW = Shop(file_copy="pdf", packing_slips="parts_and_gifts")
SHEET = Sheet(1, "RC-1", "card-receipt", 1, "CF-1", "June", False, "pick", None, 0, "waiting", True, 1, 1, 0, None)


def sheet(kind: str, **more: object) -> Sheet:
    return replace(SHEET, kind=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["sales-order", "card-receipt"])
def test_a_charged_order_whose_goods_are_due_prints_its_packet_when_they_are_here(kind: str) -> None:
    waiting = sheet(kind, queue="charged_waiting", missing=2, due=date(2026, 12, 1))
    assert waits_for(waiting, Shop()) == GOODS
    assert waits_for(replace(waiting, missing=0), Shop()) == NOW


def test_both_copies_are_printed_at_approval_or_with_everything_else_at_packing() -> None:
    for kind in ("sales-order", "sales-order-copy"):
        approved = sheet(kind, charged=False, missing=3)
        assert waits_for(approved, Shop()) == NOW
        assert waits_for(approved, AT_PACKING) == PACKING
        assert waits_for(replace(approved, parcel="picked", charged=True, missing=0), AT_PACKING) == NOW


def test_a_file_copy_is_printed_even_after_the_parcel_has_left_unless_it_is_kept_as_pdf() -> None:
    gone = sheet("sales-order-copy", parcel="shipped")
    assert waits_for(gone, AT_PACKING) == NOW
    assert waits_for(gone, FEW) == NEVER
    assert waits_for(sheet("sales-order", parcel="shipped"), Shop()) == NEVER


def test_a_packing_slip_only_for_what_comes_in_part_and_for_gifts() -> None:
    slip = sheet("packing-slip", parcel="packed")
    assert waits_for(slip, Shop()) == NOW
    assert waits_for(slip, FEW) == NEVER
    assert waits_for(replace(slip, gift=True), FEW) == waits_for(replace(slip, parts=2), FEW) == NOW
    assert waits_for(replace(slip, boxes=2), FEW) == NOW


def test_a_gift_has_no_paper_with_a_price_in_its_parcel() -> None:
    for kind in ("sales-order", "card-receipt"):
        assert waits_for(sheet(kind, gift=True), Shop()) == NEVER
        assert waits_for(sheet(kind, gift=True), Shop(gift_papers="parcel")) == NOW
    assert waits_for(sheet("packing-slip", gift=True, parcel="packed"), Shop()) == NOW


def test_a_pick_list_is_printed_while_there_is_something_to_pick() -> None:
    assert waits_for(sheet("pick-list"), Shop()) == NOW
    assert waits_for(sheet("pick-list", parcel="picked"), Shop()) == NEVER


def test_a_choice_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="print_at: choose one of approval, packing"):
        check_paper_settings({"print_at": "never"})
