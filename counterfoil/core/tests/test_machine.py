"""A transition is a compare-and-set on the state that was read."""

from __future__ import annotations

import pytest

from counterfoil.core.db import writing
from counterfoil.core.machine import Machine, Move, Raced, shift
from counterfoil.core.models import Job
from counterfoil.core.tests.rows import job
from tests.crowd import together, worked

LIFE = Machine(
    "state",
    "queued",
    {
        # Taken by a worker.
        "take": (("queued",), "running"),
        # Given up.
        "bury": (("queued", "running"), "dead"),
    },
)


def test_a_table_says_its_states_and_what_it_allows() -> None:
    assert LIFE.states == {"queued", "running", "dead"}
    assert LIFE.target("take", "queued") == "running"
    assert LIFE.target("take", "dead") is None
    assert LIFE.allows("running", "dead")
    assert not LIFE.allows("dead", "queued")


@pytest.mark.django_db
def test_a_transition_moves_the_row_and_the_instance() -> None:
    row = job()
    assert shift(LIFE, "take", row, part=2) == Move(2, "state", "queued", "running")
    assert row.state == "running" == Job.objects.get(pk=row.pk).state


@pytest.mark.django_db
def test_who_comes_second_is_told_and_changes_nothing() -> None:
    first = job()
    second = Job.objects.get(pk=first.pk)
    shift(LIFE, "bury", first, part=1)
    with pytest.raises(Raced):
        shift(LIFE, "take", second, part=1)
    assert Job.objects.get(pk=first.pk).state == "dead"
    assert second.state == "queued"


@pytest.mark.django_db
def test_what_the_table_forbids_is_a_mistake_of_ours() -> None:
    row = job(state="dead")
    with pytest.raises(ValueError, match="not possible"):
        shift(LIFE, "take", row, part=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_many_who_saw_the_same_state_one_moves_it() -> None:
    pk = job().pk
    seen = [Job.objects.get(pk=pk) for _ in range(8)]

    def act(n: int) -> Move | None:
        try:
            with writing():
                return shift(LIFE, "take" if n % 2 else "bury", seen[n], part=n)
        except Raced:
            return None

    winners = [move for move in worked(together(8, act)) if move]
    # "bury" is possible after "take" as well, but not for somebody who saw what was before it.
    assert len(winners) == 1
    assert Job.objects.get(pk=pk).state == winners[0].target
    assert sum(row.state == winners[0].target for row in seen) == 1
