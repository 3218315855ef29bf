"""What the tests of card data share: a shop with a bank and a mailbox, and its log."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from conftest import Mailbox
from tests.doors.build import Desk
from tests.doors.cards import log_lines


@pytest.fixture
def open_shop(card: str, mailbox: Mailbox) -> Desk:
    """A shop whose cards are charged at the sandbox and whose mails arrive."""
    return Desk()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged while the test runs."""
    with log_lines() as held:
        yield held
