"""Every charge and refund at the processor, and every slip of the terminal, against ours. What can be put right by the
ordinary ways is; the rest is listed as differences, for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from counterfoil.core import clock
from counterfoil.core.actor import BOOKKEEPER, CLERK, SYSTEM, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import CardError, Intent, Returned, Wrong
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, PayLink, Refund
from counterfoil.steps.charging import slips
from counterfoil.steps.charging.capture import book_capture
from counterfoil.steps.charging.cards import finish_session
from counterfoil.steps.charging.differences import (
    OF_NO_ORDER,
    Found,
    charge_of,
    close_difference,
    is_ours,
    judge_intent,
    judge_refund,
    missing_charge,
    missing_refund,
    open_difference,
    open_differences,
    order_of,
    refund_of,
)
from counterfoil.steps.charging.holding import look_at_holds
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.refund import CARD, NOT_THERE, apply_refund
from counterfoil.steps.charging.sending import send_charge
from counterfoil.steps.charging.settle import UNSETTLED, settle_link_payment
from counterfoil.steps.charging.settlement import compare_settlement

LOOKS_BACK = timedelta(days=35)


@dataclass
class Report:
    """What was compared, what was put right, what is still open, and what could not be asked."""

    charges: int = 0
    refunds: int = 0
    disputes: int = 0
    lines: int = 0  # of the balance
    payouts: int = 0
    strangers: int = 0  # charges at the processor that are not this shop's
    repaired: list[str] = field(default_factory=list)
    closed: int = 0
    unanswered: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.differences and not self.unanswered


def reconcile(*, actor: Actor = SYSTEM, since: datetime | None = None) -> Report:
    """Compare everything made at the processor since then (35 days), put right what can be, list what cannot.

    May run at any time and any number of times. Raises Forbidden, and NotDone or OutcomeUnknown when the processor
    cannot be asked at all.
    """
    require(actor, CLERK, BOOKKEEPER)
    return _Run(since or clock.business_now() - LOOKS_BACK).go()


class _Run:
    """One comparison. The processor is asked outside of transactions; every repair is the ordinary act."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.report = Report()
        self.found: set[tuple[str, str]] = set()  # kind and object
        self.intents: dict[str, Intent] = {}
        self.refunds: dict[str, Returned] = {}
        self.settled = False  # disputes, lines and payouts were compared, too

    def go(self) -> Report:
        for found in slips.compare(self.since):
            self._keep(found)
        self._ask_own()
        self.intents = {i.id: i for i in gateway().list_intents(self.since)}
        self.refunds = {r.id: r for r in gateway().list_refunds(self.since)}
        for intent in self.intents.values():
            if is_ours(intent):
                self.report.charges += 1
                with self._asking(intent.id):
                    self._compare_charge(intent)
            else:
                self.report.strangers += 1
        for returned in self.refunds.values():
            with self._asking(returned.id):
                self._compare_refund(returned)
        self._look_for_ours()
        with self._asking("disputes and payouts"):
            self._settlement()
        self._close_settled()
        self.report.differences = open_differences()
        return self.report

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """One object that cannot be asked about does not stop the others."""
        try:
            yield
        except CardError as error:
            self.report.unanswered.append(f"{what}: {error}")

    def _ask_own(self) -> None:
        """What we are waiting for: card pages that stand open, and charges whose answer was lost."""
        for link in PayLink.objects.filter(state="open").select_related("order").order_by("id"):
            with self._asking(link.session_id):
                finish_session(session_id=link.session_id)
                if PayLink.objects.filter(pk=link.pk, state="complete").exists():
                    self.report.repaired.append(f"{link.order.number}: card page taken in")
        asked = Charge.objects.filter(state__in=["confirming", "capturing"])
        for charge in asked.select_related("part__order").order_by("id"):
            with self._asking(charge.intent_id):
                if send_charge(charge.pk):
                    self.report.repaired.append(f"{charge.part.order.number}: charge settled")

    def _compare_charge(self, intent: Intent) -> None:
        hold = charge_of(intent)
        if hold is not None and hold.state == "held" and intent.status != "held":
            look_at_holds(order=hold.part.order.number, intent_id=intent.id)
            self.report.repaired.append(f"{hold.part.order.number}: the bank holds the amount no more")
        if judge_intent(intent, self._gone_back(intent.id)) is None:
            return
        # The list may be older than what happened here meanwhile: the object itself decides.
        fresh = gateway().get_intent(intent.id)
        found = judge_intent(fresh, self._gone_back(intent.id))
        if found is not None and found.kind == "captured_unknown" and self._take_in(fresh):
            found = judge_intent(fresh, self._gone_back(intent.id))
            if found is None:
                self.report.repaired.append(f"{_number(fresh)}: payment taken in")
        self._keep(found)

    def _take_in(self, intent: Intent) -> bool:
        """Book a charge by the ordinary way that it should have come. False when there is none."""
        if Difference.objects.filter(object_id=intent.id, closed_at=None, remedy="refund_it").exists():
            return False  # somebody is just giving it back
        charge = charge_of(intent)
        if charge is not None and charge.state in UNSETTLED:
            return send_charge(charge.pk)
        order = order_of(intent)
        if order is None:
            return False
        link = PayLink.objects.filter(key=intent.reference.get("link", ""), order=order, part__isnull=False)
        unpaid = link.exclude(state="complete").select_related("order").first()
        if unpaid is not None:
            settle_link_payment(unpaid, intent)
            return True
        if order.cancelled_at is None:
            return False
        try:
            with writing():
                return book_capture(take(order.number), intent, actor=SYSTEM)  # and back it goes
        except Refused:
            return False

    def _compare_refund(self, returned: Returned) -> None:
        refund = refund_of(returned)
        self.report.refunds += refund is not None
        if refund is not None and self._repair_refund(refund, returned):
            self.report.repaired.append(f"{refund.part.order.number}: refund settled")
        if judge_refund(returned) is not None:
            self._keep(judge_refund(gateway().get_refund(returned.id)))

    def _repair_refund(self, refund: Refund, returned: Returned) -> bool:
        if returned.amount != refund.amount or (refund.refund_id and refund.refund_id in NOT_THERE):
            return False
        apply_refund(refund, returned)
        return Refund.objects.get(pk=refund.pk).state != refund.state

    def _look_for_ours(self) -> None:
        """What we have as done and the lists did not name."""
        charges = Charge.objects.filter(state="succeeded", method__in=CARD, settled_at__gte=self.since)
        for charge in charges.exclude(intent_id="").select_related("part__order").order_by("id"):
            if charge.intent_id not in self.intents:
                with self._asking(charge.intent_id):
                    self._keep(_judge_again(charge.intent_id, self._gone_back, charge))
        refunds = Refund.objects.filter(state="succeeded", charge__method__in=CARD, at__gte=self.since)
        for refund in refunds.exclude(refund_id__in=NOT_THERE).select_related("charge", "part__order"):
            if refund.refund_id not in self.refunds:
                with self._asking(refund.refund_id):
                    self._keep(judge_refund_again(refund.refund_id, refund))

    def _settlement(self) -> None:
        compared = compare_settlement(self.since)
        self.report.disputes, self.report.lines = compared.disputes, compared.lines
        self.report.payouts = compared.payouts
        self.report.repaired += compared.repaired
        for found in compared.found:
            self._keep(found)
        self.settled = True

    def _close_settled(self) -> None:
        """Differences that are none any more. Those that this run did not come across are asked about one by one."""
        for row in open_differences():
            if (row.kind, row.object_id) in self.found:
                continue
            if row.kind in OF_NO_ORDER:
                self.report.closed += self.settled and close_difference(row, actor=SYSTEM)
                continue
            with self._asking(row.object_id):
                still = self._still(row)
                if still is None or still.kind != row.kind:
                    self.report.closed += close_difference(row, actor=SYSTEM)

    def _still(self, row: Difference) -> Found | None:
        if row.kind in slips.KINDS:
            return slips.still(row)
        refund = Refund.objects.select_related("charge", "part__order").filter(refund_id=row.object_id).first()
        if row.kind.startswith("refund_") or row.object_id in self.refunds or refund is not None:
            return judge_refund_again(row.object_id, refund)
        charge = Charge.objects.select_related("part__order").filter(intent_id=row.object_id).first()
        return _judge_again(row.object_id, self._gone_back, charge)

    def _gone_back(self, intent_id: str) -> int:
        """What the processor gave back of a charge, minor units."""
        return sum(r.amount for r in self.refunds.values() if r.intent_id == intent_id and r.status != "failed")

    def _keep(self, found: Found | None) -> None:
        if found is not None:
            open_difference(found)
            self.found.add((found.kind, found.object_id))


def _judge_again(intent_id: str, gone_back: Callable[[str], int], charge: Charge | None) -> Found | None:
    try:
        return judge_intent(gateway().get_intent(intent_id), gone_back(intent_id))
    except Wrong:
        return missing_charge(charge) if charge is not None and charge.state == "succeeded" else None


def judge_refund_again(refund_id: str, refund: Refund | None) -> Found | None:
    """How a refund differs by the processor's word of just now."""
    try:
        return judge_refund(gateway().get_refund(refund_id))
    except Wrong:
        return missing_refund(refund) if refund is not None else None


def _number(intent: Intent) -> str:
    order = order_of(intent)
    return order.number if order is not None else intent.id
