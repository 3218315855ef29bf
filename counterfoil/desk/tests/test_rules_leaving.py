"""What must leave today, in the words of the queue's head."""

from __future__ import annotations

from counterfoil.core.cutoffs import NO_CUT_OFF
from counterfoil.desk.leaving import leaving_words

COUNTS = [(900, 5), (990, 9), (NO_CUT_OFF, 1)]


def test_before_the_cut_off_it_says_how_many_must_leave_and_by_when() -> None:
    assert leaving_words(COUNTS[1:], 989, {}) == ["9 must leave by 16:30", "1 must leave today"]


def test_after_the_cut_off_it_names_what_missed_it() -> None:
    missed = {900: ["CF-1", "CF-2", "CF-3", "CF-4"]}
    assert leaving_words(COUNTS[:1], 900, missed) == ["5 missed 15:00: CF-1, CF-2, CF-3 and 2 more"]


def test_nothing_due_says_nothing() -> None:
    assert leaving_words([], 900, {}) == []
