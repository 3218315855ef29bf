"""Sending what is owed, by SMTP."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.template.loader import render_to_string

from counterfoil.core import documents, jobs, journal, pulse
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import in_writing, writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.gateways.mail.outbox import message_id
from counterfoil.gateways.mail.reach import LOOK_AGAIN, NO_SERVER
from counterfoil.gateways.mail.wording import with_words

_OWN_PAGE = re.compile(r"(https?://\S+?/orders/)[\w-]{16,}[^\s<>\"]*")  # the token is the right to act
TIMEOUT = 10  # seconds; the job's lease outlives it


def _connection() -> EmailBackend:
    where = urlsplit(settings.EMAIL_URL)
    if not where.hostname:
        raise RuntimeError("EMAIL_URL names no host: smtp://user:password@host:587")
    return EmailBackend(
        host=where.hostname,
        port=where.port or (465 if where.scheme == "smtps" else 25),
        username=unquote(where.username or ""),
        password=unquote(where.password or ""),
        use_ssl=where.scheme == "smtps",
        use_tls=where.scheme == "smtp+tls",
        timeout=TIMEOUT,
    )


@jobs.handler("mail.send", lease=60, max_attempts=20)
def send(payload: dict[str, Any]) -> None:
    """Send one mail, plain and HTML, with its papers."""
    if in_writing():
        raise RuntimeError("the network is never called inside a transaction")
    if not settings.EMAIL_URL:
        raise jobs.Later(LOOK_AGAIN, NO_SERVER)  # no failed try: a mail is not given up because nobody may send it
    context = payload["context"]
    number = str(context.get("number", ""))[:40]
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=" ".join(str(context["subject"]).split()),
        body=with_words(render_to_string(f"mail/{payload['kind']}.txt", context), context),
        from_email=_sender(),
        to=[payload["to"]],
        headers={
            "Message-ID": message_id(payload["kind"], payload["key"], context.get("url", ""), host),
            "Auto-Submitted": "auto-generated",
        },
        connection=_connection(),
    )
    mail.attach_alternative(render_to_string(f"mail/{payload['kind']}.html", context), "text/html")
    for paper in payload["documents"]:
        mail.attach(f"{paper}.pdf", documents.pdf(documents.find(paper)), "application/pdf")
    mail.send()
    pulse.beat("mail")
    if number:
        _note_sent(number, payload["kind"], payload["to"], mail)


def _note_sent(number: str, kind: str, to: str, mail: EmailMultiAlternatives) -> None:
    """On the timeline with its text, once for each mail: a copy that a crash sent twice is the same mail.

    The customer's page is theirs alone: who reads the text later must not get there by it.
    """
    subject, message_id_ = str(mail.subject), str(mail.extra_headers["Message-ID"])
    body = _OWN_PAGE.sub(r"\1…", str(mail.body))
    with writing():
        sent = JournalEvent.objects.filter(subject=number, kind="mail_sent").values_list("data", flat=True)
        if any(data.get("message_id") == message_id_ for data in sent):
            return
        data = {"mail": kind, "to": to, "subject": subject, "message_id": message_id_, "body": body}
        text = f"Mail sent: {subject}"
        journal.record("mail_sent", subject=number, actor=SYSTEM, text=text, data=data, advance=False)


def _sender() -> str:
    name = shop().name.replace('"', "")
    return f'"{name}" <{shop().email}>'
