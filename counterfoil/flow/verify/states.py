"""States: the journal tells them, the queues show them, nothing is stuck."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from counterfoil.core import clock
from counterfoil.core.db import rows
from counterfoil.core.models import JournalEvent
from counterfoil.flow.map import derive, due_by_itself, jobs_due
from counterfoil.gateways.mail.reach import NO_SERVER, mails_kept, never_named
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of_many
from counterfoil.records.orders.models import AXES, REVIEW, Order, Part

PAGE = 500
STUCK = timedelta(seconds=60)


def replay() -> list[str]:
    """Replaying every order's moves from the first states gives the states that are stored."""
    found = []
    states: dict[tuple[str, int, str], str] = {}
    for subject, moves in JournalEvent.objects.order_by("id").values_list("subject", "moves").iterator(chunk_size=2000):
        for move in moves:
            key = (subject, int(move["part"]), move["axis"])
            machine = REVIEW if move["axis"] == "review" else AXES[move["axis"]]
            before = states.get(key, machine.first)
            if before != move["from"]:
                found.append(f"{subject} {move['axis']}: the journal moves from {move['from']}, it stood at {before}")
            if not machine.allows(move["from"], move["to"]):
                found.append(f"{subject} {move['axis']}: {move['from']} to {move['to']} is no transition")
            states[key] = move["to"]
    for number, review in Order.objects.filter(closed_history=False).values_list("number", "review"):
        told = states.get((number, 0, "review"), REVIEW.first)
        if told != review:
            found.append(f"{number}: review is {review}, the journal says {told}")
    parts = Part.objects.filter(order__closed_history=False).values_list(
        "order__number", "number", "stock", "money", "parcel", "books"
    )
    for number, part, *stored in parts:
        for axis, state in zip(AXES, stored, strict=True):
            told = states.get((number, part, axis), AXES[axis].first)
            if told != state:
                found.append(f"{number} part {part}: {axis} is {state}, the journal says {told}")
    return found


def queues() -> list[str]:
    """Status, queue and next action of every order are what `derive` says of its facts now."""
    found = []
    last = 0
    while page := list(Order.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        facts = facts_of_many(page)
        for order in page:
            want = derive(facts[order.pk])
            is_, should = (order.status, order.queue, order.next_action), (want.status, want.queue, want.next_action)
            if is_ != should:
                found.append(f"{order.number}: stands at {is_}, the facts say {should}")
        last = page[-1].pk
    return found


def undone() -> list[str]:
    """What the process does by itself has been done, or a job owes it."""
    found = []
    last = 0
    while page := list(Order.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        facts = facts_of_many(page)
        last = page[-1].pk
        for order in page:
            act = due_by_itself(facts[order.pk])
            for what, job in [*([(act, "charging.expire_checkout")] if act else []), *_asked(facts[order.pk])]:
                owed = rows(
                    "SELECT 1 FROM core_job WHERE key IN (%s, %s)",
                    [f"flow.advance:{order.number}", f"{job}:{order.number}"],
                )
                if not owed:
                    found.append(f"{order.number}: {what} is due by itself, and nobody owes it")
    return found


def _asked(facts: OrderFacts) -> list[tuple[str, str]]:
    return [(job.partition(".")[2], job) for job in jobs_due(facts)]


def jobs_alive() -> list[str]:
    """No job lies dead, and none has been due for more than a minute; but for mails of a shop without a mail server."""
    now = clock.real_now()
    found = [
        f"job {name} ({key}) is dead: {str(error).strip().splitlines()[-1] if error else ''}"
        for name, key, error in rows("SELECT name, key, last_error FROM core_job WHERE state = 'dead' ORDER BY id")
    ]
    kept = never_named()
    for name, key in rows(
        "SELECT name, key FROM core_job WHERE state = 'queued' AND run_at < %s ORDER BY id", [now - STUCK]
    ):
        if name != "mail.send" or not kept:
            found.append(f"job {name} ({key}) has been due for more than a minute; is a worker running?")
    if not settings.EMAIL_URL and not kept:
        lost = rows(
            "SELECT key FROM core_job WHERE name = 'mail.send' AND state = 'queued' AND run_at >= %s "
            "AND last_error = %s ORDER BY id",
            [now - STUCK, NO_SERVER],
        )
        found += [f"job mail.send ({key}): mails went out before, and now no mail server is named" for (key,) in lost]
    return found


def mails_that_wait() -> list[str]:
    """In words, what no mail server was ever named for: it is kept, and nothing is wrong with it."""
    count = mails_kept() if never_named() else 0
    if not count:
        return []
    return [f"{count} {'mail waits' if count == 1 else 'mails wait'}: no mail server is named (EMAIL_URL)"]


def inbox() -> list[str]:
    """Every event that the processor sent was looked into."""
    limit = clock.real_now() - timedelta(minutes=5)
    return [
        f"event {event} ({kind}) was never looked into"
        for event, kind in rows(
            "SELECT event_id, type FROM charging_inboxevent WHERE handled_at IS NULL AND received_at < %s", [limit]
        )
    ]
