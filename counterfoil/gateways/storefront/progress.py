"""How far an import is: a bar for a person at a terminal, silence for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def progress(path: Path, words: str) -> Iterator[Callable[[int, str], None]]:
    """Yields a function that is told how many bytes of the file have been read, and how far that is in words."""
    if not sys.stderr.isatty():
        yield lambda _bytes, _words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=path.stat().st_size or None, said="")
        yield lambda done, said: bar.update(task, completed=done, said=said)
