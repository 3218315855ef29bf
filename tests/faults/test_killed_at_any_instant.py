"""kill -9 on the desk and on the worker, again and again: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from conftest import Mailbox
from tests.crowd import ROOT
from tests.faults.place import database

pytestmark = pytest.mark.faults

COUNTERFOIL = str(Path(sys.executable).parent / "counterfoil")
KILLS = 5  # on each database
MOST_KILLS = 20  # where a busy machine lets nobody come as far as a charge before
LONGEST = 1.2  # seconds that somebody may live after saying "ready"
SECONDS = 45.0  # for a worker to bring everything in order


class Running:
    """A process that says what it does into a file: what was said before it was killed is not lost in a pipe."""

    def __init__(self, command: tuple[str, ...], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-u", *command],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "counterfoil.shell.settings", **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def until_ready(self) -> None:
        until = time.monotonic() + 60
        while "ready" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, "it does not start"
            time.sleep(0.02)

    def kill(self) -> list[str]:
        """SIGKILL; the lines that it had said."""
        self.process.kill()
        self.process.wait(timeout=20)
        return self.log.read_text().splitlines()

    def end(self) -> None:
        """SIGTERM, as a supervisor does; it finishes what it has in its hands."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        finally:
            self.kill()


class Shop:
    """A shop whose processes can be killed."""

    def __init__(self, url: str, folder: Path, sandbox: str, mailbox: Mailbox) -> None:
        self._folder, self._started = folder, 0
        self.environment = {
            "DATABASE_URL": url,
            "COUNTERFOIL_VAR": str(folder),
            "COUNTERFOIL_TESTING": "0",  # with every flush to the disk that a real shop does
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_API_BASE": sandbox,
            "STRIPE_WEBHOOK_SECRET": "whsec_test",
            "COUNTERFOIL_SANDBOX_URL": sandbox,
            "EMAIL_URL": f"smtp://127.0.0.1:{mailbox.smtp_port}",
            "COUNTERFOIL_LOG": "CRITICAL",
        }
        self.key = self.ask("-m", "tests.faults.aftermath", "prepare").split()[-1]

    def start(self, *command: str) -> Running:
        self._started += 1
        return Running(command, self._folder / f"said-{self._started}.log", self.environment)

    def clerk(self, name: str) -> Running:
        return self.start("-m", "tests.faults.clerk", name, self.key)

    def worker(self) -> Running:
        return self.start(COUNTERFOIL, "worker")

    def ask(self, *command: str, good: int = 0) -> str:
        """Run a command to its end; what it printed."""
        running = self.start(*command)
        try:
            code = running.process.wait(timeout=90)
        finally:
            said = "\n".join(running.kill())
        assert code == good, said
        return said

    def verify(self, *options: str, good: int = 0) -> Any:
        """The verdict of `counterfoil verify`."""
        said = self.ask(COUNTERFOIL, "verify", "--json", *options, good=good)
        return json.loads(said[said.index("{") :])

    def tell(self) -> Any:
        return json.loads(self.ask("-m", "tests.faults.aftermath", "tell").splitlines()[-1])


def told(lines: list[str], what: str) -> set[str]:
    return {line.split()[1] for line in lines if line.startswith(f"{what} ")}


def the_killing(shop: Shop, name: str, seed: int) -> list[str]:
    """Desks and workers live for a moment each; everything that a desk was told."""
    chance = random.Random(seed)
    said: list[str] = []
    worker = shop.worker()
    clerk = shop.clerk(f"{name}-0")
    try:
        worker.until_ready()
        for n in range(1, MOST_KILLS + 1):
            if n > KILLS and told(said, "charged"):
                break
            clerk.until_ready()
            time.sleep(chance.random() * LONGEST)
            said += clerk.kill()
            clerk = shop.clerk(f"{name}-{n}")
            if n % 2 == 0:
                worker.kill()
                worker = shop.worker()
    finally:
        said += clerk.kill()
        worker.kill()
    assert not [line for line in said if "Error" in line or "Traceback" in line], "\n".join(said[-40:])
    return said


def everything_is_done(shop: Shop) -> Any:
    """A worker gets the time that it needs; then nothing is owed any more. What the shop knows."""
    shop.ask("-m", "tests.faults.aftermath", "age")
    worker = shop.worker()
    try:
        worker.until_ready()
        until = time.monotonic() + SECONDS
        while True:
            known = shop.tell()
            if not known["jobs"] or time.monotonic() > until:
                return known
            # What waits for its next try need not wait for real.
            if _running(known):
                time.sleep(0.3)
            else:
                shop.ask("-m", "tests.faults.aftermath", "age")
    finally:
        worker.end()


def _running(known: Any) -> bool:
    return any(state == "running" for _, state, _ in known["jobs"])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_is_killed_at_any_instant_loses_nothing_and_charges_nobody_twice(
    kind: str, tmp_path: Path, sandbox_url: str, mailbox_process: Mailbox
) -> None:
    with database(kind, tmp_path) as url:
        shop = Shop(url, tmp_path, sandbox_url, mailbox_process)
        said = the_killing(shop, kind, seed=2611)
        known = everything_is_done(shop)
        assert known["jobs"] == []
        verdict = shop.verify()
        assert verdict == {"clean": True, "broken": [], "notes": []}

        orders = known["orders"]
        placed, charged, cancelled = (told(said, what) for what in ("placed", "charged", "cancelled"))
        assert len(placed) >= KILLS, f"only {len(placed)} orders: the desks were killed before they did anything"
        assert charged
        # What somebody was told is so.
        assert placed <= set(orders)
        assert all(orders[n]["cancelled"] for n in cancelled)
        assert all(orders[n]["parts"][0][1] > 0 for n in charged)
        # At the processor: one success for each order that we call charged, none for another, none left of a cancelled.
        bank = requests.get(f"{sandbox_url}/_ledger", params={"summary": "1"}, timeout=30).json()["payment_intents"]
        for number, order in orders.items():
            assert order["lines"] == 2
            taken = [i for i in bank if order["token"] in json.dumps(i["metadata"]) and i["amount_captured"]]
            ((money, ours, back, owed),) = order["parts"]
            assert owed == 0
            assert money in {"saved", "charged", "voided"}, number
            assert [(i["amount_captured"], i["amount_refunded"]) for i in taken] == ([(ours, back)] if ours else [])
            assert back == (ours if order["cancelled"] else 0)
        # Every customer has heard of their order; what was mailed twice is known as the same mail.
        for number in placed:
            mails = mailbox_process.mails(to=orders[number]["email"])
            assert len({m["message_id"] for m in mails if m["subject"].startswith("We have your order")}) == 1


def test_the_tests_themselves_would_notice(tmp_path: Path, sandbox_url: str, mailbox_process: Mailbox) -> None:
    """Money taken behind the shop's back, and a shelf that was changed by hand, are found by `verify`."""
    with database("sqlite", tmp_path) as url:
        shop = Shop(url, tmp_path, sandbox_url, mailbox_process)
        shop.ask(
            "-c",
            "import django; django.setup()\n"
            "from counterfoil.core.db import execute\n"
            'execute("UPDATE stock_balance SET on_hand = on_hand + 1")\n',
        )
        verdict = shop.verify("--no-wait", good=1)
        assert not verdict["clean"]
        assert {b["invariant"] for b in verdict["broken"]} == {
            "units: balances are the sum of their movements",
            "units: places are the sum of their movements, and balances that of their places",
        }
