"""Papers: their numbers have no gaps whoever dies with one in hand; they look the same whoever prints them."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from typing import Any

import pytest

from counterfoil.core import documents, jobs, papers
from counterfoil.core.db import writing
from counterfoil.core.models import Document, Job, Rendering, Series
from counterfoil.core.papers.content import Kind
from counterfoil.core.papers.tests.samples import content
from tests.faults.hand import ChangedTheirMind, acts, hesitate, say, working
from tests.faults.labour import heir
from tests.faults.storm import Nursery, at_rest, kept_as_told, storm, told

pytestmark = pytest.mark.faults

KINDS: tuple[Kind, ...] = ("invoice", "credit-note")


def issue(name: str, _dead: list[str]) -> None:
    """Issue papers of two series; some acts are taken back with the number in hand."""
    chance = random.Random(name)
    for act in acts(name):
        kind = chance.choice(KINDS)
        try:
            with writing():
                made = documents.issue(kind, subject=act, content=content(kind, lines=chance.randint(1, 4), name=act))
                hesitate(chance, 0.01)
                if chance.random() < 0.3:
                    raise ChangedTheirMind
        except ChangedTheirMind:
            say("lost", act)
        else:
            say("number", made.number)
            say("done", act)
        time.sleep(chance.random() * 0.04)


def render(name: str, dead: list[str]) -> None:
    """Render what was issued, until asked to end."""
    heir(dead)
    say("ready")
    while working():
        if not jobs.run_one(name, only=("core",)):
            time.sleep(0.01)


def render_all(name: str, dead: list[str]) -> None:
    heir(dead)
    jobs.drain(worker=name, only=("core",))


def print_again(name: str, numbers: list[str]) -> dict[str, str]:
    """Print papers from their content alone, as a process does that has never seen them; their hashes."""
    order = random.Random(name).sample(numbers, len(numbers))
    found = [documents.find(number) for number in order]
    return {
        made.number: hashlib.sha256(papers.render(made.kind, made.content, paper="letter")).hexdigest()
        for made in found
    }


def look(_name: str) -> dict[str, Any]:
    at_rest()
    kept = Rendering.objects.select_related("document").order_by("document_id")
    return {
        "papers": list(Document.objects.filter(kind__in=KINDS).order_by("id").values("number", "kind", "subject")),
        "wrong": [d.number for d in Document.objects.all() if d.sha256 != documents.content_hash(d.content)],
        "next": dict(Series.objects.values_list("prefix", "next")),
        "printed": [[r.document.number, r.sha256, hashlib.sha256(bytes(r.pdf)).hexdigest()] for r in kept],
        "owed": [job.payload["number"] for job in Job.objects.filter(name="core.render")],
    }


def the_series_have_no_gaps(found: dict[str, Any]) -> None:
    for kind in KINDS:
        prefix = documents.SERIES[kind]
        taken = [paper["number"] for paper in found["papers"] if paper["kind"] == kind]
        assert taken == [f"{prefix}-{n:04d}" for n in range(1, len(taken) + 1)]
        assert found["next"][prefix] == len(taken) + 1


def test_no_number_is_missing_or_twice_and_every_paper_is_printed_the_same(nursery: Nursery) -> None:
    hands = storm(nursery, issue, issue, render, kills=12, seed=6, args=lambda dead: [list(dead)])
    found = nursery.ask(look)
    issuers = [hand for hand in hands if hand.name.startswith("issue")]
    ours = [paper for paper in found["papers"] if paper["subject"].startswith("issue")]
    kept_as_told(issuers, [paper["subject"] for paper in ours])
    assert sum(len(hand.said("lost")) for hand in issuers) > 0
    the_series_have_no_gaps(found)
    numbers = [paper["number"] for paper in found["papers"]]
    assert told(issuers, "number") <= set(numbers)
    assert found["wrong"] == []
    # A paper is printed, or it is owed; those of the dead printers too.
    printed = {number for number, *_ in found["printed"]}
    assert set(numbers) <= printed | set(found["owed"])

    dead = [hand.name for hand in hands if hand.killed]
    last = [nursery.begin(render_all, dead) for _ in range(2)]
    for hand in last:
        hand.wait()
    after = nursery.ask(look)
    assert after["owed"] == []
    assert Counter(number for number, *_ in after["printed"] if number in set(numbers)) == dict.fromkeys(numbers, 1)
    assert all(kept == counted for _, kept, counted in after["printed"])
    # What was printed first stayed, and two processes that never saw the papers print the same bytes again.
    assert [row for row in found["printed"] if row not in after["printed"]] == []
    sample = random.Random(6).sample(numbers, min(24, len(numbers)))
    kept = {number: sha for number, sha, _ in after["printed"] if number in sample}
    assert nursery.ask(print_again, sample) == nursery.ask(print_again, sample) == kept


# --- dead with a number in hand --------------------------------------------------------------------------------------


def hold_a_number(_name: str) -> None:
    with writing():
        made = documents.issue("invoice", subject="held", content=content("invoice"))
        say("holding", made.number)
        time.sleep(60)


def issue_one(name: str) -> None:
    say("asks")
    with writing():
        made = documents.issue("invoice", subject=name, content=content("invoice"))
    say("number", made.number)


def test_a_number_that_died_with_its_holder_goes_to_the_next_in_line(nursery: Nursery) -> None:
    holder = nursery.begin(hold_a_number)
    number = holder.until_it_says("holding")
    waiting = [nursery.begin(issue_one) for _ in range(3)]
    for hand in waiting:
        hand.until_it_says("asks")
    time.sleep(0.1)
    assert not told(waiting, "number"), "somebody did not wait"
    holder.kill()
    for hand in waiting:
        hand.wait()
    first = int(number.removeprefix("INV-"))
    assert told(waiting, "number") == {f"INV-{first + n:04d}" for n in range(3)}
    found = nursery.ask(look)
    the_series_have_no_gaps(found)
    assert "held" not in [paper["subject"] for paper in found["papers"]]
    assert set(found["owed"]) == told(waiting, "number")


# --- the first printing ----------------------------------------------------------------------------------------------


def print_one(_name: str, number: str, at: float) -> str:
    """Print a paper at the given moment of real time; the hash of what came out."""
    made = documents.find(number)
    time.sleep(max(0.0, at - time.time()))
    return hashlib.sha256(documents.pdf(made)).hexdigest()


def test_many_who_print_a_paper_for_the_first_time_hold_the_same_one(nursery: Nursery) -> None:
    waiting = nursery.begin(issue_one)
    waiting.wait()
    number = waiting.said("number")[0]
    at = time.time() + 0.3
    people = [nursery.begin(print_one, number, at) for _ in range(4)]
    for hand in people:
        hand.wait()
    ((_, kept, counted),) = [row for row in nursery.ask(look)["printed"] if row[0] == number]
    assert told(people, "=") == {f'"{kept}"'} == {f'"{counted}"'}
