"""A customer without an e-mail address has been told, on the telephone, what a mail would have said."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Missing, blocked
from counterfoil.core.models import Telling
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Order


def record_told(*, telling: int, actor: Actor, needed: bool = True) -> Order:
    """Write down that they know; not `needed`: that nobody has to tell them any more.

    Raises Forbidden, Missing, or Refused `someone_else` when it is done already.
    """
    require(actor, CLERK)
    row = Telling.objects.filter(pk=telling).first()
    if row is None:
        raise Missing("there is no such thing to tell")
    with writing():
        taken = take(row.subject)
        done = Telling.objects.filter(pk=telling, told_at=None).update(told_at=clock.business_now(), told_by=actor.name)
        if not done:
            by = Telling.objects.values_list("told_by", flat=True).get(pk=telling)
            raise blocked("someone_else", f"{by} has done that already")
        text = f"Told by telephone: {row.title}" if needed else f"Need not be told any more: {row.title}"
        note(taken, "customer_told", actor=actor, text=text, data={"telling": row.pk, "mail": row.kind}, advance=False)
    return taken
