"""The promises of one order as the desk and its customer read them: every version, every notice and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from counterfoil.desk.saying import say_date
from counterfoil.records.orders.models import Notice, Part, Promise, Proposal

CONSENT = {
    Promise.STATED: "stated by us",
    Promise.IMPLIED: "implied: no answer to our notice",
    Promise.EXPRESS: "express: the customer said yes",
}
OUTCOME = {
    "": "not answered yet",
    Notice.WAIT: "they wait",
    Notice.CHANGE: "they chose something else",
    Notice.CANCEL: "they cancelled",
    Notice.IMPLIED: "no answer: the new date stands",
    Notice.LAPSED: "no answer: cancelled unasked",
    Notice.WITHDRAWN: "taken back: the date is another",
    Notice.SUPERSEDED: "another question took its place",
    Notice.OVER: "the order was cancelled",
}


@dataclass(frozen=True)
class Said:
    """A promise or a notice, in the desk's words; `bad` where a promise was not kept."""

    at: datetime
    part: int
    text: str
    more: str
    bad: bool = False


def promises_of(parts: Sequence[Part], *, asked: bool) -> list[Said]:
    """What was promised and told, oldest first: one statement for promises, one more where anybody was asked."""
    by_id = {p.pk: p.number for p in parts}
    found = []
    promised = any(p.promise_version for p in parts)
    for promise in Promise.objects.filter(part__in=list(by_id)) if promised else ():
        day = say_date(promise.date) if promise.date else "no date: they wait"
        rule = f", by {promise.rule}" if promise.rule else ""
        legal = f"legal deadline {say_date(promise.legal_deadline)}{rule}" if promise.legal_deadline else "no deadline"
        text = f"Version {promise.version}: {day}"
        more = f"{promise.basis}; {CONSENT[promise.consent]}; {legal}"
        found.append(Said(promise.at, by_id[promise.part_id], text, more))
    for notice in Notice.objects.filter(part__in=list(by_id)) if asked else ():
        offered = say_date(notice.offered) if notice.offered else "no date known"
        found.append(
            Said(
                notice.sent_at,
                by_id[notice.part_id],
                f"Told of a delay: {offered}",
                f"{silence_words(notice)}; {OUTCOME[notice.outcome]}",
                bad=True,
            )
        )
    return sorted(found, key=lambda said: said.at)


def silence_words(notice: Notice) -> str:
    """What no answer means."""
    by = say_date(notice.answer_by)
    if notice.silence == Notice.CONSENTS:
        return f"without an answer by {by} the new date stands"
    return f"without an answer by {by} it is cancelled and refunded"


def told_customer(question: Proposal | None) -> str:
    """What the customer reads beside our question: what happens when they say nothing."""
    if question is None:
        return ""
    notices = list(Notice.objects.filter(proposal=question, closed_at=None))
    if not notices:
        return "Nothing changes until you choose."
    return "; ".join(dict.fromkeys(silence_words(n) for n in notices)).capitalize() + "."
