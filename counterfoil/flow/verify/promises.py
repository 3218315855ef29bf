"""Promises: what a part says is its newest version, nobody is told twice at once, and none lapses unhandled."""

from __future__ import annotations

from counterfoil.core.db import rows
from counterfoil.flow.promising import ends_after, to_tell
from counterfoil.records.orders.load import facts_of_many
from counterfoil.records.orders.models import Order, Part, Promise

PAGE = 500


def versions() -> list[str]:
    """A part's date, legal deadline and consent are those of its newest version; versions have no gaps."""
    newest: dict[int, Promise] = {}
    counts: dict[int, int] = {}
    for promise in Promise.objects.order_by("part_id", "version").iterator(chunk_size=2000):
        newest[promise.part_id] = promise
        counts[promise.part_id] = counts.get(promise.part_id, 0) + 1
    found = []
    for part in Part.objects.filter(promise_version__gt=0).select_related("order").iterator(chunk_size=2000):
        kept = newest.get(part.pk)
        who = f"{part.order.number} part {part.number}"
        if kept is None or kept.version != part.promise_version or counts[part.pk] != part.promise_version:
            found.append(
                f"{who}: stands at version {part.promise_version} of its promise, which is not the newest kept"
            )
        elif (kept.date, kept.legal_deadline) != (part.promise_date, part.legal_deadline):
            found.append(f"{who}: promised for {part.promise_date}, its newest version says {kept.date}")
        elif part.promise_consent and kept.consent != part.promise_consent:
            found.append(f"{who}: consent is {part.promise_consent}, its newest version says {kept.consent}")
    return found


def notices() -> list[str]:
    """An open notice is about the promise as it stands, its question is the order's, and the journal tells of it."""
    found = []
    for number, part, told, stands in rows(
        "SELECT o.number, p.number, n.version, p.promise_version FROM orders_notice n JOIN orders_part p "
        "ON p.id = n.part_id JOIN orders_order o ON o.id = n.order_id WHERE n.closed_at IS NULL "
        "AND (n.version <> p.promise_version OR o.cancelled_at IS NOT NULL)"
    ):
        found.append(
            f"{number} part {part}: a notice about version {told} of its promise is open, it stands at {stands}"
        )
    for number, part in rows(
        "SELECT o.number, p.number FROM orders_notice n JOIN orders_part p ON p.id = n.part_id JOIN orders_order o "
        "ON o.id = n.order_id JOIN orders_proposal q ON q.id = n.proposal_id WHERE q.order_id <> n.order_id "
        "OR p.order_id <> n.order_id OR (n.closed_at IS NULL) <> (n.outcome = '')"
    ):
        found.append(f"{number} part {part}: a notice and its question are not of one order, or it is half closed")
    for number, told, sent in rows(
        "SELECT o.number, (SELECT COUNT(DISTINCT n.proposal_id) FROM orders_notice n WHERE n.order_id = o.id), "
        "(SELECT COUNT(*) FROM core_journalevent e WHERE e.subject = o.number AND e.kind = 'delay_notice_sent') "
        "FROM orders_order o WHERE EXISTS (SELECT 1 FROM orders_notice n WHERE n.order_id = o.id)"
    ):
        if int(told) != int(sent):
            found.append(f"{number}: {told} notices of delay are kept, the journal tells of {sent}")
    return found


def lapsed() -> list[str]:
    """No promise lapses unhandled: whoever must be told has been, and no last day for an answer is past unnoticed."""
    found = []
    last = 0
    open_ = Order.objects.exclude(queue__in=["done", "cancelled", "transit", "unfinished"]).order_by("pk")
    while page := list(open_.filter(pk__gt=last)[:PAGE]):
        last = page[-1].pk
        facts = facts_of_many(page)
        owed = {key for (key,) in rows("SELECT key FROM core_job WHERE name = 'flow.advance'")}
        for order in page:
            if f"flow.advance:{order.number}" in owed:
                continue  # a worker is about to look at it
            mine = facts[order.pk]
            by_number = {p.number: p for p in mine.parts}
            in_flight = any(p.money in {"charging", "unknown"} for p in mine.parts)
            for part in to_tell(mine) if not (mine.question_open or mine.notices or in_flight) else ():
                found.append(f"{order.number} part {part.number}: its promise cannot be kept, and nobody was told")
            for notice in mine.notices:
                if (
                    not notice.answered
                    and not in_flight
                    and mine.today > ends_after(by_number.get(notice.part), notice)
                ):
                    found.append(f"{order.number} part {notice.part}: the last day for an answer is over")
    return found
