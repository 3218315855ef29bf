"""A shop with everything around it, each in a process of its own, and a hand that pulls plugs.

Only processes that were started here are ever ended, and only with their whole session.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from counterfoil.shell.runner import free_port
from tests.crowd import ROOT
from tests.faults.member import Member, cpu_of_session
from tests.faults.plans import SPELLS

FOREIGN = ("COUNTERFOIL_", "STRIPE_", "EMAIL_", "DATABASE_", "DJANGO_", "PG")
COUNTERFOIL = str(Path(sys.executable).parent / "counterfoil")
READ_SECONDS = 0.7  # how long our processes wait for the processor; its delays lie on both sides of it
PACE = 0.05  # a job that would be tried again after a minute is tried again after three seconds


@dataclass
class Town:
    """The shop on one database, its processor, its mailbox, and what befell them."""

    folder: Path
    url: str
    seed: int
    webs: int = 2
    workers: int = 2
    members: dict[str, Member] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    spells: Counter[str] = field(default_factory=Counter)
    fell: list[str] = field(default_factory=list)  # who ended by himself
    key: str = ""
    password: str = ""
    _calm: threading.Event = field(default_factory=threading.Event)
    _hands: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- beginning and end ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the database and start everybody. Raises TimeoutError."""
        ports = [free_port() for _ in range(self.webs + 3)]
        self.shops = [f"127.0.0.1:{port}" for port in ports[: self.webs]]
        processor, smtp, mailbox = ports[self.webs :]
        self.processor, self.mailbox = f"http://127.0.0.1:{processor}", f"127.0.0.1:{mailbox}"
        own = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        self.env = own | {
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "counterfoil.shell.settings",
            "COUNTERFOIL_VAR": str(self.folder),
            "COUNTERFOIL_SECRET_KEY": secrets.token_urlsafe(40),
            "COUNTERFOIL_TESTING": "0",  # with every flush to the disk that a real shop does
            "COUNTERFOIL_LOG": "ERROR",
            "COUNTERFOIL_BASE_URL": f"http://{self.shops[0]}",
            "COUNTERFOIL_CARD_READ_SECONDS": str(READ_SECONDS),
            "COUNTERFOIL_JOB_PACE": str(PACE),
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_API_BASE": self.processor,
            "STRIPE_WEBHOOK_SECRET": "whsec_test",
            "COUNTERFOIL_SANDBOX_URL": self.processor,
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "PYTHONPATH": str(ROOT),
        }
        self._add("mailbox", "-m", "sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(mailbox),
                  "--data", str(self.folder / "mailbox"))  # fmt: skip
        self._add("processor", "-m", "sandbox.processor", "--port", str(processor), "--seed", str(self.seed),
                  "--data", str(self.folder / "processor"), "--api-key", "sk_test_sandbox",
                  "--webhook-url", f"http://{self.shops[0]}/api/v1/webhooks/stripe", "--webhook-secret", "whsec_test",
                  port=processor)  # fmt: skip
        for address in (self.processor, f"http://{self.mailbox}"):
            self._answers(f"{address}/healthz")
        made = json.loads(self.ask("-m", "tests.faults.aftermath", "open", "{}").splitlines()[-1])
        self.key, self.password = made["key"], made["password"]
        for n, shop in enumerate(self.shops, 1):
            self._add(f"web {n}", "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port",
                      shop.rpartition(":")[2], "--workers", "1", "--blocking-threads", "4", "--no-access-log",
                      "--log-level", "warning", "counterfoil.shell.wsgi:application",
                      port=int(shop.rpartition(":")[2]))  # fmt: skip
        for n in range(1, self.workers + 1):
            self._add(f"worker {n}", COUNTERFOIL, "worker")
        for shop in self.shops:
            self._answers(f"http://{shop}/healthz")

    def _add(self, name: str, *command: str, port: int = 0) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        member = Member(name, [sys.executable, *command], self.env, log, port)
        self.members[name] = member
        member.start()

    def _answers(self, url: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if requests.get(url, timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise TimeoutError(f"{url} does not answer")

    def close(self) -> None:
        """End everybody that was started here."""
        self.calm()
        for member in reversed(list(self.members.values())):
            member.end()

    @property
    def kills(self) -> Counter[str]:
        return Counter({m.name: m.killed for m in self.members.values() if m.killed})

    @property
    def cpu(self) -> float:
        """CPU seconds of all of them so far."""
        live = [m for m in self.members.values() if m.process is not None]
        return sum(m.cpu for m in self.members.values()) + sum(cpu_of_session(m.process.pid) for m in live if m.process)

    def ask(self, *command: str, good: tuple[int, ...] = (0,), seconds: float = 300) -> str:
        """Run a Python command in the shop's surroundings to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=seconds, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in good:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    # --- weather and killing ----------------------------------------------------------------------------------------

    def storm(self, *, spell: float, between: int, answered: Callable[[], int]) -> None:
        """From now on: bad weather in spells of so many seconds, and a kill for every `between` requests on average.

        `answered`: how many requests have been. So a slow machine lives as dangerously as a fast one, and no more so.
        """
        self._calm.clear()
        self._hands = [
            threading.Thread(target=self._weather, args=(spell,), daemon=True),
            threading.Thread(target=self._killer, args=(between, answered), daemon=True),
        ]
        for hand in self._hands:
            hand.start()

    def calm(self) -> None:
        """No faults and no kills any more; everybody runs."""
        self._calm.set()
        for hand in self._hands:
            hand.join(timeout=60)
        self._hands = []

    def fair_weather(self) -> None:
        """The processor behaves, and sends what it had held back or never sent. Everybody is up again."""
        for address in (self.processor, *(f"http://{shop}" for shop in self.shops)):
            self._answers(f"{address}/healthz")
        self._count_faults()
        requests.delete(f"{self.processor}/_faults", timeout=20).raise_for_status()
        requests.post(f"{self.processor}/_webhooks/resend", timeout=60).raise_for_status()

    def _weather(self, seconds: float) -> None:
        chance = random.Random(f"weather {self.seed}")
        for n in itertools.count(1):
            name, order = chance.choice(SPELLS)
            until = time.monotonic() + seconds * (0.5 + chance.random())
            if "kinds" in order:
                order = {**order, "seed": f"{self.seed}/{n}"}
            self.spells[name] += 1
            self._order(order)
            while time.monotonic() < until:
                if self._calm.wait(0.5):
                    return
                # A processor that was killed comes back as a healthy one; the weather is still bad.
                self._order(order, again=True)

    def _order(self, order: dict[str, object], *, again: bool = False) -> None:
        try:
            with self._lock:
                if again:
                    now = requests.get(f"{self.processor}/_faults", timeout=5).json()
                    if not order or now["faults"] or now["seeded"]:
                        return
                else:
                    self._count_faults()
                    requests.delete(f"{self.processor}/_faults", timeout=5)
                if order:
                    requests.post(f"{self.processor}/_faults", json=order, timeout=5).raise_for_status()
        except requests.RequestException:
            return

    def _count_faults(self) -> None:
        """What has struck since the processor was started or was last asked."""
        struck = Counter(requests.get(f"{self.processor}/_faults", timeout=5).json()["struck"])
        self.faults.update(struck - self._seen)
        self._seen = struck

    _seen: Counter[str] = field(default_factory=Counter)

    def _killer(self, between: int, answered: Callable[[], int]) -> None:
        chance = random.Random(f"killer {self.seed}")
        ours = [n for n in self.members if n not in {"processor", "mailbox"}]
        following = 0.0
        while not self._calm.wait(0.2 * chance.random()):
            if answered() < following:
                continue
            following = answered() + between * (0.2 + 1.6 * chance.random())
            for member in self.members.values():
                if not member.alive:
                    self.fell.append(f"{member.name} ended by itself: see {member.log}")
                    member.start()
            # One kill in nine is the processor's: it comes back with what it had stored.
            name = "processor" if chance.random() < 0.11 else chance.choice(ours)
            # Sometimes whoever it is, also somebody who is just getting up, or the last one standing; mostly one who
            # works while another does: or nobody ever works on a machine on which getting up takes long.
            if chance.random() < 0.15 or (self.members[name].works and self._another(name)):
                self._kill(name, chance)

    def _another(self, name: str) -> bool:
        """Whether somebody else is at the same work."""
        kind, _, _ = name.partition(" ")
        others = [m for n, m in self.members.items() if n.partition(" ")[0] == kind and n != name]
        return not others or any(m.works for m in others)

    def _kill(self, name: str, chance: random.Random) -> None:
        member = self.members[name]
        if name == "processor":
            with self._lock:
                try:
                    self._count_faults()
                except requests.RequestException:
                    return
                member.kill()
                self._seen = Counter()
                time.sleep(chance.random() * 2.0)
                member.start()
            return
        member.kill()
        member.start()
