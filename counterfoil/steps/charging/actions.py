"""Everything that charging does, under one roof."""

from counterfoil.steps.charging.cards import close_link, expire_checkout, finish_session, open_card_page, save_card
from counterfoil.steps.charging.charge import authorise_order, charge_order, withdraw_order
from counterfoil.steps.charging.holding import begin_holds, look_at_holds, release_holds, unsettled_of, warn_of_end
from counterfoil.steps.charging.reconcile import reconcile
from counterfoil.steps.charging.refund import refund_order, retry_refund
from counterfoil.steps.charging.refunding import send_refund
from counterfoil.steps.charging.remedies import own_difference, resolve_difference
from counterfoil.steps.charging.sending import send_charge

__all__ = [
    "authorise_order",
    "begin_holds",
    "charge_order",
    "close_link",
    "expire_checkout",
    "finish_session",
    "look_at_holds",
    "open_card_page",
    "own_difference",
    "reconcile",
    "refund_order",
    "release_holds",
    "resolve_difference",
    "retry_refund",
    "save_card",
    "send_charge",
    "send_refund",
    "unsettled_of",
    "warn_of_end",
    "withdraw_order",
]
