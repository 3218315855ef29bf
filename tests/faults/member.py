"""One process of a town: started, killed with everything that it started itself, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.crowd import ROOT

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Member:
    """One process of the town. It is a session of its own, with whatever it starts itself."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    port: int = 0  # where it listens, if it does
    process: subprocess.Popen[bytes] | None = None
    started: int = 0
    killed: int = 0
    cpu: float = 0.0  # seconds of those that have ended

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.started += 1

    @property
    def works(self) -> bool:
        """Whether it has come as far as its work."""
        if not self.port:
            return self.log.read_text().count("ready") >= self.started
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and everything that it started with it."""
        if self.process is None:
            return
        self.cpu += cpu_of_session(self.process.pid)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)
        self.killed += 1

    def end(self) -> None:
        """SIGTERM, as a supervisor does; whoever does not listen is killed."""
        if self.process is None:
            return
        self.cpu += cpu_of_session(self.process.pid)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(timeout=20)
        self.process = None


def cpu_of_session(leader: int) -> float:
    """CPU seconds of every process of a session that is alive, and of the children that these have buried."""
    used = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                used += sum(int(ticks) for ticks in fields[11:15])
    return used / TICKS
