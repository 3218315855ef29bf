"""Where hands come from: a process that has imported the shop, and of which others split off in milliseconds.

`python -m tests.faults.nursery` reads one JSON request a line and answers each with one line. A hand is a process of
its own, with its own connection, from its first moment to its last; what it says goes into its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from tests.faults.hand import listen, say

_children: set[int] = set()


def begin(work: str, args: list[Any], log: str) -> int:
    """Split off a hand that runs `work` (module:function); its process id."""
    module, name = work.split(":")
    found = getattr(import_module(module), name)  # here, for all that come after
    pid = os.fork()
    if pid == 0:
        _live(found, args, log)
    _children.add(pid)
    return pid


def _live(work: Callable[..., object], args: list[Any], log: str) -> NoReturn:
    code = 1
    try:
        said, nothing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), os.open(os.devnull, os.O_RDONLY)
        for theirs, ours in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(theirs, ours)
        listen()
        answer = work(*args)
        if answer is not None:
            say("=", json.dumps(answer))
        from django.db import connections

        connections.close_all()
        code = 0
    except BaseException:
        say(traceback.format_exc())
    finally:
        os._exit(code)


def send(pid: int, number: int) -> bool:
    """A signal for a hand; False when it is gone. Its number goes to nobody else before `wait` has told of its end."""
    if pid not in _children:
        return False
    os.kill(pid, number)
    return True


def wait(pid: int, seconds: float) -> int | None:
    """A hand's exit code, negative for the signal that ended it; None when it still lives after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            _children.discard(pid)
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(0.002)


def main() -> None:
    import django

    django.setup()
    known: dict[str, Callable[..., object]] = {"begin": begin, "send": send, "wait": wait}
    print('"ready"', flush=True)
    try:
        for line in sys.stdin:
            act, args = json.loads(line)
            print(json.dumps(known[act](*args)), flush=True)
    finally:
        for pid in _children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
