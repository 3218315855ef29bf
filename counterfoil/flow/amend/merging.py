"""Parts come together again while neither is charged: one parcel, one charge, one invoice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.machine import shift
from counterfoil.flow.amend.amending import Preview, drawn, mail_changed
from counterfoil.flow.amend.consent import in_words, read_consent
from counterfoil.flow.amend.making import Change, begin, finish, open_up
from counterfoil.flow.amend.totals import write
from counterfoil.flow.rules import may_merge
from counterfoil.records.orders.load import check, facts_of, take
from counterfoil.records.orders.models import MONEY, Amendment, Line, Part, Promise
from counterfoil.records.orders.promises import keep_promise
from counterfoil.steps.alternatives.arithmetic import Sums
from counterfoil.steps.alternatives.queries import sums_of


def merge_parts(
    *,
    order: str,
    part: int,
    into: int,
    actor: Actor,
    consent: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Amendment:
    """Move everything of one part into another; the first ends, and the other's sales order is made anew.

    What is all on the shelf keeps the earlier of both promises: nothing ships later than was said, and nobody need be
    asked. Where something is still to come, everything waits for it: the later promise holds, and if that is later than
    was said of any goods, the customer's consent is wanted. The legal deadline is the earlier one, unless they
    consented. Raises Forbidden, Missing, Invalid (`part`, `into`, `consent.how`) or Refused with every blocker.
    """
    require(actor, CLERK)
    agreed = read_consent(consent or {"how": "not_needed"}, now=clock.business_now())
    with writing():
        return _merge(order, part, into, actor, agreed, version)


def preview_merge(*, order: str, part: int, into: int, actor: Actor) -> Preview:
    """What `merge_parts` would do. Raises the same."""
    require(actor, CLERK)
    return drawn(order, lambda: _merge(order, part, into, actor, {"how": "preview"}, None))


def _merge(
    number: str, part: int, into: int, actor: Actor, consent: Mapping[str, Any], version: int | None
) -> Amendment:
    taken = take(number, version=version)
    facts = facts_of(taken)
    known = {p.number for p in facts.parts}
    wrong = [(name, f"{number} has no part {n}") for name, n in (("part", part), ("into", into)) if n not in known]
    if part == into:
        wrong.append(("into", "name two different parts"))
    if wrong:
        raise Invalid(*wrong)
    check(may_merge(facts, (part, into)))
    waits = any(line.open_units > 0 for p in facts.parts if p.number in {part, into} for line in p.lines)
    change = Change(taken, {}, actor)
    before = begin(change)
    gone, stays = change.part(part), change.part(into)
    _promised(change, gone, stays, waits=waits, consent=consent)
    for one in (gone, stays):
        open_up(change, one)
    Line.objects.filter(part=gone).update(part=stays)
    together = sums_of(stays, taken.currency).plus(sums_of(gone, taken.currency)).chargeable()
    write(stays, together)
    write(gone, Sums(0, 0, 0))
    change.moves.append(shift(MONEY, "void", gone, part=gone.number))
    text = f"Parts {into} and {part} ship together"
    made = finish(
        change,
        before,
        kind=Amendment.MERGE,
        text=f"{text}, {in_words(consent)}" if consent.get("who") else text,
        event="parts_merged",
        data={"kind": "merge", "part": part, "into": into, "consent": dict(consent)},
        changes=[{"kind": "merge", "part": part, "into": into}],
        consent=consent,
    )
    mail_changed(taken, made, "everything ships together")
    return made


def _promised(change: Change, gone: Part, stays: Part, *, waits: bool, consent: Mapping[str, Any]) -> None:
    dates = [p.promise_date for p in (gone, stays) if p.promise_date]
    if not dates:
        return
    day = max(dates) if waits else min(dates)
    agreed = consent.get("how") != "not_needed"
    if day > min(dates) and not agreed:
        words = f"some of it was promised for {min(dates)} and would wait until {day}: the customer must agree"
        raise Invalid(("consent.how", words))
    deadlines = [p.legal_deadline for p in (gone, stays) if p.legal_deadline]
    if deadlines:
        stays.legal_deadline = (max if day > min(dates) else min)(deadlines)
    said = Promise.EXPRESS if agreed else Promise.STATED
    keep_promise(change.order, stays, day, basis="parts merged", actor=change.actor, consent=said)
