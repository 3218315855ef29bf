"""Axis: parcel, of one part; with its packages and shipments."""

from __future__ import annotations

from django.db import models

from counterfoil.core.machine import Machine
from counterfoil.records.orders.models.order import Order, Part

PARCEL = Machine(
    "parcel",
    "waiting",
    {
        # The first unit is off the shelf, the last is not.
        "start_pick": (("waiting",), "picking"),
        # Every unit of the part is off the shelf.
        "pick": (("waiting", "picking"), "picked"),
        # A unit broke before it was in a package: another is to be fetched, the rest stays off the shelf.
        "break": (("picked",), "picking"),
        # Every unit is in a package.
        "pack": (("picked",), "packed"),
        # A package was opened again, because something in it broke: it is as if that had happened on the table.
        "open": (("packed",), "picked"),
        # Handed to the carrier.
        "ship": (("packed",), "shipped"),
        # At the customer's door.
        "deliver": (("shipped",), "delivered"),
        # Everything came back.
        "return": (("shipped", "delivered"), "returned"),
        # Picked units went back to the shelf, cancelled or changed before shipping; or all of them broke.
        "unpick": (("picking", "picked", "packed"), "waiting"),
    },
)


class Shipment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="shipments")
    carrier = models.CharField(max_length=40)
    tracking_number = models.CharField(max_length=80)
    tracking_url = models.TextField(blank=True, default="")
    shipped_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    signed_by = models.CharField(max_length=120, blank=True, default="", db_default="")  # who signed at the door
    actor = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["carrier", "tracking_number"], name="tracking_number_once")]
        indexes = [
            models.Index(fields=["tracking_number"], name="shipment_tracking"),
            models.Index(fields=["shipped_at"], name="shipment_day"),
        ]


class Package(models.Model):
    """A box: which units are in it. Numbered within the order."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="packages")
    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="packages")
    shipment = models.ForeignKey(Shipment, null=True, on_delete=models.PROTECT, related_name="packages")
    number = models.SmallIntegerField()
    lines = models.JSONField()  # [{line, sku, quantity}]
    weight_g = models.IntegerField(null=True)
    packed_by = models.CharField(max_length=200)
    packed_at = models.DateTimeField()
    unpacked_at = models.DateTimeField(null=True)  # taken apart again before shipping

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="package_once")]
