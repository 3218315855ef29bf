"""Slips: what a clerk has in hand of money that no processor of ours took."""

from __future__ import annotations

from django.db import models

KINDS = ("card", "cheque", "transfer", "cash")


class Slip(models.Model):
    """The receipt of a card terminal, a cheque, a transfer on the statement, cash. It counts once confirmed."""

    WAITING, DONE, CANCELLED = "waiting", "done", "cancelled"

    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=120)  # what stands on it
    amount = models.BigIntegerField()  # minor units
    currency = models.CharField(max_length=3)
    brand = models.CharField(max_length=20, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    order_number = models.CharField(max_length=40, blank=True, default="")
    mark = models.JSONField(default=dict)  # what charging wrote on it
    by = models.CharField(max_length=200)
    at = models.DateTimeField()  # business time
    state = models.CharField(max_length=10, default=WAITING)
    returned = models.BigIntegerField(default=0)  # of the amount, what goes back or went back
    create_key = models.CharField(max_length=120, unique=True)
    confirm_key = models.CharField(max_length=120, blank=True, default="")
    cancel_key = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["at"], name="slip_at")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(returned__gte=0, returned__lte=models.F("amount")), name="slip_returned"
            )
        ]


class SlipNumber(models.Model):
    """Whose slip it is: a kind and number is money of one order. Cash has no number of its own."""

    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=120)  # without spaces, in lower case
    order_number = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="slip_number_once")]


class SlipReturn(models.Model):
    """Money of a slip that goes back: pending until a person says that they paid it."""

    PENDING, PAID = "pending", "succeeded"

    slip = models.ForeignKey(Slip, on_delete=models.PROTECT, related_name="returns")
    amount = models.BigIntegerField()
    mark = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default=PENDING)
    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()  # business time
    paid_at = models.DateTimeField(null=True)  # business time
    paid_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["at"], name="slip_return_at")]
