"""Axis: review. A person looks at every order."""

from __future__ import annotations

from django.db import models

from counterfoil.core.machine import Machine
from counterfoil.records.orders.models.order import Order

REVIEW = Machine(
    "review",
    "pending",
    {
        # A person has read the order and given an estimated ship date.
        "approve": (("pending",), "approved"),
    },
)


class Hold(models.Model):
    """Ours, not the bank's: nothing moves while one is open."""

    WEATHER = "weather"  # too hot or too cold on the route: the customer may wait, upgrade or waive
    KINDS = ("", WEATHER)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="holds")
    reason = models.TextField()
    kind = models.CharField(max_length=20, blank=True, default="", db_default="")
    placed_by = models.CharField(max_length=200)
    at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["order"], condition=models.Q(released_at=None), name="hold_open")]
