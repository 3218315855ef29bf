"""What a hand has: a voice, an ear, hesitation. A hand is a process that does one thing until it is ended or killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from types import FrameType

_told_to_end = False


def listen() -> None:
    """From now on SIGTERM means: finish the act that you are in, then end."""
    signal.signal(signal.SIGTERM, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    global _told_to_end
    _told_to_end = True


def working() -> bool:
    """False once somebody has asked this hand to end."""
    return not _told_to_end


def say(*words: object) -> None:
    """One line in the log, written at once: a kill takes nothing back of it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def hesitate(chance: random.Random, longest: float = 0.004) -> None:
    """One time in three, stop for a moment: there others get in between, and there the plug is pulled."""
    if chance.random() < 0.33:
        time.sleep(chance.random() * longest)


class ChangedTheirMind(Exception):
    """Raised in the middle of an act, so that the whole of it is taken back."""


def acts(name: str) -> Iterator[str]:
    """Names for this hand's acts, one after another, until it is asked to end. Each is said before it is begun."""
    n = 0
    while working():
        n += 1
        say("begun", f"{name}.{n}")
        yield f"{name}.{n}"
