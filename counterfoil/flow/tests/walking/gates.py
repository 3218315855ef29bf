"""The gates that every door passes, by name: a test takes one out of its hinges here, and the walk must notice."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.core.errors import Blocker
from counterfoil.flow.rules import may_amend, may_cancel, may_merge
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.steps.acceptance.rules import may_make_sales_order
from counterfoil.steps.alternatives.rules import may_propose
from counterfoil.steps.charging.rules import may_charge, may_hold, may_pay
from counterfoil.steps.fulfilment.rules import (
    may_break,
    may_deliver,
    may_open,
    may_pack,
    may_pick,
    may_return,
    may_ship,
)
from counterfoil.steps.invoicing.rules import may_invoice
from counterfoil.steps.review import rules as review
from counterfoil.steps.sourcing.rules import may_check_stock

Gate = Callable[[OrderFacts, PartFacts], list[Blocker]]


def _whole(gate: Callable[[OrderFacts], list[Blocker]]) -> Gate:
    return lambda order, _part: gate(order)


GATES: dict[str, Gate] = {
    "approve": _whole(review.may_approve),
    "stop": _whole(review.may_hold),
    "enter": _whole(may_make_sales_order),
    "check_stock": _whole(may_check_stock),
    "charge": may_charge,
    "record": lambda order, part: may_charge(order, part, offline=True),
    "pay": may_pay,
    "hold": may_hold,
    "pick": may_pick,
    "pack": may_pack,
    "break": may_break,
    "open": may_open,
    "ship": may_ship,
    "deliver": may_deliver,
    "return": may_return,
    "invoice": may_invoice,
    "propose": _whole(may_propose),
    "cancel": _whole(may_cancel),
    "amend": _whole(may_amend),
    "merge": _whole(lambda order: may_merge(order, (1, 2))),
}


def shut(name: str, order: OrderFacts, part: PartFacts | None = None) -> list[Blocker]:
    """Why this may not be done now; of the whole order where no part is given."""
    return GATES[name](order, part or order.parts[0])


def is_open(name: str, order: OrderFacts, part: PartFacts | None = None) -> bool:
    return not shut(name, order, part)
