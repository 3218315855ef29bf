"""A real demo shop, started as anybody starts it, and a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

from counterfoil.core.shop import TTL
from counterfoil.shell.runner import free_port

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "var" / "screens"
START_SECONDS = 240
expect.set_options(timeout=30_000)  # a busy machine answers a key in its own time
# Each walk is made in one of two windows, with COUNTERFOIL_TEST_WIDTHS=all in both, and the story on both databases;
# every page is opened wide, and in a phone's window the pages that are held in the hand, or on demand all.
EVERYTHING = os.environ.get("COUNTERFOIL_TEST_WIDTHS") == "all"


def widths(usual: int) -> list[int]:
    """How many pixels wide the windows of a walk are, where people usually make it in one of `usual`."""
    return [1280, 390] if EVERYTHING else [usual]


@dataclass
class Shop:
    """A running demo: its address, its folder, and what its processes printed."""

    base: str
    var: Path
    said: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """What it wrote for other programs."""
        found: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        return found

    def mails(self, **wanted: str) -> list[dict[str, Any]]:
        """Mails in the demo's mailbox, through the shop's own port."""
        answer = requests.get(f"{self.base}/mailbox/messages", params=wanted, timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    def decides(self, **values: Any) -> None:
        """Settings of the shop, as if the owner had chosen them; every process believes them when this returns."""
        url, sql = self.facts["database_url"], "INSERT INTO core_setting (key, value) VALUES ({0}, {0}) "
        sql += "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        for key, value in values.items():
            if url.startswith("sqlite"):
                with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as file, file:
                    file.execute(sql.format("?"), [key, json.dumps(value)])
            else:
                with psycopg.connect(url) as link:
                    link.execute(sql.format("%s"), [key, json.dumps(value)])
        time.sleep(TTL + 0.1)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A `counterfoil` command beside the running shop."""
        return subprocess.run(
            [sys.executable, "-m", "counterfoil.shell.cli", *words],
            cwd=ROOT,
            env=_environment(self.var),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _environment(var: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERFOIL_", "STRIPE_", "EMAIL_", "DATABASE_"))}
    return {**kept, "COUNTERFOIL_VAR": str(var), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def running(*, demo: bool = True, **more: str) -> Iterator[Shop]:
    """A shop, the demo unless told otherwise, in a folder of its own, ended by Ctrl-C as a person ends it."""
    var = Path(tempfile.mkdtemp(prefix="counterfoil-browser-"))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "counterfoil.shell.cli", "run", *(["--demo"] if demo else [])],
        cwd=ROOT,
        env=_environment(var, PORT=str(port), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shop = Shop(f"http://127.0.0.1:{port}", var)
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            shop.said.append(line)
            if "is ready" in line:
                ready.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        until = time.monotonic() + START_SECONDS
        while not ready.wait(0.2):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the demo did not come up:\n{''.join(shop.said)[-4000:]}")
        # Acts at the desk are done at once, but in the tests of their Undo.
        if demo:
            shop.decides(undo_seconds=0)
        yield shop
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0, "".join(shop.said)[-2000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_shop() -> Iterator[Shop]:
    """The demo on SQLite."""
    with running() as shop:
        yield shop


@pytest.fixture(scope="session")
def postgresql_shop() -> Iterator[Shop]:
    """The demo on PostgreSQL, in a database of its own."""
    server = os.environ.get("COUNTERFOIL_TEST_PG_URL")
    if not server:
        pytest.fail("COUNTERFOIL_TEST_PG_URL names no PostgreSQL; `make test` starts one")
    name = f"browser_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}")
    try:
        with running(DATABASE_URL=f"{server.rsplit('/', 1)[0]}/{name}") as shop:
            yield shop
    finally:
        with psycopg.connect(server, autocommit=True) as link:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """An installed Chromium."""
    with sync_playwright() as play:
        browser = launched(play.chromium)
        yield browser
        browser.close()


def launched(kind: BrowserType, *more: str) -> Browser:
    """Chromium with some switches more; whoever asks closes it."""
    path = os.environ.get("COUNTERFOIL_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.fail("there is no Chromium; `make test` installs one")
    args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking", *more]
    return kind.launch(executable_path=path, args=args)


@dataclass
class Window:
    """A browser window that remembers everything that the browser complained about."""

    page: Page
    complaints: list[str]

    def picture(self, name: str, *, whole: bool = True) -> None:
        """Keep the page under var/screens; not `whole`: what the window shows of it, which is made in no time."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        if whole:
            self.page.screenshot(path=str(SCREENS / f"{name}.png"), full_page=True)
        else:
            self.page.screenshot(path=str(SCREENS / f"{name}.jpg"), type="jpeg", quality=80)


@contextmanager
def window(browser: Browser, *, width: int = 1280, dark: bool = False, touch: bool = False) -> Iterator[Window]:
    """A fresh window, 1280 or 390 pixels wide; with `touch` it is tapped as a telephone is."""
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        color_scheme="dark" if dark else "light",
        has_touch=touch,
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text}") if message.type in {"error", "warning"} else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    try:
        yield Window(page, complaints)
    finally:
        context.close()


def log_in(page: Page, base: str, email: str = "owner@example.com") -> None:
    """Log in at the desk as one of the demo's staff."""
    from counterfoil.shell.demo.people import DEMO_PASSWORD

    page.goto(f"{base}/desk/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", DEMO_PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/desk/queues/**")


def mailed_link(shop: Shop, email: str, subject: str) -> str:
    """The account's link in the newest mail to that address."""
    found: list[str] = []

    def there() -> bool:
        mails = shop.mails(to=email, subject=subject)
        found[:] = re.findall(r"http\S+/account/\S+", mails[0]["text"]) if mails else []
        return bool(found)

    eventually(there)
    return found[0]


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.3)
