"""What is to happen in one order's life: drawn from the seed alone, so that a life can be lived again."""

from __future__ import annotations

import random
from dataclasses import dataclass

GOOD = "pm_card_visa"
CARDS = (
    (50, GOOD),
    (8, "pm_card_mastercard"),
    (14, "pm_card_chargeCustomerFail"),  # saved, declined when charged
    (7, "pm_card_visa_chargeDeclined"),  # refused when saved
    (6, "pm_card_authenticationRequired"),  # wants the customer at every use
    (8, "pm_card_refundFail"),  # what goes back comes back
    (7, "pm_card_pendingRefund"),
)
SKUS = ("PINOT-21", "SYRAH-19", "MERLOT-20")
RARE = "TOKAJI-99"  # of which there is not one bottle
CHEAPER = "TABLE-22"  # what is offered instead of something else
# How the shop takes money, one after the other: orders of one era end in the next.
ERAS = tuple(
    {"card_at_checkout": card, "charge_on": moment}
    for card, moment in (
        ("save", "confirmed"),
        ("authorise", "confirmed"),
        ("authorise", "packed"),
        ("authorise", "shipped"),
        ("save", "packed"),
        ("save", "shipped"),
    )
)
OPENING = 1_000_000  # bottles of everything else
CANCELS = ((66, ""), (8, "unread"), (6, "approved"), (8, "with_the_charge"), (6, "charged"), (6, "packed"))
REFUNDS = ((70, ""), (10, "amount"), (8, "line"), (6, "two_windows"), (6, "after_shipping"))
CHANGES = (
    (64, ""),
    (6, "cheaper_before"),
    (6, "dearer_before"),
    (6, "without_a_line"),
    (6, "split"),
    (6, "cheaper_after"),
    (6, "later_date"),
)
PAYS = ((45, (GOOD,)), (20, ("pm_card_chargeCustomerFail", GOOD)), (15, ("pm_card_authenticationRequired",)), (20, ()))


@dataclass(frozen=True)
class Plan:
    """One life. `pays`: cards that the customer tries at the hosted page; none means that they never pay."""

    number: int
    card: str
    lines: tuple[tuple[str, int], ...]
    rare: bool
    cancel: str
    refund: str
    change: str
    hold: bool
    crowd: bool  # ten people press "charge" at once
    pays: tuple[str, ...]
    comes_back: bool  # the customer's browser finds the way from the card page to the shop
    by_hand: bool  # a refund that fails is paid back otherwise, in the end
    pause: float  # seconds between charge and cancellation when both are pressed at once

    @property
    def may_be_paid_twice(self) -> bool:
        """Whether two people could try to pay: the customer at a page and we from the saved card."""
        return bool(self.pays)


def draw(seed: int, number: int) -> Plan:
    """The life with this number of this seed."""
    chance = random.Random(f"{seed}/{number}")

    def one(of: tuple[tuple[int, object], ...]) -> object:
        return chance.choices([what for _, what in of], [weight for weight, _ in of])[0]

    skus = chance.sample(SKUS, chance.randint(1, 3))
    return Plan(
        number=number,
        card=str(one(CARDS)),
        lines=tuple((sku, chance.randint(1, 3)) for sku in skus),
        rare=chance.random() < 0.06,
        cancel=str(one(CANCELS)),
        refund=str(one(REFUNDS)),
        change=str(one(CHANGES)),
        hold=chance.random() < 0.1,
        crowd=chance.random() < 0.12,
        pays=tuple(one(PAYS)),  # type: ignore[arg-type]
        comes_back=chance.random() < 0.5,
        by_hand=chance.random() < 0.5,
        pause=chance.random() * 0.25,
    )


# --- the weather ----------------------------------------------------------------------------------------------------

# A spell of weather: what the processor does to us for some seconds. An order with `kinds` is given a seed of its own.
SPELLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("calm", {}),
    ("lost answers", {"kinds": ["lost_answer", "lost_call"], "rate": 0.35}),
    ("slow", {"kinds": ["delay"], "rate": 0.5, "seconds": 1.4}),
    ("errors", {"kinds": ["error_500", "error_500_after", "error_500_kept"], "rate": 0.4, "method": "POST"}),
    ("too many requests", {"kinds": ["rate_limit"], "rate": 0.4}),
    ("deaf when asked", {"kinds": ["error_500", "lost_answer", "rate_limit"], "rate": 0.5, "method": "GET"}),
    ("webhooks held", {"kind": "webhooks_off", "seconds": 600, "then": "delivered"}),
    ("webhooks lost", {"kind": "webhooks_off"}),
    (
        "webhooks in disorder",
        {"kinds": ["webhooks_twice", "webhooks_late", "webhooks_out_of_order", "webhooks_off"], "rate": 0.8},
    ),
    (
        "storm",
        {
            "kinds": [
                "lost_call", "lost_answer", "error_500", "error_500_kept", "error_500_after", "delay", "rate_limit",
                "webhooks_off", "webhooks_twice", "webhooks_late", "webhooks_out_of_order",
            ],
            "rate": 0.35,
        },
    ),
    ("refunds fail", {"kinds": ["refund_fails", "lost_answer", "error_500_after"], "rate": 0.5, "path": "/v1/refunds"}),
)  # fmt: skip
