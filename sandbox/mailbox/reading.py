"""Turn the bytes of a mail into the fields people look for. A mail that breaks the rules is read as far as it goes."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from email.message import EmailMessage
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Attachment:
    """One attached file. `content` is the decoded file, never the transfer encoding."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """A mail as read. `date` is the Date header with its offset as ISO 8601, None when missing or unreadable."""

    message_id: str | None
    sender: str
    subject: str
    date: str | None
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]


def read(raw: bytes) -> Mail:
    """Read a mail from its bytes. Never raises on what a sender may have written."""
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    text: str | None = None
    html: str | None = None
    attachments: list[Attachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        named = part.get_content_disposition() == "attachment" or _filename(part)
        if kind == "text/plain" and text is None and not named:
            text = _as_text(part)
        elif kind == "text/html" and html is None and not named:
            html = _as_text(part)
        else:
            attachments.append(
                Attachment(_filename(part) or f"part-{len(attachments)}", kind, _content(part)),
            )
    return Mail(
        message_id=_header(message, "Message-ID") or None,
        sender=_header(message, "From"),
        subject=_header(message, "Subject"),
        date=_date(_header(message, "Date")),
        text=text,
        html=html,
        attachments=tuple(attachments),
    )


def _leaves(part: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold content, in order. A forwarded mail (message/rfc822) is one leaf and is not opened."""
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        yield part
        return
    for child in part.iter_parts():
        if isinstance(child, EmailMessage):
            yield from _leaves(child)


def _forgiving(read_it: Callable[[], object]) -> str:
    """What `read_it` gives as text, or nothing: the header parser raises many kinds of errors on hostile headers."""
    try:
        value = read_it()
    except Exception:  # the raw mail is kept and shown, so an unreadable field loses nothing
        return ""
    return "" if value is None else str(value).strip()


def _header(message: EmailMessage, name: str) -> str:
    return _forgiving(lambda: message[name])


def _filename(part: EmailMessage) -> str:
    return _forgiving(part.get_filename)


def _content(part: EmailMessage) -> bytes:
    if part.get_content_maintype() in {"message", "multipart"} and part.is_multipart():
        return b"".join(inner.as_bytes() for inner in part.get_payload() if isinstance(inner, EmailMessage))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _as_text(part: EmailMessage) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        text = _content(part).decode(charset, "replace")
    except LookupError:  # a charset nobody knows
        text = _content(part).decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _date(value: str) -> str | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # RFC 5322 "-0000": the time is UTC, the sender's zone is unknown
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat()
