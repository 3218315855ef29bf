from __future__ import annotations

from typing import Any

from django.db import migrations, models

from counterfoil.records.customers.keys import keys_of

BATCH = 1000


def fill(apps: Any, schema_editor: Any) -> None:
    """Customers of before are found by name and number, too; the country is that of their newest order."""
    Customer = apps.get_model("customers", "Customer")
    with schema_editor.connection.cursor() as cursor:
        tables = schema_editor.connection.introspection.table_names(cursor)
    last = 0
    while True:
        batch = list(Customer.objects.filter(pk__gt=last).order_by("pk")[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        countries = _countries(schema_editor, batch) if "orders_order" in tables else {}
        for one in batch:
            for column, key in keys_of(one.name, one.phone, countries.get(one.pk, "US")).items():
                setattr(one, column, key)
        Customer.objects.bulk_update(batch, ["name_key", "last_key", "phone_key"])


def _countries(schema_editor: Any, batch: list[Any]) -> dict[int, str]:
    """By customer, the country of the newest order."""
    postgres = schema_editor.connection.vendor == "postgresql"
    country = "shipping_address ->> 'country'" if postgres else "json_extract(shipping_address, '$.country')"
    marks = ", ".join(["%s"] * len(batch))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, {country} FROM orders_order WHERE id IN "
            f"(SELECT MAX(id) FROM orders_order WHERE customer_id IN ({marks}) GROUP BY customer_id)",
            [one.pk for one in batch],
        )
        return {pk: found or "US" for pk, found in cursor.fetchall()}


def column(length: int) -> Any:
    return models.CharField(blank=True, db_default="", default="", max_length=length)


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.AddField("customer", "prefers", column(5)),
        migrations.AddField("customer", "name_key", column(200)),
        migrations.AddField("customer", "last_key", column(200)),
        migrations.AddField("customer", "phone_key", column(20)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "customer", models.Index(fields=["name_key"], name="customer_name", opclasses=["varchar_pattern_ops"])
        ),
        migrations.AddIndex(
            "customer", models.Index(fields=["last_key"], name="customer_last", opclasses=["varchar_pattern_ops"])
        ),
        migrations.AddIndex(
            "customer", models.Index(fields=["phone_key"], name="customer_phone", opclasses=["varchar_pattern_ops"])
        ),
    ]
