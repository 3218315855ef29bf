"""The order, its lines and its parts. Review lives on the order; stock, money, parcel and books on the part."""

from __future__ import annotations

from django.db import models

from counterfoil.core.cutoffs import NO_CUT_OFF
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.models import Account, Customer


class Order(models.Model):
    number = models.CharField(max_length=20, unique=True)
    token = models.CharField(max_length=43, unique=True)  # opens the customer's page of this one order
    version = models.IntegerField(default=1)  # grows with every writer; taking it is the order's only lock
    channel = models.CharField(max_length=40)
    reference = models.CharField(max_length=100)
    placed_at = models.DateTimeField()  # business time
    currency = models.CharField(max_length=3)

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    # The account that it belongs to: placed while logged in, or brought in by a link that was mailed to its address.
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="orders", db_index=False)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    phone = models.CharField(max_length=40, blank=True, default="")
    shipping_address = models.JSONField()
    billing_address = models.JSONField()
    shipping_method = models.CharField(max_length=100)
    needed_by = models.DateField(null=True)
    gift_message = models.TextField(blank=True, default="")
    comment = models.TextField(blank=True, default="")

    # Minor units. Prices exclude tax; total = subtotal + shipping + tax + rounding.
    subtotal = models.BigIntegerField()
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    rounding = models.BigIntegerField(default=0)
    total = models.BigIntegerField()

    # The method that was chosen, and the saved card: brand and last four, never a number.
    payment_method = models.CharField(max_length=12)  # card, terminal, cheque, on_delivery
    card_state = models.CharField(max_length=10, default="none")  # none, to_save, saved, refused
    card_source = models.CharField(max_length=120, blank=True, default="")  # the processor's id of what to save
    card_method = models.CharField(max_length=120, blank=True, default="")  # the processor's id of the saved card
    card_brand = models.CharField(max_length=20, blank=True, default="")
    card_last4 = models.CharField(max_length=4, blank=True, default="")
    card_consent = models.BooleanField(default=False)

    review = models.CharField(max_length=10, default="pending")
    approved_by = models.CharField(max_length=200, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=200, blank=True, default="")
    cancel_reason = models.TextField(blank=True, default="")
    finished = models.BooleanField(default=True)  # False: a check-out that has not been completed
    closed_history = models.BooleanField(default=False)  # came in as delivered from another system
    flags = models.JSONField(default=list)  # what a reviewer should look at: [{code, text}]

    # Derived by flow from the facts, stored so that a queue is one index range. Never decided upon.
    status = models.CharField(max_length=20, default="pending")
    queue = models.CharField(max_length=16, default="review")
    queue_since = models.DateTimeField()
    deadline = models.DateField(null=True)  # the next date that matters: sorts the queue
    # Minutes of the shop's day until which its carrier takes the parcel: sorts orders of one date (core/cutoffs.py).
    leave_by = models.SmallIntegerField(default=NO_CUT_OFF, db_default=NO_CUT_OFF)
    next_action = models.CharField(max_length=40, blank=True, default="")
    blockers = models.JSONField(default=list)
    next_check_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "reference"], name="order_once_per_channel")]
        indexes = [
            models.Index(fields=["queue", "deadline", "leave_by", "id"], name="order_leaves"),
            models.Index(fields=["queue", "queue_since"], name="order_waiting_since"),
            models.Index(fields=["total"], name="order_total"),
            models.Index(fields=["next_check_at"], name="order_next_check"),
            models.Index(fields=["email"], name="order_email"),
            models.Index(fields=["name"], name="order_name"),
            models.Index(fields=["customer", "id"], name="order_customer"),
            models.Index(fields=["placed_at"], name="order_placed"),
            models.Index(fields=["account", "-id"], condition=models.Q(account__isnull=False), name="order_account"),
        ]


