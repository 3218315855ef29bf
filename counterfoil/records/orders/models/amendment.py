"""What was changed on an order after it was placed: a record with the order before and after, never edited."""

from __future__ import annotations

from django.db import models

from counterfoil.records.orders.models.order import Order
from counterfoil.records.orders.models.question import Proposal


class Amendment(models.Model):
    """One amendment. An undo is another one that names the first; a merge of parts is one too."""

    CLERK, ANSWER, MERGE, UNDO = "clerk", "answer", "merge", "undo"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="amendments")
    number = models.SmallIntegerField()  # within the order, from 1
    kind = models.CharField(max_length=10)
    text = models.CharField(max_length=1000)  # what was changed, in words
    changes = models.JSONField(default=list)  # as they were asked for
    # How the customer agreed: {how: link|telephone|mail|in_person|not_needed, who, at, note}
    consent = models.JSONField(default=dict)
    # {order: amounts, method, address; parts: [amounts, promise]; lines: [units, price, tax]}, minor units
    before = models.JSONField()
    after = models.JSONField()
    money = models.JSONField(default=dict)  # {refunded, due}: what it set going, minor units
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="amendments")
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()  # business time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="amendment_once")]
