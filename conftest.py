"""What every test of this repository shares, wherever it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, settings

# A loaded machine is no reason to fail, hence no deadline. In CI the same commit must give the same answer twice.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    """Short-lived copies of settings, clock and keys do not outlive a test; append-only holds in each."""
    from counterfoil.core import clock, shop, triggers, web
    from counterfoil.core.access import keys
    from counterfoil.gateways.card import breaker
    from counterfoil.steps.charging import reach
    from counterfoil.steps.checkout import search

    clock.forget()
    shop.forget()
    keys.forget()
    breaker.forget()
    reach.forget()
    search.forget()
    for limiter in web.Limiter.all:
        limiter.clear()
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    from counterfoil.desk import doing

    if "CaptureQueriesContext" in vars(request.module):
        # Statements are counted: a slow machine does not read settings and clock anew in the middle of it.
        request.getfixturevalue("monkeypatch").setattr(shop, "TTL", 3600.0)
        request.getfixturevalue("monkeypatch").setattr(clock, "_CACHE_SECONDS", 3600.0)
    # Acts at the desk are done at once, but in the tests of their Undo.
    request.getfixturevalue("monkeypatch").setattr(doing, "undo_seconds", lambda: 0)
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    if not triggers.installed():
        triggers.run(triggers.install())
    yield
    if marker.kwargs.get("transaction"):
        # The flush after this test empties every table, which the triggers forbid.
        triggers.run(triggers.remove())


@pytest.fixture(scope="session", autouse=True)
def _papers_are_drawn_for_who_looks() -> Iterator[None]:
    """A paper that nobody opens is not drawn beforehand: it was a tenth of all tests. Opening draws it, as ever.

    The job that draws has tests of its own, which call it by name; the shops of the browser and of the faults run it.
    """
    from counterfoil.core import documents, jobs

    assert documents.__name__, "importing it registers its job"
    known = jobs._kinds["core.render"]
    jobs._kinds["core.render"] = replace(known, handler=lambda _payload: None)
    yield
    jobs._kinds["core.render"] = known


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox processor for the tests of one file. Nobody moves its clock.

    Another file has another: who compares our books with all that a bank holds pays for what others left there.
    """
    yield from _sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="module")
def moving_sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another one, for the tests of one file, which may move its clock."""
    yield from _sandbox(tmp_path_factory.mktemp("sandbox"))


def _sandbox(data: Path) -> Iterator[str]:
    from sandbox.server import at_hand

    with at_hand(data, api_key="sk_test_sandbox") as address:
        yield address


@pytest.fixture
def card(sandbox_url: str, settings: Any) -> str:
    """Cards are charged at the sandbox; gives its address."""
    return _charged_at(sandbox_url, settings)


@pytest.fixture
def moving_card(moving_sandbox_url: str, settings: Any) -> str:
    """The same at a sandbox whose clock may be moved."""
    return _charged_at(moving_sandbox_url, settings)


def _charged_at(address: str, settings: Any) -> str:
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    settings.STRIPE_API_BASE = address
    settings.STRIPE_WEBHOOK_SECRET = "whsec_test"
    settings.SANDBOX_URL = address
    return address


@dataclass(frozen=True)
class Mailbox:
    """Where mails arrive: its HTTP address and its SMTP port."""

    url: str
    smtp_port: int

    def mails(self, **wanted: str) -> list[dict[str, Any]]:
        """Mails, newest first; `to` and `subject` narrow them."""
        found = requests.get(f"{self.url}/messages", params={"limit": "200", **wanted}, timeout=10)
        found.raise_for_status()
        messages: list[dict[str, Any]] = found.json()["messages"]
        return messages


@pytest.fixture(scope="session")
def mailbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """A real SMTP server in a process of its own."""
    from counterfoil.shell.runner import free_port
    from tests.support import process

    smtp, http = free_port(), free_port()
    data = tmp_path_factory.mktemp("mailbox")
    with process(
        "-m", "sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(http), "--data", str(data), ready="ready"
    ):
        yield Mailbox(f"http://127.0.0.1:{http}", smtp)


@pytest.fixture
def mailbox(mailbox_process: Mailbox, settings: Any) -> Mailbox:
    """Mails go out by SMTP and can be read."""
    settings.EMAIL_URL = f"smtp://127.0.0.1:{mailbox_process.smtp_port}"
    return mailbox_process


@pytest.fixture
def own_bank(tmp_path: Path, settings: Any, mailbox: Mailbox) -> Iterator[str]:
    """A sandbox processor that no other test has used: its whole balance is this shop's. Gives its address."""
    from sandbox.server import at_hand

    with at_hand(tmp_path, api_key="sk_test_own") as address:
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = "sk_test_own", address
        settings.STRIPE_WEBHOOK_SECRET, settings.SANDBOX_URL = "whsec_test", address
        yield address
