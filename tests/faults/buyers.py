"""Fifty buyers, each a process of its own, want ten bottles in the same moment; and two wines in opposite order.

    python -m tests.faults.buyers --rounds 100 --database sqlite

Each round has its own wine. In the first kind every buyer wants one bottle of a wine that stops when it is out: ten get
it, forty are told. In the second, half want A and B, half B and A: everybody gets both, and nobody waits for
somebody who waits for them. Exit code 0: so it was in every round, and `verify` finds nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests.crowd import ROOT
from tests.faults.place import database
from tools import pg

SERVER = "COUNTERFOIL_TEST_PG_URL"
PATIENCE = 120.0  # seconds that anybody waits for the others: a deadlock is longer than that
PAIRS = "opposite"  # the second kind of round


def buy(number: int, key: str, rounds: list[tuple[str, list[str]]], start: Barrier, told: Any) -> None:
    """One buyer's life: at every start an order, and what came of it is told."""
    from django.db import connection
    from django.test import Client

    from tests.support import order_body

    client = Client()
    headers = {"Authorization": f"Bearer {key}"}
    client.get("/api/v1/orders?limit=1", headers=headers)  # everything is imported and connected before the first start
    for at, (kind, skus) in enumerate(rounds):
        wanted = [(sku, 1) for sku in (reversed(skus) if kind == PAIRS and number % 2 else skus)]
        body = order_body(
            *wanted, card=None, reference=f"{at}-{number}",
            customer={"name": f"Buyer {number}", "email": f"buyer{number}@example.com"},
        )  # fmt: skip
        start.wait(PATIENCE)
        began = time.monotonic()
        answer = client.post("/api/v1/orders", json.dumps(body), content_type="application/json", headers=headers)
        codes = [b["code"] for b in answer.json().get("blockers", [])]
        told.put((at, answer.status_code, ",".join(codes), time.monotonic() - began))
    connection.close()


def run(url: str, *, buyers: int, bottles: int, rounds: int, pairs: int) -> int:
    """All rounds on the database at `url`, which is made ready here. Prints what it found; 0 when all is well."""
    os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="counterfoil.shell.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.test.utils import setup_test_environment

    logging.disable(logging.WARNING)  # nobody's mail has a server here: it waits, and says so each time
    setup_test_environment()
    call_command("migrate", verbosity=0)
    from tests.support import Api, product

    api = Api()
    wanted: list[tuple[str, list[str]]] = []
    for n in range(rounds):
        product(api, f"RARE-{n}", stock=bottles, sell_when_out="stop")
        wanted.append(("rare", [f"RARE-{n}"]))
    for n in range(pairs):
        for letter in "AB":
            product(api, f"{letter}-{n}", stock=buyers // 2)
        wanted.append((PAIRS, [f"A-{n}", f"B-{n}"]))
    connections.close_all()
    began = time.monotonic()
    told = _all_at_once(buyers, api.key, wanted)
    seconds = time.monotonic() - began
    broken = _judge(told, wanted, buyers=buyers, bottles=bottles)
    broken += _verify()
    slowest = max(took for *_, took in told)
    asked = len(told)
    placed = sum(status == 201 for _, status, _, _ in told)
    print(
        f"{rounds} rounds of {buyers} buyers and {bottles} bottles, {pairs} of carts in opposite order: {asked} asked, "
        f"{placed} placed in {seconds:.1f} s ({asked / seconds:.0f} answers/s), slowest answer {slowest:.2f} s"
    )
    for finding in broken:
        print(f"BROKEN  {finding}")
    print(f"buyers: {len(broken) or 'nothing'} broken")
    return 1 if broken else 0


def _all_at_once(buyers: int, key: str, wanted: list[tuple[str, list[str]]]) -> list[tuple[int, int, str, float]]:
    fork = multiprocessing.get_context("fork")
    start, told = fork.Barrier(buyers), fork.Queue()
    crowd = [fork.Process(target=buy, args=(n, key, wanted, start, told), daemon=True) for n in range(buyers)]
    for one in crowd:
        one.start()
    try:
        return [told.get(timeout=PATIENCE) for _ in range(buyers * len(wanted))]
    finally:
        for one in crowd:
            one.join(10)
            if one.is_alive():
                one.kill()


def _judge(
    told: list[tuple[int, int, str, float]], wanted: list[tuple[str, list[str]]], *, buyers: int, bottles: int
) -> list[str]:
    broken = []
    for at, (kind, skus) in enumerate(wanted):
        found = Counter((status, codes) for where, status, codes, _ in told if where == at)
        sold = min(bottles, buyers)
        good = {(201, ""): sold, (409, "sold_out"): buyers - sold} if kind == "rare" else {(201, ""): buyers}
        if found != Counter(good):
            broken.append(f"round {at} ({', '.join(skus)}): {dict(found)}")
    return broken


def _verify() -> list[str]:
    from django.db.models import Sum

    from counterfoil.flow.verify import judge_all
    from counterfoil.records.orders.models import Line
    from counterfoil.records.stock.models import Balance
    from tests.support import settle

    settle()
    broken = [f"verify: {name}: {finding}" for name, finding in judge_all()]
    for held in Balance.objects.select_related("product").order_by("product_id"):
        reserved = Line.objects.filter(product=held.product).aggregate(n=Sum("reserved"))["n"] or 0
        if not 0 <= held.reserved <= held.on_hand or reserved != held.reserved:
            broken.append(f"{held.product.sku}: {held.reserved} reserved of {held.on_hand}, lines hold {reserved}")
    return broken


def main(arguments: list[str] | None = None) -> int:
    """Run on a database of its own; 0 when nothing is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.buyers", description=__doc__)
    parser.add_argument("--buyers", type=int, default=50)
    parser.add_argument("--bottles", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=10, help="rounds of two wines in opposite order")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = parser.parse_args(arguments)
    var = ROOT / "var" / "buyers"
    var.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{chosen.database}-", dir=var)))
        folder.chmod(0o755)  # PostgreSQL, started by root, runs as a user of its own and must get through
        if chosen.database == "postgresql" and not os.environ.get(SERVER):
            os.environ[SERVER] = pg.start(folder / "pg", durable=True)
            stack.callback(pg.stop, folder / "pg")
        url = stack.enter_context(database(chosen.database, folder))
        code = run(url, buyers=chosen.buyers, bottles=chosen.bottles, rounds=chosen.rounds, pairs=chosen.pairs)
        from django.db import connections

        connections.close_all()
    return code


if __name__ == "__main__":
    sys.exit(main())
