"""A question to the customer: the order as placed cannot be; nothing changes until they say yes."""

from __future__ import annotations

from django.db import models

from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models.order import Order


class Proposal(models.Model):
    OPEN, ACCEPTED, DECLINED, EXPIRED, WITHDRAWN = "open", "accepted", "declined", "expired", "withdrawn"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="proposals")
    token = models.CharField(max_length=43, unique=True)
    choices = models.JSONField()  # each with kind, text, and its consequence in words, price and date
    message = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, default=OPEN)
    choice = models.SmallIntegerField(null=True)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_via = models.CharField(max_length=200, blank=True, default="")
    spoken_to = models.CharField(max_length=200, blank=True, default="", db_default="")  # who said it on the telephone
    # What it was asked about: {"lines": ids that lacked goods then, "holds": ids of holds}. When none of that is so any
    # more, the question has lost its reason. `closed_because` tells the customer what had changed.
    about = models.JSONField(default=dict)
    closed_because = models.CharField(max_length=300, blank=True, default="", db_default="")
    applied_at = models.DateTimeField(null=True)  # the amendment was made

    class Meta:
        indexes = [
            models.Index(fields=["order"], condition=models.Q(state="open"), name="proposal_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="open"), name="one_open_question_per_order"
            )
        ]


class Offered(models.Model):
    """Units on the shelf that are kept for the customer while they think about a substitute.

    `quantity` is still kept, and counts as reserved in the product's balance; `given_up` were lost from the shelf. A
    question keeps as many of a product as its choice that wants most of it: the customer takes one of them.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="offered")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.IntegerField()
    given_up = models.IntegerField(default=0)
    at = models.DateTimeField()  # business time
    released_at = models.DateTimeField(null=True)  # the question is over, or the units are the order's now

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "product"], name="offered_once"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0) & models.Q(given_up__gte=0), name="offered_units"
            ),
        ]
        indexes = [models.Index(fields=["product"], condition=models.Q(released_at=None), name="offered_open")]


class Call(models.Model):
    """A telephone call to the customer, about a date that they need and we do not reach or about our open question:
    who, when, what they said."""

    ACCEPTED, DECLINED, NO_ANSWER, CALL_BACK = "accepted", "declined", "no_answer", "call_back"
    OUTCOMES = (ACCEPTED, DECLINED, NO_ANSWER, CALL_BACK)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="calls")
    outcome = models.CharField(max_length=10)
    # The day on which they would have it: what they accept or decline; None: it was about a question.
    told = models.DateField(null=True)
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="calls")
    note = models.CharField(max_length=500, blank=True, default="")
    call_back_at = models.DateTimeField(null=True)  # business time; when we ring again, as they asked or by ourselves
    tries = models.SmallIntegerField(default=0, db_default=0)  # without an answer in a row, this one included
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()  # business time

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="call_order")]
