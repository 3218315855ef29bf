"""How this system writes: one short transaction at a time, callbacks only after it is safely on disk."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.db.models import DateField, JSONField, Model

log = logging.getLogger(__name__)
_local = threading.local()
_Row = TypeVar("_Row", bound=Model)
_process_lock = threading.RLock()
_lock_fd: dict[tuple[int, str], int] = {}


def is_postgres() -> bool:
    """Whether this process talks to PostgreSQL (else SQLite)."""
    return connection.vendor == "postgresql"


@contextlib.contextmanager
def _sqlite_turn() -> Iterator[None]:
    """Queue for SQLite's single pen: inside the process by a lock, between processes by `flock`.

    SQLite's own busy handler polls, which starves somebody under load (p99 787 ms against 59 ms with this).
    """
    with _process_lock:
        path = f"{connection.settings_dict['NAME']}.pen"
        key = (os.getpid(), path)
        fd = _lock_fd.get(key)
        if fd is None:
            fd = _lock_fd[key] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """One durable transaction. Never call the network inside.

    Nested use joins the outer transaction. What was given to `after_commit` runs when the outermost one has
    committed and the pen is free again.
    """
    if getattr(_local, "depth", 0):
        yield
        return
    _local.depth, _local.later, _local.notes = 1, [], {}
    try:
        turn = contextlib.nullcontext() if is_postgres() else _sqlite_turn()
        with turn, transaction.atomic():
            mark: Callable[[], None] | None = getattr(_local, "mark", None)
            if mark is not None:
                mark()
            yield
        _local.mark = None
    except BaseException:
        _local.depth, _local.later = 0, []
        raise
    later: list[Callable[[], object]] = _local.later
    _local.depth, _local.later = 0, []
    for call in later:
        try:
            call()
        except Exception:
            # The same work stands in a job row that committed with the act; a worker will do it.
            log.exception("after-commit work failed; its job will do it")


def mark_first_write(mark: Callable[[], None] | None) -> None:
    """Have `mark` run inside this thread's next transaction that commits, once: proof that some work was done."""
    _local.mark = mark


def after_commit(call: Callable[[], object]) -> None:
    """Run `call` when the present `writing()` block has committed."""
    if not getattr(_local, "depth", 0):
        raise RuntimeError("after_commit outside writing()")
    _local.later.append(call)


def in_writing() -> bool:
    """Whether this thread is inside a `writing()` block; gateways refuse to call out then."""
    return bool(getattr(_local, "depth", 0))


def notes() -> dict[str, Any]:
    """What this transaction alone knows while it lasts; gone with its end, whichever it is."""
    if not in_writing():
        raise RuntimeError("notes outside writing()")
    found: dict[str, Any] = _local.notes
    return found


def _fit(params: Any) -> Any:
    """Dates as the ORM stores them: SQLite keeps text, naive and in UTC, and compares it as text."""
    if is_postgres() or not isinstance(params, list | tuple):
        return params
    return [
        str(p.astimezone(UTC).replace(tzinfo=None))
        if isinstance(p, datetime) and p.tzinfo
        else p.isoformat()
        if isinstance(p, date) and not isinstance(p, datetime)
        else p
        for p in params
    ]


def moment(value: Any) -> datetime | None:
    """A date-time column read by a raw statement, whatever the database hands back."""
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def rows(sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _fit(params))
        return list(cursor.fetchall()) if cursor.description else []


def execute(sql: str, params: Any = ()) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _fit(params))
        return int(cursor.rowcount)


# SQLite takes 32,766 parameters in a statement since 3.32 (2020); Django counts with the 999 of before, and would
# divide an insert of three hundred rows into six.
MOST_PARAMETERS = 32_000
Sqlite.features_class.max_query_params = MOST_PARAMETERS  # type: ignore[method-assign, assignment]


def update_many(table: str, types: Mapping[str, str], found: Sequence[Sequence[Any]]) -> int:
    """Store other values in many rows by one statement; how many rows there were.

    `types` are columns with their PostgreSQL types, the key first; `found` are values in that order.
    """
    names, done = list(types), 0
    setters = ", ".join(f"{name} = w.column{at}" for at, name in enumerate(names[1:], 2))
    at_once = MOST_PARAMETERS // len(names)
    for start in range(0, len(found), at_once):
        given, values = listed(list(types.values()), found[start : start + at_once])
        done += execute(f"UPDATE {table} SET {setters} FROM {given} WHERE {table}.{names[0]} = w.column1", values)
    return done


