"""A promise will not be kept: the customer is told in time, and asked to wait, to change or to cancel.

A notice is a question like any other, answered by link or on the telephone; beside it stands what no answer means.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.clock import start_of_day
from counterfoil.core.money import show
from counterfoil.core.promises import PromiseRule
from counterfoil.core.shop import shop
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import Line, Notice, Order, Proposal
from counterfoil.records.orders.offers import keep_offered
from counterfoil.records.orders.slip import mail_slip, order_url, say_date
from counterfoil.steps.alternatives.actions import price_words
from counterfoil.steps.alternatives.choices import units_offered
from counterfoil.steps.alternatives.late import words_on
from counterfoil.steps.alternatives.remedies import Told, choices_for


def send_notice(
    order: Order,
    told: Sequence[Told],
    rule: PromiseRule,
    *,
    stood: Sequence[dict[str, Any]] = (),
    without: bool = False,
    words: str = "",
) -> Proposal:
    """Ask about one or more parts of an order that the caller has taken, with no question open.

    `stood` and `without` are more to offer, see `choices_for`; `words` go with our reasons.
    """
    now = clock.business_now()
    choices = choices_for(order, told, stood=stood, without=without)
    last = max(t.answer_by for t in told)
    asked = Proposal.objects.create(
        order=order,
        token=secrets.token_urlsafe(32),
        choices=choices,
        message=" ".join(dict.fromkeys([*(_sentence(t.reason) for t in told), words])).strip()[:1000],
        made_by=SYSTEM.name,
        made_at=now,
        expires_at=start_of_day(last + timedelta(days=1), shop().timezone),
    )
    keep_offered(asked, units_offered(choices), order=order, actor=SYSTEM)
    made = [_keep(order, asked, t, rule) for t in told]
    note(
        order,
        "delay_notice_sent",
        actor=SYSTEM,
        text=f"Told the customer of a delay: {_new_date(told)}; {_silence_words(told)}",
        data={
            "proposal": asked.pk,
            "notices": [n.pk for n in made],
            "parts": [t.part.number for t in told],
            "rule": rule.code,
        },
    )
    _mail(order, asked, told)
    return asked


def adopt_question(order: Order, asked: Proposal, told: Sequence[Told], rule: PromiseRule) -> None:
    """The law's date is near and a question of a clerk's is open: it becomes the notice, and its end is that date.

    The customer is told by when to answer, and what happens else.
    """
    last = max(t.answer_by for t in told)
    asked.expires_at = start_of_day(last + timedelta(days=1), shop().timezone)
    asked.save(update_fields=["expires_at"])
    made = [_keep(order, asked, t, rule) for t in told]
    note(
        order,
        "delay_notice_sent",
        actor=SYSTEM,
        text=f"Reminded the customer of our question; {_silence_words(told)}",
        data={
            "proposal": asked.pk,
            "notices": [n.pk for n in made],
            "parts": [t.part.number for t in told],
            "rule": rule.code,
        },
    )
    _mail(order, asked, told)


def _keep(order: Order, asked: Proposal, told: Told, rule: PromiseRule) -> Notice:
    before = Notice.objects.filter(part=told.part).count()
    return Notice.objects.create(
        order=order,
        part=told.part,
        number=before + 1,
        version=told.part.promise_version,
        promised=told.part.promise_date,
        offered=told.offered,
        reason=told.reason[:300],
        proposal=asked,
        silence=Notice.CONSENTS if told.consents else Notice.CANCELS,
        answer_by=told.answer_by,
        rule=rule.code,
        rule_from=rule.since,
        sent_at=clock.business_now(),
    )


# --- words ----------------------------------------------------------------------------------------------------------


def _new_date(told: Sequence[Told]) -> str:
    days = dict.fromkeys(say_date(t.offered) if t.offered else "no date known" for t in told)
    return ", ".join(days)


def _silence_words(told: Sequence[Told]) -> str:
    consents, cancels = [t for t in told if t.consents], [t for t in told if not t.consents]
    said = []
    if consents:
        said.append(f"without an answer by {say_date(consents[0].answer_by)} the new date stands")
    if cancels:
        said.append(f"without an answer by {say_date(cancels[0].answer_by)} it is cancelled and refunded")
    return ", ".join(said)


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _mail(order: Order, asked: Proposal, told: Sequence[Told]) -> None:
    settings = shop()
    consents, cancels = [t for t in told if t.consents], [t for t in told if not t.consents]
    paid = any(t.part.charged for t in told)
    context: Mapping[str, Any] = {
        **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
        "subject": f"{order.number}: a delay, and your choice",
        "url": f"{order_url(order)}#question",
        "reason": _sentence(
            asked.message if asked.made_by == SYSTEM.name else " ".join(dict.fromkeys(t.reason for t in told))
        ),
        "old": say_date(min((t.part.promise_date for t in told if t.part.promise_date), default=None)),
        "new": _new_date(told) if all(t.offered for t in told) else "",
        "choices": [
            {
                "text": words_on(c, settings.today(), settings),
                "price": price_words(c["difference"], c["total"], order.currency),
            }
            for c in asked.choices
        ],
        "stands_by": say_date(consents[0].answer_by) if consents else "",
        "cancelled_by": say_date(cancels[0].answer_by) if cancels else "",
        "paid": paid,
        "phone": settings.phone,
    }
    owe_mail("delay", to=order.email, key=f"{order.number}:delay:{asked.pk}", context=dict(context))


def mail_good_news(order: Order, notice: Notice) -> None:
    """What was to be late is not: the question is over, and nothing has to be done."""
    owe_mail(
        "delay_over",
        to=order.email,
        key=f"{order.number}:delay-over:{notice.proposal_id}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number}: it does not have to wait after all",
            "date": say_date(notice.promised),
        },
    )


def mail_lapsed(order: Order, notice: Notice, refunded: int) -> None:
    """What has been cancelled of an order that goes on otherwise."""
    owe_mail(
        "amended",
        to=order.email,
        key=f"{order.number}:lapsed:{notice.pk}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number}: what we could not ship in time is cancelled",
            "choice": "What has not been sent is cancelled, since we could not ship it in time",
            "date": "",
            "unasked": True,
            "refund": show(refunded, order.currency) if refunded else "",
        },
    )
