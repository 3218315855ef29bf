"""Orders that were taken before their legal clock was kept: it counts from their placing.

Whose deadline is over already is left to a person, as with orders that come from another shop; the others are looked at
by the sweep.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

DAYS = 30
GONE = ("shipped", "delivered", "returned")


def start_clocks(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    part_of, promise_of = apps.get_model("orders", "Part"), apps.get_model("orders", "Promise")
    clock = apps.get_model("core", "BusinessClock").objects.first()
    now = datetime.now(UTC) + timedelta(seconds=clock.offset_seconds if clock else 0)
    open_ = part_of.objects.filter(order__cancelled_at=None, order__closed_history=False, order__finished=True).exclude(
        parcel__in=GONE
    )
    for part in open_.select_related("order").iterator(chunk_size=1000):
        if part.legal_deadline is None:
            part.legal_deadline = part.order.placed_at.date() + timedelta(days=DAYS)
        part.clock_over = part.legal_deadline < now.date()
        if part.promise_date is not None:
            told = promise_of.objects.filter(part=part, version=part.promise_version).first()
            part.promised_on = told.at.date() if told else None
            part.promise_consent = "stated"
        part.save(update_fields=["legal_deadline", "clock_over", "promised_on", "promise_consent"])
    apps.get_model("orders", "Order").objects.filter(parts__in=open_).update(next_check_at=now)


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_promises"), ("core", "0001_initial")]

    operations = [migrations.RunPython(start_clocks, migrations.RunPython.noop)]
