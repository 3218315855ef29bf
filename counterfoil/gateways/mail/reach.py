"""Whether there is a mail server at all. A shop without one keeps its mails until it has one."""

from __future__ import annotations

from django.conf import settings

from counterfoil.core import clock, pulse
from counterfoil.core.db import execute, rows, writing

NO_SERVER = "no mail server is named (EMAIL_URL): mails wait until there is one"
LOOK_AGAIN = 600  # seconds until a mail looks again whether there is one


def never_named() -> bool:
    """Whether this shop has no mail server and never had one: then its mails wait, and that is no fault of theirs.

    A shop whose mails went out before has lost its server, or is looked at from where EMAIL_URL is not set.
    """
    return not settings.EMAIL_URL and not pulse.last(["mail"])


def mails_kept() -> int:
    """How many mails wait."""
    return int(rows("SELECT COUNT(*) FROM core_job WHERE name = 'mail.send' AND state = 'queued'")[0][0])


def wake_mails() -> int:
    """With a mail server at last: what waited for one is due now. Gives how many mails that are."""
    if not settings.EMAIL_URL:
        return 0
    with writing():
        return execute(
            "UPDATE core_job SET run_at = %s WHERE name = 'mail.send' AND state = 'queued' AND last_error = %s",
            [clock.real_now(), NO_SERVER],
        )
