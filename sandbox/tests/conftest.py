"""One processor for the whole run; tests that crash or restart one start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.tests.running import SECRET, Receiver, Sandbox


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """The shop's webhook door."""
    door = Receiver()
    yield door
    door.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Sandbox]:
    """The processor's process, posting its events to `receiver`."""
    data = tmp_path_factory.mktemp("processor")
    sandbox = Sandbox(data, "--webhook-url", receiver.url, "--webhook-secret", SECRET, "--seed", "tests")
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def processor(running: Sandbox) -> Iterator[Sandbox]:
    """The processor in good health."""
    running.healthy()
    yield running
    running.healthy()
