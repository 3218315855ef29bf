"""Customers without an e-mail address: what a mail would have said waits for somebody to say it on the telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string

from counterfoil.core import clock
from counterfoil.core.db import in_writing
from counterfoil.core.models import Telling
from counterfoil.gateways.mail.wording import KINDS, with_words

# Our open question has a place of its own, where its answer is taken: "To call".
_ASKED = frozenset({"question", "delay"})


def owe_telling(kind: str, *, key: str, context: Mapping[str, Any], documents: Sequence[str] = ()) -> None:
    """Owe it to the customer of an order, in the transaction of what it tells of. A supplier is nobody's call."""
    if not in_writing():
        raise RuntimeError("what is to be told commits with what it tells of")
    if kind not in KINDS or kind in _ASKED:
        return
    Telling.objects.get_or_create(
        key=f"{kind}:{key}",
        defaults={
            "subject": str(context["number"]),
            "kind": kind,
            "title": str(context["subject"]).removeprefix(f"{context['number']}: ")[:200],
            "context": dict(context),
            "documents": list(documents),
            "owed_at": clock.business_now(),
        },
    )


def open_tellings(subject: str = "", *, limit: int = 200) -> list[Telling]:
    """What has not been told yet, the oldest first; of one order, or of all."""
    found = Telling.objects.filter(told_at=None)
    return list((found.filter(subject=subject) if subject else found).order_by("owed_at", "pk")[:limit])


def said_in(telling: Telling) -> str:
    """The mail's own words, to be said in one's own; a link to the order's page cannot be said."""
    words = with_words(render_to_string(f"mail/{telling.kind}.txt", telling.context), telling.context)
    link = f"Your order: {telling.context.get('url', '')}"
    return "\n".join(line for line in words.strip().split("\n") if line != link)
