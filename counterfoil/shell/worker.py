"""The worker: does the jobs that are owed, and keeps time-driven queues true by a sweep every second."""

from __future__ import annotations

import logging
import signal
import threading
from datetime import date, timedelta
from types import FrameType

from django.conf import settings
from django.db import connections

from counterfoil.core import clock, jobs, pulse
from counterfoil.core.db import execute, writing
from counterfoil.core.idempotency import LIFE
from counterfoil.core.models import Setting
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.gateways.mail.reach import wake_mails

log = logging.getLogger(__name__)
IDLE = 0.2  # seconds between looks when nothing is due
SWEEP = 1.0
HOUSEKEEPING = timedelta(minutes=15)
COMPARED = "reconciled_on"  # the setting that holds the shop's last day of it


class Worker:
    """Threads that end when told to; each finishes the job in its hands first."""

    def __init__(self, threads: int = 2) -> None:
        self._stop = threading.Event()
        name = jobs.worker_name()
        self._threads = [
            threading.Thread(target=self._work, args=(f"{name}:{n}",), name=f"worker-{n}") for n in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._watch, name="sweep"))

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        signal.signal(signal.SIGTERM, self._ended)
        signal.signal(signal.SIGINT, self._ended)
        for thread in self._threads:
            thread.start()
        print("worker ready", flush=True)
        while not self._stop.wait(3600):
            pass
        for thread in self._threads:
            thread.join()

    def _ended(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _work(self, name: str) -> None:
        try:
            while not self._stop.is_set():
                try:
                    busy = jobs.run_one(name)
                except Exception:
                    log.exception("the worker cannot take a job")
                    connections.close_all()
                    busy = False
                    self._stop.wait(2)
                if not busy:
                    self._stop.wait(IDLE)
        finally:
            connections.close_all()

    def _watch(self) -> None:
        tidied = clock.real_now() - HOUSEKEEPING
        compared: date | None = None
        woken = False
        try:
            while not self._stop.wait(SWEEP):
                try:
                    pulse.beat("worker")
                    if not woken:
                        wake_mails()
                        woken = True
                    sweep()
                    if compared != shop().today():
                        compared = shop().today()
                        owe_nightly(compared)
                    if clock.real_now() - tidied >= HOUSEKEEPING:
                        tidy()
                        tidied = clock.real_now()
                except Exception:
                    log.exception("the sweep failed")
                    connections.close_all()
        finally:
            connections.close_all()


def tidy() -> None:
    """Forget answers that nobody may ask for again."""
    execute("DELETE FROM core_idempotencykey WHERE created_at < %s", [clock.real_now() - LIFE])


def owe_nightly(today: date) -> bool:
    """With a new day in the shop: compare with the card processor, once, whichever worker comes first. True if owed.

    A shop that has just opened has nothing to compare yet and begins with its second day.
    """
    day = today.isoformat()
    with writing():
        last, opened = Setting.objects.get_or_create(key=COMPARED, defaults={"value": day})
        if opened or not Setting.objects.filter(pk=last.pk).exclude(value=day).update(value=day):
            return False
        if not settings.STRIPE_API_KEY:
            return False
        jobs.enqueue("charging.reconcile", key=day, payload={})
    return True
