"""The owner changes what the shop has settled; where open orders stand is looked at again under the new rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from counterfoil.core import clock, journal
from counterfoil.core.actor import OWNER, Actor, require
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import change, shop, take_settings

SUBJECT = "SETTINGS"  # in the journal
AT_REST = ("done", "cancelled")  # queues that no setting moves an order out of
# What no order's way depends on: nobody has to be looked at again because of them.
_WORDS = frozenset({"name", "logo", "address", "tax_number", "email", "phone", "terms", "paper", "mail_words"})


def change_settings(*, actor: Actor, seen: int | None = None, **values: Any) -> list[str]:
    """Store settings, with who changed what in the journal; the names that really changed.

    `seen` is `settings_mark()` from when the settings were shown: what somebody else has changed since is refused, with
    who and what. Open orders are looked at again by the sweep, a few hundred a second. Raises Forbidden, Refused,
    Invalid for a currency that cannot be changed any more, and ValueError naming a setting that makes no sense.
    """
    require(actor, OWNER)
    with writing():
        take_settings()
        before = asdict(shop())
        # As they will be read again: JSON knows no tuples.
        wanted = {name: json.loads(json.dumps(value)) for name, value in values.items()}
        changed = {name: value for name, value in wanted.items() if before.get(name) != value}
        if seen is not None:
            _refuse_stale(seen, changed)
        if "currency" in changed:
            _refuse_other_currency(before["currency"])
        change(**changed)
        journal.record_many(
            "setting_changed",
            actor=actor,
            events=[_event(name, before.get(name), value) for name, value in changed.items()],
            advance=False,
        )
        if changed.keys() - _WORDS:
            execute(
                "UPDATE orders_order SET next_check_at = %s WHERE queue NOT IN (%s, %s)",
                [clock.business_now(), *AT_REST],
            )
    return list(changed)


def settings_mark() -> int:
    """How far the log of settings has come: taken before they are shown, handed back with what is to be changed."""
    return int(rows("SELECT COALESCE(MAX(id), 0) FROM core_journalevent WHERE subject = %s", [SUBJECT])[0][0])


def settings_log(names: Iterable[str] = (), *, before: int = 0, limit: int = 50) -> list[JournalEvent]:
    """What was changed, newest first: `data` has setting, from and to; with `names`, of these settings only."""
    found = JournalEvent.objects.filter(subject=SUBJECT, kind="setting_changed")
    if before:
        found = found.filter(pk__lt=before)
    if names:
        found = found.filter(data__setting__in=list(names))
    return list(found.order_by("-pk")[:limit])


def _event(name: str, before: Any, after: Any) -> journal.Event:
    text = f"{name}: {before} -> {after}"[:500]
    return journal.Event(SUBJECT, text, data={"setting": name, "from": before, "to": after})


def _refuse_stale(seen: int, changed: Mapping[str, Any]) -> None:
    """What was changed since, by whom: only what is about to be overwritten counts."""
    others = JournalEvent.objects.filter(subject=SUBJECT, kind="setting_changed", pk__gt=seen).order_by("pk")
    found = {e.data["setting"]: e for e in others if e.data.get("setting") in changed}
    if found:
        raise Refused([Blocker("someone_else", name, by=e.actor) for name, e in found.items()])


def _refuse_other_currency(now: str) -> None:
    orders, products = rows("SELECT (SELECT COUNT(*) FROM orders_order), (SELECT COUNT(*) FROM catalogue_product)")[0]
    if orders:
        reason = f"orders, papers and books are in {now} already; another currency wants a shop of its own"
        raise Invalid(("currency", reason))
    if products:
        raise Invalid(("currency", f"{products:,} products are priced in {now}; the currency comes before them"))
