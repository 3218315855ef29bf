"""Many lives of orders, with a processor that misbehaves and processes of ours that are killed with kill -9.

    python -m tests.faults.lives --lives 2000 --seed 7 --database sqlite

Exit code 0: everything is as it should be. 1: a line for each broken invariant, with the life that lives it again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from tests.crowd import ROOT
from tests.faults.gather import facts_of, number_at_processor
from tests.faults.living import Life
from tests.faults.place import database
from tests.faults.plans import ERAS, draw
from tests.faults.proof import Finding, prove
from tests.faults.street import Cut, Street
from tests.faults.town import COUNTERFOIL, Town
from tools import pg

LONG = 60.0  # seconds after which a life is worth a line
QUIET = 240.0  # seconds that the shop may need to come to rest when all lives are over
SERVER = "COUNTERFOIL_TEST_PG_URL"  # names a PostgreSQL; without it one of its own is started
ROUNDS = 8  # of comparing with the bank and looking after what that brought up


class Lives:
    """One run: all lives, the trouble around them, and the proof at the end."""

    def __init__(self, town: Town, options: argparse.Namespace) -> None:
        self.town, self.options = town, options
        self.street = Street(town.shops, town.mailbox, town.key, town.password)
        run = f"{options.seed}{options.database[0]}"
        self.lives = [Life(draw(options.seed, n), self.street, run) for n in range(options.first, options.last)]
        self.ended: list[Life] = []
        self.seconds: dict[str, float] = {}
        self._over = threading.Event()
        self._page, self._era = threading.Lock(), -1
        self._until = 0.0

    def run(self) -> list[Finding]:
        """Live all of them; what is broken in the end."""
        began = time.monotonic()
        self._until = began + self.options.seconds
        self.town.storm(
            spell=self.options.spell,
            between=self.options.kill_every,
            answered=lambda: self.street.asked - self.street.cut,
        )
        watch = threading.Thread(target=self._report, daemon=True)
        watch.start()
        nightly = threading.Thread(target=self._compare_now_and_then, daemon=True)
        nightly.start()
        self._all(self._live, self.lives)
        self.lives = [life for life in self.lives if life.began]
        self.seconds["lives"] = time.monotonic() - began
        self.town.calm()
        self._over.set()
        nightly.join(timeout=120)
        broken = self._come_to_rest()
        self.seconds["all"] = time.monotonic() - began
        return broken

    def _all(self, do: Callable[[Life], object], lives: list[Life]) -> None:
        """Some lives at a time. Whoever is interrupted sends everybody home."""
        with ThreadPoolExecutor(self.options.people) as people:
            try:
                list(people.map(do, lives))
            except BaseException:
                self.street.home.set()
                people.shutdown(wait=False, cancel_futures=True)
                raise

    def _live(self, life: Life) -> None:
        if time.monotonic() > self._until:
            return  # who has not begun by now begins another time
        try:
            self._turn_the_page(life)
            life.live()
        except Exception as error:  # a mistake of this program, to be seen and not to stop the others
            life.trouble.append(f"{type(error).__name__}: {error}")
        self.ended.append(life)

    def _turn_the_page(self, life: Life) -> None:
        """With every so many lives the owner has the money taken at another moment."""
        with self._page:
            era = life.plan.number // self.options.era
            if era != self._era:
                self.town.ask("-m", "tests.faults.aftermath", "change", json.dumps(ERAS[era % len(ERAS)]))
                self._era = era

    def _report(self) -> None:
        began = time.monotonic()
        while not self._over.wait(self.options.report):
            done, kills = len(self.ended), sum(self.town.kills.values())
            print(
                f"{time.monotonic() - began:6.0f} s  {done} of {len(self.lives)} lives, {kills} kills, "
                f"{self.street.asked} requests, {self.street.cut} cut off",
                flush=True,
            )
            begun = [life for life in self.lives if life.number and life not in self.ended]
            for life in begun:
                if time.monotonic() - life.began > LONG:
                    print(f"          life {life.plan.number} ({life.number}) takes long; {life.last}", flush=True)

    def _compare_now_and_then(self) -> None:
        """The nightly comparison with the bank, while everything is in motion. It may be killed like everybody."""
        while not self._over.wait(self.options.compare_every):
            with contextlib.suppress(RuntimeError):
                self.town.ask(COUNTERFOIL, "reconcile", good=(0, 1, 2))

    # --- the end ----------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> list[Finding]:
        """Fair weather; everybody finishes; the bank is compared with until it brings nothing up any more."""
        self.town.fair_weather()
        said, before, began = "", -1, time.monotonic()
        for _ in range(ROUNDS):
            self._rest()
            said = self.town.ask(COUNTERFOIL, "reconcile", good=(0, 1, 2))
            self._rest()
            left = [life for life in self.lives if not self._is_over(life)]
            print(f"at rest after {time.monotonic() - began:.0f} s, {len(left)} lives go on; {said.splitlines()[-1]}")
            if (not left and " 0 put right" in said) or len(left) == before:
                break
            before = len(left)
            self._all(lambda life: life.live(30.0), left)
        broken: list[Finding] = [("", f"reconcile: {ln}") for ln in said.splitlines() if ln.startswith("DIFFERS")]
        if " 0 put right" not in said or "unanswered" in said:
            broken.append(("", f"reconcile does not come to rest: {said}"))
        return broken + self._findings()

    def _is_over(self, life: Life) -> bool:
        try:
            return bool(life.number) and life.over(life.look())
        except Cut:
            return False

    def _rest(self) -> None:
        """Wait until no job is owed, no webhook on its way and no charge asked about."""
        until = time.monotonic() + QUIET
        while time.monotonic() < until:
            owed = self.town.ask("-m", "tests.faults.aftermath", "owed").split()[-1]
            if owed == "0" and not number_at_processor(
                self.town, "SELECT COUNT(*) FROM deliveries WHERE next_at IS NOT NULL"
            ):
                return
            time.sleep(0.3)

    def _findings(self) -> list[Finding]:
        town = self.town
        broken: list[Finding] = []
        verdict = town.ask(COUNTERFOIL, "verify", "--json", good=(0, 1))
        for one in json.loads(verdict[verdict.index("{") :])["broken"]:
            broken.append(("", f"verify: {one['invariant']}: {one['finding']}"))
        broken += prove(facts_of(town, {life.number: life.told for life in self.lives if life.number}))
        for life in self.lives:
            broken += [(life.number, wrong) for wrong in life.trouble]
            if not self._is_over(life):
                broken.append((life.number, f"life {life.plan.number} did not come to its end; {life.last}"))
        broken += [("", fell) for fell in town.fell]
        return broken

    def summary(self) -> str:
        town, count, seconds = self.town, len(self.lives), self.seconds
        cpu = town.cpu / max(1, count)
        calls = number_at_processor(town, "SELECT COALESCE(MAX(id), 0) FROM calls")
        told = Counter(what for life in self.lives for what in life.told)

        def listed(counted: Counter[str]) -> str:
            return ", ".join(f"{n} {what}" for what, n in sorted(counted.items(), key=lambda pair: -pair[1]))

        return "\n".join(
            (
                f"lives    {count} in {seconds['lives']:.0f} s, at rest after {seconds['all']:.0f} s, CPU {cpu:.2f} s",
                f"told     {listed(told)}",
                f"requests {self.street.asked} to the shop, {self.street.cut} cut off; {calls} calls of the bank",
                f"kills    {sum(town.kills.values())}: {listed(town.kills)}",
                f"faults   {sum(town.faults.values())}: {listed(town.faults)}",
                f"weather  {listed(town.spells)}",
            )
        )


@contextlib.contextmanager
def _place(options: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    """A folder and a database for the run. Beside the shop's data: /tmp may be memory, where a flush costs nothing."""
    var = ROOT / "var" / "lives"
    var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{options.database}-{options.seed}-", dir=var))
    folder.chmod(0o755)  # PostgreSQL, started by root, runs as a user of its own and must get through
    with contextlib.ExitStack() as stack:
        stack.callback(_tidy, options, folder)
        if options.database == "postgresql" and not os.environ.get(SERVER):
            os.environ[SERVER] = pg.start(folder / "pg", durable=True)
            stack.callback(pg.stop, folder / "pg")
        yield folder, stack.enter_context(database(options.database, folder))


