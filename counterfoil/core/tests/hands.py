"""Workers' hands for the tests: a handler whose every run stands in the journal.

`python -m counterfoil.core.tests.hands THREADS` does every due job of it in a process of its own.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

NAME = "t.count"


def register() -> None:
    """Know how to do `t.count`: note it, and take a moment."""
    from counterfoil.core import jobs, journal
    from counterfoil.core.actor import SYSTEM
    from counterfoil.core.db import writing

    @jobs.handler(NAME, lease=30)
    def count(payload: dict[str, Any]) -> None:
        with writing():
            journal.record("counted", subject=f"J-{payload['n']}", actor=SYSTEM, text=str(os.getpid()), advance=False)


def work(name: str) -> int:
    """Do due jobs until none is left; how many."""
    from counterfoil.core import jobs

    done = 0
    while jobs.run_one(name):
        done += 1
    return done


def main(threads: int) -> None:
    import django
    from django.db import connections

    django.setup()
    register()
    done: list[int] = []

    def run(n: int) -> None:
        try:
            done.append(work(f"{os.getpid()}:{n}"))
        finally:
            connections.close_all()

    # All processes begin together, when they are told to.
    print("ready", flush=True)
    sys.stdin.readline()
    hands = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    print(f"did {sum(done)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
