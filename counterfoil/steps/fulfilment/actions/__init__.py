"""Pick, pack, ship, deliver, take back, and what breaks before: one act a file."""

from counterfoil.steps.fulfilment.actions.breakage import break_units
from counterfoil.steps.fulfilment.actions.deliver import deliver_order
from counterfoil.steps.fulfilment.actions.pack import pack_order
from counterfoil.steps.fulfilment.actions.pick import issue_pick_list, pick_order
from counterfoil.steps.fulfilment.actions.returns import return_order
from counterfoil.steps.fulfilment.actions.ship import ship_order

__all__ = ["break_units", "deliver_order", "issue_pick_list", "pack_order", "pick_order", "return_order", "ship_order"]
