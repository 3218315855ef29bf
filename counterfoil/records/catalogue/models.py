"""What the shop sells and who supplies it."""

from __future__ import annotations

from django.db import models


class Supplier(models.Model):
    """Whom we buy from, and on what terms. Amounts are minor units of `currency`, in which it is paid."""

    name = models.CharField(max_length=200, unique=True)
    email = models.EmailField(blank=True, default="")
    contact = models.CharField(max_length=200, blank=True, default="")  # the person to ask for
    phone = models.CharField(max_length=40, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")  # "": the shop's
    lead_time_days = models.IntegerField(default=7)  # their word
    # What their deliveries took, in the shop's business days: eight of ten took no longer. And how many there were.
    learnt_days = models.IntegerField(null=True)
    learnt_from = models.IntegerField(default=0, db_default=0)
    minimum = models.BigIntegerField(default=0)
    # An order that is sent before this time of the shop's clock, on one of these weekdays (Monday is 0), goes today.
    cut_off = models.TimeField(null=True)  # None: the whole day
    order_days = models.JSONField(default=list)  # empty: every working day of the shop


class Family(models.Model):
    """What vintages have in common: the same wine from the same producer. A new vintage is another product."""

    producer = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    region = models.CharField(max_length=120, blank=True, default="")
    grape = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["producer", "name"], name="family_once")]


class Product(models.Model):
    BACKORDER, STOP = "backorder", "stop"

    sku = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=300)
    family = models.ForeignKey(Family, null=True, on_delete=models.PROTECT, related_name="products")
    vintage = models.IntegerField(null=True)
    size = models.CharField(max_length=40, blank=True, default="")
    description = models.TextField(blank=True, default="")
    art = models.TextField(blank=True, default="")  # SVG of our own making, shown as a picture
    price = models.BigIntegerField()  # minor units, without tax
    currency = models.CharField(max_length=3)
    tax_class = models.CharField(max_length=40, default="standard")
    weight_g = models.IntegerField(default=0)
    supplier = models.ForeignKey(Supplier, null=True, on_delete=models.PROTECT, related_name="products")
    cost = models.BigIntegerField(default=0)  # what one costs us, minor units of the shop's currency
    lead_time_days = models.IntegerField(null=True)  # None: the supplier's
    sell_when_out = models.CharField(max_length=10, default=BACKORDER)
    age_restricted = models.BooleanField(default=False)
    bin = models.CharField(max_length=20, blank=True, default="")
    reorder_point = models.IntegerField(default=0)  # 0: bought only for orders that wait
    reorder_up_to = models.IntegerField(default=0)  # buy up to that many; less than the point: up to the point
    listed = models.BooleanField(default=True)
    barcode = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # what it is scanned by, or its SKU

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["barcode"], condition=~models.Q(barcode=""), name="barcode_once")
        ]
        indexes = [models.Index(fields=["name"], name="product_name")]
