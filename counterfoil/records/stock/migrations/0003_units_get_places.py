"""What lay somewhere before lies at its product's bin from now on, and is of no lot.

Movements named a bin or a lot now and then, and their sums by place meant nothing. Movements are never changed: others
are added that take every such sum to the product's bin, so that each place is the sum of its movements like the rest.
Units in a picker's hands keep their order line.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

PLACED = ("on_hand", "picked", "quarantined")
SUMS = ", ".join(f"SUM(m.{c}) AS {c}" for c in PLACED)
SOME = " OR ".join(f"SUM(m.{c}) <> 0" for c in PLACED)
INTO = (
    "INSERT INTO stock_movement (product_id, bin, lot, kind, on_hand, reserved, picked, shipped, quarantined, due_in, "
    "cause, subject, line, reason, actor, at) "
)
WHY = "from now on it is known what lies where"


def give_places(apps: Any, schema_editor: Any) -> None:
    """Three statements over the ledger, on either database."""
    schema_editor.execute(
        INTO + "SELECT s.product_id, s.bin, s.lot, 'placed', -s.on_hand, 0, -s.picked, 0, -s.quarantined, 0, "
        "'placed:from:' || s.product_id || ':' || s.line || ':' || s.bin || ':' || s.lot, s.subject, "
        f"CASE WHEN s.line <> 0 THEN s.line END, '{WHY}', 'system', s.at FROM ("
        f"SELECT m.product_id, m.bin, m.lot, COALESCE(h.line, 0) AS line, {SUMS}, MAX(m.at) AS at, "
        "CASE WHEN h.line IS NULL THEN '' ELSE MAX(m.subject) END AS subject FROM stock_movement m "
        "JOIN catalogue_product p ON p.id = m.product_id "
        "LEFT JOIN (SELECT line FROM stock_movement WHERE line IS NOT NULL GROUP BY line HAVING SUM(picked) <> 0) h "
        "ON h.line = m.line WHERE m.bin <> p.bin OR m.lot <> '' "
        f"GROUP BY m.product_id, m.bin, m.lot, h.line HAVING {SOME}) s"
    )
    schema_editor.execute(
        INTO + "SELECT s.product_id, s.home, '', 'placed', s.on_hand, 0, s.picked, 0, s.quarantined, 0, "
        f"'placed:to:' || s.product_id || ':' || s.line, s.subject, CASE WHEN s.line <> 0 THEN s.line END, '{WHY}', "
        "'system', s.at FROM ("
        "SELECT m.product_id, p.bin AS home, COALESCE(m.line, 0) AS line, "
        + ", ".join(f"-SUM(m.{c}) AS {c}" for c in PLACED)
        + ", MAX(m.at) AS at, MAX(m.subject) AS subject FROM stock_movement m "
        "JOIN catalogue_product p ON p.id = m.product_id WHERE m.kind = 'placed' "
        f"GROUP BY m.product_id, p.bin, COALESCE(m.line, 0) HAVING {SOME}) s"
    )
    schema_editor.execute(
        "INSERT INTO stock_place (product_id, bin, lot, best_before, first_at, on_hand, picked, quarantined) "
        f"SELECT m.product_id, m.bin, m.lot, NULL, MIN(m.at), {SUMS} FROM stock_movement m "
        f"GROUP BY m.product_id, m.bin, m.lot HAVING {SOME}"
    )


class Migration(migrations.Migration):
    dependencies = [("stock", "0002_places")]
    operations = [migrations.RunPython(give_places, migrations.RunPython.noop)]
