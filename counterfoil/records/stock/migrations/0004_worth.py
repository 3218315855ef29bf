"""Places know what lies there has cost, and movements what came and went.

The columns are added as they are: where SQLite has no way to add a column with its default, Django copies the table,
and a ledger is long and has triggers that forbid to change it.
"""

from django.db import migrations, models


def column(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD COLUMN value bigint NOT NULL DEFAULT 0", f"ALTER TABLE {table} DROP COLUMN value"
    )


class Migration(migrations.Migration):
    dependencies = [("stock", "0003_units_get_places")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[column("stock_movement"), column("stock_place")],
            state_operations=[
                migrations.AddField("movement", "value", models.BigIntegerField(db_default=0, default=0)),
                migrations.AddField("place", "value", models.BigIntegerField(db_default=0, default=0)),
            ],
        )
    ]
