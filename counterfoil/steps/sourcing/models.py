"""What is bought in: purchase orders, which of their units wait for which order line, and what came."""

from __future__ import annotations

from django.db import models

from counterfoil.core.machine import Machine
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.orders.models import Line

PURCHASE = Machine(
    "state",
    "draft",
    {
        # It has gone to the supplier: from here on its units are due in.
        "send": (("draft",), "sent"),
        # Nobody wants it after all; it never had a number.
        "discard": (("draft",), "discarded"),
        # The supplier has named a date.
        "confirm": (("sent",), "confirmed"),
        # Nothing is outstanding any more.
        "receive": (("sent", "confirmed"), "received"),
        # The rest will never come.
        "close": (("sent", "confirmed"), "closed"),
    },
)
# Something may still come.
OPEN_STATES = ("sent", "confirmed")


class PurchaseOrder(models.Model):
    """What was ordered from a supplier, or will be. Its number is also that of its paper.

    A draft is not numbered yet (papers of a series have no gaps) and is called `D-` with its id; its units are not due
    in and meant for nobody.
    """

    number = models.CharField(max_length=40, unique=True)
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="purchase_orders")
    state = models.CharField(max_length=10, default="draft")
    currency = models.CharField(max_length=3)  # the supplier's; costs are minor units of it
    # What one unit of it costs in the shop's currency, in millionths: entered by the buyer. None: it is the shop's.
    rate_ppm = models.BigIntegerField(null=True)
    note = models.TextField(blank=True, default="")  # to the supplier, on the paper and in the mail
    expected = models.DateField(null=True)  # ours until the supplier confirms, then the supplier's
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=200, blank=True, default="")
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()  # business time
    sent_at = models.DateTimeField(null=True)  # business time
    sent_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["state", "expected"], name="purchase_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier"], condition=models.Q(state="draft"), name="one_draft_per_supplier"
            )
        ]


class PurchaseLine(models.Model):
    """Units of one product on a purchase order. `received` includes `damaged`, and may exceed `quantity`."""

    po = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="purchase_lines")
    quantity = models.IntegerField()
    cost = models.BigIntegerField(null=True)  # of one, minor units of the order's currency; None: not known yet
    needed = models.IntegerField(default=0)  # units that were missing when a draft gathered them; 0: put there by hand
    received = models.IntegerField(default=0)
    damaged = models.IntegerField(default=0)
    expected = models.DateField(null=True)  # the date that the supplier confirmed; None: not confirmed

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["po", "product"], name="purchase_line_once"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0)
                & models.Q(received__gte=0)
                & models.Q(damaged__gte=0)
                & models.Q(damaged__lte=models.F("received")),
                name="purchase_line_units",
            ),
        ]

    @property
    def outstanding(self) -> int:
        """Units still to come."""
        return max(0, self.quantity - self.received)

    @property
    def price(self) -> int:
        """What one costs, minor units of the order's currency. Only a draft may not know it yet."""
        return self.cost or 0


class Peg(models.Model):
    """Units still to come that are meant for one order line. Written only under the lock of the product's balance."""

    purchase_line = models.ForeignKey(PurchaseLine, on_delete=models.PROTECT, related_name="pegs")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="pegs")
    quantity = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purchase_line", "line"], name="peg_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="peg_units"),
        ]


class GoodsReceipt(models.Model):
    """One delivery against a purchase order, as it was counted."""

    po = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="receipts")
    at = models.DateTimeField()  # business time
    actor = models.CharField(max_length=200)
    token = models.CharField(max_length=64, null=True, unique=True)  # of the form: sent twice, counted once
    ready_orders = models.JSONField(default=list)  # numbers of the orders that it completed

    # Not stored: this very form had been counted in before.
    repeated: bool = False


class ReceiptLine(models.Model):
    """`received` units came, of which `damaged` cannot be sold and `surplus` had not been ordered."""

    receipt = models.ForeignKey(GoodsReceipt, on_delete=models.PROTECT, related_name="lines")
    purchase_line = models.ForeignKey(PurchaseLine, on_delete=models.PROTECT, related_name="receipt_lines")
    received = models.IntegerField()
    damaged = models.IntegerField(default=0)
    surplus = models.IntegerField(default=0)
    expected = models.DateField(null=True)  # the date that the supplier had confirmed by then
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(damaged__gte=0) & models.Q(received__gte=models.F("damaged")),
                name="receipt_line_units",
            )
        ]


class CountTask(models.Model):
    """A picker saw `seen` units where the ledger expected `expected`; the difference is set aside until counted."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="count_tasks")
    order_number = models.CharField(max_length=20)
    seen = models.IntegerField()
    expected = models.IntegerField()
    made_at = models.DateTimeField()  # business time
    made_by = models.CharField(max_length=200)
    at_pick = models.BooleanField(default=False)  # missed while picking, not at the stock check
    found = models.IntegerField(null=True)  # of the missing units, how many the count brought to light
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["product"], condition=models.Q(closed_at=None), name="count_open"),
        ]

    @property
    def missing(self) -> int:
        return self.expected - self.seen


COUNT = Machine(
    "state",
    "open",
    {
        # The shelf has been counted and the ledger follows it.
        "apply": (("open",), "applied"),
        # Nobody will count it after all.
        "drop": (("open",), "dropped"),
    },
)


class CountSheet(models.Model):
    """Places to be counted, with what was expected when it was printed. Its number is also that of its paper."""

    number = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=10, default="open")
    scope = models.CharField(max_length=120)  # what is counted, in words
    blind = models.BooleanField(default=False)  # what is expected is not on the paper
    made_at = models.DateTimeField()  # business time
    made_by = models.CharField(max_length=200)
    counted_at = models.DateTimeField(null=True)  # None: the count is of the moment when the sheet was made
    reason = models.CharField(max_length=500, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["state", "-id"], name="countsheet_state")]


class CountRow(models.Model):
    """One place of a sheet. `expected` was on hand after movement `mark`, the newest one of the product then."""

    sheet = models.ForeignKey(CountSheet, on_delete=models.PROTECT, related_name="rows")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="count_rows")
    bin = models.CharField(max_length=20, blank=True, default="")
    lot = models.CharField(max_length=40, blank=True, default="")
    expected = models.IntegerField()
    mark = models.BigIntegerField()
    counted = models.IntegerField(null=True)  # None: nobody has counted it; it stays as it is
    best_before = models.DateField(null=True)  # of a lot that the ledger did not know
    entered_by = models.CharField(max_length=200, blank=True, default="")
    booked = models.IntegerField(null=True)  # the difference that was applied

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "product", "bin", "lot"], name="countrow_once"),
            models.CheckConstraint(
                condition=models.Q(counted=None) | models.Q(counted__gte=0), name="countrow_counted"
            ),
        ]


class StockFile(models.Model):
    """A file of stock that was taken in: the same file again changes nothing. `done`: the last line that was."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    mode = models.CharField(max_length=10)  # opening, counted
    done = models.IntegerField(default=0)
    finished_at = models.DateTimeField(null=True)  # business time
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()
