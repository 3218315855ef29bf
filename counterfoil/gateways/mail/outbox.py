"""Owing a mail. It commits with the act it tells of, and goes out by a job: at least once, under one Message-ID."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.core import jobs
from counterfoil.core.models import Job
from counterfoil.gateways.mail.telling import owe_telling
from counterfoil.gateways.mail.wording import dressed, headed


def owe_mail(kind: str, *, to: str, key: str, context: Mapping[str, Any], documents: Sequence[str] = ()) -> None:
    """Owe a mail of `kind` (a pair of templates `mail/KIND.txt` and `mail/KIND.html`), inside `writing()`.

    `key` names the event, such as `CF-1007:approved:1`: however often it is sent, it carries one Message-ID. `context`
    is frozen now, with the shop's own words, and must be plain JSON; it needs `subject`. `documents` are numbers of
    papers to attach. A customer without an address is owed the same on the telephone.
    """
    if not to:
        owe_telling(kind, key=key, context=dressed(kind, context), documents=documents)
        return
    jobs.enqueue("mail.send", key=f"{kind}:{key}", payload=letter(kind, to, key, context, documents))


def letter(kind: str, to: str, key: str, context: Mapping[str, Any], documents: Sequence[str] = ()) -> dict[str, Any]:
    """A mail as its job holds it, with the shop's own words of today: for those who insert the job themselves."""
    return {"kind": kind, "to": to, "key": key, "context": headed(dressed(kind, context)), "documents": list(documents)}


def readdress(about: str, before: str, after: str, *, token: tuple[str, str] | None = None) -> int:
    """Have the mails about an order go to another address, inside `writing()`: those that wait, and those that were
    given up, which are tried again; how many. One that a worker is just sending goes where it went, and if it does not
    arrive there, to the new one.

    `token`: what the order's link had, and what it has now; then no mail that waits has the old one.
    """
    moved = 0
    for job in Job.objects.filter(name="mail.send", key__contains=f":{about}:").order_by("id"):
        if not str(job.payload.get("key", "")).startswith(f"{about}:"):
            continue
        payload = json.loads(json.dumps(job.payload).replace(*token)) if token else job.payload
        mine = payload.get("to") == before
        same = Job.objects.filter(pk=job.pk, state=job.state)
        if same.update(payload={**payload, "to": after} if mine else payload) and mine and job.state != Job.RUNNING:
            moved += 1
            if job.state == Job.DEAD:
                jobs.revive(job.pk)
    return moved


def message_id(kind: str, key: str, address: str, host: str) -> str:
    """The same event, the same Message-ID, for ever; `address` is the order's page, which no other shop has."""
    digest = hashlib.sha256(f"{kind}\n{key}\n{address}".encode()).hexdigest()[:32]
    return f"<{digest}@{host}>"
