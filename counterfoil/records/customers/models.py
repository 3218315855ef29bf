"""Who buys. An order keeps its own copy of name and address; this row is what the next order has in common with it."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    email_key = models.CharField(max_length=254, unique=True)  # lower case
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True, default="")
    processor_id = models.CharField(max_length=80, blank=True, default="")  # the card processor's customer
    note = models.TextField(blank=True, default="")
