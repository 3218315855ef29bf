"""How long a supplier really takes, learnt from what came."""

from __future__ import annotations

from django.db.models.functions import Coalesce

from counterfoil.core.shop import Shop, shop
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.stock.promise import p80
from counterfoil.steps.sourcing.models import GoodsReceipt

REMEMBERED = 50  # deliveries; what was longer ago tells less and less


def deliveries(supplier_id: int, settings: Shop) -> list[int]:
    """The latest deliveries: business days from the sending of the order to the receipt. A second part counts again."""
    found = GoodsReceipt.objects.filter(po__supplier_id=supplier_id).order_by("-pk")
    return [
        settings.business_days_between(settings.day_of(sent), settings.day_of(came))
        for sent, came in found.values_list(Coalesce("po__sent_at", "po__made_at"), "at")[:REMEMBERED]
    ]


def learn_lead_time(supplier_id: int) -> None:
    """Keep on the supplier how many business days eight of ten deliveries took at most; inside `writing()`."""
    days = deliveries(supplier_id, shop())
    Supplier.objects.filter(pk=supplier_id).update(learnt_days=p80(days), learnt_from=len(days))