def listed(types: Sequence[str], found: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Rows as a table `w` with the columns `column1`, `column2` and so on, and its parameters.

    PostgreSQL gets one array a column: thousands of place-holders would take longer to read than the work itself.
    """
    if is_postgres():
        names = ", ".join(f"column{at}" for at in range(1, len(types) + 1))
        return (
            f"unnest({', '.join(f'%s::{kind}[]' for kind in types)}) AS w ({names})",
            [list(column) for column in zip(*found, strict=True)],
        )
    marks = f"({', '.join(['%s'] * len(types))})"
    return f"(VALUES {', '.join([marks] * len(found))}) AS w", [value for row in found for value in row]


def columns(model: type[Model]) -> str:
    """The columns of a table in the order in which `build` wants them."""
    return ", ".join(f'"{f.column}"' for f in model._meta.concrete_fields)


def build(model: type[_Row], found: list[tuple[Any, ...]]) -> list[_Row]:
    """Instances out of rows of `columns(model)`, as the ORM would make them."""
    names = [f.attname for f in model._meta.concrete_fields]
    fitted = _converters(model)
    made = []
    for row in found:
        values = list(row)
        for i, column, convert in fitted:
            values[i] = convert(values[i], column, connection)
        made.append(model.from_db(connection.alias, names, values))
    return made


def read(model: type[_Row], tail: str, params: Any = ()) -> list[_Row]:
    """Instances of `SELECT every column FROM table TAIL`.

    For the reads that every act repeats: putting a query together through the ORM costs several times what the
    database needs to answer it.
    """
    return build(model, rows(f"SELECT {columns(model)} FROM {model._meta.db_table} {tail}", params))


def read_each(*wanted: tuple[type[Model], str, Sequence[Any]]) -> list[list[Any]]:
    """Instances of several tables by one statement: for each model, `WHERE ...` and its parameters, a list by id.

    Each row comes as one text, so that tables of different columns stand in one answer; for a page that shows a little
    of much.
    """
    pack = "json_build_array" if is_postgres() else "json_array"
    branches = [
        f"SELECT {at} AS at, CAST({pack}({_packed(model)}) AS TEXT) AS body FROM {model._meta.db_table} {where}"
        for at, (model, where, _) in enumerate(wanted)
    ]
    found = rows(" UNION ALL ".join(branches), [value for _, _, params in wanted for value in params])
    bodies: list[list[tuple[Any, ...]]] = [[] for _ in wanted]
    for at, body in found:
        bodies[at].append(tuple(json.loads(body)))
    made = [build(model, _unpacked(model, body)) for (model, _, _), body in zip(wanted, bodies, strict=True)]
    return [sorted(mine, key=lambda row: row.pk) for mine in made]


def _packed(model: type[Model]) -> str:
    """The columns of a table for a JSON array that keeps each as this database would hand it out."""
    if not is_postgres():
        return columns(model)
    # What is JSON itself stays a text, as the driver gives it.
    return ", ".join(
        f'"{f.column}"::text' if isinstance(f, JSONField) else f'"{f.column}"' for f in model._meta.concrete_fields
    )


def _unpacked(model: type[Model], found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """PostgreSQL's dates and times, which are texts in JSON, as its driver gives them. SQLite has texts anyway."""
    if not is_postgres():
        return found
    dated = [f if isinstance(f, DateField) else None for f in model._meta.concrete_fields]
    return [
        tuple(value if field is None else field.to_python(value) for field, value in zip(dated, row, strict=True))
        for row in found
    ]


_known_converters: dict[tuple[str, type[Model]], list[tuple[int, Any, Any]]] = {}


def _converters(model: type[Model]) -> list[tuple[int, Any, Any]]:
    """What a column's value goes through, in turn, with its place: dates of SQLite, JSON of both."""
    key = (connection.vendor, model)
    found = _known_converters.get(key)
    if found is None:
        found = []
        for i, field in enumerate(model._meta.concrete_fields):
            column = field.get_col(model._meta.db_table)
            for convert in (*connection.ops.get_db_converters(column), *field.get_db_converters(connection)):
                found.append((i, column, convert))
        _known_converters[key] = found
    return found
