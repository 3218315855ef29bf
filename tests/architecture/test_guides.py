"""What the guides name is there: commands and their options, settings, environment, addresses, events, accounts."""

from __future__ import annotations

import argparse
import hashlib
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from counterfoil.core import clock
from counterfoil.core.shop import Shop
from counterfoil.desk.words import QUEUES
from counterfoil.records.books.export import FORMATS
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.orders.models import MONEY
from counterfoil.shell.api import api
from counterfoil.shell.cli import _parser
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.webhooks import _look_into

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))
SOURCE = "".join(p.read_text() for p in (ROOT / "counterfoil" / "shell").glob("*.py"))
# Members of the API's `order`, which the contract's own tests hold.
MEMBERS = {"refund_owed", "refunded", "charged", "money"}


def marked(guide: Path) -> list[str]:
    """Everything that a guide sets in type: words between backticks, and lines of code."""
    text = guide.read_text()
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^    (\S.*)$", text, re.MULTILINE)


def everywhere() -> list[tuple[str, str]]:
    return [(guide.name, word) for guide in GUIDES for word in marked(guide)]


def commands() -> dict[str, set[str]]:
    """Each command with its options."""
    parser = _parser()
    listed = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {name: {o for a in one._actions for o in a.option_strings} for name, one in listed.choices.items()}


def test_every_command_and_option_exists() -> None:
    known = commands()
    named = [(guide, word) for guide, word in everywhere() if word.startswith("counterfoil ")]
    assert len(named) >= 4
    for guide, word in named:
        _, verb, *rest = word.split()
        assert verb in known, (guide, word)
        assert {part for part in rest if part.startswith("--")} <= known[verb], (guide, word)
    alone = {word for _, word in everywhere() if re.fullmatch(r"--[\w-]+", word)}
    assert alone <= known["export-books"] | known["verify"]


def test_every_address_leads_somewhere() -> None:
    named = {(guide, word) for guide, word in everywhere() if re.match(r"/[a-z]", word)}
    assert len(named) >= 4
    for guide, word in named:
        try:
            resolve(word.split("?")[0].split("#")[0])
        except Resolver404:
            pytest.fail(f"{guide}: nothing is at {word}")


def test_every_link_leads_to_a_file() -> None:
    for guide in GUIDES:
        for target in re.findall(r"\]\(([^)#:]+)\)", guide.read_text()):
            assert (guide.parent / target).exists(), (guide.name, target)


def test_every_setting_with_its_default_exists() -> None:
    known = {f.name for f in fields(Shop)}
    for guide, word in everywhere():
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", word):
            assert word in known | set(QUEUES) | set(MONEY.states) | MEMBERS, (guide, word)
    for page in GUIDES:
        for name, default in re.findall(r"^\| `([a-z_]+)` \| `([^`]+)` \|", page.read_text(), re.MULTILINE):
            assert str(getattr(Shop(), name)) == default, (page.name, name)


def test_every_word_of_the_environment_is_read() -> None:
    named = {word for _, word in everywhere() if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", word)}
    assert {"STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "COUNTERFOIL_BASE_URL"} <= named
    assert {name for name in named if f'"{name}"' not in SOURCE} == set()


@pytest.mark.django_db
def test_every_event_that_stripe_is_to_send_is_looked_into(card: str) -> None:
    named = {word for _, word in everywhere() if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word)}
    events = {word for word in named if not word.startswith("books.")}
    assert len(events) > 10
    long_ago = clock.real_now() - timedelta(days=1)
    for n, kind in enumerate(sorted(events)):
        event = InboxEvent(event_id=f"evt_{n}", type=kind, object_id="unknown", received_at=long_ago)
        assert _look_into(event) != "nothing to do", kind


def test_the_guide_to_the_books_names_every_format_and_account() -> None:
    text = (ROOT / "docs" / "guide" / "books.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(FORMATS)
    assert re.findall(r"^\| (\d+) \| (.+?) \| `(.+?)` \|$", text, re.MULTILINE) == [
        (account.code, account.name, account.full) for account in sorted(CHART.values(), key=lambda a: a.code)
    ]


def test_the_guide_to_payments_names_every_state_of_money() -> None:
    text = (ROOT / "docs" / "guide" / "payments.md").read_text()
    assert {state for state in MONEY.states if f"`{state}`" not in text} <= {MONEY.first}


def test_the_webhook_stands_where_the_guide_says() -> None:
    assert "/api/v1/webhooks/stripe" in (ROOT / "docs" / "guide" / "payments.md").read_text()
    assert "/api/v1/webhooks/stripe" in api.get_openapi_schema()["paths"]


def test_what_others_made_for_the_browser_is_unchanged_and_named_with_its_licence() -> None:
    listed = (ROOT / "docs" / "dependencies.md").read_text()
    vendor = ROOT / "counterfoil" / "shell" / "static" / "vendor"
    scripts = sorted(vendor.glob("*.js"))
    assert len(scripts) >= 2
    for script in scripts:
        row = next(line for line in listed.splitlines() if line.startswith(f"| `{script.name}`"))
        assert hashlib.sha256(script.read_bytes()).hexdigest() in row, script.name
        assert (vendor / f"{script.name.partition('.')[0]}.LICENSE.txt").is_file(), script.name