def _tidy(options: argparse.Namespace, folder: Path) -> None:
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)


def _named(finding: Finding, lives: list[Life], seed: int) -> str:
    number, wrong = finding
    found = re.search(r"\bCF-\d+\b", wrong)
    number = number or (found[0] if found else "")
    life = next((life for life in lives if life.number and life.number == number), None)
    who = f"life {life.plan.number} of seed {seed} ({number}): " if life else f"{number}: " if number else ""
    plan = f"  {life.plan}" if life else ""
    return f"BROKEN  {who}{wrong}{plan}"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.lives", description=__doc__)
    parser.add_argument("--lives", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first life, to live one again")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--era", type=int, default=50, help="lives until the owner has the money taken otherwise")
    parser.add_argument("--people", type=int, default=8, help="how many lives are lived at a time")
    parser.add_argument("--kill-every", type=int, default=90, help="requests between kills, on average")
    parser.add_argument("--spell", type=float, default=4.0, help="seconds that one kind of bad weather lasts")
    parser.add_argument("--compare-every", type=float, default=20.0, help="seconds between comparisons with the bank")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="begin no life after so many seconds")
    parser.add_argument("--report", type=float, default=15.0, help="seconds between lines of progress")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs where they are")
    chosen = parser.parse_args(arguments)
    chosen.last = chosen.first + chosen.lives
    return chosen


def _told_to_end(_signal: int, _frame: FrameType | None) -> None:
    """End in order, so that nobody is left running; whoever says it again waits."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 when nothing is broken."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _told_to_end)
    with _place(options) as (folder, url):
        town = Town(folder, url, options.seed, webs=options.webs, workers=options.workers)
        try:
            town.open()
            run = Lives(town, options)
            broken = run.run()
            for finding in broken:
                print(_named(finding, run.lives, options.seed), flush=True)
            print(run.summary(), flush=True)
        finally:
            town.close()
        if broken:
            options.keep = True
            print(f"logs and databases are kept in {folder}")
    print(f"lives: {len(run.lives)} of seed {options.seed} on {options.database}: {len(broken) or 'nothing'} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
