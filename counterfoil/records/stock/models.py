"""The unit ledger. Movements are never changed; the balances beside them are provably their sum.

A product's balance counts all of its units; its places say in which bin, and of which lot, those in the house are. A
reservation is of the product: the lot is chosen when a pick list is written (docs/adr/0007-places.md).

on_hand: on the shelf and sellable, reserved or not · reserved: of those, promised to an order line · picked: taken off
the shelf for an order · shipped: gone to a customer · quarantined: here, not sellable · due_in: on order at a supplier.
"""

from __future__ import annotations

from django.db import models

from counterfoil.records.catalogue.models import Product

COLUMNS = ("on_hand", "reserved", "picked", "shipped", "quarantined", "due_in")
# What has a place in the house: by these columns the places of a product sum up to its balance.
PLACED = ("on_hand", "picked", "quarantined")


class Balance(models.Model):
    product = models.OneToOneField(Product, primary_key=True, on_delete=models.PROTECT, related_name="balance")
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    picked = models.BigIntegerField(default=0)
    shipped = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    due_in = models.BigIntegerField(default=0)
    # Wanted by open order lines and not reserved: what is promised out beyond the shelf.
    waiting = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(on_hand__gte=0), name="balance_on_hand"),
            models.CheckConstraint(
                condition=models.Q(reserved__gte=0) & models.Q(reserved__lte=models.F("on_hand")),
                name="balance_reserved",
            ),
            models.CheckConstraint(condition=models.Q(picked__gte=0), name="balance_picked"),
            models.CheckConstraint(condition=models.Q(quarantined__gte=0), name="balance_quarantined"),
            models.CheckConstraint(condition=models.Q(due_in__gte=0), name="balance_due_in"),
            models.CheckConstraint(condition=models.Q(waiting__gte=0), name="balance_waiting"),
        ]

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved

    @property
    def available_to_promise(self) -> int:
        """On hand and due in, less everything already promised out; negative when more is owed than is coming."""
        return self.on_hand - self.reserved + self.due_in - self.waiting


class Place(models.Model):
    """Units of one product in one bin and of one lot; "" is no bin, or no lot. What was picked came from here.

    Kept when it is empty, because its lot's date is. `first_at`: when what lies here began to come (business time).
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="places")
    bin = models.CharField(max_length=20, blank=True, default="")
    lot = models.CharField(max_length=40, blank=True, default="")
    best_before = models.DateField(null=True)
    first_at = models.DateTimeField()
    on_hand = models.BigIntegerField(default=0, db_default=0)
    picked = models.BigIntegerField(default=0, db_default=0)
    quarantined = models.BigIntegerField(default=0, db_default=0)
    # What all of these units cost, minor units of the shop's currency: see `worth.py`.
    value = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "stock_place"
        constraints = [
            models.UniqueConstraint(fields=["product", "bin", "lot"], name="place_once"),
            models.CheckConstraint(condition=models.Q(on_hand__gte=0), name="place_on_hand"),
            models.CheckConstraint(condition=models.Q(picked__gte=0), name="place_picked"),
            models.CheckConstraint(condition=models.Q(quarantined__gte=0), name="place_quarantined"),
        ]
        indexes = [models.Index(fields=["bin"], name="place_bin")]

    @property
    def where(self) -> str:
        """The place in words."""
        bin_ = f"bin {self.bin}" if self.bin else "no bin"
        return f"{bin_}, lot {self.lot}" if self.lot else bin_


class PickPlan(models.Model):
    """Which units a printed pick list sends the picker for. It keeps two lists apart and binds nobody.

    Rows of a line that holds no reservation any more mean nothing; they go with the line's pick or its next list.
    """

    line = models.BigIntegerField()  # the order line's id
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="plans")
    units = models.BigIntegerField()

    class Meta:
        db_table = "stock_pickplan"
        constraints = [
            models.UniqueConstraint(fields=["line", "place"], name="pickplan_once"),
            models.CheckConstraint(condition=models.Q(units__gt=0), name="pickplan_units"),
        ]


class Movement(models.Model):
    """Signed changes to the columns of a balance, with the one cause that made them."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    bin = models.CharField(max_length=20, blank=True, default="")
    lot = models.CharField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=20)
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    picked = models.BigIntegerField(default=0)
    shipped = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    due_in = models.BigIntegerField(default=0)
    value = models.BigIntegerField(default=0, db_default=0)  # of what came to the house; below zero: of what left it
    cause = models.CharField(max_length=160, unique=True)  # it can happen once for that cause
    subject = models.CharField(max_length=40, blank=True, default="")
    line = models.BigIntegerField(null=True)  # the order line's id
    reason = models.CharField(max_length=500, blank=True, default="")
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()  # business time

    class Meta:
        db_table = "stock_movement"
        indexes = [
            models.Index(fields=["product", "id"], name="movement_product"),
            models.Index(fields=["subject"], name="movement_subject"),
        ]
