"""`counterfoil demo-load`: fills an empty database with the demo wine shop by running the process through its past."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import requests
from django.conf import settings
from django.db import connection
from rich.progress import track

from counterfoil.core import clock, jobs, journal
from counterfoil.core.access.models import User
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import is_postgres, rows, writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.records.orders.models import Charge, Order
from counterfoil.shell.demo.days import Days
from counterfoil.shell.demo.opening import SHOP_NAME, TIMEZONE, open_shop
from counterfoil.shell.demo.telling import Act, Teller
from counterfoil.steps.charging.actions import send_charge
from counterfoil.steps.charging.settlement import compare_settlement

SUBJECT = "demo"  # the journal's subject of the load itself
OPENED = 20  # working days ago
# What the process owes itself. Mails and PDFs are left to the worker: they hold nothing up.
ROOMS = ("charging", "sourcing", "flow", "invoicing", "alternatives", "acceptance")
_SETTLES = timedelta(seconds=4)
_KEEPS_UP = timedelta(hours=2)  # how far the processor's clock may be behind the tales'
_LOOKS_BACK = timedelta(days=4)


def load_demo() -> None:
    """Load the demo shop once. Goes on where an interrupted load stopped; leaves a shop that is not ours alone."""
    if _happened("demo_loaded"):
        return
    begun = _begun()
    if begun is None:
        print("this database holds a shop already; the demo is loaded into an empty one only")
        return
    started = time.monotonic()
    with _hurry():
        count = _tell(begun)
        with writing():
            _mark("demo_loaded", f"{SHOP_NAME} stands as the tales tell")
    print(f"{SHOP_NAME}: {count} acts on {Order.objects.count()} orders in {time.monotonic() - started:.1f} s")


def _tell(begun: datetime) -> int:
    """Run every act at its moment of business time; returns how many there were."""
    days = Days(begun, ZoneInfo(TIMEZONE), frozenset(shop().working_days))
    with clock.at(days.at(f"{OPENED} 09:00")):
        staff = open_shop()
    _resume()
    acts = sorted([*Teller(staff, days).acts(), *_nights(days)], key=lambda act: act.at)
    told: datetime | None = None  # until when the processor has lived
    for act in _shown(acts):
        if act.done():
            continue
        if told is None or act.at - told >= _KEEPS_UP:
            told = act.at
            _processor_at(told)
        with clock.at(act.at):
            act.call()
        with clock.at(act.at + _SETTLES):
            _settle()
    _processor_at(clock.business_now())
    # What has changed since by time alone: the worker would see it a second from now, a page at once.
    _night()
    sweep(limit=10_000)
    _settle()
    return len(acts)


def _nights(days: Days) -> list[Act]:
    """Each midnight the shop looks at what the processor kept and paid out; since the last promise that nobody kept,
    also at what time alone has moved."""
    since = min(days.midnights(1), default=days.now)
    return [Act(moment, partial(_midnight, moment >= since), lambda: False) for moment in days.midnights(OPENED)]


def _midnight(sweeps: bool) -> None:
    _night()
    if sweeps:
        sweep(limit=10_000)


def _night() -> None:
    """Disputes, fees and payouts of the last days, as the nightly comparison takes them in."""
    compare_settlement(clock.business_now() - _LOOKS_BACK)


def _processor_at(moment: datetime) -> None:
    """The sandbox lives through the same past, so that its payouts and deadlines fall on the days of the tales.

    It refuses where it has lived already: when an interrupted load goes on, or when it serves another shop too.
    """
    if settings.SANDBOX_URL:
        ahead = int((moment - clock.real_now()).total_seconds())
        requests.post(f"{settings.SANDBOX_URL}/_clock", json={"offset_seconds": ahead}, timeout=(3, 10))


def _settle() -> None:
    jobs.drain(worker="demo", only=ROOMS)


def _resume() -> None:
    """Charges that an interrupted load had begun are finished, then and there, before anything builds on them."""
    last = JournalEvent.objects.order_by("id").last()
    with clock.at(last.at if last else clock.business_now()):
        for pk in Charge.objects.filter(state__in=["intended", "created", "confirming"]).values_list("pk", flat=True):
            send_charge(pk)
        _settle()


def _shown(acts: list[Act]) -> Iterable[Act]:
    """With a progress bar where somebody watches."""
    if not sys.stdout.isatty():
        return acts
    return track(acts, description="Telling the demo shop's last weeks", transient=True)


@contextmanager
def _hurry() -> Iterator[None]:
    """Do not wait for the disk at each commit: what a power cut takes away, the next load does again."""
    ask, say, fast = (
        ("SHOW synchronous_commit", "SET synchronous_commit = {}", "off")
        if is_postgres()
        else ("PRAGMA synchronous", "PRAGMA synchronous = {}", "NORMAL")
    )
    if connection.in_atomic_block:  # SQLite cannot change its mind there, and nothing is committed
        yield
        return
    before = rows(ask)[0][0]
    rows(say.format(fast))
    try:
        yield
    finally:
        rows(say.format(before))


# --- marks in the journal -------------------------------------------------------------------------------------------


def _begun() -> datetime | None:
    """When the first load began, which fixes all its dates; None when this database is somebody's own."""
    mark = JournalEvent.objects.filter(subject=SUBJECT, kind="demo_begun").first()
    if mark is not None:
        return mark.at
    if User.objects.exists() or Order.objects.exists():
        return None
    with writing():
        _mark("demo_begun", f"{SHOP_NAME} is being set up")
    return JournalEvent.objects.get(subject=SUBJECT, kind="demo_begun").at


def _happened(kind: str) -> bool:
    return JournalEvent.objects.filter(subject=SUBJECT, kind=kind).exists()


def _mark(kind: str, text: str) -> None:
    journal.record(kind, subject=SUBJECT, actor=SYSTEM, text=text, advance=False)
