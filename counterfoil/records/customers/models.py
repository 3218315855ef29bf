"""Who buys. An order keeps its own copy of name and address; this row is what the next order has in common with it."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    TELEPHONE, MAIL = "phone", "mail"
    WAYS = ("", TELEPHONE, MAIL)

    email_key = models.CharField(max_length=254, unique=True)  # lower case
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True, default="")  # the newest that they gave
    processor_id = models.CharField(max_length=80, blank=True, default="")  # the card processor's customer
    note = models.TextField(blank=True, default="")  # ours, for whoever has them on the telephone next
    prefers = models.CharField(max_length=5, blank=True, default="", db_default="")  # how they like to be asked
    # What they are found by as somebody types; see `keys.py`.
    name_key = models.CharField(max_length=200, blank=True, default="", db_default="")
    last_key = models.CharField(max_length=200, blank=True, default="", db_default="")
    phone_key = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        # On PostgreSQL only an index of this class answers "begins with" whatever the database's collation.
        indexes = [
            models.Index(fields=["name_key"], opclasses=["varchar_pattern_ops"], name="customer_name"),
            models.Index(fields=["last_key"], opclasses=["varchar_pattern_ops"], name="customer_last"),
            models.Index(fields=["phone_key"], opclasses=["varchar_pattern_ops"], name="customer_phone"),
        ]
