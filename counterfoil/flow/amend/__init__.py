"""The only ways in which an order changes after approval.

It is cancelled, the customer's answer is carried out, a clerk amends it as the customer agreed, parts come together
again, or the newest amendment is undone.
"""

from counterfoil.flow.amend.amending import Preview, amend_order, preview_amendment
from counterfoil.flow.amend.apply import apply_answer
from counterfoil.flow.amend.cancel import cancel_order
from counterfoil.flow.amend.merging import merge_parts, preview_merge
from counterfoil.flow.amend.undoing import preview_undo, undo_amendment

__all__ = [
    "Preview",
    "amend_order",
    "apply_answer",
    "cancel_order",
    "merge_parts",
    "preview_amendment",
    "preview_merge",
    "preview_undo",
    "undo_amendment",
]