class Part(models.Model):
    """What is promised, charged, packed and invoiced together. The ordinary order has one."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="parts")
    number = models.SmallIntegerField(default=1)
    stock = models.CharField(max_length=10, default="unchecked")
    money = models.CharField(max_length=10, default="unpaid")
    parcel = models.CharField(max_length=10, default="waiting")
    books = models.CharField(max_length=12, default="none")

    subtotal = models.BigIntegerField()
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    rounding = models.BigIntegerField(default=0)
    total = models.BigIntegerField()

    promise_date = models.DateField(null=True)
    promise_version = models.IntegerField(default=0)
    promised_on = models.DateField(null=True)  # the day on which that date was given, at the shop
    promise_consent = models.CharField(max_length=8, blank=True, default="", db_default="")  # of its newest version
    legal_deadline = models.DateField(null=True)
    # That deadline was over before the order came here from another shop: a person writes to the customer, not we.
    clock_over = models.BooleanField(default=False, db_default=False)
    # Facts kept from other steps.
    charged = models.BigIntegerField(default=0)
    refund_owed = models.BigIntegerField(default=0)  # decided, not yet succeeded at the processor
    refunded = models.BigIntegerField(default=0)  # succeeded
    # Of what goes or went back, that by which more had been paid than the part costs: it pays for nothing any more.
    given_back = models.BigIntegerField(default=0, db_default=0)
    authorisation_amount = models.BigIntegerField(null=True)
    authorisation_expires_at = models.DateTimeField(null=True)
    authorisation_warned_at = models.DateTimeField(null=True)  # that it ends soon; forgotten with a new one
    # After a decline: what kind it was, when we ask the same card again by ourselves, until when its stock is held.
    decline_class = models.CharField(max_length=10, blank=True, default="", db_default="")
    retry_at = models.DateTimeField(null=True)
    grace_until = models.DateTimeField(null=True)
    let_go_at = models.DateTimeField(null=True)  # unpaid for too long: the stock went back to the shelf
    # Charged, and its goods are neither here nor due in time: since when, when the customer was asked (by which
    # question of ours), the last day for their answer before all of it is refunded, and until when they agreed to wait.
    cover_lost_at = models.DateTimeField(null=True)
    cover_asked_at = models.DateTimeField(null=True)
    cover_question = models.BigIntegerField(null=True)
    cover_refund_on = models.DateField(null=True)
    waits_until = models.DateField(null=True)
    charged_at = models.DateTimeField(null=True)
    charged_by = models.CharField(max_length=200, blank=True, default="")
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    picked_by = models.CharField(max_length=200, blank=True, default="")
    packed_by = models.CharField(max_length=200, blank=True, default="")
    sales_order_number = models.CharField(max_length=40, blank=True, default="")
    invoice_number = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="part_once")]

    @property
    def paid(self) -> int:
        """What has been paid towards the part's total, minor units: a gift of the shop's later on takes nothing off."""
        return self.charged - self.given_back


class Line(models.Model):
    """One product on an order. `quantity` is what the customer still wants; a cancelled line keeps its history."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="lines")
    position = models.SmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=400)
    quantity = models.IntegerField()
    unit_price = models.BigIntegerField()
    tax_ppm = models.IntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    # Units of this line and where they are; what is none of these is short.
    reserved = models.IntegerField(default=0)
    due = models.IntegerField(default=0)  # pegged to units of purchase orders
    due_confirmed = models.IntegerField(default=0)  # of those, on a date that the supplier confirmed
    due_date = models.DateField(null=True)  # the latest confirmed date of the pegged units
    picked = models.IntegerField(default=0)
    packed = models.IntegerField(default=0)
    shipped = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    refunded = models.IntegerField(default=0)
    replaces = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="line_quantity"),
            models.CheckConstraint(
                condition=models.Q(reserved__gte=0) & models.Q(due__gte=0) & models.Q(picked__gte=0),
                name="line_units",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "position"], name="line_order"),
            models.Index(fields=["product"], name="line_product"),
            models.Index(fields=["sku"], name="line_sku"),
        ]

    @property
    def open_units(self) -> int:
        """Units that have neither been reserved nor left the shelf for this line."""
        return self.quantity - self.reserved - self.picked - self.shipped

    @property
    def short(self) -> int:
        """Units with no cover at all: not here and not on order."""
        return self.open_units - self.due

    @property
    def net(self) -> int:
        return self.quantity * self.unit_price
