"""Gathers what is known at the end: ours from the database, the processor's and the mailbox's from themselves."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from tests.faults.proof import Facts
from tests.faults.town import Town


def facts_of(town: Town, told: Mapping[str, dict[str, Any]]) -> Facts:
    """Everything that the proof wants; `told` is what people heard, by order."""
    account = json.loads(town.ask("-m", "tests.faults.aftermath", "account").splitlines()[-1])
    summary = requests.get(f"{town.processor}/_ledger", params={"summary": "1"}, timeout=60).json()
    with contextlib.closing(sqlite3.connect(town.folder / "mailbox" / "mailbox.sqlite3")) as box:
        mails = box.execute(
            "SELECT r.address, m.subject, m.message_id FROM message m JOIN recipient r ON r.message = m.id"
        ).fetchall()
    return Facts(
        orders=account["orders"],
        shelves=account["shelves"],
        jobs=account["jobs"],
        intents=summary["payment_intents"],
        refunds=list(_refunds(town)),
        mails=mails,
        told=dict(told),
    )


def _refunds(town: Town) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        page = requests.get(
            f"{town.processor}/v1/refunds", params={"limit": "100", **after}, timeout=30,
            headers={"Authorization": "Bearer sk_test_sandbox"},
        ).json()  # fmt: skip
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def number_at_processor(town: Town, query: str) -> int:
    """A number out of the processor's own storage."""
    where = town.folder / "processor" / "processor.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{where}?mode=ro", uri=True, timeout=20)) as books:
        return int(books.execute(query).fetchone()[0])
