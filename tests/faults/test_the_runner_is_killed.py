"""kill -9 on `counterfoil run` itself: its processes go too, and the next start finds its port free."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.shell.runner import free_port
from tests.crowd import ROOT

pytestmark = pytest.mark.faults

READY = 150.0  # seconds; the runner itself gives up after 120
GONE = 40.0  # seconds; the guard kills after 15


class Run:
    """A `counterfoil run` and what it and its processes say."""

    def __init__(self, var: Path, port: int) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "DATABASE_", "STRIPE_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "counterfoil.shell.cli", "run"],
            cwd=ROOT,
            env={**kept, "COUNTERFOIL_VAR": str(var), "PORT": str(port), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self.ready = threading.Event()
        # All of them hold the pipe, so that it closes when the last is gone.
        self.ears = threading.Thread(target=self._listen, daemon=True)
        self.ears.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "is ready" in line:
                self.ready.set()

    def all_gone(self, seconds: float) -> bool:
        """Whether the last of its processes ends in time."""
        self.ears.join(seconds)
        return not self.ears.is_alive()


@contextlib.contextmanager
def running(var: Path, port: int) -> Iterator[Run]:
    run = Run(var, port)
    try:
        assert run.ready.wait(READY), "".join(run.said)
        yield run
        run.process.send_signal(signal.SIGINT)
        run.process.wait(30)
    finally:
        run.process.kill()
        run.process.wait()
        if not run.all_gone(GONE):
            end_strangers(var)


def end_strangers(var: Path) -> None:
    """What a broken guard has left: the processes that carry this test's folder in their environment."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"COUNTERFOIL_VAR={var}\0".encode() in entry.read_bytes():
                os.kill(int(entry.parent.name), signal.SIGKILL)


def test_a_killed_shop_leaves_nobody_behind_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, port) as killed:
        killed.process.kill()
        assert killed.all_gone(GONE), "".join(killed.said)
    # Names and addresses lie in what is left: it is its owner's alone, the log beside the database too.
    kept = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("counterfoil.sqlite3*")}
    assert "counterfoil.sqlite3" in kept
    assert not any(kept.values()), kept
    with running(tmp_path, port) as again:
        assert not any("busy" in line for line in again.said)
