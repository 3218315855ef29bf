"""Card numbers to type where they do not belong, and a search of everything that we keep or send for them."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import cycle
from typing import Any

from django.db import connection

from conftest import Mailbox
from counterfoil.core import documents
from counterfoil.core.db import rows
from counterfoil.core.models import Document
from counterfoil.core.papers.tests.reading import text as text_of_pdf
from counterfoil.core.text import MaskedLines
from counterfoil.records.books.export import FORMATS, books

# The processors' own test numbers, one of each network: nobody's card.
NUMBERS = (
    "4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117",
    "3530111333300000", "4222222222222", "2223003122003222",
)  # fmt: skip
DRESSES = ("{0}", "{1}", "{2}", "my card is {0}, thanks", "card {1} exp 12/27 cvv 123", "({2})")
_GAPS = re.compile(r"[\s\-\u00a0]")
_BINARY = {"blob", "bytea"}


def dressed() -> Iterator[str]:
    """Numbers as people write them, one after the other: bare, with blanks, with dashes, inside a sentence."""
    for number, dress in zip(cycle(NUMBERS), cycle((*DRESSES, DRESSES[0])), strict=False):
        yield dress.format(number, _grouped(number, " "), _grouped(number, "-"))


def _grouped(number: str, gap: str) -> str:
    sizes = {15: (4, 6, 5), 14: (4, 6, 4), 13: (4, 4, 5)}.get(len(number), (4, 4, 4, 4))
    out, at = [], 0
    for size in sizes:
        out.append(number[at : at + size])
        at += size
    return gap.join(out)


def cards_in(text: str) -> list[str]:
    """Those of our numbers that stand in a text, however they are written."""
    bare = _GAPS.sub("", text)
    return [number for number in NUMBERS if number in bare]


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """What the process writes to its log meanwhile, at every level, as its own handler would write it."""
    root = logging.getLogger()
    ours = [h for h in root.handlers if isinstance(h.formatter, MaskedLines)]
    assert ours, "the log's own formatter masks card numbers"
    held, level = io.StringIO(), root.level
    handler = logging.StreamHandler(held)
    handler.setFormatter(ours[0].formatter)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield held
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def found_in_database() -> list[str]:
    """Table and column of every card number in any text or JSON column of any table."""
    found = []
    for table, columns in _columns():
        names = ", ".join(f'CAST("{name}" AS TEXT)' for name in columns)
        for row in rows(f'SELECT {names} FROM "{table}"') if names else ():
            for column, value in zip(columns, row, strict=True):
                found += [f"{table}.{column}: {number} in {value}" for number in cards_in(str(value))]
    return found


@cache
def _columns() -> list[tuple[str, list[str]]]:
    """Every table with its columns that are not binary; asked once, since it takes longer than to look into them."""
    tables = []
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            described = connection.introspection.get_table_description(cursor, table)
        tables.append((table, [c.name for c in described if not _binary(c)]))
    return tables


def _binary(column: Any) -> bool:
    return str(column.type_code).lower() in _BINARY or column.type_code == 17  # PostgreSQL's number of bytea


def found_in_papers() -> list[str]:
    """Every paper that was issued, rendered and read back."""
    return [
        f"{paper.number}: {number}"
        for paper in Document.objects.all()
        for number in cards_in(text_of_pdf(documents.pdf(paper)))
    ]


def found_in_mails(mailbox: Mailbox) -> list[str]:
    """Every mail in the mailbox, whatever part of it."""
    return [f"mail {m['subject']}: {number}" for m in mailbox.mails() for number in cards_in(str(m))]


def found_in_exports() -> list[str]:
    """The books in every format that they can be taken along in."""
    return [
        f"{form}: {number}"
        for form in FORMATS
        for number in cards_in("".join(piece for pieces in books(form)[0] for piece in pieces))
    ]


def nowhere(log: io.StringIO, mailbox: Mailbox) -> None:
    """None of the numbers is in the database, the log, a mail, a paper or an export."""
    assert found_in_database() == []
    assert [line for line in log.getvalue().splitlines() if cards_in(line)] == []
    assert found_in_mails(mailbox) == []
    assert found_in_papers() == []
    assert found_in_exports() == []
