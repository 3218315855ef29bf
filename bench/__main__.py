"""`python -m bench`: placing orders, whole lives, the queue page, the desk's answers; a table and `var/bench.json`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bench import desk, place
from bench.house import ROOT, STRIPE_KEY, House, house

LIVES = 20
PAGES = 150
FEW = 1_000


@dataclass(frozen=True)
class Figure:
    """One line of the table. `kept` is None where there is no mark."""

    work: str
    figure: str
    against: str
    mark: str
    kept: bool | None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each round of placing orders (default 5)")
    parser.add_argument("--only", default="place,life,queue,desk", help="some of place,life,queue,desk")
    parser.add_argument("--orders", type=int, default=100_000, help="in the queue page's full table (default 100000)")
    chosen = parser.parse_args()
    wanted = chosen.only.split(",")
    works: dict[str, Callable[[House], tuple[list[Figure], Any]]] = {
        "place": lambda h: _place(h, chosen.seconds),
        "life": _life,
        "queue": lambda h: _queue(h, chosen.orders),
        "desk": _desk,
    }
    if set(wanted) - set(works):
        parser.error("--only takes place, life, queue and desk, with commas between")
    began, figures, details = time.monotonic(), list[Figure](), dict[str, Any]()
    for name in wanted:
        print(f"{name} ...", flush=True)
        with house() as where:
            found, details[name] = works[name](where)
        figures += found
    _print(figures)
    machine = {"machine": platform.platform(), "python": platform.python_version(), "cores": _cores()}
    keep = ROOT / "var" / "bench.json"
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **machine,
        "figures": [asdict(f) for f in figures],
    }
    keep.write_text(json.dumps({**content, "details": details}, indent=2))
    print(f"\n{_cores()} cores, {time.monotonic() - began:.0f} s; in full in {keep.relative_to(ROOT)}")
    return 0 if all(f.kept is not False for f in figures) else 1


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _place(where: House, seconds: float) -> tuple[list[Figure], Any]:
    figures, details = [], {}
    for kind, raw_name, mark in (("postgresql", "pgbench", 0.30), ("sqlite", "bare loop", None)):
        found = details[kind] = place.measure(where, kind, seconds)
        ours, raw, ratio = (found["median"][part] for part in ("shop", "raw", "ratio"))
        text = f"{ours['per_second']:.0f}/s, p50 {ours['p50_ms']:.1f} ms, p99 {ours['p99_ms']:.1f} ms"
        figures.append(
            Figure(
                f"place an order, 3 lines, c = 8, {kind}",
                text,
                f"{ratio:.2f} of {raw_name} ({raw['per_second']:.0f}/s)",
                f">= {mark:.2f}" if mark else "",
                ratio >= mark if mark else None,
            )
        )
    return figures, details


def _life(where: House) -> tuple[list[Figure], Any]:
    more = {"STRIPE_API_KEY": STRIPE_KEY, "STRIPE_API_BASE": where.processor(), "EMAIL_URL": where.mailbox()}
    figures, details = [], {}
    for kind, url in (("postgresql", where.postgres()), ("sqlite", where.sqlite("life"))):
        where.inside("prepare", url)
        found = details[kind] = where.inside("life", url, str(LIVES), **more)
        against = f"{found['statements']} statements, {found['papers']} papers"
        for text, key, mark in (("", "cpu_ms", 50), (", papers apart", "cpu_ms_without_papers", 25)):
            figure = f"{found[key]:.1f} ms CPU"
            figures.append(Figure(f"whole life, {kind}{text}", figure, against, f"<= {mark} ms", found[key] <= mark))
    return figures, details


def _queue(where: House, orders: int) -> tuple[list[Figure], Any]:
    figures, details = [], {}
    for kind, url in (("postgresql", where.postgres()), ("sqlite", where.sqlite("queue"))):
        where.inside("prepare", url)
        found: dict[int, Any] = {}
        for count in (FEW, orders):
            where.inside("history", url, str(count))
            runs = [where.inside("page", url, str(PAGES)) for _ in range(3)]
            found[count] = min(runs, key=lambda r: r["p95_ms"])
        details[kind] = found
        few, many = found[FEW], found[orders]
        ratio = many["p50_ms"] / few["p50_ms"]
        for count, page in found.items():
            text = f"p50 {page['p50_ms']:.1f} ms, p95 {page['p95_ms']:.1f} ms"
            against = f"{page['statements']} statements, {page['bytes'] // 1024} KB"
            work = f"queue page, {count:,} orders, {kind}"
            figures.append(Figure(work, text, against, "p95 < 10 ms", page["p95_ms"] < 10))
        figures.append(Figure(f"the same, {orders:,} against {FEW:,}", f"{ratio:.2f}", "p50", "<= 1.2", ratio <= 1.2))
    return figures, details


def _desk(where: House) -> tuple[list[Figure], Any]:
    figures, details = [], {}
    for kind in ("postgresql", "sqlite"):
        details[kind] = desk.measure(where, kind)
        for size, found in details[kind].items():
            for what, took in found.items():
                text = f"p50 {took['p50_ms']:.1f} ms, p95 {took['p95_ms']:.1f} ms"
                work = f"{what}, {size:,} orders, {kind}"
                if what == desk.EMPTY:
                    figures.append(Figure(work, text, "", "", None))
                    continue
                against = f"{took['p50_ratio']:.1f} and {took['p95_ratio']:.1f} empty answers"
                figures.append(Figure(work, text, against, "p95 < 100 ms", took["p95_ms"] < 100))
    return figures, details


def _print(figures: list[Figure]) -> None:
    verdicts = {True: "kept", False: "MISSED", None: ""}
    table = [
        ("", "figure", "against", "mark", ""),
        *((f.work, f.figure, f.against, f.mark, verdicts[f.kept]) for f in figures),
    ]
    widths = [max(len(row[i]) for row in table) for i in range(5)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    raise SystemExit(main())
