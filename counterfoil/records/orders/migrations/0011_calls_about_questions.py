import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_oldest_and_total")]

    operations = [
        migrations.AlterField("call", "told", models.DateField(null=True)),
        migrations.AddField(
            "call",
            "proposal",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="orders.proposal",
            ),
        ),
        migrations.AddField("call", "tries", models.SmallIntegerField(db_default=0, default=0)),
    ]
