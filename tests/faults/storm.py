"""Hands, as a test holds them: begun, frozen, ended, and killed with SIGKILL at instants that a seed draws."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.crowd import start

PATIENCE = 30.0  # seconds that anything may take before we call it stuck
LONGEST = 0.2  # seconds between two kills, at most


class Hand:
    """One process. `name` is its own in the whole test; what it said is known whatever became of it."""

    def __init__(self, nursery: Nursery, name: str, pid: int, log: Path) -> None:
        self._nursery, self.name, self.pid, self._log = nursery, name, pid, log
        self.killed = False
        self.ended = False

    def said(self, word: str = "") -> list[str]:
        """What follows `word` on each line that begins with it; whole lines without it."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line[len(word) + 1 :] for line in lines if line.split(" ", 1)[0] == word] if word else lines

    def until_it_says(self, word: str = "") -> str:
        """Wait for the first line that begins so, or for any; the rest of it."""
        until = time.monotonic() + PATIENCE
        while not (found := self.said(word)):
            assert time.monotonic() < until, f"{self.name} never said {word}: {self.said()[-20:]}"
            time.sleep(0.005)
        return found[0]

    def signal(self, number: int) -> None:
        assert self._nursery.request("send", self.pid, int(number)), f"{self.name} is gone"

    def kill(self) -> None:
        """SIGKILL, and it is gone when this returns."""
        self.signal(signal.SIGKILL)
        self.falls()

    def falls(self) -> None:
        """Wait until something else has killed it."""
        self.killed = True
        assert self._code() == -signal.SIGKILL, self.said()[-20:]

    def end(self) -> None:
        """Ask it to end after the act in its hands."""
        self.signal(signal.SIGTERM)
        self.wait()

    def wait(self) -> None:
        """Until it has ended of itself, in good order."""
        code = self._code()
        assert code == 0, f"{self.name} ended with {code}:\n" + "\n".join(self.said()[-40:])

    def _code(self) -> int | None:
        code: int | None = self._nursery.request("wait", self.pid, PATIENCE)
        self.ended = code is not None
        assert self.ended, f"{self.name} does not end: {self.said()[-20:]}"
        return code


class Nursery:
    """A shop's database, and the process of which its hands split off."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        self._hands: list[Hand] = []
        self._process: subprocess.Popen[str] = start(
            "-m",
            "tests.faults.nursery",
            DATABASE_URL=url,
            COUNTERFOIL_VAR=str(folder),
            COUNTERFOIL_TESTING="0",  # with every flush to the disk that a real shop does
            COUNTERFOIL_LOG="CRITICAL",
        )
        assert self._answer() == "ready"
        self.ask(prepare)

    def request(self, act: str, *args: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([act, args]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith("\n"), "the nursery is gone"
        return json.loads(line)

    def begin(self, work: Callable[..., object], *args: object) -> Hand:
        """A hand that does `work(name, *args)`, a function of a module."""
        name = f"{work.__name__}-{len(self._hands)}"
        log = self._folder / f"{name}.log"
        pid = self.request("begin", f"{work.__module__}:{work.__qualname__}", [name, *args], str(log))
        hand = Hand(self, name, pid, log)
        self._hands.append(hand)
        return hand

    def ask(self, work: Callable[..., object], *args: object) -> Any:
        """Do `work` in a process of its own and give what it returned, through JSON."""
        hand = self.begin(work, *args)
        hand.wait()
        return json.loads((hand.said("=") or ["null"])[-1])

    def clear(self) -> None:
        """No hand outlives its test."""
        for hand in self._hands:
            if not hand.ended and self.request("send", hand.pid, int(signal.SIGKILL)):
                self.request("wait", hand.pid, PATIENCE)
                hand.ended = True

    def close(self) -> None:
        self.clear()
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()


def storm(
    nursery: Nursery,
    *works: Callable[..., object],
    kills: int,
    seed: int,
    args: Callable[[list[str]], Iterable[object]] = lambda dead: (),
) -> list[Hand]:
    """One hand for each of `works`; then, `kills` times, one of them is killed and another begun in its place.

    Whoever lives at the end is asked to end. `args` gives what a new hand is told besides its name, from the names of
    those killed so far. Returns every hand.
    """
    chance = random.Random(seed)
    dead: list[str] = []
    living = [nursery.begin(work, *args(dead)) for work in works]
    every = list(living)
    for _ in range(kills):
        place = chance.randrange(len(works))
        # The plug is to be pulled on somebody who works, on a slow machine too.
        living[place].until_it_says()
        time.sleep(chance.random() * LONGEST)
        living[place].kill()
        dead.append(living[place].name)
        living[place] = nursery.begin(works[place], *args(dead))
        every.append(living[place])
    for hand in living:
        hand.until_it_says()
    for hand in living:
        hand.end()
    return every


def told(hands: Iterable[Hand], word: str) -> set[str]:
    """What any of them said after `word`."""
    return {said for hand in hands for said in hand.said(word)}


def kept_as_told(hands: list[Hand], found: list[str]) -> int:
    """The acts `found` in the database are those that were done, and some of those that a death cut short; each once.

    A hand says "begun", then "done" after the commit or "lost" when it changed nothing. Gives how many were cut short.
    """
    begun, done, lost = (told(hands, word) for word in ("begun", "done", "lost"))
    assert len(found) == len(set(found)), "an act was done twice"
    assert done <= set(found), f"told as done and not there: {sorted(done - set(found))}"
    assert set(found) <= begun - lost, f"there although it was not to be: {sorted(set(found) - (begun - lost))}"
    cut_short = len(begun - done - lost)
    assert done
    assert cut_short <= sum(hand.killed for hand in hands)
    return cut_short


# --- in a hand ---


def prepare(_name: str) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def at_rest() -> None:
    """Wait until the database has done with the dead: a COMMIT that was on its way when they died still counts."""
    from counterfoil.core.db import is_postgres, rows

    others = (
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND state <> 'idle'"
    )
    until = time.monotonic() + PATIENCE
    while is_postgres() and rows(others)[0][0]:
        assert time.monotonic() < until, "somebody is still at work"
        time.sleep(0.01)


def die() -> None:
    """As if somebody had pulled the plug of this very process."""
    os.kill(os.getpid(), signal.SIGKILL)
