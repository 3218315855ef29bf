"""One short transaction at a time; what follows an act runs only after it is safely on disk."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import after_commit, in_writing, read_each, rows, writing
from counterfoil.core.models import Document, Job, JournalEvent, Series
from counterfoil.core.tests.rows import job

pytestmark = pytest.mark.django_db


def test_what_follows_a_commit_runs_after_it_and_outside_of_it() -> None:
    told: list[tuple[str, bool]] = []
    with writing():
        after_commit(lambda: told.append(("first", in_writing())))
        with writing():
            after_commit(lambda: told.append(("inner", in_writing())))
        assert told == []
    assert told == [("first", False), ("inner", False)]


def test_an_act_that_fails_leaves_nothing_and_is_followed_by_nothing() -> None:
    told: list[str] = []

    def act() -> None:
        with writing():
            Series.objects.create(prefix="ZZ")
            after_commit(lambda: told.append("never"))
            raise KeyError

    with pytest.raises(KeyError):
        act()
    assert told == []
    assert not Series.objects.filter(prefix="ZZ").exists()
    assert not in_writing()


def test_a_failing_follow_up_stops_neither_the_others_nor_the_caller() -> None:
    told: list[str] = []

    def broken() -> None:
        raise RuntimeError("the mail server is away")

    with writing():
        after_commit(broken)
        after_commit(lambda: told.append("the other"))
    assert told == ["the other"]


def test_a_follow_up_may_write_and_have_a_follow_up_of_its_own() -> None:
    told: list[str] = []

    def again() -> None:
        with writing():
            Series.objects.create(prefix="ZZ")
            after_commit(lambda: told.append("done"))

    with writing():
        after_commit(again)
    assert told == ["done"]
    assert rows("SELECT prefix FROM core_series") == [("ZZ",)]


def test_nothing_can_follow_an_act_that_is_none() -> None:
    with pytest.raises(RuntimeError):
        after_commit(lambda: None)


def test_rows_of_several_tables_come_by_one_statement_as_the_orm_would_make_them() -> None:
    text, data = "Ünïcode “quoted”\n", {"a": [1, None]}
    with writing():
        journal.record("thing_done", subject="CF-1", actor=SYSTEM, text=text, version=1, data=data)
        journal.record("thing_done", subject="CF-2", actor=SYSTEM, text="", version=2, part=1)
    job(payload={"day": "2026-11-24"})
    with CaptureQueriesContext(connection) as asked:
        events, none, jobs = read_each(
            (JournalEvent, "WHERE subject IN (%s, %s)", ["CF-1", "CF-2"]),
            (Document, "WHERE subject = %s", ["CF-1"]),
            (Job, "", []),
        )
    assert len(asked) == 1
    assert none == []
    for found, wanted in ((events, JournalEvent.objects.order_by("id")), (jobs, Job.objects.order_by("id"))):
        assert [{**vars(one), "_state": 0} for one in found] == [{**vars(one), "_state": 0} for one in wanted]
