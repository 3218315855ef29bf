"""What was said between the shop and a customer outside its own mails: calls, letters, visits, notes."""

from __future__ import annotations

from django.db import models

from counterfoil.records.orders.models.order import Order


class Contact(models.Model):
    CALL, MAIL, VISIT, NOTE = "call", "mail", "visit", "note"
    KINDS = (CALL, MAIL, VISIT, NOTE)  # what a person here writes down
    MESSAGE = "message"  # what the customer wrote on their order's page
    DIRECTIONS = ("", "in", "out")  # who began it; a note has none

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=10)
    direction = models.CharField(max_length=3, blank=True, default="")
    spoken_to = models.CharField(max_length=200, blank=True, default="")
    text = models.CharField(max_length=2000)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()  # business time

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="contact_order")]
