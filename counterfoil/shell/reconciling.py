"""`counterfoil reconcile`: compares with the card processor and prints what differs."""

from __future__ import annotations

import sys

from counterfoil.core.money import show
from counterfoil.gateways.card.protocol import CardError
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.differences import TITLES


def compare() -> int:
    """Print what was compared, put right and left open: 0 when nothing differs, 1 otherwise, 2 when nobody answers."""
    try:
        report = reconcile()
    except CardError as error:
        print(f"counterfoil reconcile: {error}", file=sys.stderr)
        return 2
    for line in report.repaired:
        print(f"put right  {line}")
    for line in report.unanswered:
        print(f"unanswered {line}")
    for row in report.differences:
        amount = show(row.amount, row.currency)
        print(
            f"DIFFERS    {row.order_number or '(no order)':<12} {TITLES[row.kind]:<34} {amount:>14}  "
            f"ours: {row.ours}; theirs: {row.theirs}; {row.object_id}; since {row.found_at:%Y-%m-%d %H:%M} UTC"
            f"{f'; {row.owner}' if row.owner else ''}"
        )
    print(
        f"reconcile: {report.charges} charges, {report.refunds} refunds, {report.disputes} disputes and "
        f"{report.payouts} payouts compared, {len(report.repaired)} put right, {report.closed} closed, "
        f"{len(report.differences)} open, {report.strangers} not ours"
    )
    return 0 if report.clean else 1
