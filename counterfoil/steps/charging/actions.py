"""Everything that charging does, under one roof."""

from counterfoil.steps.charging.cards import close_link, expire_checkout, finish_session, open_card_page, save_card
from counterfoil.steps.charging.charge import charge_order, send_charge, withdraw_order
from counterfoil.steps.charging.reconcile import reconcile
from counterfoil.steps.charging.refund import refund_order, retry_refund, send_refund
from counterfoil.steps.charging.remedies import own_difference, resolve_difference

__all__ = [
    "charge_order",
    "close_link",
    "expire_checkout",
    "finish_session",
    "open_card_page",
    "own_difference",
    "reconcile",
    "refund_order",
    "resolve_difference",
    "retry_refund",
    "save_card",
    "send_charge",
    "send_refund",
    "withdraw_order",
]
