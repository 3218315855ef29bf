"""The business clock: moved by several at once it has moved by the sum, forward only, and everybody soon knows."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest

from counterfoil.core import clock, journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.models import BusinessClock, JournalEvent
from tests.faults.hand import ChangedTheirMind, acts, hesitate, say, working
from tests.faults.storm import Hand, Nursery, at_rest, kept_as_told, storm, told

pytestmark = pytest.mark.faults

KNOWN_AFTER = 5.0  # seconds; a process asks the database once a second, and the machine may be busy


def move(name: str) -> None:
    """Move the clock by some seconds; now and then think better of it before the commit."""
    chance = random.Random(name)
    latest = clock.business_now()
    for act in acts(name):
        by = chance.randint(1, 3600)
        try:
            with writing():
                offset = clock.advance_business_time(timedelta(seconds=by))
                hesitate(chance)
                data = {"act": act, "by": by, "offset": offset}
                journal.record("clock_moved", subject="CLOCK", actor=SYSTEM, text=act, data=data, advance=False)
                if chance.random() < 0.25:
                    raise ChangedTheirMind
        except ChangedTheirMind:
            say("lost", act)
        else:
            say("done", act)
            if clock.offset_seconds() < offset:
                say("late", act, clock.offset_seconds(), offset)
        latest = _look_again(latest)


def watch(_name: str) -> None:
    """Read the time over and over, as every door does."""
    latest, offset = clock.business_now(), -1.0
    while working():
        latest = _look_again(latest)
        if clock.offset_seconds() != offset:
            offset = clock.offset_seconds()
            say("offset", int(offset))
        time.sleep(0.001)


def _look_again(latest: Any) -> Any:
    now = clock.business_now()
    if now < latest:
        say("back", latest, now)
    return now


def look(_name: str) -> dict[str, Any]:
    at_rest()
    moved = JournalEvent.objects.filter(kind="clock_moved").order_by("id")
    held = BusinessClock.objects.filter(pk=1).values_list("offset_seconds", flat=True).first()
    return {"moves": list(moved.values_list("data", flat=True)), "offset": held or 0.0}


def all_know(watchers: list[Hand], offset: float) -> float:
    """Wait until each of them has read that offset; how many seconds that took."""
    began = time.monotonic()
    while not all(hand.said("offset")[-1:] == [f"{offset:.0f}"] for hand in watchers):
        assert time.monotonic() - began < KNOWN_AFTER, [hand.said("offset")[-1:] for hand in watchers]
        time.sleep(0.02)
    return time.monotonic() - began


def test_the_clock_has_moved_by_the_sum_of_its_moves_and_never_back(nursery: Nursery) -> None:
    before = nursery.ask(look)["offset"]
    watchers = [nursery.begin(watch) for _ in range(2)]
    for hand in watchers:
        hand.until_it_says("offset")
    hands = storm(nursery, move, move, move, kills=12, seed=3)
    found = nursery.ask(look)

    cut_short = kept_as_told(hands, [move["act"] for move in found["moves"]])
    assert cut_short > 3, "the plug was pulled on people who did nothing"
    assert sum(len(hand.said("lost")) for hand in hands) > 0
    # Each began where the one before it had ended; the clock stands where the last one put it.
    sums = list(accumulate((move["by"] for move in found["moves"]), initial=before))
    assert [move["offset"] for move in found["moves"]] == sums[1:]
    assert found["offset"] == sums[-1]
    # Nobody ever read a time before one they had read, and who moved it saw that at once.
    assert not told([*hands, *watchers], "back")
    assert not told(hands, "late")
    all_know(watchers, found["offset"])
    for hand in watchers:
        hand.end()
        offsets = [int(said) for said in hand.said("offset")]
        assert offsets == sorted(offsets)
        assert set(offsets) <= {int(held) for held in sums}, "a move was seen that was never made"
