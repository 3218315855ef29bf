"""What the processor told us before we have looked into it, where its books and ours differ, and what becomes of money
after it was taken: disputes, the lines of the balance, payouts."""

from __future__ import annotations

from django.db import models

from counterfoil.records.orders.models import Charge, Order


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
    object_id = models.CharField(max_length=120)  # the processor's charge, refund, line or payout
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


class Dispute(models.Model):
    """A customer went to their bank about a charge of ours. It only moves forward: see `disputes.RANKS`."""

    OPEN, ANSWERED, WON, LOST, CLOSED = "open", "answered", "won", "lost", "closed"

    dispute_id = models.CharField(max_length=120, unique=True)  # the processor's
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="disputes")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    inquiry = models.BooleanField()  # the bank only asks; else it took the money back
    state = models.CharField(max_length=8)
    reason = models.CharField(max_length=60)  # the processor's code
    amount = models.BigIntegerField()  # minor units
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()  # business time
    due_by = models.DateTimeField(null=True)  # business time; the processor's own word
    closed_at = models.DateTimeField(null=True)  # business time
    owner = models.CharField(max_length=200, blank=True, default="")
    # What we answer, stored before it is sent: evidence or acceptance, under which key, who, with which paper
    answer = models.CharField(max_length=10, blank=True, default="")
    answer_key = models.CharField(max_length=80, blank=True, default="")
    answer_text = models.TextField(blank=True, default="")
    answered_by = models.CharField(max_length=200, blank=True, default="")
    asked_at = models.DateTimeField(null=True)  # real time: a key's age counts in it
    document = models.CharField(max_length=40, blank=True, default="")  # the evidence pack's number
    submitted_at = models.DateTimeField(null=True)  # business time; the bank has our answer
    # Of the charge, what is with the bank (or gone) and no refund accounts for; minor units
    held = models.BigIntegerField(default=0)
    written_off = models.BigIntegerField(default=0)  # has left the books' disputed money since it was lost

    class Meta:
        indexes = [
            models.Index(
                fields=["order"], condition=models.Q(state__in=["open", "answered", "lost"]), name="dispute_matters"
            ),
            models.Index(fields=["due_by"], condition=models.Q(state="open"), name="dispute_due"),
        ]

    @property
    def wants_answer(self) -> bool:
        """Whether the bank waits for us."""
        return self.state == self.OPEN and self.submitted_at is None


class BalanceEntry(models.Model):
    """A line of our balance at the processor that concerns this shop, in minor units. `amount` less `fee` is `net`."""

    entry_id = models.CharField(max_length=120, unique=True)  # the processor's
    # charge, refund, refund_failed, dispute, dispute_reversed, payout_failed, fee, other
    kind = models.CharField(max_length=16)
    source_id = models.CharField(max_length=120)  # the processor's object that it comes from
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="balance_entries")
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    text = models.CharField(max_length=200, blank=True, default="")
    made_at = models.DateTimeField()  # the processor's time
    available_on = models.DateTimeField()
    payout = models.ForeignKey("Payout", null=True, on_delete=models.PROTECT, related_name="entries")
    booked = models.BooleanField(default=False)  # it stands in our books, as far as it is not booked by its charge

    class Meta:
        indexes = [
            models.Index(fields=["currency"], condition=models.Q(payout=None), name="balance_unpaid"),
            models.Index(fields=["source_id"], name="balance_source"),
            models.Index(fields=["made_at"], name="balance_made"),
        ]


class Payout(models.Model):
    """Money that the processor sent to the shop's bank."""

    payout_id = models.CharField(max_length=120, unique=True)  # the processor's
    status = models.CharField(max_length=10)  # under_way, paid, failed, cancelled
    amount = models.BigIntegerField()  # minor units; all of it, whoever's
    currency = models.CharField(max_length=3)
    arrives_on = models.DateField()
    made_at = models.DateTimeField()  # the processor's time
    failure = models.CharField(max_length=200, blank=True, default="")
    lines = models.BooleanField(default=False)  # its lines have been read
    booked = models.BigIntegerField(default=0)  # what our books have of it, minor units
    postings = models.IntegerField(default=0)  # how often that was entered: a correction is another entry

    class Meta:
        indexes = [models.Index(fields=["arrives_on"], name="payout_arrives")]
