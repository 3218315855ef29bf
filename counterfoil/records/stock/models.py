"""The unit ledger. Movements are never changed; the balance beside them is provably their sum.

on_hand: on the shelf and sellable, reserved or not · reserved: of those, promised to an order line · picked: taken off
the shelf for an order · shipped: gone to a customer · quarantined: here, not sellable · due_in: on order at a supplier.
"""

from __future__ import annotations

from django.db import models

from counterfoil.records.catalogue.models import Product

COLUMNS = ("on_hand", "reserved", "picked", "shipped", "quarantined", "due_in")


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
