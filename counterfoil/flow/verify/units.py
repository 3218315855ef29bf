"""Units are conserved, and every room tells the same number."""

from __future__ import annotations

from counterfoil.core.db import rows
from counterfoil.records.stock.models import COLUMNS, PLACED

VALUED = (*PLACED, "value")


def balances() -> list[str]:
    """Every balance is the sum of its movements."""
    sums = ", ".join(f"COALESCE(SUM(m.{c}), 0)" for c in COLUMNS)
    held = ", ".join(f"b.{c}" for c in COLUMNS)
    found = []
    for row in rows(
        f"SELECT p.sku, {held}, {sums} FROM stock_balance b JOIN catalogue_product p ON p.id = b.product_id "
        f"LEFT JOIN stock_movement m ON m.product_id = b.product_id GROUP BY p.sku, {held}"
    ):
        size = len(COLUMNS)
        for column, balance, total in zip(COLUMNS, row[1 : 1 + size], row[1 + size :], strict=True):
            if int(balance) != int(total):
                found.append(f"{row[0]}: {column} is {balance}, its movements sum to {int(total)}")
    return found


def places() -> list[str]:
    """Every place is the sum of its movements, the places of a product are its balance, and none is below zero.

    The same of what lies there has cost; where nothing lies, it is nothing.
    """
    held = ", ".join(f"COALESCE(s.{c}, 0)" for c in VALUED)
    moved = ", ".join(f"COALESCE(m.{c}, 0)" for c in VALUED)
    sums = ", ".join(f"SUM({c}) AS {c}" for c in VALUED)
    some = " OR ".join(f"SUM({c}) <> 0" for c in VALUED)
    differs = " OR ".join(f"COALESCE(s.{c}, 0) <> COALESCE(m.{c}, 0)" for c in VALUED)
    found = []
    # Both ways: a place without movements, and movements without a place.
    for sku, bin_, lot, *numbers in rows(
        f"SELECT p.sku, k.bin, k.lot, {held}, {moved} FROM "
        "(SELECT product_id, bin, lot FROM stock_place UNION SELECT product_id, bin, lot FROM stock_movement "
        f"GROUP BY product_id, bin, lot HAVING {some}) k "
        "LEFT JOIN stock_place s ON s.product_id = k.product_id AND s.bin = k.bin AND s.lot = k.lot "
        f"LEFT JOIN (SELECT product_id, bin, lot, {sums} FROM stock_movement GROUP BY product_id, bin, lot) m "
        "ON m.product_id = k.product_id AND m.bin = k.bin AND m.lot = k.lot "
        f"JOIN catalogue_product p ON p.id = k.product_id WHERE {differs} ORDER BY p.sku, k.bin, k.lot"
    ):
        is_, should = numbers[: len(VALUED)], numbers[len(VALUED) :]
        found += [
            f"{sku} in bin {bin_ or '-'}, lot {lot or '-'}: {column} is {a}, its movements sum to {int(b)}"
            for column, a, b in zip(VALUED, is_, should, strict=True)
            if int(a) != int(b)
        ]
    balances_ = ", ".join(f"b.{c}" for c in PLACED)
    total = ", ".join(f"COALESCE(SUM(s.{c}), 0)" for c in PLACED)
    for sku, *numbers in rows(
        f"SELECT p.sku, {balances_}, {total} FROM stock_balance b JOIN catalogue_product p ON p.id = b.product_id "
        f"LEFT JOIN stock_place s ON s.product_id = b.product_id GROUP BY p.sku, {balances_}"
    ):
        of_product, of_places = numbers[: len(PLACED)], numbers[len(PLACED) :]
        found += [
            f"{sku}: {column} is {a}, its places sum to {int(b)}"
            for column, a, b in zip(PLACED, of_product, of_places, strict=True)
            if int(a) != int(b)
        ]
    below = " OR ".join(f"s.{c} < 0" for c in VALUED)
    empty = " + ".join(f"s.{c}" for c in PLACED)
    for sku, bin_, lot, units, value in rows(
        f"SELECT p.sku, s.bin, s.lot, {empty}, s.value FROM stock_place s JOIN catalogue_product p "
        f"ON p.id = s.product_id WHERE {below} OR ({empty} = 0 AND s.value <> 0)"
    ):
        wrong = "fewer than none" if units else f"nothing lies there, and it is worth {value}"
        found.append(f"{sku} in bin {bin_ or '-'}, lot {lot or '-'}: {wrong}")
    return found


def lines() -> list[str]:
    """Reserved, picked and waiting units of a product are those of open order lines, and of questions that stand."""
    found = []
    # A part whose goods were let go for want of payment waits for nothing until a card is there.
    open_line = "o.cancelled_at IS NULL AND NOT o.closed_history AND g.let_go_at IS NULL"
    for sku, reserved, picked, waiting, want_reserved, want_picked, want_waiting in rows(
        "SELECT p.sku, b.reserved, b.picked, b.waiting, "
        "COALESCE(SUM(l.reserved), 0) + COALESCE((SELECT SUM(k.quantity) FROM orders_offered k "
        "WHERE k.product_id = b.product_id AND k.released_at IS NULL), 0), COALESCE(SUM(l.picked), 0), "
        f"COALESCE(SUM(CASE WHEN {open_line} THEN l.quantity - l.reserved - l.picked - l.shipped ELSE 0 END), 0) "
        "FROM stock_balance b JOIN catalogue_product p ON p.id = b.product_id "
        "LEFT JOIN orders_line l ON l.product_id = b.product_id LEFT JOIN orders_order o ON o.id = l.order_id "
        "LEFT JOIN orders_part g ON g.id = l.part_id "
        "GROUP BY p.sku, b.product_id, b.reserved, b.picked, b.waiting"
    ):
        for name, is_, should in (
            ("reserved", reserved, want_reserved),
            ("picked", picked, want_picked),
            ("waiting", waiting, want_waiting),
        ):
            if int(is_) != int(should):
                found.append(f"{sku}: {is_} {name} in stock, {int(should)} on order lines and in questions")
    for number, sku in rows(
        "SELECT o.number, l.sku FROM orders_line l JOIN orders_order o ON o.id = l.order_id "
        "WHERE NOT o.closed_history AND (l.reserved + l.picked + l.shipped > l.quantity OR l.due < l.due_confirmed "
        "OR l.due > l.quantity - l.reserved - l.picked - l.shipped)"
    ):
        found.append(f"{number} {sku}: more units held or due than wanted")
    return found


