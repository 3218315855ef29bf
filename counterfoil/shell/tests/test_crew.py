"""Whoever starts a shop ends all of it, even by being killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from counterfoil.shell import guard
from counterfoil.shell.crew import ROOT, Crew

WITH_A_HELPER = ("sh", "-c", "sleep 600 & echo up; wait")
RUNNER = f"""
import os, time
from counterfoil.shell.crew import Crew
crew = Crew(dict(os.environ))
crew.start("child", *{WITH_A_HELPER!r})
print("group", crew.children[0].process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_who_is_killed_or_loses_the_terminal_takes_all_along(number: signal.Signals) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    said = "".join(runner.stdout.readline() for _ in range(2))  # "up" and the group, either may be first
    group = int(re.findall(r"\d+", said)[0])
    try:
        assert guard.lives(group)
        runner.send_signal(number)
        # The child and its helper hold the other end: it closes when the last of them is gone.
        runner.communicate(timeout=20)
        assert not guard.lives(group)
    finally:
        guard.tell(group, signal.SIGKILL)


def test_an_ordinary_end_sweeps_up_helpers_and_the_guard() -> None:
    crew = Crew(dict(os.environ))
    crew.start("child", *WITH_A_HELPER)
    child = crew.children[0].process
    try:
        crew.end()
        assert child.returncode == -signal.SIGTERM
        assert not guard.lives(child.pid)
        assert crew.guard.process.returncode == 0
    finally:
        guard.tell(child.pid, signal.SIGKILL)


def test_a_command_that_is_done_is_no_business_of_the_guard(capfd: pytest.CaptureFixture[str]) -> None:
    crew = Crew(dict(os.environ))
    crew.once("true")
    crew.end()
    assert "left behind" not in capfd.readouterr().err


def test_without_its_guard_a_shop_does_not_go_on() -> None:
    crew = Crew(dict(os.environ))
    crew.start("child", "sleep", "600")
    crew.guard.process.kill()
    crew.guard.process.wait()
    assert crew.watch() == 1
    assert crew.children[0].process.returncode == -signal.SIGTERM


def test_who_does_not_listen_is_killed_in_the_end() -> None:
    deaf = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert deaf.stdout is not None
    deaf.stdout.readline()
    guard.end([deaf.pid], patience=0.3)
    assert deaf.wait(5) == -signal.SIGKILL
    deaf.stdout.close()
