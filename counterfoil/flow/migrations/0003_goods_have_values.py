"""What a shop has had until now is worth what the catalogue says: on the shelf, and with customers.

Movements are never changed: others are added that give what is there its value and take it from what has left. The
books took goods in at what was paid and let them go at the catalogue's cost; what came of the difference until now is
booked once, so that from here on goods in stock are what the shelf is worth.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

WHY = "from now on it is known what it has cost"
INTO = (
    "INSERT INTO stock_movement (product_id, bin, lot, kind, on_hand, reserved, picked, shipped, quarantined, due_in, "
    "cause, subject, line, reason, actor, at, value) "
)
ZEROS = "0, 0, 0, 0, 0, 0"


def give_values(apps: Any, schema_editor: Any) -> None:
    """Three statements over the ledger, on either database, and an entry if there is a difference."""
    schema_editor.execute(
        INTO + f"SELECT m.product_id, m.bin, m.lot, 'valued', {ZEROS}, 'valued:line:' || m.line || ':' || m.bin || "
        f"':' || m.lot, MAX(m.subject), m.line, '{WHY}', 'system', MAX(m.at), -SUM(m.shipped) * p.cost "
        "FROM stock_movement m JOIN catalogue_product p ON p.id = m.product_id WHERE m.line IS NOT NULL AND p.cost > 0 "
        "GROUP BY m.product_id, m.bin, m.lot, m.line, p.cost HAVING SUM(m.shipped) <> 0"
    )
    schema_editor.execute(
        INTO + f"SELECT m.product_id, m.bin, m.lot, 'valued', {ZEROS}, 'valued:place:' || m.product_id || ':' || m.bin "
        f"|| ':' || m.lot, '', NULL, '{WHY}', 'system', MAX(m.at), "
        "SUM(m.on_hand + m.picked + m.quarantined) * p.cost - SUM(m.value) "
        "FROM stock_movement m JOIN catalogue_product p ON p.id = m.product_id GROUP BY m.product_id, m.bin, m.lot, "
        "p.cost HAVING SUM(m.on_hand + m.picked + m.quarantined) * p.cost <> SUM(m.value)"
    )
    schema_editor.execute(
        "UPDATE stock_place SET value = COALESCE((SELECT SUM(m.value) FROM stock_movement m "
        "WHERE m.product_id = stock_place.product_id AND m.bin = stock_place.bin AND m.lot = stock_place.lot), 0)"
    )
    _book_difference(apps, schema_editor.connection)


def _book_difference(apps: Any, connection: Any) -> None:
    def number(sql: str, *args: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, args)
            return int(cursor.fetchone()[0] or 0)

    chosen = apps.get_model("core", "Setting").objects.filter(key="currency").values_list("value", flat=True).first()
    currency = chosen or "USD"
    worth = number("SELECT SUM(value) FROM stock_place") - number(
        "SELECT SUM(m.value) FROM stock_movement m JOIN orders_line l ON l.id = m.line "
        "JOIN orders_part g ON g.id = l.part_id WHERE g.books NOT IN ('invoiced', 'credited')"
    )
    off = worth - number(
        "SELECT SUM(amount) FROM books_posting WHERE account = 'inventory' AND currency = %s", currency
    )
    if not off:
        return
    newest = apps.get_model("stock", "Movement").objects.order_by("-at").values_list("at", flat=True).first()
    entry = apps.get_model("books", "Entry").objects.create(
        cause="valued", kind="stock_adjustment", subject="stock", at=newest,
        text="Goods were taken in at what was paid and let go at the catalogue's cost: the difference until now",
    )  # fmt: skip
    for account, amount in (("inventory", off), ("stock_losses", -off)):
        apps.get_model("books", "Posting").objects.create(
            entry=entry, account=account, amount=amount, currency=currency
        )


class Migration(migrations.Migration):
    dependencies = [
        ("flow", "0002_logos_stay"),
        ("stock", "0004_worth"),
        ("orders", "0015_signed_by"),
        ("books", "0002_entries_of_a_day"),
        ("catalogue", "__first__"),
        ("core", "0004_telling"),
    ]
    operations = [migrations.RunPython(give_values, migrations.RunPython.noop)]
