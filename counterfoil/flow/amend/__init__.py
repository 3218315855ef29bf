"""The only ways in which an order changes after approval: it is cancelled, or the customer's answer is carried out."""

from counterfoil.flow.amend.apply import apply_answer
from counterfoil.flow.amend.cancel import cancel_order

__all__ = ["apply_answer", "cancel_order"]
