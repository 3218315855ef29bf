"""What can be done in this step, for its doors."""

from counterfoil.steps.sourcing.confirm import confirm_purchase_order
from counterfoil.steps.sourcing.count import close_count, queue_count
from counterfoil.steps.sourcing.damage import damage_stock
from counterfoil.steps.sourcing.draft import change_draft, discard_draft, draft_purchase_order, gather_needs
from counterfoil.steps.sourcing.fill import fill_waiting, unpeg_line
from counterfoil.steps.sourcing.purchase import close_purchase_order, create_purchase_order, send_purchase_order
from counterfoil.steps.sourcing.reassign import move_reservation
from counterfoil.steps.sourcing.receipt import receive_goods
from counterfoil.steps.sourcing.sheets import apply_count, drop_count, enter_count, make_count_sheet
from counterfoil.steps.sourcing.stock_check import check_stock

__all__ = [
    "apply_count", "change_draft", "check_stock", "close_count", "close_purchase_order", "confirm_purchase_order",
    "create_purchase_order", "damage_stock", "discard_draft", "draft_purchase_order", "drop_count", "enter_count",
    "fill_waiting", "gather_needs", "make_count_sheet", "move_reservation", "queue_count", "receive_goods",
    "send_purchase_order", "unpeg_line",
]  # fmt: skip
