"""The small worlds that are walked, each with what may happen in it. Together they know every event of every table."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from counterfoil.flow.tests.walking import asking, goods, payments, promises
from counterfoil.flow.tests.walking.walk import Walk, walk
from counterfoil.flow.tests.walking.world import LATE, Moves, World, placed

Way = tuple[World, tuple[Moves, ...]]
PROCESS = (
    asking.review, payments.cards, payments.charges, payments.paying_back, goods.parcels, goods.papers,
)  # fmt: skip
BANK = (payments.holds, payments.pages)
AUTHORISE: dict[str, Any] = {"card_at_checkout": "authorise"}
BY_HAND: dict[str, Any] = {"sales_order_by_hand": True, "stock_check_by_hand": True}


def _ways() -> dict[str, Way]:
    made: dict[str, Way] = {}
    stopped = (asking.stops, asking.cancelling)
    for charge_on in ("confirmed", "packed", "shipped"):
        made[f"charged when {charge_on}: goods, time, stops"] = (
            placed((1,), charge_on=charge_on),
            (*PROCESS, goods.shelf, goods.day, payments.pages, *stopped),
        )
        made[f"held by the bank, charged when {charge_on}"] = (
            placed((1,), charge_on=charge_on, **AUTHORISE),
            (*PROCESS, goods.calm_shelf, goods.day, asking.cancelling, *BANK),
        )
    made["the owner changes their mind"] = (
        placed((1,)), (*PROCESS, goods.calm_shelf, asking.settings, *BANK),
    )  # fmt: skip
    made["asked, dearer, held, stopped"] = (
        placed((1,), **AUTHORISE),
        (*PROCESS, goods.calm_shelf, *BANK, *stopped, asking.questions("dearer", "later_date")),
    )
    made["asked in time, or too late"] = (
        placed((1,)), (*PROCESS, goods.calm_shelf, goods.day, asking.questions("later_date", "cancel"), *stopped),
    )  # fmt: skip
    for method in ("cheque", "on_delivery"):
        made[f"{method}: goods, time, stops, back"] = (
            placed((1,), method=method),
            (*PROCESS, goods.shelf, goods.day, *stopped, goods.coming_back),
        )
        made[f"{method}: cheaper, dearer, refunded, back"] = (
            placed((2,), method=method),
            (*PROCESS, goods.calm_shelf, asking.cancelling, goods.coming_back, payments.refunds,
             asking.questions("cheaper", "dearer")),
        )  # fmt: skip
    made["two bottles: cheaper, refunded, back"] = (
        placed((2,)),
        (*PROCESS, goods.calm_shelf, payments.refunds, payments.pages, goods.coming_back, asking.cancelling,
         asking.questions("cheaper")),
    )  # fmt: skip
    made["two bottles, one by one"] = placed((2,)), (*PROCESS, goods.shelf, asking.cancelling, goods.coming_back)
    made["two bottles that may break"] = placed((2,)), (*PROCESS, goods.calm_shelf, goods.breaking, *stopped)
    made["two wines"] = placed((1, 1)), (*PROCESS, goods.shelf, asking.cancelling)
    made["two wines that are not here, by hand"] = placed((1, 1), here=False, **BY_HAND), (*PROCESS, goods.shelf)
    made["divided by the customer"] = (
        placed((2,), **BY_HAND),
        (*PROCESS, goods.calm_shelf, asking.cancelling, asking.questions("split", "without_the_last")),
    )
    made["amended by a clerk, and back"] = (
        placed((1,)), (*PROCESS, goods.calm_shelf, payments.pages, asking.amending, asking.cancelling),
    )  # fmt: skip
    made["amended by a clerk, paid by cheque"] = (
        placed((1,), method="cheque"),
        (*PROCESS, goods.calm_shelf, asking.amending, asking.cancelling, asking.questions("later_date")),
    )  # fmt: skip
    made["divided by the customer, and merged"] = (
        placed((2,), **BY_HAND),
        (*PROCESS, goods.calm_shelf, asking.questions("split"), asking.merging),
    )
    slow = placed((1,), here=False, notice_days=1)
    legal = tuple(replace(part, legal_deadline=LATE) for part in slow.order.parts)
    made["a promise that slips"] = (
        slow.of(parts=legal), (*PROCESS, goods.shelf, goods.day, promises.notices, asking.cancelling),
    )  # fmt: skip
    made["two parts"] = placed((1,), (1,)), (*PROCESS, goods.calm_shelf, asking.cancelling)
    made["a check-out on the web"] = (
        placed((1,), finished=False),
        (*PROCESS, goods.shelf, goods.day, asking.cancelling, asking.left_alone),
    )
    return made


WAYS: Mapping[str, Way] = _ways()


@functools.cache
def walked(name: str) -> Walk:
    """The whole walk of a way; once for each process."""
    start, moves = WAYS[name]
    return walk(start, *moves)
