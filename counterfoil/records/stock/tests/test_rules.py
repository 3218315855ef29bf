"""Which lot units are taken from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.records.stock.models import Place
from counterfoil.records.stock.rules import FEFO, FIFO, choose, picking_order, walk

TODAY = date(2026, 11, 27)
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def a_place(lot: str, on_hand: int = 6, *, until: date | None = None, days_ago: int = 0, bin_: str = "A-1") -> Place:
    pk = sum(map(ord, lot + bin_)) * 100 + days_ago
    return Place(pk=pk, bin=bin_, lot=lot, on_hand=on_hand, best_before=until, first_at=NOW - timedelta(days=days_ago))


def lots(places: list[Place]) -> list[str]:
    return [p.lot for p in places]


def test_the_date_that_ends_first_goes_first_and_what_has_no_date_after_it_oldest_first() -> None:
    late, soon = a_place("LATE", until=date(2027, 6, 1), days_ago=90), a_place("SOON", until=date(2027, 1, 1))
    old, young = a_place("OLD", days_ago=30), a_place("YOUNG", days_ago=2)
    assert lots(picking_order([young, late, old, soon], by=FEFO, today=TODAY)) == ["SOON", "LATE", "OLD", "YOUNG"]


def test_a_shop_may_take_the_oldest_first_whatever_its_date() -> None:
    late, soon = a_place("LATE", until=date(2027, 6, 1), days_ago=90), a_place("SOON", until=date(2027, 1, 1))
    assert lots(picking_order([soon, late], by=FIFO, today=TODAY)) == ["LATE", "SOON"]


def test_a_lot_whose_date_has_passed_is_taken_last() -> None:
    over, fresh = a_place("OVER", until=date(2026, 11, 26), days_ago=90), a_place("FRESH")
    for rule in (FEFO, FIFO):
        assert lots(picking_order([over, fresh], by=rule, today=TODAY)) == ["FRESH", "OVER"]
    assert lots(picking_order([fresh, a_place("TODAY", until=TODAY)], by=FEFO, today=TODAY)) == ["TODAY", "FRESH"]


def test_a_printed_list_is_kept_to_and_another_lists_lot_is_left_to_it() -> None:
    first, second = a_place("A", 3), a_place("B", 3)
    there = {first.pk: 3, second.pk: 3}
    kept = choose([first, second], 2, there=there, mine={second.pk: 2})
    assert [(s.place.lot, s.units) for s in kept] == [("B", 2)]
    left = choose([first, second], 2, there=there, others={first.pk: 2})
    assert [(s.place.lot, s.units) for s in left] == [("A", 1), ("B", 1)]
    # Nobody else could have them: better from the other's lot than not at all.
    assert sum(s.units for s in choose([first, second], 6, there=there, others={first.pk: 3, second.pk: 3})) == 6


def test_a_picker_walks_bin_2_before_bin_10() -> None:
    assert sorted(["B-10", "", "B-2", "A-1"], key=walk) == ["A-1", "B-2", "B-10", ""]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 40),
    st.lists(st.integers(0, 5), min_size=6, max_size=6), st.lists(st.integers(0, 9), min_size=6, max_size=6),
)  # fmt: skip
def test_never_more_than_lies_there_and_never_fewer_than_could_be_had(
    stock: list[int], units: int, mine: list[int], others: list[int]
) -> None:
    places = [Place(pk=n, bin="", lot=str(n), on_hand=q, first_at=NOW) for n, q in enumerate(stock)]
    there = dict(enumerate(stock))
    out = choose(places, units, there=there, mine=dict(enumerate(mine)), others=dict(enumerate(others)))
    assert sum(s.units for s in out) == min(units, sum(stock))
    assert all(0 < s.units <= there[s.place.pk] for s in out)
    assert len({s.place.pk for s in out}) == len(out)
