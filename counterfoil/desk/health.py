"""The page that says whether the shop is well, in words, with what to do."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core import clock, pulse
from counterfoil.core.actor import CLERK
from counterfoil.core.db import is_postgres, moment, rows
from counterfoil.core.web import staff
from counterfoil.desk.health_signs import Facts, signs, worst
from counterfoil.desk.pages import desk_page
from counterfoil.steps.charging.reach import waiting

PULSES = ("worker", "mail", "verify")


@staff(CLERK)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everything that is looked at, the state of each, and what to do where it is not well."""
    found = signs(facts())
    context = {"here": "health", "signs": found, "worst": worst(found), "now": clock.business_now()}
    return desk_page(request, "desk/health.html", context)


def facts() -> Facts:
    """What was found, in four statements."""
    now = clock.real_now()
    told = pulse.last(PULSES)
    due, dead, due_since = 0, {}, None
    mails, mails_since, error = 0, None, ""
    for name, state, count, first, made, said in rows(
        "SELECT name, state, COUNT(*), MIN(run_at), MIN(created_at), MAX(last_error) FROM core_job "
        "WHERE state = 'dead' OR (state = 'queued' AND (name = 'mail.send' OR run_at <= %s)) GROUP BY name, state",
        [now],
    ):
        if state == "dead":
            dead[str(name)] = int(count)
        elif name == "mail.send":
            mails, mails_since, error = int(count), moment(made), str(said or "")
        else:
            due += int(count)
            begun = moment(first)
            due_since = begun if due_since is None or (begun and begun < due_since) else due_since
    free = shutil.disk_usage(settings.VAR)
    away = waiting()
    key = settings.STRIPE_API_KEY
    verified = told.get("verify", {})
    return Facts(
        now=now,
        database="PostgreSQL" if is_postgres() else "SQLite",
        database_bytes=_size(),
        disk_free=free.free,
        disk_total=free.total,
        worker=told.get("worker", {}).get("at"),
        due=due + mails,
        due_since=due_since,
        dead=dead,
        mail_set=bool(settings.EMAIL_URL),
        mails_waiting=mails,
        mails_since=mails_since,
        mail_error=error.strip().rsplit("\n", 1)[-1][:200],
        mail_sent=told.get("mail", {}).get("at"),
        card_key="none" if not key else "live" if key.startswith(("sk_live", "rk_live")) else "test",
        card_away=away.since if away else None,
        card_waiting=away.charges + away.refunds if away else 0,
        backups=settings.BACKUPS,
        backup=_newest(settings.BACKUPS),
        verified=verified.get("at"),
        broken=int(verified.get("broken", 0)),
        demo=settings.DEMO,
    )


def _size() -> int:
    if is_postgres():
        return int(rows("SELECT pg_database_size(current_database())")[0][0])
    path = str(connection.settings_dict["NAME"])
    return sum(Path(p).stat().st_size for p in (path, f"{path}-wal") if Path(p).exists())


def _newest(folder: str) -> datetime | None:
    """When the newest file of a folder was written; None without one, or where nobody may look."""
    if not folder:
        return None
    try:
        with os.scandir(folder) as found:
            times = [entry.stat().st_mtime for entry in found if entry.is_file()]
    except OSError:
        return None
    return datetime.fromtimestamp(max(times), UTC) if times else None
