"""The promises of one order as the desk and its customer read them: every version, every notice and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from counterfoil.desk.queries import Asked
from counterfoil.desk.saying import say_date
from counterfoil.records.orders.models import Notice, Promise, Proposal

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


def promises_of(asked: Asked) -> list[Said]:
    """What was promised and told, oldest first, from what the slip has read anyway."""
    found = []
    for kind, part, columns, at in asked.said:
        if at is not None:
            text, more = _promise_words(*columns) if kind == "p" else _notice_words(*columns)
            found.append(Said(at, part, text, more, bad=kind == "n"))
    return sorted(found, key=lambda said: said.at)


def waits_for_nothing(asked: Asked) -> bool:
    """Whether the open question is a notice to which no answer is a yes: a question of the clerk's takes its place."""
    open_ = [columns for kind, _, columns, _ in asked.said if kind == "n" and not columns[3]]
    return bool(open_) and all(silence == Notice.CONSENTS for _, silence, _, _ in open_)


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def _promise_words(version: str, day: str, consent: str, legal: str, rule: str, basis: str) -> tuple[str, str]:
    by = f", by {rule}" if rule else ""
    deadline = f"legal deadline {say_date(_day(legal))}{by}" if legal else "no deadline"
    text = f"Version {version}: {say_date(_day(day)) or 'no date, they wait'}"
    return text, f"{basis}; {CONSENT.get(consent, consent)}; {deadline}"


def _notice_words(offered: str, silence: str, answer_by: str, outcome: str) -> tuple[str, str]:
    text = f"Told of a delay: {say_date(_day(offered)) or 'no date known'}"
    return text, f"{silence_words(silence, _day(answer_by))}; {OUTCOME.get(outcome, outcome)}"


def silence_words(silence: str, answer_by: date | None) -> str:
    """What no answer means."""
    by = say_date(answer_by)
    if silence == Notice.CONSENTS:
        return f"without an answer by {by} the new date stands"
    return f"without an answer by {by} it is cancelled and refunded"


def told_customer(question: Proposal | None) -> str:
    """What the customer reads beside our question: what happens when they say nothing."""
    if question is None:
        return ""
    notices = list(Notice.objects.filter(proposal=question, closed_at=None))
    if not notices:
        return "Nothing changes until you choose."
    said = "; ".join(dict.fromkeys(silence_words(n.silence, n.answer_by) for n in notices))
    return f"{said[:1].upper()}{said[1:]}."
