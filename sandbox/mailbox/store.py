"""Where received mails are kept: one SQLite file, every mail with its bytes as they came."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.mailbox.reading import read

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT,
    duplicate_of INTEGER REFERENCES message (id),
    envelope_from TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    date TEXT,
    received_at TEXT NOT NULL,
    text TEXT,
    html TEXT,
    attachments TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS message_message_id ON message (message_id);
CREATE TABLE IF NOT EXISTS recipient (
    message INTEGER NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (message, position)
);
"""

COLUMNS = "id, message_id, duplicate_of, envelope_from, sender, subject, date, received_at, text, html, attachments"


@dataclass(frozen=True)
class Search:
    """What to list, newest first.

    `to`: a whole address matches exactly, a part of one matches inside the address.
    `subject`: matches inside the subject. Both ignore case, also beyond ASCII.
    `after_id` and `after_time` (ISO 8601 in UTC) leave out what came until then.
    """

    to: str = ""
    subject: str = ""
    after_id: int = 0
    after_time: str = ""
    limit: int = 50


class Store:
    """The mails in `folder`/mailbox.sqlite3. One connection behind a lock: safe from any thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / "mailbox.sqlite3", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("fold", 1, lambda value: str(value).casefold(), deterministic=True)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def keep(self, raw: bytes, *, envelope_from: str, recipients: list[str]) -> int:
        """Keep one mail and return its number. A copy with a Message-ID seen before points at the first one.

        The mail is committed when this returns, so the SMTP answer 250 is never given for a mail that could be lost.
        """
        mail = read(raw)
        files = [
            {"n": n, "filename": a.filename, "content_type": a.content_type, "size": len(a.content)}
            for n, a in enumerate(mail.attachments)
        ]
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            first = self._db.execute("SELECT min(id) FROM message WHERE message_id = ?", (mail.message_id,)).fetchone()[
                0
            ]
            cursor = self._db.execute(
                "INSERT INTO message (message_id, duplicate_of, envelope_from, sender, subject, date, received_at,"
                " text, html, attachments, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _clean(mail.message_id), first, envelope_from, _clean(mail.sender), _clean(mail.subject), mail.date,
                    datetime.now(UTC).isoformat(timespec="microseconds"),
                    _clean(mail.text), _clean(mail.html), _clean(json.dumps(files)), raw,
                ),
            )  # fmt: skip
            number = cursor.lastrowid
            assert number is not None
            self._db.executemany(
                "INSERT INTO recipient (message, position, address) VALUES (?, ?, ?)",
                [(number, position, address) for position, address in enumerate(dict.fromkeys(recipients))],
            )
        return number

    def list(self, search: Search) -> list[dict[str, Any]]:
        """The mails that match, newest first, each as the HTTP answer shows it."""
        where = ["id > ?", "received_at > ?", "instr(fold(subject), fold(?)) > 0"]
        values: list[object] = [search.after_id, search.after_time, search.subject]
        if search.to:
            local, _, domain = search.to.rpartition("@")
            whole = local and domain
            test = "fold(address) = fold(?)" if whole else "instr(fold(address), fold(?)) > 0"
            where.append(f"id IN (SELECT message FROM recipient WHERE {test})")
            values.append(search.to)
        query = f"SELECT {COLUMNS} FROM message WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
        with self._lock:
            rows = self._db.execute(query, [*values, search.limit]).fetchall()
            return [self._shown(row) for row in rows]

    def get(self, number: int) -> dict[str, Any] | None:
        """One mail as the HTTP answer shows it, or None."""
        with self._lock:
            row = self._db.execute(f"SELECT {COLUMNS} FROM message WHERE id = ?", (number,)).fetchone()
            return self._shown(row) if row else None

    def raw(self, number: int) -> bytes | None:
        """The bytes of one mail as they came over SMTP, or None."""
        with self._lock:
            row = self._db.execute("SELECT raw FROM message WHERE id = ?", (number,)).fetchone()
        return bytes(row["raw"]) if row else None

    def count(self) -> int:
        """How many mails are kept, copies included."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM message").fetchone()[0])

    def _shown(self, row: sqlite3.Row) -> dict[str, Any]:
        recipients = self._db.execute("SELECT address FROM recipient WHERE message = ? ORDER BY position", (row["id"],))
        return {
            "id": row["id"],
            "message_id": row["message_id"],
            "duplicate_of": row["duplicate_of"],
            "from": row["sender"],
            "envelope_from": row["envelope_from"],
            "to": [r["address"] for r in recipients],
            "subject": row["subject"],
            "date": row["date"],
            "received_at": row["received_at"],
            "text": row["text"],
            "html": row["html"],
            "attachments": json.loads(row["attachments"]),
        }


def _clean(value: str | None) -> str | None:
    """Text SQLite and JSON accept: half characters smuggled in by broken headers become U+FFFD."""
    return None if value is None else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