def purchases() -> list[str]:
    """Due in is what purchase orders still owe; pegs never exceed it and are what lines say."""
    found = []
    for sku, due_in, owed in rows(
        "SELECT p.sku, b.due_in, COALESCE((SELECT SUM(CASE WHEN pl.quantity > pl.received THEN "
        "pl.quantity - pl.received ELSE 0 END) FROM sourcing_purchaseline pl "
        "JOIN sourcing_purchaseorder po ON po.id = pl.po_id "
        "WHERE pl.product_id = b.product_id AND po.state IN ('sent', 'confirmed', 'received')), 0) "
        "FROM stock_balance b JOIN catalogue_product p ON p.id = b.product_id"
    ):
        if int(due_in) != int(owed):
            found.append(f"{sku}: {due_in} due in, purchase orders owe {int(owed)}")
    for number, sku, due, pegged in rows(
        "SELECT o.number, l.sku, l.due, COALESCE(SUM(g.quantity), 0) FROM orders_line l "
        "JOIN orders_order o ON o.id = l.order_id LEFT JOIN sourcing_peg g ON g.line_id = l.id "
        "GROUP BY o.number, l.id, l.sku, l.due HAVING l.due <> COALESCE(SUM(g.quantity), 0)"
    ):
        found.append(f"{number} {sku}: {due} due on the line, {int(pegged)} pegged to purchase orders")
    for line, owed, pegged in rows(
        "SELECT pl.id, pl.quantity - pl.received, SUM(g.quantity) FROM sourcing_purchaseline pl "
        "JOIN sourcing_peg g ON g.purchase_line_id = pl.id GROUP BY pl.id, pl.quantity, pl.received "
        "HAVING SUM(g.quantity) > pl.quantity - pl.received"
    ):
        found.append(f"purchase line {line}: {owed} to come, {int(pegged)} pegged")
    return found


def offered() -> list[str]:
    """Units are kept only for a question that is open or a yes that is being carried out, as many as it was given."""
    found = [
        f"{number} {sku}: {units} are still kept for a question that is over"
        for number, sku, units in rows(
            "SELECT o.number, p.sku, k.quantity FROM orders_offered k JOIN orders_proposal q ON q.id = k.proposal_id "
            "JOIN orders_order o ON o.id = q.order_id JOIN catalogue_product p ON p.id = k.product_id "
            "WHERE k.released_at IS NULL AND NOT (q.state = 'open' OR (q.state = 'accepted' AND q.applied_at IS NULL))"
        )
    ]
    for number, sku, kept, moved in rows(
        "SELECT o.number, p.sku, CASE WHEN k.released_at IS NULL THEN k.quantity ELSE 0 END, "
        "COALESCE((SELECT SUM(m.reserved) FROM stock_movement m WHERE m.product_id = k.product_id "
        "AND (m.cause = 'offer:' || q.id || ':' || k.product_id OR m.cause = 'offer-end:' || q.id || ':' || "
        "k.product_id OR m.cause LIKE 'offer-lost:' || q.id || ':' || k.product_id || ':%%')), 0) "
        "FROM orders_offered k JOIN orders_proposal q ON q.id = k.proposal_id "
        "JOIN orders_order o ON o.id = q.order_id JOIN catalogue_product p ON p.id = k.product_id"
    ):
        if int(kept) != int(moved):
            found.append(f"{number} {sku}: {kept} kept for a question, its movements sum to {int(moved)}")
    return found


def bought() -> list[str]:
    """What was sent has its day and its costs; a line's receipts are what came of it; no draft is waited for."""
    found = [
        f"{number}: sent without its day or a cost"
        for (number,) in rows(
            "SELECT DISTINCT po.number FROM sourcing_purchaseorder po "
            "JOIN sourcing_purchaseline pl ON pl.po_id = po.id "
            "WHERE po.state NOT IN ('draft', 'discarded') AND (po.sent_at IS NULL OR pl.cost IS NULL)"
        )
    ]
    for number, line, came, counted in rows(
        "SELECT po.number, pl.id, pl.received, COALESCE(SUM(r.received), 0) FROM sourcing_purchaseline pl "
        "JOIN sourcing_purchaseorder po ON po.id = pl.po_id "
        "LEFT JOIN sourcing_receiptline r ON r.purchase_line_id = pl.id GROUP BY po.number, pl.id, pl.received "
        "HAVING pl.received <> COALESCE(SUM(r.received), 0)"
    ):
        found.append(f"{number}, line {line}: {came} came, its receipts say {int(counted)}")
    for number, units in rows(
        "SELECT po.number, SUM(g.quantity) FROM sourcing_peg g JOIN sourcing_purchaseline pl "
        "ON pl.id = g.purchase_line_id JOIN sourcing_purchaseorder po ON po.id = pl.po_id "
        "WHERE po.state NOT IN ('sent', 'confirmed') GROUP BY po.number"
    ):
        found.append(f"{number}: {int(units)} units are meant for orders, and nothing of it will come any more")
    return found
