"""What the processor told us before we have looked into it, and where its books and ours differ."""

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


class Difference(models.Model):
    """One thing that the processor has otherwise than we do. Once per kind and object; open until `closed_at`."""

    # One of those in `differences.TITLES`.
    kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=120)  # the processor's charge or refund
    order_number = models.CharField(max_length=40, blank=True, default="")  # empty: of no order
    ours = models.CharField(max_length=200)
    theirs = models.CharField(max_length=200)
    amount = models.BigIntegerField()  # that is in question, minor units
    currency = models.CharField(max_length=3)
    found_at = models.DateTimeField()  # business time
    seen_at = models.DateTimeField()  # business time; when it last was so
    owner = models.CharField(max_length=200, blank=True, default="")
    closed_at = models.DateTimeField(null=True)  # business time
    closed_by = models.CharField(max_length=200, blank=True, default="")
    remedy = models.CharField(max_length=12, blank=True, default="")  # what a person chose: take_over, refund_it, note
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="difference_once")]
        indexes = [models.Index(fields=["order_number"], condition=models.Q(closed_at=None), name="difference_open")]
