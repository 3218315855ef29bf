"""What becomes of promises: the customer is told of a delay, answers or says nothing, and it stands or lapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from counterfoil.flow.map import due_by_itself
from counterfoil.flow.promising import at_risk, ends_after, off, terms_of, to_tell
from counterfoil.flow.rules import may_cancel
from counterfoil.flow.tests.walking import laws
from counterfoil.flow.tests.walking.asking import cancelled
from counterfoil.flow.tests.walking.world import LATE, NOW, Next, World
from counterfoil.records.orders.facts import NoticeFacts, OrderFacts, PartFacts


def notices(world: World) -> Iterator[Next]:
    """As `flow.noticing` does it, with every kind of notice that could go out; and the customer's answers to it."""
    order = world.order
    act = due_by_itself(order)
    if act == "send_notice":
        for consents in (True, False):
            yield f"told of a delay, silence {'consents' if consents else 'cancels'}", _told(world, consents=consents)
    if act == "withdraw_notice":
        kept = tuple(n for n in order.notices if not off(order, _part(order, n), n))
        yield "the notice is taken back", _with(world, kept)
    if act == "end_notice":
        yield "the last day for an answer is over", _ended(world)
    for notice in order.notices:
        if notice.open:
            part = _part(order, notice)
            yield "they wait", _promised(_with(world, ()), part)
            yield "none of it", _with(world, (replace(notice, open=False, declined=True),))
            if not may_cancel(order):
                yield "they cancel", cancelled(world)


def _part(order: OrderFacts, notice: NoticeFacts) -> PartFacts:
    return next(p for p in order.parts if p.number == notice.part)


def _told(world: World, *, consents: bool) -> World:
    order = world.order
    made = []
    for part in to_tell(order):
        laws.must(at_risk(order, part), "nobody is told of a delay that is none")
        terms = terms_of(order, part, consents=consents)
        made.append(NoticeFacts(part.number, part.promise_version, LATE, terms.answer_by, consents))
    return _with(world, tuple(made))


def _with(world: World, notices: tuple[NoticeFacts, ...]) -> World:
    """The same order with these notices, waiting for an answer where silence is no yes."""
    waits = any(n.open and not n.consents for n in notices)
    return world.of(notices=notices, question_open=waits, question_expires_at=None)


def _promised(world: World, part: PartFacts) -> World:
    index = world.order.parts.index(part)
    legal = max(part.legal_deadline or LATE, LATE)
    return world.with_part(index, replace(part, promise_date=LATE, legal_deadline=legal))


def _ended(world: World) -> World:
    order = world.order
    for notice in order.notices:
        part = _part(order, notice)
        if order.today <= ends_after(part, notice):
            continue
        if notice.consents and not notice.declined:
            return _promised(_with(world, tuple(n for n in order.notices if n is not notice)), part)
        laws.must(not may_cancel(order), "what lapses can be cancelled")
        laws.must(order.today > notice.answer_by, "nothing lapses before the last day for an answer")
        return cancelled(world)
    raise AssertionError("a notice ends whose time is not over")


def none_lapses_unseen(world: World) -> None:
    """Whoever must be told is told next, unless something else comes first; an end that is due is due."""
    order = world.order
    if order.cancelled or any(p.money in {"charging", "unknown"} for p in order.parts):
        return
    over = [n for n in order.notices if order.today > ends_after(_part(order, n), n)]
    if over or (to_tell(order) and not order.notices and not order.question_open):
        laws.must(due_by_itself(order) is not None, "a promise lapses, and nobody does anything")
    assert order.now == NOW
