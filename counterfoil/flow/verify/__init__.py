"""`counterfoil verify`: proves that money, stock and papers agree, or says where they do not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from counterfoil.core import clock, pulse
from counterfoil.core.db import rows
from counterfoil.flow.verify import amendments, books, money, papers, promises, settlement, states, units

PATIENCE = 30.0  # seconds to wait for calls and jobs in flight
CHECKS: tuple[tuple[str, Callable[[], list[str]]], ...] = (
    ("units: balances are the sum of their movements", units.balances),
    ("units: places are the sum of their movements, and balances that of their places", units.places),
    ("units: what lines hold is what the shelf says", units.lines),
    ("units: what is kept for questions is what they were given", units.offered),
    ("units: what is due in is what purchase orders still owe", units.purchases),
    ("units: what was bought in is what came", units.bought),
    ("money: parts agree with their charges and refunds", money.parts),
    ("money: what was paid too much went back", amendments.given_back),
    ("amendments: each found the order as the last one left it", amendments.unbroken),
    ("money: our ledger is the processor's ledger", money.processor),
    ("money: what the bank holds is what the parts say", money.held),
    ("money: nothing has been unanswered for long", money.answered),
    ("money: nothing was shipped without it", money.shipped),
    ("settlement: clearing agrees with the processor, or every difference has a name", settlement.clearing),
    ("settlement: fees, disputes and payouts are the processor's", settlement.processor),
    ("books: debits equal credits", books.balanced),
    ("books: accounts agree with the orders", books.accounts),
    ("books: goods in stock are worth what the shelf says", books.goods),
    ("papers: number series have no gaps", papers.series),
    ("papers: contents and renderings have their hashes", papers.hashes),
    ("journal: replaying it gives the same states", states.replay),
    ("queues: they are what the facts say", states.queues),
    ("process: nothing that is due by itself has been left undone", states.undone),
    ("promises: a part's is its newest version", promises.versions),
    ("promises: one notice at a time, about what stands", promises.notices),
    ("promises: none lapses unhandled", promises.lapsed),
    ("jobs: none is dead or stuck", states.jobs_alive),
    ("inbox: no event is stuck", states.inbox),
)


def judge_all() -> list[tuple[str, str]]:
    """Every broken invariant as (its name, what is wrong). Empty means clean."""
    return [(name, finding) for name, check in CHECKS for finding in check()]


def judge(*, as_json: bool, wait: bool) -> int:
    """Print the verdict; 0 when clean, 1 otherwise."""
    if wait:
        wait_for_rest()
    began = time.monotonic()
    broken, notes = judge_all(), states.mails_that_wait()
    pulse.beat("verify", broken=len(broken))
    if as_json:
        told = [{"invariant": name, "finding": finding} for name, finding in broken]
        print(json.dumps({"clean": not broken, "broken": told, "notes": notes}, indent=2))
    else:
        for name, finding in broken:
            print(f"BROKEN  {name}: {finding}")
        for note in notes:
            print(f"NOTE    {note}")
        orders = rows("SELECT COUNT(*) FROM orders_order")[0][0]
        verdict = f"{len(broken)} broken" if broken else "clean"
        print(f"verify: {len(CHECKS)} invariants over {orders} orders in {time.monotonic() - began:.1f} s: {verdict}")
    return 1 if broken else 0


def wait_for_rest() -> None:
    """Wait until nothing is in flight: no due or running job, no charge being asked about. At most 30 seconds."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        busy = rows(
            "SELECT COUNT(*) FROM core_job WHERE state = 'running' OR (state = 'queued' AND run_at <= %s)",
            [clock.real_now()],
        )[0][0]
        late = rows("SELECT COUNT(*) FROM orders_order WHERE next_check_at <= %s", [clock.business_now()])[0][0]
        asking = rows("SELECT COUNT(*) FROM orders_part WHERE money IN ('charging', 'unknown')")[0][0]
        if not (busy or late or asking):
            return
        time.sleep(0.3)
