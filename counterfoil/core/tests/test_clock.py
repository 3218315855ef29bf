"""Two clocks: business time may be moved, forward only; real time may not."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.shop import Shop, change, shop
from tests.crowd import together, worked

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
def test_the_clock_is_moved_by_an_act_and_not_beside_one() -> None:
    with pytest.raises(RuntimeError):
        clock.advance_business_time(timedelta(days=1))


def move(**by: float) -> None:
    with writing():
        clock.advance_business_time(timedelta(**by))


def move_and_fail() -> None:
    """Move the clock by a day, see that it has moved, and take it back."""
    with writing():
        began = clock.offset_seconds()
        clock.advance_business_time(timedelta(days=1))
        assert clock.offset_seconds() >= began + 86_400
        raise KeyError


@pytest.mark.django_db
def test_a_move_that_was_taken_back_never_was() -> None:
    move(hours=1)
    with pytest.raises(KeyError):
        move_and_fail()
    assert clock.offset_seconds() == 3600


@pytest.mark.django_db
def test_who_asked_before_a_move_and_hears_the_answer_after_it_does_not_turn_time_back() -> None:
    asked_at = clock.monotonic()
    move(hours=1)
    assert clock._keep(0.0, asked_at=asked_at) == 3600
    assert clock.offset_seconds() == 3600


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_no_thread_ever_sees_time_go_back_or_a_move_that_was_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_CACHE_SECONDS", 0.002)
    ended: list[int] = []

    def act(n: int) -> list[float]:
        seen = [clock.offset_seconds()]
        try:
            for _ in range(12 if n < 4 else 0):
                move(seconds=n + 1)
                with pytest.raises(KeyError):
                    move_and_fail()
                time.sleep(0.002)  # who watches gets a turn
        finally:
            ended.extend([n] if n < 4 else [])
        while n >= 4 and len(ended) < 4:
            seen.append(clock.offset_seconds())
            time.sleep(0.0002)
        return seen

    found = worked(together(7, act))
    assert clock.offset_seconds() == 12 * (1 + 2 + 3 + 4)
    for seen in found:
        assert seen == sorted(seen)
        assert all(offset <= 120 for offset in seen), "a move was seen that was taken back"
    assert any(len(set(seen)) > 2 for seen in found)


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
