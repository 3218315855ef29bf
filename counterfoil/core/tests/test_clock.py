"""Two clocks: business time may be moved, forward only; real time may not."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.shop import Shop, change, shop

WEEK = frozenset(range(5))
CHRISTMAS = frozenset({date(2026, 12, 25)})


def near(moment: datetime, other: datetime) -> bool:
    return abs(moment - other) < timedelta(seconds=30)


@pytest.mark.django_db
def test_business_time_moves_forward_and_real_time_stays() -> None:
    before = clock.real_now()
    with writing():
        clock.advance_business_time(timedelta(days=8))
        offset = clock.advance_business_time(timedelta(hours=1))
    assert offset == timedelta(days=8, hours=1).total_seconds()
    assert near(clock.business_now(), before + timedelta(days=8, hours=1))
    assert near(clock.real_now(), before)


@pytest.mark.django_db
@pytest.mark.parametrize("back", [timedelta(0), timedelta(seconds=-1), timedelta(days=-3)])
def test_business_time_never_goes_back(back: timedelta) -> None:
    with pytest.raises(ValueError, match="forward"), writing():
        clock.advance_business_time(back)
    assert clock.offset_seconds() == 0


@pytest.mark.django_db
def test_another_moment_holds_for_the_thread_that_asked_for_it_alone() -> None:
    moment = datetime(2031, 5, 1, 12, tzinfo=UTC)
    seen: list[datetime] = []
    with clock.at(moment):
        # The offset is known to this process; a look into the database from a thread would be another test.
        clock._cached = (clock.monotonic(), 0.0)
        other = threading.Thread(target=lambda: seen.append(clock.business_now()))
        other.start()
        other.join(10)
        assert near(clock.business_now(), moment)
        with clock.at(moment + timedelta(days=1)):
            assert near(clock.business_now(), moment + timedelta(days=1))
        assert near(clock.business_now(), moment)
    assert near(seen[0], clock.real_now())
    assert near(clock.business_now(), clock.real_now())


@pytest.mark.django_db
def test_the_shops_day_is_the_day_where_the_shop_stands() -> None:
    with writing():
        change(timezone="America/Los_Angeles")
    with clock.at(datetime(2026, 11, 24, 5, tzinfo=UTC)):
        assert shop().today() == date(2026, 11, 23)
        assert shop().day_ends_at().replace(microsecond=0) == datetime(2026, 11, 24, 8, tzinfo=UTC)


def days(start: date, count: int, holidays: frozenset[date] = frozenset()) -> date:
    return clock.add_business_days(start, count, weekdays=WEEK, holidays=holidays)


def test_two_business_days_after_friday_is_tuesday() -> None:
    friday = date(2026, 11, 20)
    assert days(friday, 2) == date(2026, 11, 24)
    assert days(friday, 0) == friday
    assert days(date(2026, 11, 21), 1) == date(2026, 11, 23)


def test_a_holiday_is_no_business_day() -> None:
    assert days(date(2026, 12, 24), 1, CHRISTMAS) == date(2026, 12, 28)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60), st.sets(st.integers(0, 6), min_size=1))
def test_exactly_that_many_working_days_lie_between(start: date, count: int, weekdays: set[int]) -> None:
    end = clock.add_business_days(start, count, weekdays=frozenset(weekdays), holidays=CHRISTMAS)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(d.weekday() in weekdays and d not in CHRISTMAS for d in between) == count
    assert not between or (end.weekday() in weekdays and end not in CHRISTMAS)


def test_a_shop_that_never_works_is_told_so_instead_of_being_waited_for() -> None:
    with pytest.raises(ValueError, match="working day"):
        clock.add_business_days(date(2026, 11, 20), 1, weekdays=frozenset(), holidays=frozenset())


def test_a_rate_is_found_by_country_then_state() -> None:
    zones = [
        {"country": "US", "state": "CA", "rates": {"standard": 72_500}},
        {"country": "US", "rates": {"standard": 10_000}},
    ]
    held = Shop(zones=zones)
    assert held.tax_rate_ppm("standard", country="US", state="CA") == 72_500
    assert held.tax_rate_ppm("standard", country="US", state="OR") == 10_000
    assert held.tax_rate_ppm("reduced", country="US", state="CA") == 0
    assert held.tax_rate_ppm("standard", country="DE", state="") == 0
