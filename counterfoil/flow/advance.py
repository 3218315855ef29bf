"""Facts -> next action. May run again at any time: does what is due by itself, then writes down where the order is."""

from __future__ import annotations

import json
import logging
import threading
from collections import ChainMap
from datetime import timedelta

from counterfoil.core import clock, jobs, journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, is_postgres, rows, writing
from counterfoil.core.errors import Missing, Refused
from counterfoil.core.shop import shop
from counterfoil.flow.amend import apply_answer
from counterfoil.flow.amend.cover import COVER
from counterfoil.flow.map import QUEUES, Derived, derive, due_by_itself, jobs_due
from counterfoil.flow.noticing import NOTICES
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of, find, take
from counterfoil.records.orders.models import Order
from counterfoil.steps.acceptance.actions import make_sales_order
from counterfoil.steps.alternatives.actions import expire_proposals, withdraw_moot
from counterfoil.steps.charging.actions import remind, warn_of_end
from counterfoil.steps.fulfilment.actions import issue_pick_list
from counterfoil.steps.fulfilment.rules import may_pick
from counterfoil.steps.invoicing.actions import credit_unpaid, issue_invoice
from counterfoil.steps.sourcing.actions import check_stock

log = logging.getLogger(__name__)
_local = threading.local()
# Acts that ask the facts again by themselves, under the order: about promises, and about paid goods that do not come.
_OF_THEIR_OWN = ChainMap(NOTICES, COVER)
ROUNDS = 8  # automatic acts in a row; the longest chain is four


def advance(number: str) -> None:
    """Do what is due by itself on this order, then store status, queue, next action and blockers."""
    busy: set[str] = _local.__dict__.setdefault("advancing", set())
    if number in busy:
        # An automatic act of ours has just committed: the round further up this stack looks again anyway.
        return
    busy.add(number)
    try:
        for _ in range(ROUNDS):
            acted, seen = _act_once(number)
            # Stored only as it was read: if somebody has taken the order meanwhile, what they did may call for an act.
            if not acted and (seen is None or _store_seen(*seen)):
                return
        log.error("%s does not come to rest", number)
        store(number)
    finally:
        busy.discard(number)


def store(number: str) -> Derived:
    """Derive where the order stands from its facts and write it down. What is owed by itself stays owed: by its job."""
    with writing():
        order = take(number)
        derived = derive(facts_of(order))
        _write(order, derived)
    return derived


def _store_seen(order: Order, facts: OrderFacts) -> bool:
    """Write down what facts read before say. False when somebody took the order since: whoever changes one takes it."""
    with writing():
        # The order first, then the job: whoever queues one holds the order, so nobody's wake-up is lost.
        if not _write(order, derive(facts), seen=True):
            return False
        jobs.settle("flow.advance", order.number)
        for name in jobs_due(facts):
            _owe(name, order.number)
        return True


def _owe(name: str, number: str) -> None:
    """A job is owed once: one that waits, with its own patience, is not hurried by looking again.

    One that is running may have looked before this was due: it counts for nothing, and another is queued behind it.
    """
    if not rows("SELECT 1 FROM core_job WHERE key = %s AND state = 'queued'", [f"{name}:{number}"]):
        jobs.enqueue(name, key=number, payload={"order": number})


def _owed(name: str, number: str) -> bool:
    return bool(rows("SELECT 1 FROM core_job WHERE key = %s AND state <> 'dead'", [f"{name}:{number}"]))


