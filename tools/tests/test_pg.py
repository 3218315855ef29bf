"""The PostgreSQL of the tests: its URL says the same to Django and to psycopg, and a stale pid fools nobody."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
from psycopg.conninfo import conninfo_to_dict

from tools import pg


def test_django_and_psycopg_read_the_same_socket_from_the_url(tmp_path: Path) -> None:
    data = tmp_path / "Upper Case And Spaces"
    url = pg._url_of(data)
    sockets = str(pg._socket_folder(data))
    assert dj_database_url.parse(url)["HOST"] == sockets
    assert conninfo_to_dict(url)["host"] == sockets


def test_a_socket_of_a_deep_folder_is_still_short_enough(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with a long name"] * 8)
    assert len(str(pg._socket_folder(deep) / f".s.PGSQL.{pg.PORT}")) < 100


def test_a_pid_that_belongs_to_somebody_else_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    assert not pg.is_running(tmp_path)
    assert pg.url(tmp_path) is None


def test_a_folder_without_a_server_can_be_stopped(tmp_path: Path) -> None:
    pg.stop(tmp_path)
    assert not pg.is_running(tmp_path)
