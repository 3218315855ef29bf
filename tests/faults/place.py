"""A database that is there to be torn at: one of its own, which flushes to the disk and is gone afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Its URL; `kind` is sqlite or postgresql."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'shop.sqlite3'}"
        return
    server = os.environ.get("COUNTERFOIL_TEST_PG_URL")
    if not server:
        pytest.skip("COUNTERFOIL_TEST_PG_URL names no PostgreSQL; `make test` starts one")
    name = f"killed_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
