"""Undoing the newest amendment: another one, back to the former lines, that moves money only by the balance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.money import step
from counterfoil.core.shop import shop
from counterfoil.flow.amend.amending import Preview, drawn, mail_changed
from counterfoil.flow.amend.consent import in_words, read_consent
from counterfoil.flow.amend.making import Change, begin, finish, promise
from counterfoil.flow.amend.pictures import same_goods_and_money, whole_picture
from counterfoil.flow.amend.putting import put
from counterfoil.flow.amend.wanted import Row, Wanted
from counterfoil.flow.rules import has_left, may_amend
from counterfoil.records.orders.load import check, facts_of, take
from counterfoil.records.orders.models import Amendment, Order, Part
from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums


def undo_amendment(
    *,
    order: str,
    number: int,
    actor: Actor,
    consent: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Amendment:
    """Put the order back to what it was before its newest amendment, by a new amendment.

    Money moves only by the balance: what went back is not given twice, and what is missing again is to be charged.
    Raises Forbidden, Missing, Invalid (`consent`), or Refused when it has been undone, when a later amendment stands on
    it, when goods have left, or when it divided or merged parts.
    """
    require(actor, CLERK)
    agreed = read_consent(consent, now=clock.business_now())
    with writing():
        return _undo(order, number, actor, agreed, version)


def preview_undo(*, order: str, number: int, actor: Actor) -> Preview:
    """What `undo_amendment` would do. Raises the same."""
    require(actor, CLERK)
    return drawn(order, lambda: _undo(order, number, actor, {"how": "preview"}, None))


def _undo(order: str, number: int, actor: Actor, consent: Mapping[str, Any], version: int | None) -> Amendment:
    taken = take(order, version=version)
    undone = Amendment.objects.filter(order=taken, number=number).first()
    if undone is None:
        raise Missing(f"{order} has no amendment {number}")
    again = Amendment.objects.filter(undoes=undone).first()
    if again is not None:
        raise blocked("someone_else", f"undone already by {again.actor}, as amendment {again.number}", by=again.actor)
    facts = facts_of(taken)
    check(may_amend(facts))
    newest = Amendment.objects.filter(order=taken).order_by("-number").first()
    if newest is None or newest.pk != undone.pk:
        raise blocked("someone_else", "a later amendment stands on it: undo that one first")
    now = whole_picture(taken)
    if not same_goods_and_money(now, undone.after):
        raise blocked("someone_else", "the order has changed since in another way: amend it anew")
    wanted = _former(taken, undone, now)
    lost = [p for p in facts.parts if has_left(p) and p.number in _touched(undone)]
    if lost:
        raise blocked("already_shipped", f"part {lost[0].number} has been shipped since")
    if consent.get("how") == "not_needed":
        raise Invalid(("consent.how", "the customer must agree to this: say how they did"))
    change = Change(taken, {}, actor)
    before = begin(change)
    put(change, wanted)
    _promise_as_before(change, undone)
    made = finish(
        change,
        before,
        kind=Amendment.UNDO,
        text=f"Amendment {undone.number} undone"
        + (f", {in_words(consent)}" if consent.get("how") != "preview" else ""),
        data={"kind": "undo", "undoes": undone.number, "consent": dict(consent)},
        consent=consent,
        undoes=undone,
    )
    mail_changed(taken, made, "as it was before the last change")
    return made


def _touched(made: Amendment) -> set[int]:
    """The parts in which an amendment changed goods or money."""
    old, new = made.before, made.after
    sums = {p["number"]: p for p in old["parts"]}
    found = {p["number"] for p in new["parts"] if sums.get(p["number"], {}).get("total") != p["total"]}
    lines = {ln["id"]: ln for ln in old["lines"]}
    return found | {ln["part"] for ln in new["lines"] if lines.get(ln["id"]) != ln}


def _former(order: Order, undone: Amendment, now: Mapping[str, Any]) -> Wanted:
    """The order before the amendment, with what it added taken off again. Raises Refused when that cannot be."""
    old = undone.before
    if [p["number"] for p in old["parts"]] != [p["number"] for p in now["parts"]]:
        raise blocked("someone_else", "it divided the order: merge its parts instead")
    known = {line["id"]: line for line in old["lines"]}
    rows = []
    for line in now["lines"]:
        was = known.get(line["id"])
        if was is not None and was["part"] != line["part"]:
            raise blocked("someone_else", "it brought parts together: ask the customer for a split")
        rows.append(_row(was or {**line, "quantity": 0, "cancelled": line["cancelled"] + line["quantity"], "tax": 0}))
    states = {p.number: p for p in Part.objects.filter(order=order)}
    for number in _touched(undone):
        if states[number].money == "voided":
            raise blocked("cancelled", f"part {number} has ended with it: add its goods to another part")
    sums = {
        p["number"]: Sums(p["subtotal"], p["shipping"], p["tax"], p["rounding"], step(order.currency))
        for p in old["parts"]
    }
    return Wanted(tuple(rows), sums, old["order"]["method"], old["order"]["address"], ())


def _row(line: Mapping[str, Any]) -> Row:
    money = LineMoney(line["quantity"], line["unit_price"], line["tax_ppm"], line["tax"])
    return Row(
        line["part"], line["product"], line["sku"], line["name"], money, id=line["id"], cancelled=line["cancelled"]
    )


def _promise_as_before(change: Change, undone: Amendment) -> None:
    """The former date is promised again, unless it has passed: a date that was given is a version, never erased."""
    old = {p["number"]: p["promise"] for p in undone.before["parts"]}
    new = {p["number"]: p["promise"] for p in undone.after["parts"]}
    for number, day in old.items():
        if day and day != new.get(number) and date.fromisoformat(day) >= shop().today():
            again = Change(change.order, {"date": day}, change.actor, touched=change.touched)
            promise(again, change.part(number), "amendment undone")
