"""Who buys. An order keeps its own copy of name and address; a customer's row is what their orders have in common."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    TELEPHONE, MAIL = "phone", "mail"
    WAYS = ("", TELEPHONE, MAIL)

    email_key = models.CharField(max_length=254, unique=True)  # lower case
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True, default="")  # the newest that they, or one of us, gave
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


class Account(models.Model):
    """A customer's log-in. Its address is proven: an account is made from a link that was mailed there.

    It has nothing to do with the people who work here (`core/access`): neither can ever open the other's pages.
    """

    email_key = models.CharField(max_length=254, unique=True)  # lower case
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True, default="")
    password = models.CharField(max_length=128)  # as Django hashes it
    # Grows with every password: a mailed link is good for the number that it was made with, hence once.
    generation = models.IntegerField(default=1)
    made_at = models.DateTimeField()  # real time


class AccountAddress(models.Model):
    """An address of an account. Exactly one is the first choice, if there are any."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="addresses")
    name = models.CharField(max_length=200)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=200)
    postcode = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=200, blank=True, default="")
    country = models.CharField(max_length=2)
    first = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=models.Q(first=True), name="one_first_address")
        ]

    def as_json(self) -> dict[str, str]:
        """As an order keeps it."""
        return {f: str(getattr(self, f)) for f in ("name", "street", "city", "postcode", "state", "country")}


class AccountSession(models.Model):
    """A browser in which an account is logged in. `sha256` of a key with 256 random bits, which its cookie holds."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sessions")
    sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()  # real time, as is the end
    ends_at = models.DateTimeField()
