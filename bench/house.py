"""A shop for a benchmark: a data folder of its own, databases, processes; all of it goes when the run ends."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counterfoil.shell.runner import free_port
from tools import pg

ROOT = Path(__file__).resolve().parents[1]
STRIPE_KEY = "sk_test_bench"
FOREIGN = ("COUNTERFOIL_", "STRIPE_", "EMAIL_", "DATABASE_", "DJANGO_", "PG")


@dataclass
class House:
    """One run's folder and the processes in it; only these are ever ended."""

    folder: Path
    env: dict[str, str]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _databases: list[Path] = field(default_factory=list)

    def postgres(self) -> str:
        """The URL of a PostgreSQL that flushes every commit to the disk; started at the first call."""
        data = self.folder / "pg"
        if data not in self._databases:
            self._databases.append(data)
        return pg.start(data, durable=True)

    def sqlite(self, name: str) -> str:
        """The URL of a SQLite file in the run's folder."""
        return f"sqlite:///{self.folder / f'{name}.sqlite3'}"

    def start(self, *command: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a Python module of ours; what it logs lies in `processes.log`."""
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        self._running.append(process)
        return process

    def end(self, *processes: subprocess.Popen[bytes]) -> None:
        """End processes of ours, and wait until they are gone."""
        for process in processes:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + 15
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._running.remove(process)

    def inside(self, what: str, url: str, *arguments: str, **more: str) -> Any:
        """Do `python -m bench.inside WHAT` on a database and return the JSON of its last line."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.inside", what, *arguments],
            cwd=ROOT,
            env={**self.env, **more, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            timeout=600,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def mailbox(self) -> str:
        """Start the sandbox's mail server and return its EMAIL_URL."""
        smtp, http = free_port(), free_port()
        self.start(
            *("sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(http)),
            *("--data", str(self.folder / "mailbox")),
            env=self.env,
        )
        answers(f"http://127.0.0.1:{http}/healthz")
        return f"smtp://127.0.0.1:{smtp}"

    def processor(self) -> str:
        """Start the sandbox's card processor and return its address."""
        port = free_port()
        self.start(
            *("sandbox.processor", "--port", str(port), "--data", str(self.folder / "processor")),
            *("--api-key", STRIPE_KEY),
            env=self.env,
        )
        answers(f"http://127.0.0.1:{port}/healthz")
        return f"http://127.0.0.1:{port}"

    def close(self) -> None:
        """End everything and remove the folder."""
        self.end(*list(self._running))
        for data in self._databases:
            pg.stop(data)
        shutil.rmtree(self.folder, ignore_errors=True)


def answers(url: str, seconds: float = 30) -> None:
    """Wait until an address answers. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s")


@contextmanager
def house() -> Iterator[House]:
    """A benchmark's house. It lies beside the shop's data, because /tmp may be memory, where a flush costs nothing."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=var))
    # PostgreSQL, started by root, runs as a user of its own and must get through.
    folder.chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    env |= {
        "COUNTERFOIL_VAR": str(folder),
        "COUNTERFOIL_SECRET_KEY": secrets.token_urlsafe(40),
        "COUNTERFOIL_LOG": "ERROR",
        "DJANGO_SETTINGS_MODULE": "counterfoil.shell.settings",
        "PYTHONPATH": str(ROOT),
    }
    made = House(folder, env)
    try:
        yield made
    finally:
        made.close()
