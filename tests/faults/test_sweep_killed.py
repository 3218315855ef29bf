"""The sweep: what time alone moves is moved once, by whichever worker lives to see it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.flow.advance import sweep
from counterfoil.flow.map import derive
from counterfoil.records.orders.load import facts_of
from counterfoil.records.orders.models import Order, Proposal
from tests.faults.hand import say, working
from tests.faults.storm import Nursery, at_rest, storm

pytestmark = pytest.mark.faults

ORDERS = 30


def ask_customers(name: str) -> list[str]:
    """Orders whose customers are asked something; the first has a minute to answer, each other a minute more."""
    from tests.support import Api, order_body, product

    api = Api("owner", name)
    product(api, name, stock=1000)
    numbers = []
    for n in range(ORDERS):
        number = str(api.done("/orders", order_body((name, 1), card=None, reference=f"{name}-{n}"))["number"])
        until = clock.business_now() + timedelta(minutes=n + 1)
        api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}], "expires_at": until.isoformat()})
        numbers.append(number)
    return numbers


def sweep_on(_name: str) -> None:
    """What each worker does besides its jobs, with less of a pause."""
    say("ready")
    while working():
        sweep(5)
        time.sleep(0.01)


def pass_time(_name: str) -> None:
    """Minute after minute, until every question is overdue."""
    for _ in range(ORDERS + 1):
        with writing():
            clock.advance_business_time(timedelta(minutes=1))
        time.sleep(0.06)


def sweep_all(_name: str) -> None:
    while sweep():
        say("swept")


def look(_name: str, numbers: list[str]) -> dict[str, Any]:
    at_rest()
    orders = {o.number: o for o in Order.objects.filter(number__in=numbers)}
    wanted = {number: derive(facts_of(order)) for number, order in orders.items()}
    events = JournalEvent.objects.filter(subject__in=numbers).order_by("id")
    return {
        "expired": [e.subject for e in events if e.kind == "proposal_expired"],
        "versions": [[e.subject, e.version] for e in events],
        "open": Proposal.objects.filter(order__number__in=numbers, state=Proposal.OPEN).count(),
        "untrue": [n for n, o in orders.items() if (o.status, o.queue) != (wanted[n].status, wanted[n].queue)],
        "unseen": [n for n, o in orders.items() if o.next_check_at and o.next_check_at <= clock.business_now()],
        "owed": [j.payload["order"] for j in Job.objects.filter(name="flow.advance") if j.payload["order"] in numbers],
    }


def test_what_time_moves_is_moved_once_whoever_sweeps_and_whoever_dies(nursery: Nursery) -> None:
    numbers = nursery.ask(ask_customers)
    assert nursery.ask(look, numbers)["open"] == ORDERS
    time_passes = nursery.begin(pass_time)
    storm(nursery, sweep_on, sweep_on, sweep_on, kills=12, seed=8)
    time_passes.wait()
    found = nursery.ask(look, numbers)
    assert found["expired"], "nobody swept"
    nursery.ask(sweep_all)
    found = nursery.ask(look, numbers)
    assert sorted(found["expired"]) == sorted(numbers)
    assert (found["open"], found["untrue"], found["unseen"], found["owed"]) == (0, [], [], [])
    assert len(found["versions"]) == len({(subject, version) for subject, version in found["versions"]})
