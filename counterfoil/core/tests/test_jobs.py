"""Work owed is done: once if nobody dies, at least once if somebody does, and never by somebody who lost it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from counterfoil.core import clock, jobs
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.tests import hands
from counterfoil.core.tests.rows import job
from tests.crowd import database_url, start, together, worked

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})


@pytest.fixture
def seen() -> list[dict[str, Any]]:
    """Registers `t.x`; what it was asked to do."""
    done: list[dict[str, Any]] = []
    jobs.handler("t.x", lease=30, max_attempts=3, backoff=2)(done.append)
    return done


def owe(key: str = "1", **more: Any) -> None:
    with writing():
        jobs.enqueue("t.x", key=key, payload={"k": key}, **more)


def queued() -> list[Job]:
    return list(Job.objects.filter(state="queued").order_by("id"))


@pytest.mark.django_db
class TestOwing:
    def test_work_is_owed_only_together_with_its_reason(self) -> None:
        with pytest.raises(RuntimeError):
            jobs.enqueue("t.x", key="1", payload={})
        with pytest.raises(KeyError):
            self.act_that_fails()
        assert queued() == []

    def act_that_fails(self) -> None:
        with writing():
            jobs.enqueue("t.x", key="1", payload={})
            raise KeyError

    def test_asking_twice_is_asking_once_at_the_earlier_time(self) -> None:
        owe(delay=500)
        owe(delay=5)
        owe(delay=900)
        (row,) = queued()
        assert timedelta(seconds=-5) < row.run_at - clock.real_now() < timedelta(seconds=6)

    def test_who_asks_while_it_is_being_done_gets_it_done_again(self, seen: list[Any]) -> None:
        owe()
        held = jobs.claim("a")
        assert held is not None
        owe()
        assert len(queued()) == 1
        assert jobs.finish(held)
        assert jobs.drain() == 1
        assert seen == [{"k": "1"}]

    def test_what_an_act_does_itself_is_not_owed_any_more(self) -> None:
        owe()
        owe("2")
        with writing():
            jobs.settle("t.x", "1")
        assert [row.key for row in queued()] == ["t.x:2"]

    def test_work_for_later_waits(self, seen: list[Any]) -> None:
        owe(delay=3600)
        assert jobs.claim("a") is None
        assert jobs.claim("a", now=clock.real_now() + 2 * HOUR) is not None

    def test_the_most_overdue_comes_first_and_rooms_can_be_chosen(self, seen: list[Any]) -> None:
        now = clock.real_now()
        job(key="t.x:late", run_at=now - HOUR)
        job(key="t.x:later", run_at=now - 2 * HOUR)
        job(name="other.y", key="other.y:1", run_at=now - 3 * HOUR)
        held = [jobs.claim("a", only=("t",)) for _ in range(3)]
        assert [rows("SELECT key FROM core_job WHERE id = %s", [h.id])[0][0] for h in held if h] == [
            "t.x:later",
            "t.x:late",
        ]
        assert jobs.claim("a", only=("other",)) is not None


@pytest.mark.django_db
class TestLeases:
    def test_a_dead_workers_job_goes_to_another_and_the_dead_one_can_write_no_more(self, seen: list[Any]) -> None:
        owe()
        first = jobs.claim("dies")
        assert first is not None
        assert jobs.claim("waits") is None
        second = jobs.claim("heir", now=clock.real_now() + timedelta(seconds=31))
        assert second is not None
        assert (second.id, second.fence, second.attempts) == (first.id, first.fence + 1, 2)
        assert not jobs.finish(first)
        assert not jobs.beat(first)
        jobs.put_back(first, "too late")
        row = Job.objects.get(pk=first.id)
        assert (row.state, row.worker, row.last_error) == ("running", "heir", "")
        assert jobs.beat(second)
        assert jobs.finish(second)
        assert not Job.objects.exists()

    def test_a_beat_keeps_the_job(self, seen: list[Any]) -> None:
        owe()
        held = jobs.claim("slow")
        assert held is not None
        later = clock.real_now() + timedelta(seconds=25)
        assert jobs.beat(held, now=later)
        assert jobs.claim("greedy", now=later + timedelta(seconds=10)) is None
        assert jobs.claim("heir", now=later + timedelta(seconds=31)) is not None

    def test_a_lost_worker_that_fails_late_does_not_disturb_a_newly_queued_twin(self, seen: list[Any]) -> None:
        owe()
        first = jobs.claim("dies")
        second = jobs.claim("heir", now=clock.real_now() + timedelta(seconds=31))
        assert first is not None
        assert second is not None
        owe()
        jobs.put_back(first, "too late")
        assert sorted(Job.objects.values_list("state", flat=True)) == ["queued", "running"]
        assert jobs.finish(second)


@pytest.mark.django_db
class TestFailing:
    def failing(self, error: Exception, **kind: Any) -> None:
        def fail(payload: dict[str, Any]) -> None:
            raise error

        jobs.handler("t.x", **kind)(fail)

    def wait_of(self, row: Job) -> float:
        return (row.run_at - clock.real_now()).total_seconds()

    def test_a_failing_job_backs_off_twice_as_long_each_time_and_is_laid_by_for_a_person(self) -> None:
        self.failing(KeyError("the bank is closed"), max_attempts=4, backoff=2)
        owe()
        for wait in (2, 4, 8):
            assert jobs.run_one()
            (row,) = queued()
            assert wait - 1 < self.wait_of(row) <= wait
            execute("UPDATE core_job SET run_at = %s", [clock.real_now()])
        assert jobs.run_one()
        row = Job.objects.get()
        assert (row.state, row.attempts) == ("dead", 4)
        assert "the bank is closed" in row.last_error
        assert not jobs.run_one()

    def test_no_wait_is_longer_than_an_hour(self) -> None:
        self.failing(KeyError(), max_attempts=60)
        owe()
        execute("UPDATE core_job SET attempts = 40")
        jobs.run_one()
        assert 3500 < self.wait_of(queued()[0]) <= 3600

    def test_a_dead_job_lives_again_when_a_person_says_so_once(self) -> None:
        self.failing(KeyError(), max_attempts=1)
        owe()
        jobs.run_one()
        dead = Job.objects.get(state="dead")
        jobs.handler("t.x")(lambda payload: None)
        assert jobs.revive(dead.pk)
        assert not jobs.revive(dead.pk)
        assert jobs.drain() == 1
        assert not Job.objects.exists()

    def test_a_revived_job_whose_work_is_queued_again_already_becomes_that_one(self) -> None:
        self.failing(KeyError(), max_attempts=1)
        owe()
        jobs.run_one()
        dead = Job.objects.get(state="dead")
        owe()
        jobs.revive(dead.pk)
        assert len(queued()) == 1
        assert not Job.objects.filter(state="dead").exists()

    def test_where_jobs_are_in_a_hurry_every_wait_is_shorter_and_the_dead_are_missed_sooner(
        self, settings: Any
    ) -> None:
        settings.JOB_PACE = 0.1
        self.failing(KeyError("the bank is closed"), lease=50, backoff=40)
        owe(delay=100)
        assert 8 < self.wait_of(queued()[0]) <= 10
        execute("UPDATE core_job SET run_at = %s", [clock.real_now()])
        held = jobs.claim("a worker that dies")
        assert held is not None
        assert jobs.claim("another", now=clock.real_now() + timedelta(seconds=4)) is None
        assert jobs.claim("another", now=clock.real_now() + timedelta(seconds=6)) is not None
        execute("UPDATE core_job SET state = 'queued', attempts = 0, run_at = %s", [clock.real_now()])
        assert jobs.run_one()
        assert 2 < self.wait_of(queued()[0]) <= 4

    def test_not_yet_uses_up_no_attempt(self) -> None:
        self.failing(jobs.Later(7, "the bank has not answered"), max_attempts=1)
        owe()
        for _ in range(3):
            assert jobs.run_one()
            (row,) = queued()
            assert row.attempts == 0
            assert 5 < self.wait_of(row) <= 7
            execute("UPDATE core_job SET run_at = %s", [clock.real_now()])

    def test_a_failed_job_whose_twin_is_queued_leaves_the_work_to_it(self) -> None:
        self.failing(KeyError(), max_attempts=5)
        owe()
        held = jobs.claim("a")
        assert held is not None
        owe(delay=1)
        jobs.put_back(held, "failed")
        (row,) = queued()
        assert row.pk != held.id
        assert Job.objects.count() == 1

    def test_a_name_without_a_handler_is_laid_by_and_not_lost(self) -> None:
        job(name="gone.away", key="gone.away:1")
        assert jobs.run_one()
        row = Job.objects.get()
        assert row.state == "dead"
        assert "no handler" in row.last_error

    def test_a_job_that_kills_its_worker_every_time_is_laid_by_in_the_end(self, seen: list[Any]) -> None:
        owe()
        now = clock.real_now()
        for n in range(1, 4):
            held = jobs.claim("dies", now=now + n * HOUR)
            assert held is not None
            assert held.attempts == n
        assert jobs.claim("lives", now=now + 4 * HOUR) is None
        row = Job.objects.get()
        assert row.state == "dead"
        assert "died" in row.last_error


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_beat_that_fails_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was away for a moment: the lease outlives that, and so does the worker's hold on its job."""
    real, beats, beaten = jobs.beat, [], threading.Event()

    def flaky(held: jobs.Claim) -> bool:
        beats.append(held.fence)
        if len(beats) == 1:
            raise OperationalError("the connection was closed")
        kept = real(held)
        beaten.set()
        return kept

    monkeypatch.setattr(jobs, "beat", flaky)
    left: list[timedelta] = []

    def wait(payload: dict[str, Any]) -> None:
        until = clock.real_now() + timedelta(seconds=2)
        assert beaten.wait(5)
        left.append((Job.objects.get().lease_until or until) - until)

    jobs.handler("t.x", lease=2)(wait)
    owe()
    assert jobs.run_one("slow")
    assert left[0] > timedelta(seconds=0.5), "the lease was not extended"
    assert not Job.objects.exists()


