"""Reading a feed line by line, and writing down what could not be taken."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from counterfoil.core.cards import mask_cards, mask_raw, mask_tree
from counterfoil.gateways.storefront.protocol import BadLine

LIMIT = 1_000_000  # bytes of a line
_KEPT_OF_TOO_LONG = 1_000
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A line with its number in the file, from 1. `wrong` says why it is no text; then `text` is what can be shown."""

    number: int
    text: str
    wrong: str = ""


def read_lines(file: BinaryIO) -> Iterator[Raw]:
    """The lines of a UTF-8 file, blank ones left out, a byte order mark too. Never holds more than 1 MB of a line."""
    number = 0
    while chunk := file.readline(LIMIT + 1):
        number += 1
        if number == 1:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if len(chunk) > LIMIT and not chunk.endswith(b"\n"):
            _skip_line(file)
            start = chunk[:_KEPT_OF_TOO_LONG].decode("utf-8", "replace")
            # The cut may go through a card number, which could then no longer be recognised.
            yield Raw(number, start.rstrip("0123456789 .-"), "the line is longer than 1 MB")
            continue
        try:
            text = chunk.decode("utf-8").strip()
        except UnicodeDecodeError:
            yield Raw(number, chunk.decode("utf-8", "backslashreplace").strip(), "the line is not UTF-8")
            continue
        if text:
            yield Raw(number, text)


def cells_of(text: str) -> list[str]:
    """The cells of one line of CSV. Raises BadLine."""
    if "\r" in text:
        raise BadLine("broken CSV: lines must end as on Windows or Linux; save the file so once more")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadLine(f"broken CSV: {error}") from None


def columns_of(first: Raw | None, needed: Iterable[str]) -> list[str]:
    """The names of the columns in a file's first line. Raises ValueError for a line that is none, or lacks one."""
    try:
        if first is None or first.wrong:
            raise BadLine(first.wrong if first else "the file is empty")
        columns = [name.strip().lower() for name in cells_of(first.text)]
    except BadLine as wrong:
        raise ValueError(f"the first line names no columns: {wrong}") from None
    missing = [name for name in needed if name not in columns]
    if missing and len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        between = "semicolons" if ";" in columns[0] else "tabs"
        raise ValueError(f"there are {between} between the columns: save it with commas, and amounts as 12.50")
    if missing:
        raise ValueError(f"the first line names no column {', '.join(missing)}")
    return columns


def _skip_line(file: BinaryIO) -> None:
    while rest := file.readline(LIMIT):
        if rest.endswith(b"\n"):
            return


def parse_json(text: str) -> dict[str, Any]:
    """One JSON object. Numbers with a point come as Decimal. Raises BadLine, also for NaN and endless nesting."""

    def refuse(constant: str) -> None:
        raise BadLine(f"{constant} is not a number")

    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except BadLine:
        raise
    except (ValueError, ArithmeticError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "a number is out of range"
        raise BadLine(f"broken JSON: {said}") from None
    except RecursionError:
        raise BadLine("broken JSON: nested too deeply") from None
    if not isinstance(found, dict):
        raise BadLine("not an order: a JSON object is needed")
    return found


class Rejects:
    """The file of rejected lines, made with the first of them: beside the feed, or here where that cannot be written.

    Holds customers' data, so it is for its owner's eyes (mode 0600). A file left from an earlier run is replaced.
    """

    def __init__(self, feed: Path, kind: str) -> None:
        self.count = 0
        self.path: Path | None = None
        self.told: list[str] = []
        self._feed, self._kind = feed, kind
        self._file: TextIO | None = None

    def __enter__(self) -> Rejects:
        # What stands there is ours, from an earlier run, and would be taken for this one's.
        with contextlib.suppress(OSError):
            self._places()[0].unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, number: int, reason: str, given: str) -> None:
        """Keep a line with its number and the reason, cards masked."""
        reason = mask_cards(reason)
        self.count += 1
        if len(self.told) < _TOLD:
            self.told.append(f"line {number}: {reason}")
        if self._file is None:
            self._file = self._open()
        self._write(self._file, number, reason, given)

    def summary(self) -> list[str]:
        """What a person at the terminal reads: the first reasons, and where all of them are."""
        if not self.count:
            return []
        more = [f"... and {self.count - len(self.told)} more"] if self.count > len(self.told) else []
        return [*self.told, *more, f"the rejected lines are in {mask_cards(str(self.path))}"]

    def _places(self) -> list[Path]:
        name = f"{self._feed.stem}.rejects.{self._kind}"
        beside = [self._feed.with_name(name)] if os.access(self._feed.parent, os.W_OK) else []
        return [*beside, Path(name)]

    def _open(self) -> TextIO:
        error: OSError | None = None
        for place in self._places():
            try:
                handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as wrong:
                error = wrong
                continue
            self.path = place
            return os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="")
        raise error or OSError("no place for the rejects file")

    def _write(self, file: TextIO, number: int, reason: str, given: str) -> None:
        if self._kind == "csv":
            csv.writer(file).writerow([number, reason, mask_raw(given)])
            return
        try:
            shown = mask_tree(parse_json(given))
        except (BadLine, RecursionError):
            shown = mask_raw(given)
        row = {"line": number, "reason": reason, "given": shown}
        file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
