"""`counterfoil simulate`: one seed, one story, the process dying at named points; and the proof when all is quiet."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from simulation.world import POINTS, Killed, World, same_again

DAY = 86_400.0
LONGEST = 400  # rounds that the shop may need to come to rest
ENDED = ("done", "cancelled")


def simulate(*, seed: int, orders: int, kill_rate: float = 0.004) -> int:
    """Tell the story of a seed on a database of its own. Prints what happened; the last line is the journal's hash.

    Exit code 0: every invariant holds at the end. The same seed, orders and commit give the same hash.
    """
    same_again()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="counterfoil-simulation-") as folder:
        story = _Story(Path(folder), seed, orders, kill_rate)
        with story.opened():
            broken = story.told()
            print(story.summary())
            for finding in broken:
                print(f"BROKEN  {finding}")
            print(f"simulate: seed {seed}, {orders} orders: {len(broken) or 'nothing'} broken")
            print(f"journal {journal_hash()}", flush=True)
    return 1 if broken else 0


def journal_hash() -> str:
    """SHA-256 over the events in their order: what happened to what and whom, without wall time, secrets or row ids."""
    from counterfoil.core.models import JournalEvent

    digest = hashlib.sha256()
    fields = ("subject", "kind", "actor", "part", "text", "moves")
    for event in JournalEvent.objects.order_by("id").values_list(*fields):
        digest.update(json.dumps(event, sort_keys=True, ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


class _Story:
    def __init__(self, folder: Path, seed: int, orders: int, kill_rate: float) -> None:
        self.folder, self.seed, self.orders = folder, seed, orders
        self.world = World(seed, kill_rate=kill_rate)
        self.deaths = self.mails = 0
        self.weather: list[str] = []

    # --- the stage ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Within: a fresh database, the bank in this process, the world's clock."""
        for name in list(os.environ):
            if name.startswith(("COUNTERFOIL_", "STRIPE_", "EMAIL_", "DATABASE_")):
                del os.environ[name]
        os.environ.update(
            DATABASE_URL=f"sqlite:///{self.folder / 'shop.sqlite3'}",
            DJANGO_SETTINGS_MODULE="counterfoil.shell.settings",
            COUNTERFOIL_VAR=str(self.folder),
            COUNTERFOIL_SECRET_KEY=f"simulation {self.seed}",
            COUNTERFOIL_TESTING="1",
        )
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.test.utils import setup_test_environment, teardown_test_environment

        from simulation import bank, people

        call_command("migrate", verbosity=0, interactive=False)
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = bank.KEY, bank.BASE
        settings.STRIPE_WEBHOOK_SECRET, settings.SANDBOX_URL = bank.SECRET, ""
        setup_test_environment()
        with self.world.installed(), contextlib.ExitStack() as stack:
            self.bank = bank.Bank(self.world, self.folder, self.seed)
            self._wire(stack)
            self.people = people.People(self.world, self.bank)
            self.people.open_shop()
            try:
                yield
            finally:
                from django.db import connections

                connections.close_all()
                self.bank.processor.store.connection.close()
                teardown_test_environment()

    def _wire(self, stack: contextlib.ExitStack) -> None:
        """The shop's two lines out: to the bank, and to the mailbox, at both of which the process may die."""
        from counterfoil.flow.verify import money
        from counterfoil.gateways.card.stripe import client
        from counterfoil.gateways.mail import jobs as sending

        stack.enter_context(patch.object(client, "Connection", lambda breaker, _seconds: self.bank.wire(breaker)))
        stack.enter_context(patch.object(sending, "_connection", lambda: _Mailbox(self)))
        stack.enter_context(patch.object(money, "read_ledger", self._ledger))

    def _ledger(self) -> dict[str, Any]:
        return {"payment_intents": self.bank.processor.summary()}

    # --- the story ---------------------------------------------------------------------------------------------------

    def told(self) -> list[str]:
        """Everything that happens, and then what is broken."""
        from counterfoil.records.orders.models import Order

        chance, people = self.world.chance, self.people
        with self.world.deadly():
            self.world.mortal = True
            while Order.objects.count() < self.orders or chance.random() < 0.98:
                what = chance.random()
                if what < 0.08 and Order.objects.count() < self.orders:
                    self._alive(people.place)
                elif what < 0.5:
                    self._alive(lambda: self._somebody(people.go_on))
                elif what < 0.56:
                    self._alive(lambda: self._somebody(people.disturb))
                elif what < 0.6:
                    self._alive(lambda: self._somebody(people.let_go_on))
                elif what < 0.64:
                    self.weather.append(self.bank.misbehave())
                elif what < 0.74:
                    self._alive(lambda: self.bank.tell(people.client, lose=0.3))
                elif what < 0.97:
                    self.world.pass_time(chance.choice((1, 5, 60, 900)))
                    self._alive(lambda: self._work(chance.randint(1, 10)))
                else:
                    self.world.pass_time(chance.choice((0.3, 1, 2)) * DAY)
                    self._alive(self._morning)
            self.world.mortal = False
            broken = self._left_alone()
            self._come_to_rest()
        return broken + self._findings(
            list(Order.objects.exclude(queue__in=ENDED).values_list("number", "queue", "next_action"))
        )

    def _somebody(self, act: Callable[[Any], None]) -> None:
        """Somebody takes an order in hand, mostly one that is not at its end."""
        from counterfoil.records.orders.models import Order

        found = Order.objects.order_by("id")
        if self.world.chance.random() < 0.9:
            found = found.exclude(queue__in=ENDED)
        known = list(found)
        if known:
            act(self.world.chance.choice(known))

    def _alive(self, act: Callable[[], object]) -> None:
        """Do something; where the process dies in the middle, another is started, which knows what is on disk."""
        try:
            act()
        except Killed:
            self.deaths += 1
            self._born_again()

    def _born_again(self) -> None:
        from django.db import connections

        from counterfoil.core import clock, shop
        from counterfoil.core.access import keys
        from counterfoil.flow import advance
        from counterfoil.gateways.card import breaker
        from counterfoil.steps.charging import reach

        connections.close_all()
        for forget in (clock.forget, shop.forget, keys.forget, breaker.forget, reach.forget):
            forget()
        advance._local.__dict__.clear()
        self.world.pass_time(self.world.chance.choice((1, 5, 120)))  # until a supervisor starts the next

    def _work(self, most: int) -> None:
        """What a worker does in a while."""
        from counterfoil.core import jobs
        from counterfoil.flow.advance import sweep

        for _ in range(most):
            if not jobs.run_one("simulated"):
                break
        sweep()

    def _morning(self) -> None:
        """A new day in the shop: the comparison with the bank is owed, and the deliveries come."""
        from counterfoil.core.shop import shop
        from counterfoil.shell.worker import owe_nightly, tidy

        owe_nightly(shop().today())
        tidy()
        self.people.receive()
        self._work(50)

    def _left_alone(self) -> list[str]:
        """Fair weather, and nobody touches anything: what was owed when the last process died is done by itself."""
        from counterfoil.core.shop import shop
        from counterfoil.flow.verify import judge_all
        from counterfoil.shell.worker import owe_nightly

        self.bank.processor.heal()
        self.world.pass_time(DAY)
        owe_nightly(shop().today())  # what no webhook will ever tell is found by asking
        for _ in range(12):
            self.world.pass_time(300)
            self.bank.tell(self.people.client)
            self._work(200)
        return [f"left alone: {name}: {finding}" for name, finding in judge_all()]

    def _come_to_rest(self) -> None:
        """Fair weather: everything owed is done, every order is brought to its end, as far as there is one."""
        from counterfoil.records.orders.models import Order

        for n in range(LONGEST):
            self.world.pass_time(DAY / 2 if n % 4 == 3 else 600)
            told = self.bank.tell(self.people.client)
            self._morning()
            self._work(200)
            left = list(Order.objects.exclude(queue__in=ENDED).order_by("id"))
            if not (told or left or self._owed()):
                return
            for order in left:
                self.people.let_go_on(order)
                self.people.go_on(Order.objects.get(pk=order.pk))

    def _owed(self) -> bool:
        from counterfoil.core.models import Job

        return Job.objects.exclude(state="dead").exists()

    def _findings(self, left: list[tuple[str, str, str]]) -> list[str]:
        from counterfoil.flow.verify import judge_all
        from counterfoil.records.orders.models import Charge

        broken = [f"{name}: {finding}" for name, finding in judge_all()]
        broken += [f"{number} did not come to its end: {queue}, {action}" for number, queue, action in left]
        taken = [i["metadata"].get("charge") for i in self.bank.processor.summary() if i["amount_captured"]]
        for key in Charge.objects.filter(method="card", state="succeeded", amount__gt=0).values_list(
            "create_key", flat=True
        ):
            if taken.count(key) > 1:
                broken.append(f"{taken.count(key)} successes at the bank for the one charge {key}")
        return broken

    def summary(self) -> str:
        """What happened, in a few lines."""
        from counterfoil.core.models import JournalEvent
        from counterfoil.records.orders.models import Order

        died = ", ".join(f"{self.world.died[p]} {p}" for p in POINTS if self.world.died[p])
        days = timedelta(seconds=self.world.now - _opening()).days
        events = JournalEvent.objects.count()
        queues = ", ".join(f"{Order.objects.filter(queue=q).count()} {q}" for q in ENDED)
        return "\n".join(
            (
                f"told     {events} events of {Order.objects.count()} orders in {days} days: {queues}",
                f"died     {self.deaths} times ({died})",
                f"weather  {len(self.weather)} faults of the bank, {self.bank.told} webhooks, {self.mails} mails",
                f"heard    {sum(self.people.heard.values())} answers; {self.people.bought} purchase orders",
            )
        )


def _opening() -> float:
    from simulation.world import OPENING

    return OPENING.timestamp()


class _Mailbox:
    """Django's mail backend, as far as it is asked."""

    def __init__(self, story: _Story) -> None:
        self._story = story

    def send_messages(self, messages: list[Any]) -> int:
        self._story.mails += len(messages)
        self._story.world.reach("mail sent")
        return len(messages)


def main(seed: int, orders: int) -> int:
    """The command's door."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return simulate(seed=seed, orders=orders)
