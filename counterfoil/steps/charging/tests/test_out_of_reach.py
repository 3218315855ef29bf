"""The processor dies with work asked of it: everything waits, is seen to wait, and goes by itself when it is back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.db import execute
from counterfoil.core.models import Job
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import away, breaker
from counterfoil.records.orders.models import Charge, Refund
from counterfoil.shell.runner import free_port
from counterfoil.steps.charging import reach
from counterfoil.steps.charging.tests.build import approved, at_the_bank, fault, later, time_passes
from tests.support import ROOT, Api, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500
MANY = 10


class Processor:
    """The sandbox on one port and one folder, killed and started as often as a test wants."""

    def __init__(self, data: Path) -> None:
        self.port, self.data = free_port(), data
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = ["-m", "sandbox.processor", "--port", str(self.port), "--data", str(self.data)]
        self.process = subprocess.Popen(
            [sys.executable, "-u", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        assert "ready" in self.process.stdout.readline()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture
def processor(tmp_path: Path, settings: Any, mailbox: Any) -> Iterator[Processor]:
    started = Processor(tmp_path)
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_sandbox", "whsec_test"
    settings.STRIPE_API_BASE = settings.SANDBOX_URL = started.url
    yield started
    started.kill()


def work_through(seconds: float = 40.0) -> None:
    """A worker's time: whatever waits comes up again and again, in real time, until nothing charging is owed."""
    end = time.monotonic() + seconds
    while Job.objects.filter(name__in=["charging.send", "charging.refund", "charging.save_card"]).exists():
        assert time.monotonic() < end, list(Job.objects.values_list("key", "state", "last_error"))
        time_passes()
        settle()
        time.sleep(0.2)


def test_a_processor_that_dies_with_twenty_things_asked_of_it_does_each_once_when_it_is_back(
    processor: Processor,
) -> None:
    api = Api()
    to_refund = [approved(api) for _ in range(MANY)]
    for number in to_refund:
        api.done(f"/orders/{number}/charge", {})
    to_charge = [approved(api) for _ in range(MANY)]
    settle()
    processor.kill()
    began = time.monotonic()
    for number in to_charge:
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    for number in to_refund:
        assert api.post(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"}).status == 201
    # The first few tries are made in earnest; after that nobody waits for a bank that is not there.
    assert time.monotonic() - began < 45  # some 3 s on a quiet machine; 100 without the breaker
    for _ in range(30):  # an outage of any length
        time_passes()
        settle()
    waiting = Job.objects.filter(name__in=["charging.send", "charging.refund"])
    assert waiting.count() == 2 * MANY
    assert set(waiting.values_list("state", flat=True)) == {"queued"}
    assert max(waiting.values_list("attempts", flat=True)) <= 1
    processor.start()
    work_through()
    later()
    for number in to_charge:
        assert at_the_bank(processor.url, number) == [(TOTAL, 0)]
    for number in to_refund:
        assert at_the_bank(processor.url, number) == [(TOTAL, 1000)]
    assert not Job.objects.filter(state="dead").exists()
    assert Charge.objects.filter(state="succeeded").count() == 2 * MANY
    assert Refund.objects.filter(state="succeeded").count() == MANY
    assert judge_all() == []


def test_the_desk_and_the_metrics_say_that_the_bank_is_away_and_what_waits(processor: Processor) -> None:
    api = Api()
    paid, unpaid = approved(api), approved(api)
    api.done(f"/orders/{paid}/charge", {})
    desk = at_the_desk()

    def shown() -> tuple[str, str]:
        reach.forget()
        return desk.get("/desk/queues/charge").content.decode(), Client().get("/metrics").content.decode()

    page, metrics = shown()
    assert "cannot be reached" not in page
    assert "counterfoil_bank_reachable 1" in metrics
    processor.kill()
    api.post(f"/orders/{unpaid}/charge", {})
    api.done(f"/orders/{paid}/refunds", {"amount": 1000, "reason": "corked"})
    for _ in range(3):
        time_passes()
        settle()
    since = away()
    assert since is not None
    page, metrics = shown()
    assert "The bank cannot be reached since" in page
    assert "1 charge and 1 refund wait and go by themselves." in page
    assert "counterfoil_bank_reachable 0" in metrics
    assert 'counterfoil_bank_waiting{kind="charge"} 1' in metrics
    assert 'counterfoil_bank_waiting{kind="refund"} 1' in metrics
    processor.start()
    work_through()
    page, metrics = shown()
    assert "cannot be reached" not in page
    assert "counterfoil_bank_reachable 1" in metrics


def test_another_process_learns_from_the_jobs_that_wait(processor: Processor) -> None:
    """This process has asked nothing itself: what the worker wrote beside its jobs is enough."""
    api = Api()
    number = approved(api)
    processor.kill()
    api.post(f"/orders/{number}/charge", {})
    for _ in range(3):
        time_passes()
        settle()
    seen = away()
    assert seen is not None
    breaker.forget()
    reach.forget()
    waiting = reach.waiting()
    assert waiting is not None
    assert (waiting.charges, waiting.refunds) == (1, 0)
    assert abs(waiting.since - seen.since) < timedelta(seconds=1)


def test_an_error_about_one_object_while_others_are_answered_counts_as_a_try(card: str) -> None:
    api = Api()
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    with fault(card, "error_500", path="/v1/refunds"):
        settle()
    job = Job.objects.get(name="charging.refund")
    assert (job.state, job.attempts) == ("queued", 1)


def test_a_processor_that_answers_with_errors_for_days_uses_nothing_up_either(
    card: str, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(breaker, "LONGEST_SECONDS", 0.01)
    breaker.forget()
    api = Api()
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "corked"})
    with fault(card, "error_500", method="*"):
        for _ in range(70):  # more than a job has attempts
            time_passes()
            settle()
            time.sleep(0.02)
    job = Job.objects.get(name="charging.refund")
    assert (job.state, job.last_error[:27]) == ("queued", "the bank cannot be reached ")
    assert job.attempts <= breaker.AFTER
    work_through()
    assert at_the_bank(card, number) == [(TOTAL, 1000)]


def test_a_shop_without_a_key_waits_for_it_and_uses_nothing_up(card: str, settings: Any, mailbox: Any) -> None:
    api = Api()
    number = approved(api)
    settings.STRIPE_API_KEY = ""
    assert api.post(f"/orders/{number}/charge", {}).status == 202
    for _ in range(70):  # more than a job has attempts
        execute("UPDATE core_job SET run_at = %s WHERE state = 'queued'", [clock.real_now()])
        settle()
    job = Job.objects.get(name="charging.send")
    assert (job.state, job.attempts) == ("queued", 0)
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    later()
    assert at_the_bank(card, number) == [(TOTAL, 0)]
