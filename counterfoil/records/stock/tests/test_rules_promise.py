"""Available to promise by date, and lead times: what a shelf, what comes and who waits make of a wish."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.records.stock.promise import (
    Arrival,
    Lead,
    Shelf,
    comes_on,
    earliest,
    lead_of,
    p80,
    phases,
)

TODAY = date(2026, 11, 23)
SOON, BOUGHT = TODAY + timedelta(1), TODAY + timedelta(9)
LEAD = Lead(7, "supplier")


def shelf(free: int = 0, waiting: int = 0, *coming: tuple[int, int], stops: bool = False) -> Shelf:
    arrivals = tuple(Arrival(TODAY + timedelta(days), units, certain=True) for days, units in coming)
    return Shelf(free, waiting, LEAD, stops, arrivals)


def day(found: Shelf, quantity: int) -> date | None:
    return earliest(found, quantity, soon=SOON, bought_in=BOUGHT).day


def test_what_is_here_ships_soon() -> None:
    assert day(shelf(6), 6) == SOON


def test_what_others_wait_for_is_theirs() -> None:
    assert day(shelf(6, 4, (3, 6)), 2) == SOON
    assert day(shelf(6, 4, (3, 6)), 3) == TODAY + timedelta(3)


def test_who_comes_last_gets_what_comes_after_everybody_else_is_served() -> None:
    found = shelf(0, 10, (2, 6), (5, 6))
    assert day(found, 2) == TODAY + timedelta(5)
    assert day(found, 3) == BOUGHT, "two of the twelve are left; a third is bought in"


def test_what_has_arrived_early_ships_no_sooner_than_what_is_here() -> None:
    assert day(shelf(0, 0, (0, 6)), 1) == SOON


def test_with_nothing_on_order_it_takes_as_long_as_the_supplier_does() -> None:
    assert day(shelf(), 1) == BOUGHT
    assert day(shelf(stops=True), 1) is None


def test_the_phases_say_how_many_from_which_day_on() -> None:
    found = shelf(5, 8, (2, 6), (5, 6))
    assert phases(found) == [(None, 0), (TODAY + timedelta(2), 3), (TODAY + timedelta(5), 9)]


@given(
    st.integers(0, 20), st.integers(0, 40), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), max_size=6),
    st.integers(1, 60), st.integers(1, 20),
)  # fmt: skip
def test_more_units_never_ship_sooner_and_phases_agree(
    free: int, waiting: int, coming: list[tuple[int, int]], quantity: int, more: int
) -> None:
    found = shelf(free, waiting, *coming)
    first, second = (
        earliest(found, n, soon=TODAY, bought_in=TODAY + timedelta(40)) for n in (quantity, quantity + more)
    )
    assert first.day is not None
    assert second.day is not None
    assert first.day <= second.day
    # The day on which the phases first reach that many units.
    reached = next((on or TODAY for on, units in phases(found) if units >= quantity), TODAY + timedelta(40))
    assert first.day == reached


@pytest.mark.parametrize(
    ("days", "found"),
    [([], None), ([4], 4), ([1, 2, 3, 4, 5], 4), ([5, 1, 3, 2, 9, 4, 6, 7, 8, 10], 8), ([2, 2, 2, 2, 30], 2)],
)
def test_the_80th_percentile_is_by_nearest_rank(days: list[int], found: int | None) -> None:
    assert p80(days) == found


def test_until_there_are_five_deliveries_the_word_counts() -> None:
    assert lead_of(own=None, word=7, learnt=12, observations=4) == Lead(7, "supplier", 4)
    assert lead_of(own=None, word=7, learnt=12, observations=5) == Lead(12, "learnt", 5)
    assert lead_of(own=3, word=7, learnt=12, observations=4) == Lead(3, "product", 4)
    assert lead_of(own=20, word=7, learnt=12, observations=9).days == 20, "this product is known to take longer"
    assert lead_of(own=None, word=None, learnt=None, observations=0) == Lead(7, "shop")


@pytest.mark.parametrize(
    ("confirmed", "expected", "sent", "comes"),
    [
        (5, 3, -1, (5, True)),  # the supplier's date
        (None, 3, -1, (3, False)),  # ours
        (None, None, -1, (6, False)),  # seven days after it was sent
        (-2, 3, -9, (7, False)),  # overdue: as far away as if it were ordered today
        (None, None, -20, (7, False)),
    ],
)
def test_when_units_on_order_come(
    confirmed: int | None, expected: int | None, sent: int, comes: tuple[int, bool]
) -> None:
    def on(days: int | None) -> date | None:
        return None if days is None else TODAY + timedelta(days)

    found = comes_on(
        confirmed=on(confirmed),
        expected=on(expected),
        sent_on=TODAY + timedelta(sent),
        lead=LEAD,
        today=TODAY,
        after=lambda start, days: start + timedelta(days),
    )
    assert found == (TODAY + timedelta(comes[0]), comes[1])
