"""Axis: money, of one part; with every charge, refund and pay link as a record of its own."""

from __future__ import annotations

from django.db import models

from counterfoil.core.machine import Machine
from counterfoil.records.orders.models.order import Order, Part

MONEY = Machine(
    "money",
    "unpaid",
    {
        # The processor has saved the card; nothing is charged.
        "save": (("unpaid", "declined"), "saved"),
        # The bank holds the amount for us until a day that it names; nothing is charged.
        "authorise": (("unpaid", "saved", "declined"), "authorised"),
        # The bank refused to hold it.
        "refuse": (("unpaid", "saved"), "declined"),
        # What was held is free again: its time was over, or we let it go. The saved card is still there.
        "lapse": (("authorised",), "saved"),
        # A charge is intended: from here no other charge can start.
        "begin": (("unpaid", "saved", "authorised", "declined", "receivable"), "charging"),
        # The call was cut off: whether money moved is being asked, never guessed.
        "lose_sight": (("charging",), "unknown"),
        # The money is taken.
        "capture": (("charging", "unknown"), "charged"),
        # The bank said no.
        "decline": (("charging", "unknown"), "declined"),
        # A charge that was never sent, or provably did nothing, is withdrawn.
        "withdraw": (("charging", "unknown"), "saved"),
        # The same while the bank still holds the amount for us.
        "step_back": (("charging", "unknown"), "authorised"),
        # Paid outside the card processor: recorded by a person.
        "record": (("unpaid", "saved", "authorised", "declined", "receivable"), "charged"),
        # The bank took less than we had booked: what is missing is to be paid.
        "fall_short": (("charged",), "declined"),
        # Amended to cost more than was paid: the difference is to be taken like any other money ...
        "grow": (("charged",), "saved"),
        # ... or is to be paid outside the card processor, or by a card that is still to be given.
        "grow_in_hand": (("charged",), "unpaid"),
        # Shipped to be paid on delivery.
        "owe": (("unpaid",), "receivable"),
        # Refused at the door and back on the shelf: what was to be paid on delivery is not owed any more.
        "forgive": (("receivable",), "voided"),
        # Cancelled before any money moved.
        "void": (("unpaid", "saved", "authorised", "declined"), "voided"),
    },
)


class Charge(models.Model):
    """One attempt to take money, or to have the bank hold it until we do. Its keys are stored before the call."""

    CHARGE, HOLD = "charge", "hold"

    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="charges")
    attempt = models.IntegerField()
    # A charge takes the money when it is confirmed; a hold is authorised then and captured later, once.
    kind = models.CharField(max_length=8, default=CHARGE, db_default=CHARGE)
    amount = models.BigIntegerField()  # of a hold that was captured: what was taken
    currency = models.CharField(max_length=3)
    # intended, created, confirming, succeeded, declined, withdrawn; of a hold also held, capturing, lapsed
    state = models.CharField(max_length=12, default="intended")
    held = models.BigIntegerField(null=True)  # what the bank held, minor units
    to_capture = models.BigIntegerField(null=True)  # what is to be taken of it, stored before it is asked for
    capture_asked_at = models.DateTimeField(null=True)  # real time: the age of the capture's key
    expires_at = models.DateTimeField(null=True)  # when the bank lets it go: the processor's own word, business time
    supplement = models.BooleanField(default=False, db_default=False)  # holds what the part costs more than the first
    method = models.CharField(max_length=12, default="card")  # card, terminal, cheque, on_delivery, link
    create_key = models.CharField(max_length=80, unique=True)
    confirm_key = models.CharField(max_length=80)
    capture_key = models.CharField(max_length=80, blank=True, default="", db_default="")
    intent_id = models.CharField(max_length=120, blank=True, default="")
    charge_id = models.CharField(max_length=120, blank=True, default="")
    reference = models.CharField(max_length=120, blank=True, default="")
    brand = models.CharField(max_length=20, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    decline_code = models.CharField(max_length=60, blank=True, default="")
    decline_message = models.CharField(max_length=300, blank=True, default="")
    # What may follow a decline: never (not with this card), later, customer (they must act), ours (to mend here)
    decline_class = models.CharField(max_length=10, blank=True, default="", db_default="")
    actor = models.CharField(max_length=200)
    made_at = models.DateTimeField()  # real time: a key's age counts in it
    settled_at = models.DateTimeField(null=True)  # business time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "attempt"], name="charge_once")]
        indexes = [models.Index(fields=["intent_id"], name="charge_intent")]


class PayLink(models.Model):
    """A hosted page at which the customer pays with any card, or saves one. Only one of a part is open at a time."""

    OPEN = ("intended", "open")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="pay_links")
    part = models.ForeignKey(Part, null=True, on_delete=models.PROTECT, related_name="pay_links")
    mode = models.CharField(max_length=8)  # setup or payment
    key = models.CharField(max_length=80, unique=True)
    session_id = models.CharField(max_length=120, blank=True, default="")
    url = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, default="intended")  # intended, open, complete, expired
    amount = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # business time

    class Meta:
        indexes = [models.Index(fields=["session_id"], name="paylink_session")]


class Refund(models.Model):
    """Money owed back from the moment it is decided until the processor says that it succeeded."""

    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="refunds")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    tax = models.BigIntegerField(default=0)  # of the amount, the tax in it
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, default="pending")  # pending, succeeded, failed
    key = models.CharField(max_length=80, unique=True)
    refund_id = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=500)
    lines = models.JSONField(default=list)  # [{sku, quantity}] when it was made by line
    failure = models.CharField(max_length=300, blank=True, default="")
    after_invoice = models.BooleanField(default=False)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()
    made_at = models.DateTimeField()  # real time
