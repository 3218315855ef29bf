"""The processes of one shop: started, watched and ended together."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
STOPPED = 130  # exit code of a command that somebody stopped


@dataclass
class Child:
    """A process that we started; only these are ever ended."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass
class Crew:
    """The processes of one shop."""

    env: dict[str, str]
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    guard: Child = field(init=False)

    def __post_init__(self) -> None:
        # Ends the others if we are killed without a chance to do it ourselves.
        command = [PYTHON, "-m", "counterfoil.shell.guard"]
        process = subprocess.Popen(command, env=self.env, cwd=ROOT, start_new_session=True, stdin=subprocess.PIPE)
        self.guard = Child("guard", process)

    def start(self, name: str, *command: str) -> None:
        self.children.append(Child(name, self._launch(command)))

    def once(self, *command: str) -> None:
        """Run a command to its end. Raises SystemExit when it fails, or when we were told to stop meanwhile."""
        process = self._launch(command)
        while process.poll() is None:
            if self.stopping:
                process.terminate()
                process.wait()
            time.sleep(0.05)
        self._tell_guard(f"-{process.pid}")
        if self.stopping or process.returncode:
            self.end()
            raise SystemExit(process.returncode if process.returncode > 0 else STOPPED)

    def watch(self) -> int:
        """Wait until told to stop, or until a child has died: then everything ends."""
        while not self.stopping:
            for child in [*self.children, self.guard]:
                code = child.process.poll()
                if code is not None:
                    print(f"{child.name} has ended (exit code {code}); stopping everything", flush=True)
                    self.end()
                    return 1
            time.sleep(0.3)
        self.end()
        return 0

    def end(self) -> None:
        """End our children, last started first; whoever does not listen for 15 seconds is killed."""
        for child in reversed(self.children):
            if child.process.poll() is None:
                child.process.terminate()
        until = time.monotonic() + 15
        for child in reversed(self.children):
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        # Its pipe closes; what a child may have left behind is swept up.
        self.guard.process.communicate()

    def _launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # A session of their own, so that Ctrl-C reaches us alone and we end them in order.
        process = subprocess.Popen(command, env=self.env, cwd=ROOT, start_new_session=True)
        self._tell_guard(f"+{process.pid}")
        return process

    def _tell_guard(self, line: str) -> None:
        assert self.guard.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody ended it: `watch` will see that
            self.guard.process.stdin.write(f"{line}\n".encode())
            self.guard.process.stdin.flush()
