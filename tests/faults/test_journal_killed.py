"""The journal: an act and its rows are there together or not at all, and what was once written stays as it was."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from django.db import DatabaseError

from counterfoil.core import journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import rows, writing
from counterfoil.core.models import Job, JournalEvent
from tests.faults.hand import ChangedTheirMind, acts, hesitate, say, working
from tests.faults.storm import Nursery, at_rest, kept_as_told, storm, told

pytestmark = pytest.mark.faults

KIND, DETAIL = "fire_acted", "fire_noted"
DETAILS = 3  # rows that each act writes besides its own


def act_and_write(name: str) -> None:
    """Acts of one row with its wake-up and three more, some of which are taken back; and now and then a forgery."""
    chance = random.Random(name)
    for act in acts(name):
        try:
            with writing():
                journal.record(KIND, subject=act, actor=SYSTEM, text=act)
                hesitate(chance)
                events = [journal.Event(act, f"{act}: {n}") for n in range(DETAILS)]
                journal.record_many(DETAIL, actor=SYSTEM, events=events, advance=False)
                hesitate(chance)
                if chance.random() < 0.2:
                    raise ChangedTheirMind
        except ChangedTheirMind:
            say("lost", act)
        else:
            say("done", act)
        if chance.random() < 0.25:
            _forge(name, chance)


def _forge(name: str, chance: random.Random) -> None:
    ours = JournalEvent.objects.filter(subject__startswith=f"{name}.")
    try:
        with writing():
            touched = ours.update(text="it was not me") if chance.random() < 0.5 else ours.delete()[0]
    except DatabaseError:
        say("refused")
    else:
        say("forged" if touched else "nothing")


def read_on(_name: str) -> None:
    """Read the whole journal again and again: nothing that was once there goes or changes."""
    known: dict[int, tuple[Any, ...]] = {}
    while working():
        now = {
            row[0]: row
            for row in rows("SELECT id, subject, kind, text FROM core_journalevent WHERE kind LIKE %s", ["fire_%"])
        }
        for number, row in known.items():
            if now.get(number) != row:
                say("changed", number, row, now.get(number))
        known = now
        time.sleep(0.05)
    say("read", len(known))


def look(_name: str) -> dict[str, Any]:
    at_rest()
    return {
        "acts": list(JournalEvent.objects.filter(kind=KIND).order_by("id").values_list("subject", "text")),
        "details": list(JournalEvent.objects.filter(kind=DETAIL).values_list("subject", "text")),
        "owed": [job.payload["order"] for job in Job.objects.filter(name="flow.advance")],
    }


def test_an_act_and_its_journal_are_there_together_or_not_at_all(nursery: Nursery) -> None:
    reader = nursery.begin(read_on)
    hands = storm(nursery, act_and_write, act_and_write, act_and_write, kills=12, seed=2)
    reader.end()
    found = nursery.ask(look)

    subjects = [subject for subject, _ in found["acts"]]
    cut_short = kept_as_told(hands, subjects)
    assert cut_short > 3, "the plug was pulled on people who did nothing"
    assert sum(len(hand.said("lost")) for hand in hands) > 0
    # Every row of an act, or none; each with its own words.
    assert all(subject == text for subject, text in found["acts"])
    wanted = [[subject, f"{subject}: {n}"] for subject in subjects for n in range(DETAILS)]
    assert sorted(found["details"]) == sorted(wanted)
    # Whoever died after the commit left the wake-up behind, whoever died before it left none.
    assert sorted(job for job in found["owed"] if job.startswith("act_and_write")) == sorted(subjects)
    # Nothing of it was ever seen to change, whoever tried.
    assert not told([reader], "changed")
    assert int(reader.said("read")[0]) > 0
    assert not any("forged" in hand.said() for hand in hands)
    assert any("refused" in hand.said() for hand in hands), "nobody tried to forge anything"
