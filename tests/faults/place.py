"""A database that is there to be torn at: one of its own, which flushes to the disk and is gone afterwards.

Its tables are copied from one that was migrated once for this state of the migrations: making them from nothing takes
five seconds of a processor, and every test here wants them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from tests.crowd import ROOT

KEPT = ROOT / "var" / "test" / "tables"


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Its URL; `kind` is sqlite or postgresql."""
    if kind == "sqlite":
        shutil.copyfile(_sqlite_tables(), folder / "shop.sqlite3")
        yield f"sqlite:///{folder / 'shop.sqlite3'}"
        return
    server = os.environ.get("COUNTERFOIL_TEST_PG_URL")
    if not server:
        pytest.skip("COUNTERFOIL_TEST_PG_URL names no PostgreSQL; `make test` starts one")
    name = f"killed_{uuid4().hex[:12]}"
    tables = _postgres_tables(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {tables}".encode())
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@cache
def _state() -> str:
    """What the tables depend on: every migration, and what the triggers are made of."""
    sources = [*ROOT.glob("counterfoil/**/migrations/*.py"), ROOT / "counterfoil" / "core" / "triggers.py"]
    state = hashlib.sha256()
    for source in sorted(sources):
        state.update(str(source.relative_to(ROOT)).encode() + source.read_bytes())
    return state.hexdigest()[:12]


def _migrate(url: str, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "counterfoil.shell.cli", "migrate"],
        check=True, cwd=ROOT, env=os.environ | {"DATABASE_URL": url, "COUNTERFOIL_VAR": str(folder)},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def _sqlite_tables() -> Path:
    made = KEPT / f"{_state()}.sqlite3"
    with _one_at_a_time():
        if not made.exists():
            half = KEPT / f"half-{uuid4().hex}.sqlite3"
            _migrate(f"sqlite:///{half}", KEPT / "home")
            assert not half.with_name(half.name + "-wal").exists(), "the last one out folds the log into the file"
            half.rename(made)
    return made


@cache
def _postgres_tables(server: str) -> str:
    name = f"tables_{_state()}"
    with _one_at_a_time(), psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            half = f"half_{uuid4().hex[:12]}"
            connection.execute(f"CREATE DATABASE {half}".encode())
            _migrate(urlunsplit(urlsplit(server)._replace(path=f"/{half}")), KEPT / "home")
            connection.execute(f"ALTER DATABASE {half} RENAME TO {name}".encode())
    return name
