"""What was done on the floor, by the token that a phone gave it: it may send again what it did not hear back from."""

from __future__ import annotations

from django.db import models


class FloorAct(models.Model):
    """One act of a phone, kept in the act's own transaction: the same token again changes nothing."""

    token = models.CharField(max_length=64, unique=True)
    order_number = models.CharField(max_length=40)
    actor = models.CharField(max_length=200)
    said = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()  # business time
