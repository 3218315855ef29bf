"""The SMTP side: accepts any mail from this machine, up to a size, and keeps it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mailbox.store import Store

SIZE_LIMIT = 5 * 1024 * 1024
"""Largest mail accepted, in bytes of the encoded message; a larger one is refused with 552."""

log = logging.getLogger("sandbox.mailbox")


class Keeper:
    """Called by aiosmtpd with every mail."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Answer 250 once the mail is on disk, 451 (try again later) when it could not be written."""
        content = envelope.original_content or b""
        recipients = [str(address) for address in envelope.rcpt_tos]
        try:
            number = await asyncio.to_thread(
                self.store.keep, content, envelope_from=envelope.mail_from or "", recipients=recipients
            )
        except sqlite3.Error:
            log.exception("a mail could not be kept")
            return "451 could not be kept, try again later"
        return f"250 kept as {number}"


def server(store: Store, port: int) -> Controller:
    """An SMTP server on 127.0.0.1, not yet started. `start()` raises OSError when the port is taken."""
    return Controller(
        Keeper(store),
        hostname="127.0.0.1",
        port=port,
        data_size_limit=SIZE_LIMIT,
        enable_SMTPUTF8=True,
        ident="Counterfoil mailbox (delivers nothing)",
    )