def _write(order: Order, derived: Derived, *, seen: bool = False) -> bool:
    """Store; with `seen` the order is taken in the same statement, if nobody has since it was read (else False)."""
    since = order.queue_since if order.queue == derived.queue else clock.business_now()
    cast = "%s::jsonb" if is_postgres() else "%s"
    take_it, unchanged = ("version = version + 1, ", " AND version = %s") if seen else ("", "")
    written = execute(
        f"UPDATE orders_order SET {take_it}status = %s, queue = %s, queue_since = %s, next_action = %s, "
        f"blockers = {cast}, next_check_at = %s, deadline = %s, leave_by = %s WHERE id = %s{unchanged}",
        [
            derived.status,
            derived.queue,
            since,
            derived.next_action,
            json.dumps([b.as_json() for b in derived.blockers]),
            derived.next_check_at,
            derived.deadline,
            shop().leaves_by(order.shipping_method),
            order.pk,
            *([order.version] if seen else []),
        ],
    )
    return written == 1


def _act_once(number: str) -> tuple[bool, tuple[Order, OrderFacts] | None]:
    """One automatic act, if one is due. True when something was done and the facts should be read again.

    Also gives the order and then its facts as they were read: while that version stands, so do they.
    """
    try:
        order = find(number)
    except Missing:
        return False, None
    facts = facts_of(order)
    try:
        return _do(number, facts), (order, facts)
    except Refused as refused:
        # Somebody was faster between the reading and the act; the gates are asked again in the next round.
        log.info("%s: %s", number, refused)
        return True, None


def _do(number: str, facts: OrderFacts) -> bool:
    """Do the act that is due by itself. False when the facts need not be read again."""
    match due_by_itself(facts):
        case "end_checkout":
            return _end_checkout(number)
        case str(act) if act in _OF_THEIR_OWN:
            return _OF_THEIR_OWN[act](number)
        case "expire_question":
            expire_proposals(order=number)
        case "withdraw_question":
            withdraw_moot(order=number)
        case "apply_answer":
            apply_answer(order=number, actor=SYSTEM)
            # It waits while a charge is in flight; then there is nothing to read again.
            return not facts_of(find(number)).answer_unapplied
        case "make_sales_order":
            make_sales_order(order=number, actor=SYSTEM)
        case "check_stock":
            check_stock(order=number, actor=SYSTEM)
        case "warn_of_end":
            warn_of_end(order=number)
        case "remind":
            remind(order=number)
        case "issue_invoice":
            for part in facts.parts:
                if part.parcel in {"shipped", "delivered", "returned"} and part.books == "sales_order":
                    issue_invoice(order=number, part=part.number, actor=SYSTEM)
        case "credit_unpaid":
            for part in facts.parts:
                credit_unpaid(order=number, part=part.number, actor=SYSTEM)
        case _:
            _issue_pick_lists(number, facts)
            return False
    return True


def _issue_pick_lists(number: str, facts: OrderFacts) -> None:
    """Idempotent, and no reason for another round."""
    for part in facts.parts:
        if part.live and part.parcel in {"waiting", "picking"} and not may_pick(facts, part):
            issue_pick_list(order=number, part=part.number, actor=SYSTEM)


def _end_checkout(number: str) -> bool:
    if _owed("charging.expire_checkout", number):
        return False  # else taking the order would call for another look, and so on without end
    with writing():
        take(number)
        _owe("charging.expire_checkout", number)
    return False


def sweep(limit: int = 200) -> int:
    """Look again at orders that time alone may have moved. Returns how many were looked at."""
    due = rows(
        "SELECT number FROM orders_order WHERE next_check_at <= %s ORDER BY next_check_at LIMIT %s",
        [clock.business_now(), limit],
    )
    for (number,) in due:
        try:
            advance(str(number))
        except Exception:
            # One order's trouble is not the others': it is looked at again in a minute, and verify names it.
            log.exception("the sweep cannot advance %s", number)
            later = clock.business_now() + timedelta(minutes=1)
            execute("UPDATE orders_order SET next_check_at = %s WHERE number = %s", [later, number])
    return len(due)


def advance_after_commit(number: str) -> None:
    """What the journal calls right after an act has committed."""
    advance(number)


journal.on_event(advance_after_commit)

__all__ = ["QUEUES", "advance", "store", "sweep"]
