"""Everything that charging does, under one roof."""

from counterfoil.steps.charging.answering import accept_loss, send_answer, send_evidence
from counterfoil.steps.charging.balance import look_at_balance
from counterfoil.steps.charging.cards import close_link, expire_checkout, finish_session, open_card_page, save_card
from counterfoil.steps.charging.charge import authorise_order, charge_order, withdraw_order
from counterfoil.steps.charging.disputes import look_at_dispute, own_dispute
from counterfoil.steps.charging.dunning import end_dunning, renew_grace
from counterfoil.steps.charging.following import follow_charge
from counterfoil.steps.charging.holding import begin_holds, look_at_holds, release_holds, unsettled_of, warn_of_end
from counterfoil.steps.charging.overdue import let_go, remind, retry_charge
from counterfoil.steps.charging.reconcile import reconcile
from counterfoil.steps.charging.refund import refund_order, retry_refund
from counterfoil.steps.charging.refunding import send_refund
from counterfoil.steps.charging.remedies import own_difference, resolve_difference
from counterfoil.steps.charging.sending import send_charge

__all__ = [
    "accept_loss",
    "authorise_order",
    "begin_holds",
    "charge_order",
    "close_link",
    "end_dunning",
    "expire_checkout",
    "finish_session",
    "follow_charge",
    "let_go",
    "look_at_balance",
    "look_at_dispute",
    "look_at_holds",
    "open_card_page",
    "own_difference",
    "own_dispute",
    "reconcile",
    "refund_order",
    "release_holds",
    "remind",
    "renew_grace",
    "resolve_difference",
    "retry_charge",
    "retry_refund",
    "save_card",
    "send_answer",
    "send_charge",
    "send_evidence",
    "send_refund",
    "unsettled_of",
    "warn_of_end",
    "withdraw_order",
]
