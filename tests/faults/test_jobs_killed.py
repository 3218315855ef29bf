"""Jobs: what is owed is done, by whoever is left; nobody who lost a job can write it any more."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import pytest

from counterfoil.core import clock, jobs, journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import moment, rows, writing
from counterfoil.core.models import Job, Setting
from tests.faults.hand import ChangedTheirMind, acts, hesitate, say, working
from tests.faults.labour import (
    ATTEMPTS,
    COUNT,
    FAIL,
    LEASE,
    MENDED,
    POISON,
    WATCHED,
    done,
    heir,
    owe,
    register,
    work,
    work_off,
)
from tests.faults.storm import Hand, Nursery, at_rest, kept_as_told, storm

pytestmark = pytest.mark.faults

JOBS = 5  # that an act owes


def names(hands: list[Hand]) -> list[str]:
    return [hand.name for hand in hands]


def look(_name: str, kind: str, job: str) -> dict[str, Any]:
    at_rest()
    left = Job.objects.filter(name=job).order_by("id")
    return {
        "done": done(kind),
        "owed": done("owed"),
        "left": list(left.values("id", "key", "state", "attempts", "fence", "worker", "last_error")),
    }


def finish(nursery: Nursery, hands: list[Hand]) -> list[Hand]:
    """Two who are not killed do all that is left."""
    dead = names([hand for hand in hands if hand.killed])
    last = [nursery.begin(work_off, dead) for _ in range(2)]
    for hand in last:
        hand.wait()
    return [*hands, *last]


# --- owed, done ------------------------------------------------------------------------------------------------------


def give_work(name: str, _dead: list[str]) -> None:
    """Acts that owe some jobs each; some are taken back, and their jobs with them."""
    chance = random.Random(name)
    for act in acts(name):
        try:
            with writing():
                for n in range(JOBS):
                    owe(COUNT, f"{act}:{n}")
                hesitate(chance)
                journal.record("owed", subject="FIRE", actor=SYSTEM, text=act, data={"act": act}, advance=False)
                if chance.random() < 0.1:
                    raise ChangedTheirMind
        except ChangedTheirMind:
            say("lost", act)
        else:
            say("done", act)
        time.sleep(0.025)


def give_ahead(name: str) -> None:
    """Enough for nobody to stand idle."""
    with writing():
        for act in (f"{name}.{n}" for n in range(16)):
            for n in range(JOBS):
                owe(COUNT, f"{act}:{n}")
            journal.record("owed", subject="FIRE", actor=SYSTEM, text=act, data={"act": act}, advance=False)


def test_every_job_owed_is_done_and_twice_only_where_somebody_died_over_it(nursery: Nursery) -> None:
    nursery.ask(give_ahead)
    hands = storm(nursery, give_work, work, work, work, kills=12, seed=4, args=lambda dead: [list(dead)])
    hands = finish(nursery, hands)
    found = nursery.ask(look, "counted", COUNT)

    owed = [event["act"] for event in found["owed"]]
    givers = [hand for hand in hands if hand.name.startswith("give_work")]
    kept_as_told(givers, [act for act in owed if not act.startswith("give_ahead")])
    assert found["left"] == []
    runs = found["done"]
    assert {f"{act}:{n}" for act in owed for n in range(JOBS)} == {run["key"] for run in runs}
    # Each run under a fence of its own, by the worker who held the job then and by nobody else.
    held = [(run["key"], *fence) for run in runs for fence in run["held"]]
    assert len(held) == len(runs) == len(set(held))
    assert all(worker == run["by"] for run in runs for _, worker in run["held"])
    # Whoever was not killed did nothing that had been done, or was done again.
    killed = {hand.name for hand in hands if hand.killed}
    times = Counter(run["key"] for run in runs)
    last = {run["key"]: run for run in runs}
    again = [run for run in runs if run is not last[run["key"]]]
    assert {run["by"] for run in again} <= killed
    assert len(again) == sum(times.values()) - len(times) <= len(killed)
    # Some jobs were in the hands of the dead and came to others.
    assert any(fence > 1 for _, fence, _ in held)
    assert len({run["by"] for run in runs}) > 5


# --- fences ----------------------------------------------------------------------------------------------------------


def freeze_over_a_job(name: str) -> None:
    """Take a job, stand still until somebody wakes this process, then try to write all that a worker writes."""
    register(name)
    held = jobs.claim(name, only=("fire",))
    assert held is not None
    say("holding", held.id, held.fence)
    os.kill(os.getpid(), signal.SIGSTOP)
    say("beat", jobs.beat(held))
    jobs.put_back(held, "too late")
    jobs.put_back(held, "too late", seconds=5)
    say("finished", jobs.finish(held))
    say("awake")


def take_over(name: str, dead: list[str]) -> None:
    """Take the job of the dead and keep it until told to finish."""
    register(name)
    heir(dead)
    held = jobs.claim(name, only=("fire",))
    assert held is not None
    say("holding", held.id, held.fence)
    while working():
        time.sleep(0.005)
    say("beat", jobs.beat(held))
    say("finished", jobs.finish(held))


def owe_one(_name: str, kind: str, key: str, more: dict[str, Any]) -> None:
    with writing():
        owe(kind, key, **more)


def test_who_wakes_up_after_the_job_went_to_another_cannot_write_it(nursery: Nursery) -> None:
    nursery.ask(owe_one, COUNT, "frozen", {})
    sleeper = nursery.begin(freeze_over_a_job)
    job, fence = sleeper.until_it_says("holding").split()
    other = nursery.begin(take_over, [sleeper.name])
    assert other.until_it_says("holding").split() == [job, str(int(fence) + 1)]
    before = nursery.ask(look, "counted", COUNT)["left"]
    sleeper.signal(signal.SIGCONT)
    sleeper.wait()
    assert (sleeper.said("beat"), sleeper.said("finished")) == (["False"], ["False"])
    assert nursery.ask(look, "counted", COUNT)["left"] == before
    assert [row["worker"] for row in before] == [other.name]
    other.end()
    assert (other.said("beat"), other.said("finished")) == (["True"], ["True"])
    assert nursery.ask(look, "counted", COUNT)["left"] == []


def until_done(name: str) -> None:
    """Do one job, however long it takes until there is one."""
    register(name)
    while working() and not jobs.run_one(name, only=("fire",)):
        time.sleep(0.02)


def lease(_name: str, key: str) -> list[Any]:
    found = rows("SELECT fence, worker, lease_until FROM core_job WHERE key = %s", [f"{WATCHED}:{key}"])
    return [[fence, worker, (moment(until) or clock.real_now()).timestamp()] for fence, worker, until in found]


def test_a_dead_workers_job_is_free_after_its_lease_and_a_living_ones_never(nursery: Nursery) -> None:
    doomed = nursery.begin(until_done)
    nursery.ask(owe_one, WATCHED, "dies", {"for": doomed.name, "seconds": 60})
    doomed.until_it_says("holding")
    slow = nursery.begin(until_done)
    nursery.ask(owe_one, WATCHED, "lives", {"for": slow.name, "seconds": LEASE * 1.3})
    slow.until_it_says("holding")
    doomed.kill()
    [[fence, worker, until]] = nursery.ask(lease, "dies")
    assert (fence, worker) == (1, doomed.name)
    greedy = [nursery.begin(work, []) for _ in range(2)]
    slow.wait()
    for hand in greedy:
        hand.end()
    found = nursery.ask(look, "watched", WATCHED)
    assert found["left"] == []
    ran = {run["key"]: run for run in found["done"]}
    assert len(ran) == len(found["done"]) == 2
    # The dead one's job began anew when the lease was over, and not before; the slow one's beat kept it.
    (heir,) = [hand for hand in greedy if hand.said("holding")]
    assert ran["dies"]["held"] == [[2, heir.name]]
    assert until < float(heir.said("holding")[0]) < until + LEASE * 4
    assert ran["lives"]["held"] == [[1, slow.name]]


# --- the dead list ---------------------------------------------------------------------------------------------------


def owe_many(_name: str, count: int) -> None:
    with writing():
        for n in range(count):
            owe(FAIL, f"f{n}")


def revive_all(name: str, ids: list[int]) -> None:
    """A person puts every dead job back, as several do at once."""
    for job in random.Random(name).sample(ids, len(ids)):
        say("revived" if jobs.revive(job) else "refused", job)
        time.sleep(0.002)


def mend(_name: str) -> None:
    with writing():
        Setting.objects.create(key=MENDED, value=True)


def test_what_fails_is_laid_by_after_its_attempts_and_lives_again_once(nursery: Nursery) -> None:
    nursery.ask(owe_many, 24)
    hands = storm(nursery, work, work, work, kills=8, seed=5, args=lambda dead: [list(dead)])
    hands = finish(nursery, hands)
    found = nursery.ask(look, "tried", FAIL)

    deaths = sum(hand.killed for hand in hands)
    assert [(row["state"], row["attempts"]) for row in found["left"]] == [("dead", ATTEMPTS)] * 24
    assert all("the bank is closed" in row["last_error"] or "died" in row["last_error"] for row in found["left"])
    tried = Counter(run["key"] for run in found["done"])
    assert max(tried.values()) <= ATTEMPTS
    assert 24 * ATTEMPTS - deaths <= sum(tried.values())

    nursery.ask(mend)
    ids = [row["id"] for row in found["left"]]
    people = [nursery.begin(revive_all, ids) for _ in range(4)]
    people[0].until_it_says("revived")
    people[0].kill()
    for hand in people[1:]:
        hand.wait()
    said = Counter(job for hand in people for job in hand.said("revived"))
    assert set(said.values()) == {1}, "one job was revived by two people"
    assert len(ids) - 1 <= len(said) <= len(ids)
    finish(nursery, [])
    after = nursery.ask(look, "mended", FAIL)
    assert after["left"] == []
    assert Counter(run["key"] for run in after["done"]) == {f"f{n}": 1 for n in range(24)}


def test_a_job_that_kills_every_worker_is_laid_by_in_the_end(nursery: Nursery) -> None:
    nursery.ask(owe_one, POISON, "p", {})
    victims: list[Hand] = []
    for _ in range(ATTEMPTS):
        victims.append(nursery.begin(work_off, names(victims)))
        victims[-1].falls()
    nursery.begin(work_off, names(victims)).wait()
    found = nursery.ask(look, "swallowed", POISON)
    assert [run["by"] for run in found["done"]] == names(victims)
    ((state, error),) = [(row["state"], row["last_error"]) for row in found["left"]]
    assert state == "dead"
    assert error == f"its worker died {ATTEMPTS} times while doing it"
