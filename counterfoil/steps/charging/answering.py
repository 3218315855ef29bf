"""Answering a dispute: the evidence goes to the bank once and for good, or we give in. Stored before it is sent."""

from __future__ import annotations

from counterfoil.core import clock, documents, jobs
from counterfoil.core.actor import BOOKKEEPER, CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, StillAsking, blocked
from counterfoil.core.models import Document
from counterfoil.core.text import clean
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Disputed, NotDone, OutcomeUnknown, Wrong
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Order
from counterfoil.steps.charging.disputes import ACCEPTANCE, EVIDENCE, note_answered, take_in
from counterfoil.steps.charging.evidence import KIND, evidence_for, pack_of, summary_of
from counterfoil.steps.charging.keys import KEY_LIFE, next_key
from counterfoil.steps.charging.models import Dispute
from counterfoil.steps.charging.queries import find_dispute

LONGEST = 15_000  # characters of our own words; with names and addresses it stays under what banks take
SOON = 30  # seconds until a job sees to an answer whose process died
_STORED = ("answer", "answer_key", "answer_text", "answered_by", "asked_at", "document", "owner")


def send_evidence(*, dispute: int, actor: Actor, text: str = "") -> Dispute:
    """Hand the evidence to the bank; `text` stands in place of our summary. The pack as it is now is kept as a paper.

    Raises Refused when it was answered or decided already, StillAsking while the processor does not answer, Invalid,
    Forbidden, Missing.
    """
    require(actor, CLERK, BOOKKEEPER)
    try:
        words = clean(text)
    except ValueError as error:
        raise Invalid(("text", str(error))) from None
    if len(words) > LONGEST:
        raise Invalid(("text", f"at most {LONGEST:,} characters"))
    return _answer(dispute, EVIDENCE, actor, words)


def accept_loss(*, dispute: int, actor: Actor) -> Dispute:
    """Give in: a chargeback is lost, an inquiry ends without loss. Raises as `send_evidence` does."""
    require(actor, CLERK, BOOKKEEPER)
    return _answer(dispute, ACCEPTANCE, actor, "")


def _answer(pk: int, answer: str, actor: Actor, words: str) -> Dispute:
    known = find_dispute(pk)
    with writing():
        _intend(take(known.order.number), pk, answer, actor, words)
    try:
        send_answer(pk)
    except (NotDone, OutcomeUnknown) as error:
        raise StillAsking(f"the bank has not taken the answer yet; we keep at it: {error}") from error
    return find_dispute(pk)


def _intend(taken: Order, pk: int, answer: str, actor: Actor, words: str) -> None:
    """Store what we answer and under which key: from here on nobody answers otherwise, and a job sees to it."""
    row = find_dispute(pk)
    if row.state != Dispute.OPEN or row.submitted_at is not None:
        done = {"won": "won", "lost": "lost", "closed": "closed by the bank"}.get(row.state, "answered")
        raise blocked("someone_else", f"this dispute is {done} already", by=row.answered_by or None)
    if row.answer:
        raise blocked("someone_else", f"{row.answered_by} is just answering it", by=row.answered_by)
    row.answer, row.answered_by, row.asked_at = answer, actor.name, clock.real_now()
    row.answer_key = f"dispute-{taken.token[:20]}-{row.pk}-{'inquiry' if row.inquiry else 'chargeback'}-{answer}"
    row.owner = row.owner or actor.name
    if answer == EVIDENCE:
        row.answer_text = words or summary_of(row)
        row.document = documents.issue(
            KIND,
            subject=taken.number,
            part=row.charge.part.number,
            version=Document.objects.filter(subject=taken.number, kind=KIND).count() + 1,
            content=pack_of(row),
        ).number
    row.save(update_fields=_STORED)
    jobs.enqueue("charging.answer", key=str(pk), payload={"dispute": pk}, delay=SOON)


def send_answer(pk: int) -> None:
    """Bring an intended answer to the bank, or find that it is there. May be called at any time, by any process.

    Raises NotDone or OutcomeUnknown when the processor gave no answer, and Refused when it does not accept this one.
    """
    row = find_dispute(pk)
    if not row.answer or row.state != Dispute.OPEN or row.submitted_at is not None:
        return
    try:
        found = gateway().get_dispute(row.dispute_id)
    except Wrong as error:
        raise blocked("someone_else", f"the bank does not know this dispute: {error}") from error
    if found.status == Dispute.OPEN:
        found = _send(_fresh_key(row))
    with writing():
        taken = take(row.order.number)
        take_in(found)
        row = find_dispute(pk)
        if row.state == Dispute.OPEN and row.submitted_at is None and row.answer:
            # It took the answer and still says that it waits for one.
            note_answered(taken, row)
        jobs.settle("charging.answer", str(pk))


def _send(row: Dispute) -> Disputed:
    try:
        if row.answer == EVIDENCE:
            return gateway().answer_dispute(row.dispute_id, evidence_for(row), key=row.answer_key)
        return gateway().accept_dispute(row.dispute_id, key=row.answer_key)
    except Wrong as error:
        found = gateway().get_dispute(row.dispute_id)
        if found.status != Dispute.OPEN:
            return found  # it came in this very moment, or the bank has decided
        with writing():
            take(row.order.number)
            blank = dict.fromkeys(("answer", "answer_key", "answer_text", "answered_by", "document"), "")
            Dispute.objects.filter(pk=row.pk, submitted_at=None).update(**blank, asked_at=None)
            jobs.settle("charging.answer", str(row.pk))
        raise blocked("someone_else", f"the bank does not accept this answer: {error}") from error


def _fresh_key(row: Dispute) -> Dispute:
    """The processor has just said that nothing was sent: past a key's life a new one may be used."""
    if row.asked_at is not None and clock.real_now() - row.asked_at > KEY_LIFE:
        renewed = {"answer_key": next_key(row.answer_key), "asked_at": clock.real_now()}
        with writing():
            take(row.order.number)
            Dispute.objects.filter(pk=row.pk, answer_key=row.answer_key).update(**renewed)
        return find_dispute(row.pk)
    return row
