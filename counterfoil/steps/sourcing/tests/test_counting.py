"""Counting the shelf: exact while others pick, applied once, and the newest promise goes without."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, documents, journal
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.papers.tests.reading import text
from counterfoil.flow.verify import units
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.tests.build import at
from counterfoil.steps.sourcing.actions import (
    apply_count,
    check_stock,
    close_count,
    damage_stock,
    drop_count,
    enter_count,
    make_count_sheet,
    queue_count,
)
from counterfoil.steps.sourcing.models import CountRow, CountSheet, CountTask
from counterfoil.steps.sourcing.sheets import variances
from counterfoil.steps.sourcing.tests.build import (
    BEA,
    CAROL,
    PETE,
    a_wine,
    agree,
    an_order,
    balance,
    kinds,
    stock_of,
    the_line,
)
from counterfoil.steps.sourcing.tests.test_actions import posted

pytestmark = pytest.mark.django_db
SKU = "GULL-19"


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)


def a_sheet(*, on_hand: int = 6, blind: bool = False) -> CountSheet:
    a_wine(on_hand=on_hand, cost=900)
    return make_count_sheet(actor=PETE, skus=[SKU], blind=blind)


def counted(sheet: CountSheet, count: int, **more: Any) -> None:
    enter_count(actor=PETE, sheet=sheet.number, counted=[{"sku": SKU, "counted": count, **more}])


def fetched(units_: int, cause: str, **where: str) -> None:
    """Somebody takes units off the shelf and enters it."""
    with writing():
        product = balance().product_id
        ledger.lock([product])
        ledger.move([Change(product, "adjusted", cause, on_hand=-units_, **where)], actor=PETE)  # type: ignore[arg-type]


def clean() -> None:
    agree()
    assert units.balances() + units.places() == []


def test_what_was_counted_is_looked_at_first_and_then_applied_once_with_a_reason() -> None:
    sheet = a_sheet()
    counted(sheet, 4)
    (row,) = variances(sheet)
    assert (row.expected, row.row.counted, row.difference, row.value) == (6, 4, -2, -1800)
    assert balance().on_hand == 6
    with pytest.raises(Invalid, match="say why"):
        apply_count(actor=BEA, sheet=sheet.number, reason=" ")
    before = posted("stock_losses"), posted("inventory")
    apply_count(actor=BEA, sheet=sheet.number, reason="two broke and nobody said so")
    assert (balance().on_hand, posted("stock_losses") - before[0], posted("inventory") - before[1]) == (4, 1800, -1800)
    with pytest.raises(Refused, match="applied by Bea"):
        apply_count(actor=BEA, sheet=sheet.number, reason="again")
    with pytest.raises(Refused):
        counted(sheet, 6)
    assert balance().on_hand == 4
    clean()


def test_what_is_found_is_entered_and_goes_to_whoever_waits() -> None:
    sheet = a_sheet()
    before = posted("stock_losses")
    Job.objects.filter(name="sourcing.fill").delete()
    counted(sheet, 8)
    apply_count(actor=BEA, sheet=sheet.number, reason="a case behind the door")
    assert (balance().on_hand, posted("stock_losses") - before) == (8, -1800)
    assert Job.objects.filter(name="sourcing.fill").exists()
    clean()


def test_what_is_picked_while_they_count_is_no_variance() -> None:
    sheet = a_sheet()
    fetched(2, "picked while counting")
    counted(sheet, 6)
    (row,) = variances(sheet)
    assert (row.since, row.after, row.difference) == (0, -2, 0)
    apply_count(actor=BEA, sheet=sheet.number, reason="all there")
    assert balance().on_hand == 4
    clean()


def test_a_count_that_names_its_moment_is_compared_with_what_lay_there_then() -> None:
    with clock.at(clock.business_now() - timedelta(hours=2)):
        sheet = a_sheet()
        fetched(2, "picked before they came to it")
    then = clock.business_now() - timedelta(hours=1)
    fetched(1, "picked after it")
    line = {"sku": SKU, "counted": 3}
    enter_count(actor=PETE, sheet=sheet.number, counted=[line], counted_at=then)
    sheet.refresh_from_db()
    (row,) = variances(sheet)
    assert (row.since, row.after, row.expected, row.difference) == (-2, -1, 4, -1)
    apply_count(actor=BEA, sheet=sheet.number, reason="one is missing")
    assert balance().on_hand == 2
    clean()
    other = make_count_sheet(actor=PETE, skus=[SKU])
    with pytest.raises(Invalid, match="between the moment"):
        enter_count(actor=PETE, sheet=other.number, counted=[line], counted_at=then)


def test_more_fetched_since_than_was_counted_is_to_be_counted_again() -> None:
    sheet = a_sheet()
    fetched(4, "picked")
    counted(sheet, 3)
    with pytest.raises(Invalid, match="3 counted, 4 fetched since: count it again"):
        apply_count(actor=BEA, sheet=sheet.number, reason="hm")
    assert (CountSheet.objects.get().state, balance().on_hand) == ("open", 2)


def test_reserved_units_that_are_not_there_reopen_the_newest_promise_and_never_the_oldest() -> None:
    a_wine(on_hand=6)
    for number, days in (("CF-1", 2), ("CF-2", 9), ("CF-3", 5)):
        an_order(number, {SKU: 2}, ships_in=days)
        check_stock(order=number, actor=CAROL)
    sheet = make_count_sheet(actor=PETE, skus=[SKU])
    counted(sheet, 3)
    apply_count(actor=BEA, sheet=sheet.number, reason="a leak")
    assert [the_line(n).reserved for n in ("CF-1", "CF-2", "CF-3")] == [2, 0, 1]
    assert [stock_of(n) for n in ("CF-1", "CF-2", "CF-3")] == ["confirmed", "short", "short"]
    assert kinds("CF-2")[-1] == kinds("CF-3")[-1] == "units_lost"
    assert "units_lost" not in kinds("CF-1")
    assert JournalEvent.objects.get(kind="count_applied").data["orders"] == ["CF-2", "CF-3"]
    clean()


def test_a_bottle_that_lies_in_another_bin_is_no_loss_and_reopens_nothing() -> None:
    a_wine(on_hand=6)
    adjust_stock(actor=BEA, sku=SKU, quantity=2, reason="came", bin="B-2")
    an_order("CF-1", {SKU: 8})
    check_stock(order="CF-1", actor=CAROL)
    sheet = make_count_sheet(actor=PETE, skus=[SKU])
    lines = [{"sku": SKU, "bin": "", "counted": 5}, {"sku": SKU, "bin": "B-2", "counted": 3}]
    enter_count(actor=PETE, sheet=sheet.number, counted=lines)
    apply_count(actor=BEA, sheet=sheet.number, reason="put into the wrong bin")
    assert at(balance().product) == {("", ""): (5, 0, 0), ("B-2", ""): (3, 0, 0)}
    assert the_line("CF-1").reserved == 8
    clean()


@pytest.mark.parametrize("count", [-1, True, 1.5, "3", None, 10**9])
def test_nothing_is_counted_below_zero_and_the_field_says_so(count: object) -> None:
    sheet = a_sheet()
    with pytest.raises(Invalid) as caught:
        enter_count(actor=PETE, sheet=sheet.number, counted=[{"sku": SKU, "counted": count}])
    assert [field for field, _ in caught.value.errors] == ["lines.0.counted"]
    assert CountRow.objects.get().counted is None


def test_a_lot_that_nobody_knows_is_told_at_its_field_or_taken_in_on_purpose() -> None:
    sheet = a_sheet()
    with pytest.raises(Invalid, match="the ledger knows no lot L9 of GULL-19") as caught:
        counted(sheet, 2, lot="L9")
    assert [field for field, _ in caught.value.errors] == ["lines.0.lot"]
    counted(sheet, 2, lot="L9", take_in=True, best_before=date(2028, 1, 1))
    apply_count(actor=BEA, sheet=sheet.number, reason="a case without papers")
    assert at(balance().product) == {("", ""): (6, 0, 0), ("", "L9"): (2, 0, 0)}
    clean()


def test_a_place_that_is_not_on_the_sheet_but_in_the_ledger_is_added_to_it_exactly() -> None:
    sheet = a_sheet()
    adjust_stock(actor=BEA, sku=SKU, quantity=5, reason="came", bin="B-2")
    fetched(1, "picked", bin="B-2")
    counted(sheet, 4, bin="B-2")
    row = next(v for v in variances(sheet) if v.row.bin == "B-2")
    # It held nothing when the sheet was made; that it holds four now is no find.
    assert (row.row.expected, row.after) == (0, 4)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"sku": "NEVER", "counted": 1}, "lines.0.sku"),
        ({"sku": SKU, "bin": "Z-9", "counted": 1}, "lines.0.bin"),
        ({"sku": SKU, "bin": "x" * 21, "counted": 1}, "lines.0.bin"),
    ],
)
def test_a_line_that_cannot_be_is_told_at_its_field_and_nothing_is_half_entered(
    line: dict[str, Any], field: str
) -> None:
    sheet = a_sheet()
    good = {"sku": SKU, "bin": "", "counted": 2}
    with pytest.raises(Invalid) as caught:
        enter_count(actor=PETE, sheet=sheet.number, counted=[line, good])
    assert [f for f, _ in caught.value.errors] == [field]
    assert CountRow.objects.get().counted is None


def test_a_bin_is_counted_with_everything_in_it_in_walking_order() -> None:
    for sku, bin_, lot in (("B", "A-10", ""), ("A", "A-2", "L2"), ("C", "A-2", "L1"), ("D", "Z-1", "")):
        a_wine(sku)
        adjust_stock(actor=BEA, sku=sku, quantity=3, reason="came", bin=bin_, lot=lot)
    sheet = make_count_sheet(actor=PETE, bins=["A-10", "A-2"])
    assert [(v.row.bin, v.row.product.sku) for v in variances(sheet)] == [("A-2", "A"), ("A-2", "C"), ("A-10", "B")]
    assert sheet.scope == "A-2, A-10"
    with pytest.raises(Invalid, match="nothing lies there"):
        make_count_sheet(actor=PETE, bins=["EMPTY"])


def test_a_blind_sheet_does_not_tell_what_is_expected() -> None:
    a_wine(on_hand=777)
    blind = text(documents.pdf(documents.find(make_count_sheet(actor=PETE, skus=[SKU], blind=True).number)))
    open_ = text(documents.pdf(documents.find(make_count_sheet(actor=PETE, skus=[SKU]).number)))
    assert ("777" in blind, "777" in open_) == (False, True)
    assert "CS-0001" in blind


def test_who_may_count_may_not_say_what_is_true() -> None:
    sheet = a_sheet()
    counted(sheet, 4)
    for actor in (PETE, CAROL):
        with pytest.raises(Forbidden):
            apply_count(actor=actor, sheet=sheet.number, reason="mine")
    with pytest.raises(Invalid, match="nothing has been counted"):
        apply_count(actor=BEA, sheet=make_count_sheet(actor=PETE, skus=[SKU]).number, reason="yes")
    with pytest.raises(Missing):
        apply_count(actor=BEA, sheet="CS-9999", reason="yes")
    drop_count(actor=PETE, sheet=sheet.number)
    with pytest.raises(Refused, match="dropped by Pete"):
        apply_count(actor=BEA, sheet=sheet.number, reason="yes")


def test_statements_of_a_count_do_not_grow_with_its_rows() -> None:
    asked = []
    for sheet_of in (1, 12):
        skus = [a_wine(f"W{sheet_of}-{n}", on_hand=3).sku for n in range(sheet_of)]
        sheet = make_count_sheet(actor=PETE, skus=skus)
        enter_count(actor=PETE, sheet=sheet.number, counted=[{"sku": s, "counted": 3} for s in skus])
        with CaptureQueriesContext(connection) as found:
            apply_count(actor=BEA, sheet=sheet.number, reason="all there")
        asked.append(len(found))
    assert asked[0] == asked[1], asked


def test_units_missed_at_a_pick_go_back_to_where_they_were_missed() -> None:
    a_wine()
    adjust_stock(actor=BEA, sku=SKU, quantity=4, reason="came", bin="B-2", lot="L1")
    product = balance().product
    with writing():
        ledger.lock([product.pk])
        told: dict[str, Any] = {"bin": "B-2", "lot": "L1", "subject": "CF-7"}
        ledger.move([Change(product.pk, "pick_short", "t", on_hand=-2, quarantined=2, **told)], actor=PETE)
    task = queue_count(product_id=product.pk, order="CF-7")
    assert task is not None
    close_count(task=task.pk, found=1, actor=PETE)
    assert at(product) == {("B-2", "L1"): (3, 0, 0)}
    assert CountTask.objects.get().found == 1
    clean()


# Damage


def test_a_bottle_that_breaks_on_the_shelf_is_set_aside_where_it_lies_or_written_off() -> None:
    a_wine(on_hand=6, cost=900)
    before = posted("stock_losses")
    damage_stock(actor=PETE, sku=SKU, quantity=1, reason="corked")
    assert (at(balance().product), posted("stock_losses") - before) == ({("", ""): (5, 0, 1)}, 0)
    damage_stock(actor=PETE, sku=SKU, quantity=2, reason="dropped", write_off=True)
    assert (at(balance().product), posted("stock_losses") - before) == ({("", ""): (3, 0, 1)}, 1800)
    with pytest.raises(Refused, match="only 3 are on the shelf"):
        damage_stock(actor=PETE, sku=SKU, quantity=4, reason="dropped")
    with pytest.raises(Invalid, match="no lot L9"):
        damage_stock(actor=PETE, sku=SKU, quantity=1, reason="dropped", lot="L9")
    clean()


def test_when_promised_bottles_break_the_newest_promise_waits_again() -> None:
    a_wine(on_hand=4)
    for number, days in (("CF-1", 9), ("CF-2", 2)):
        an_order(number, {SKU: 2}, ships_in=days)
        check_stock(order=number, actor=CAROL)
    damage_stock(actor=PETE, sku=SKU, quantity=1, reason="dropped")
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved, stock_of("CF-1")) == (1, 2, "short")
    assert kinds("CF-1")[-1] == "units_lost"
    clean()
