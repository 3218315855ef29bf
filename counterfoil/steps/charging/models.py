"""What the processor told us, before we have looked into it."""

from __future__ import annotations

from django.db import models


class InboxEvent(models.Model):
    """A webhook, kept before it is believed: a hint to fetch the object. Once per event id."""

    event_id = models.CharField(max_length=120, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=120)
    received_at = models.DateTimeField()  # real time
    handled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["received_at"], condition=models.Q(handled_at=None), name="inbox_open")]
