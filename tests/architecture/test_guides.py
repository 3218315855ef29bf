"""What a guide names is there: its commands, settings, addresses, variables and the pages that it links to."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from counterfoil.core.shop import Shop
from counterfoil.records.books.export import FORMATS
from counterfoil.shell.api import api
from counterfoil.shell.cli import _parser

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))


def said(text: str) -> list[str]:
    """Everything that stands between back quotes."""
    return re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_what_a_guide_names_is_there(guide: Path) -> None:
    text = guide.read_text()
    commands = next(a for a in _parser()._actions if a.dest == "command").choices or {}
    settings = {f.name for f in fields(Shop)}
    environment = (ROOT / "counterfoil" / "shell" / "settings.py").read_text()
    missing = []
    for word in said(text):
        if word.startswith("counterfoil "):
            missing += [word] if word.split()[1] not in commands else []
        elif re.fullmatch(r"[A-Z][A-Z_]{5,}", word):
            missing += [word] if word.removeprefix("COUNTERFOIL_") not in environment else []
        elif re.fullmatch(r"[a-z]+_[a-z_]+", word):
            missing += [word] if word not in settings else []
        elif word.startswith("/desk/"):
            try:
                resolve(word)
            except Resolver404:
                missing.append(word)
    assert missing == []
    assert [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not (guide.parent / link).exists()] == []


def test_the_guide_to_the_books_names_every_format() -> None:
    assert set(FORMATS) <= set(said((ROOT / "docs" / "guide" / "books.md").read_text()))


def test_the_webhook_stands_where_the_guide_says() -> None:
    assert "/api/v1/webhooks/stripe" in (ROOT / "docs" / "guide" / "payments.md").read_text()
    assert "/api/v1/webhooks/stripe" in api.get_openapi_schema()["paths"]
