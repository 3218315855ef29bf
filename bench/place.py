"""Placing orders: a running shop with its worker, asked by eight buyers at once, beside the raw limit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.house import ROOT, House, answers
from bench.orders import PRODUCTS, body
from bench.raw import CLIENTS, Template, pgbench, sqlite_loop
from counterfoil.shell.runner import free_port

ROUNDS = 3
PROCESSES = 2
OURS = 5_000_000_000  # the serial numbers of our orders lie beyond those of the raw ones


def measure(house: House, kind: str, seconds: float) -> dict[str, Any]:
    """Rounds of raw limit and shop in turn, `seconds` each, on "postgresql" or "sqlite"."""
    url = house.postgres() if kind == "postgresql" else house.sqlite("place")
    key = house.inside("prepare", url)["key"]
    template: Template = house.inside("statements", url)
    mail = house.mailbox()
    port = free_port()
    env = {
        **house.env,
        "DATABASE_URL": url,
        "EMAIL_URL": mail,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "COUNTERFOIL_BASE_URL": f"http://127.0.0.1:{port}",
    }
    web = house.start("counterfoil.shell.cli", "web", env=env)
    answers(f"http://127.0.0.1:{port}/healthz")
    _ask(port, key, 1.5, first=1)  # warm
    rounds = []
    for n in range(ROUNDS):
        first = (n + 1) * 1_000_000_000
        raw = _raw(house, url, template, seconds, first)
        worker = house.start("counterfoil.shell.cli", "worker", env=env)
        ours = _ask(port, key, seconds, first=first + OURS)
        house.end(worker)
        rounds.append({"raw": raw, "shop": ours, "ratio": ours["per_second"] / raw["per_second"]})
    house.end(web)
    return {
        "statements": len(template),
        "rounds": rounds,
        "median": sorted(rounds, key=lambda r: r["ratio"])[ROUNDS // 2],
    }


def _raw(house: House, url: str, template: Template, seconds: float, first: int) -> dict[str, float]:
    if url.startswith("sqlite"):
        return sqlite_loop(Path(urlsplit(url).path), template, seconds, first)
    return pgbench(url, template, house.folder, seconds, first)


def _ask(port: int, key: str, seconds: float, *, first: int) -> dict[str, Any]:
    asked = json.dumps(body()).encode()
    buyers = []
    for n in range(PROCESSES):
        command = [
            *(sys.executable, "-m", "bench.client", "127.0.0.1", str(port), key, str(seconds)),
            *(str(CLIENTS // PROCESSES), str(first + n * 100_000_000), str(PRODUCTS)),
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        buyers.append(process)
    for process in buyers:
        assert process.stdin is not None
        process.stdin.write(asked)
        process.stdin.close()
    told = []
    for process in buyers:
        assert process.stdout is not None
        told.append(json.loads(process.stdout.read()))
        process.wait()
    took = sorted(t for one in told for t in one["took"])
    wrong = [w for one in told for w in one["wrong"]]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(took)} orders were not taken: {set(wrong)}")
    return {
        "per_second": len(took) / max(one["seconds"] for one in told),
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[int(len(took) * 0.99)],
        "orders": len(took),
    }
