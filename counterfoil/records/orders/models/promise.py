"""What date was given to the customer, and what was said when it could not be kept."""

from __future__ import annotations

from django.db import models

from counterfoil.records.orders.models.order import Order, Part
from counterfoil.records.orders.models.question import Proposal


class Promise(models.Model):
    """What date was given to the customer, when, on what basis. A new date is a new version."""

    # How the customer came to have this date: the shop stated it, they said nothing to a delay where the rule takes
    # that for a yes, or they said yes.
    STATED, IMPLIED, EXPRESS = "stated", "implied", "express"

    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="promises")
    version = models.IntegerField()
    date = models.DateField(null=True)  # None: the customer waits, and nobody knows until when
    basis = models.CharField(max_length=40)  # review, import, later date accepted, substitute accepted...
    consent = models.CharField(max_length=8, default=STATED, db_default=STATED)
    delay = models.BooleanField(default=False, db_default=False)  # it puts off what was promised before
    legal_deadline = models.DateField(null=True)  # None: the customer has agreed to wait without a date
    rule = models.CharField(max_length=40, blank=True, default="", db_default="")  # by which the deadline was reckoned
    rule_from = models.DateField(null=True)  # since when that rule stands so in the shop's settings
    notice = models.ForeignKey("Notice", null=True, on_delete=models.PROTECT, related_name="promises")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "version"], name="promise_once")]
        indexes = [models.Index(fields=["date"], condition=models.Q(version=1), name="promise_first")]


class Notice(models.Model):
    """A customer was told that a part's promise will not be kept, and asked: wait, change or cancel.

    The question is a proposal like any other. What no answer means, and from which day on, was settled as it was sent.
    """

    CONSENTS, CANCELS = "consents", "cancels"
    # How it ended. `superseded`: another question took its place; `withdrawn`: the goods come in time after all.
    WAIT, CHANGE, CANCEL, IMPLIED, LAPSED = "wait", "change", "cancel", "implied", "lapsed"
    WITHDRAWN, SUPERSEDED, OVER = "withdrawn", "superseded", "over"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="notices")
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="notices")
    number = models.SmallIntegerField()  # of the part's notices, from 1
    version = models.IntegerField()  # of the promise that will not be kept
    promised = models.DateField(null=True)  # what that promise said
    offered = models.DateField(null=True)  # the earliest possible day; None: nobody knows
    reason = models.CharField(max_length=300)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="notices")
    silence = models.CharField(max_length=8)  # what no answer means
    answer_by = models.DateField()  # the last day for it, at the shop
    rule = models.CharField(max_length=40)
    rule_from = models.DateField()
    sent_at = models.DateTimeField()  # business time
    outcome = models.CharField(max_length=10, blank=True, default="")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["part", "number"], name="notice_once"),
            models.UniqueConstraint(
                fields=["part"], condition=models.Q(closed_at=None), name="one_open_notice_per_part"
            ),
        ]
        indexes = [models.Index(fields=["order"], condition=models.Q(closed_at=None), name="notice_open")]
