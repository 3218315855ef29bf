"""The breaker: opens for silence only, lets one look, closes at the first answer. No clock but the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfoil.gateways.card.breaker import AFTER, FIRST_SECONDS, LONGEST_SECONDS, PROBE_SECONDS, Away, Breaker

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(monotonic=clock.monotonic, now=clock.now)


def silence(breaker: Breaker, times: int = AFTER) -> None:
    for _ in range(times):
        breaker.failed(probe=breaker.permit())


def refused(breaker: Breaker) -> Away:
    with pytest.raises(Away) as away:
        breaker.permit()
    return away.value


def test_some_failures_are_no_outage(breaker: Breaker) -> None:
    silence(breaker, AFTER - 1)
    assert breaker.permit() is False
    assert breaker.away() is None


def test_an_answer_between_failures_begins_the_count_anew(breaker: Breaker) -> None:
    for _ in range(3):
        silence(breaker, AFTER - 1)
        breaker.answered()
    assert breaker.away() is None


def test_after_so_many_in_a_row_calls_fail_at_once_and_say_when_the_next_try_is(breaker: Breaker, clock: Clock) -> None:
    clock.seconds += 60
    silence(breaker, 1)
    clock.seconds += 30
    silence(breaker, AFTER - 1)
    away = refused(breaker)
    assert (away.since, away.seconds) == (NOON + timedelta(seconds=60), FIRST_SECONDS)
    assert away.again_at == NOON + timedelta(seconds=90 + FIRST_SECONDS)


def test_one_call_looks_and_the_others_wait_for_it(breaker: Breaker, clock: Clock) -> None:
    silence(breaker)
    clock.seconds += FIRST_SECONDS
    assert breaker.permit() is True
    assert refused(breaker).seconds == FIRST_SECONDS
    breaker.answered()
    assert breaker.permit() is False
    assert breaker.away() is None


def test_the_wait_grows_to_its_limit_and_begins_small_again_after_an_answer(breaker: Breaker, clock: Clock) -> None:
    silence(breaker)
    waits = []
    for _ in range(8):
        waits.append(refused(breaker).seconds)
        clock.seconds += waits[-1]
        breaker.failed(probe=breaker.permit())
    assert waits == [2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]
    assert refused(breaker).since == NOON
    breaker.answered()
    silence(breaker)
    assert refused(breaker).seconds == FIRST_SECONDS


def test_calls_under_way_when_it_opened_do_not_make_the_wait_longer(breaker: Breaker) -> None:
    under_way = [breaker.permit() for _ in range(20)]
    silence(breaker)
    for probe in under_way:
        breaker.failed(probe=probe)
    assert refused(breaker).seconds == FIRST_SECONDS


def test_a_look_that_never_comes_back_is_followed_by_another(breaker: Breaker, clock: Clock) -> None:
    silence(breaker)
    clock.seconds += FIRST_SECONDS
    assert breaker.permit() is True
    clock.seconds += PROBE_SECONDS - 1
    refused(breaker)
    clock.seconds += 1
    assert breaker.permit() is True


def test_of_many_threads_one_looks(breaker: Breaker, clock: Clock) -> None:
    silence(breaker)
    clock.seconds += FIRST_SECONDS
    seen: list[bool | None] = []
    start = threading.Barrier(16)

    def ask() -> None:
        start.wait()
        try:
            seen.append(breaker.permit())
        except Away:
            seen.append(None)

    threads: list[threading.Thread] = [threading.Thread(target=ask) for _ in range(16)]
    run: list[Callable[[], None]] = [t.start for t in threads] + [t.join for t in threads]
    for step in run:
        step()
    assert sorted(seen, key=str) == [None] * 15 + [True]
