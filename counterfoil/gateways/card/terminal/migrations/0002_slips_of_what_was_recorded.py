"""What clerks recorded before there were slips gets its slip; the first order with a number keeps it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

KIND = {"terminal": "card", "cheque": "cheque", "on_delivery": "cash"}


def write_slips(apps: Any, _schema_editor: Any = None) -> None:
    Charge, Refund = apps.get_model("orders", "Charge"), apps.get_model("orders", "Refund")
    Slip, SlipNumber, SlipReturn = (apps.get_model("terminal", n) for n in ("Slip", "SlipNumber", "SlipReturn"))
    recorded = Charge.objects.filter(method__in=KIND, state="succeeded", intent_id="", amount__gt=0)
    for charge in recorded.select_related("part__order").order_by("id").iterator():
        order, kind = charge.part.order, KIND[charge.method]
        if kind == "cash" and charge.last4:
            kind = "card"
        mark = {
            "order": order.number,
            "charge": charge.create_key,
            "slip": charge.reference,
            "by": charge.actor,
            "brand": charge.brand,
            "last4": charge.last4,
        }
        slip = Slip.objects.create(
            kind=kind,
            number=charge.reference,
            amount=charge.amount,
            currency=charge.currency,
            brand=charge.brand,
            last4=charge.last4,
            order_number=order.number,
            mark=mark,
            by=charge.actor,
            state="done",
            at=charge.settled_at or charge.made_at,
            create_key=charge.create_key,
            confirm_key=charge.create_key,
        )
        if kind != "cash":
            number = "".join(charge.reference.casefold().split())[:120]
            SlipNumber.objects.get_or_create(kind=kind, number=number, defaults={"order_number": order.number})
        for refund in Refund.objects.filter(charge=charge).order_by("id"):
            paid = refund.state == "succeeded"
            SlipReturn.objects.create(
                slip=slip,
                amount=refund.amount,
                mark={"refund": refund.key},
                key=refund.key,
                at=refund.at,
                state="succeeded" if paid else "pending",
                paid_at=refund.at if paid else None,
                paid_by=refund.actor if paid else "",
            )
            slip.returned += refund.amount
        slip.save()
        Charge.objects.filter(pk=charge.pk).update(intent_id=f"slip_{slip.pk}")


class Migration(migrations.Migration):
    dependencies = [("terminal", "0001_initial"), ("orders", "0002_holds_and_declines")]

    operations = [migrations.RunPython(write_slips, migrations.RunPython.noop)]