def count_jobs(n: int) -> None:
    hands.register()
    with writing():
        for i in range(n):
            jobs.enqueue(hands.NAME, key=str(i), payload={"n": i})


def each_was_done_once(n: int) -> None:
    done = list(JournalEvent.objects.filter(kind="counted").values_list("subject", flat=True))
    assert sorted(done) == sorted(f"J-{i}" for i in range(n))
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_eight_threads_do_two_hundred_jobs_once_each() -> None:
    count_jobs(200)
    done = worked(together(8, lambda n: hands.work(f"thread {n}")))
    assert sum(done) == 200
    each_was_done_once(200)


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_two_processes_do_two_hundred_jobs_once_each() -> None:
    count_jobs(200)
    started = [start("-m", "counterfoil.core.tests.hands", "4", DATABASE_URL=database_url()) for _ in range(2)]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        said = []
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in started:
            said.append(one.communicate(timeout=60)[0])
    finally:
        for one in started:
            if one.poll() is None:
                one.kill()
                one.wait()
    did = [int(text.split()[-1]) for text in said]
    assert sum(did) == 200
    assert all(did), f"only one of them worked: {did}"
    each_was_done_once(200)


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_no_wake_up_is_lost_however_it_falls_together_with_the_claim() -> None:
    """Every enqueue is followed by a run of the job that began after it."""
    asked, answered = 0, 0
    lock = threading.Lock()

    def look(payload: dict[str, Any]) -> None:
        nonlocal answered
        with lock:
            answered = asked

    jobs.handler("t.look")(look)
    stop = threading.Event()

    def act(n: int) -> None:
        nonlocal asked
        if n < 2:
            while not stop.is_set():
                jobs.run_one(f"w{n}")
            return
        for _ in range(60):
            with lock:
                asked += 1
            with writing():
                jobs.enqueue("t.look", key="one", payload={})
        stop.set()

    worked(together(3, act))
    jobs.drain()
    assert answered == asked == 60
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_many_who_ask_for_the_same_leave_one_row(seen: list[Any]) -> None:
    worked(together(12, lambda n: owe("same")))
    assert len(queued()) == 1
    assert jobs.drain() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_failing_and_being_asked_again_at_once_leaves_one_row() -> None:
    def fail(payload: dict[str, Any]) -> None:
        raise KeyError

    jobs.handler("t.x", max_attempts=1000, backoff=0)(fail)
    owe()

    def act(n: int) -> None:
        for _ in range(40):
            if n % 2:
                jobs.run_one(f"w{n}")
            else:
                owe()

    worked(together(6, act))
    assert not Job.objects.exclude(state="queued").exists()
    assert len(queued()) == 1
