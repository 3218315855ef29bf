"""Double-entry postings. An entry is made once for its cause and never changed; a correction is another entry."""

from __future__ import annotations

from django.db import models

ACCOUNTS = {
    "bank": "Bank",
    "card_clearing": "Card clearing",
    "other_clearing": "Cash, cheques and terminal to be banked",
    "disputes": "Card payments in dispute",
    "receivable": "Accounts receivable",
    "inventory": "Inventory",
    "customer_deposits": "Customer deposits",
    "refunds_payable": "Refunds payable",
    "tax_payable": "Tax payable",
    "goods_received": "Goods received, not invoiced",
    "revenue": "Revenue",
    "shipping_income": "Shipping income",
    "rounding": "Rounding differences",
    "returns": "Returns and allowances",
    "cost_of_goods": "Cost of goods sold",
    "stock_losses": "Stock losses and differences",
    "card_fees": "Card fees",
    "dispute_losses": "Losses from disputes",
}


class Entry(models.Model):
    cause = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    at = models.DateTimeField()  # business time

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="entry_subject"),
            models.Index(fields=["at"], name="entry_day"),
        ]


class Posting(models.Model):
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=40)
    amount = models.BigIntegerField()  # minor units; debit positive, credit negative
    currency = models.CharField(max_length=3)

    class Meta:
        indexes = [models.Index(fields=["account", "currency"], name="posting_account")]
