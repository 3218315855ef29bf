"""An order of which one part can be worked on no longer stands where another part waits: each is looked at again."""

from django.db import migrations

AGAIN = (
    "UPDATE orders_order SET next_check_at = CURRENT_TIMESTAMP WHERE queue = 'goods' "
    "AND (SELECT COUNT(*) FROM orders_part p WHERE p.order_id = orders_order.id) > 1"
)


class Migration(migrations.Migration):
    dependencies = [("flow", "0003_goods_have_values"), ("orders", "0015_signed_by")]
    operations = [migrations.RunSQL(AGAIN, migrations.RunSQL.noop)]
