"""The journal stands in the transaction of the act, and wakes up whoever looks at the order next."""

from __future__ import annotations

import pytest

from counterfoil.core import journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.machine import Move
from counterfoil.core.models import Job, JournalEvent
from tests.crowd import together, worked


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was looked at right after a commit."""
    found: list[str] = []
    monkeypatch.setattr(journal, "_advance_now", found.append)
    return found


def owed() -> list[str]:
    return sorted(job.payload["order"] for job in Job.objects.filter(name="flow.advance", state="queued"))


@pytest.mark.django_db
def test_a_row_says_who_did_what_and_which_axis_moved(woken: list[str]) -> None:
    with writing():
        journal.record(
            "card_charged",
            subject="CF-1",
            actor=SYSTEM,
            text="Charged",
            version=4,
            part=2,
            moves=[Move(2, "money", "charging", "charged")],
        )
        assert woken == []
    row = JournalEvent.objects.get()
    assert (row.subject, row.version, row.part, row.actor) == ("CF-1", 4, 2, SYSTEM.name)
    assert row.moves == [{"part": 2, "axis": "money", "from": "charging", "to": "charged"}]
    assert (woken, owed()) == (["CF-1"], ["CF-1"])


@pytest.mark.django_db
def test_nothing_is_written_beside_an_act(woken: list[str]) -> None:
    with pytest.raises(RuntimeError):
        journal.record("seen", subject="CF-1", actor=SYSTEM, text="")
    with pytest.raises(RuntimeError):
        journal.record_many("seen", actor=SYSTEM, events=[journal.Event("CF-1", "")])
    assert not JournalEvent.objects.exists()


@pytest.mark.django_db
def test_what_changes_no_queue_wakes_nobody(woken: list[str]) -> None:
    with writing():
        journal.record("mail_sent", subject="CF-1", actor=SYSTEM, text="", advance=False)
    assert (woken, owed()) == ([], [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_many_acts_at_once_have_their_rows_and_those_taken_back_have_none(woken: list[str]) -> None:
    def act(n: int) -> bool:
        try:
            with writing():
                journal.record("acted", subject=f"CF-{n % 3}", actor=SYSTEM, text=str(n))
                events = [journal.Event(f"CF-{order}", f"{n}") for order in sorted({n % 3, 3, 4})]
                journal.record_many("noted", actor=SYSTEM, events=events)
                if n % 5 == 0:
                    raise KeyError
        except KeyError:
            return False
        return True

    kept = [n for n, done in enumerate(worked(together(15, act))) if done]
    assert len(kept) == 12
    acted = JournalEvent.objects.filter(kind="acted")
    assert sorted(int(row.text) for row in acted) == kept
    assert JournalEvent.objects.filter(kind="noted").count() == 3 * len(kept)
    # However many rows an order got, it is looked at once more, should nobody have come to it after the commit.
    assert owed() == ["CF-0", "CF-1", "CF-2", "CF-3", "CF-4"]
    assert len(woken) == sum(4 for _ in kept)
