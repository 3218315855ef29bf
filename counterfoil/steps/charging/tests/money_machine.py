"""A shop, its customers and a bank that misbehaves: whatever they do in whatever order, and what must come of it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import requests
from django.db import transaction
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from counterfoil.core import clock, jobs, shop
from counterfoil.core.db import execute, writing
from counterfoil.core.models import Job
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.verify import books, judge_all, money
from counterfoil.gateways.card import breaker
from counterfoil.records.orders.models import Amendment, Charge, Order, Part, PayLink, Refund
from counterfoil.steps.charging import reach
from counterfoil.steps.charging.tests.build import deliver, signed
from tests.support import Answer, Api, order_body

PATHS = ("/v1/payment_intents", "/v1/payment_intents/*/confirm", "/v1/payment_intents/*/capture", "/v1/refunds")
FAULTS = ("lost_call", "lost_answer", "error_500", "error_500_after", "rate_limit")
CARDS = (
    "pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail", "pm_card_visa_chargeDeclined",
    "pm_card_authenticationRequired", "pm_card_refundFail", "pm_card_pendingRefund",
)  # fmt: skip
ROOMS = ("charging", "flow", "sourcing", "invoicing", "acceptance")  # no letters are sent, and no papers printed
KEY = ("sk_test_sandbox", "")
CONSENT = {"how": "telephone", "who": "Zoë Brontë"}
cards = st.sampled_from(CARDS)


class Money(RuleBasedStateMachine):
    """One life of a small shop. `bank` and `api` are set by the test that runs it."""

    bank: str
    api: Api
    told: Counter[str]  # what the doors answered, over all lives
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.all_of_it = transaction.atomic()
        self.all_of_it.__enter__()
        for forget in (clock.forget, shop.forget, breaker.forget, reach.forget):
            forget()
        self.client = Client()
        self.parcels = 0
        self.handed_in: set[str] = set()

    def teardown(self) -> None:
        try:
            self.it_becomes_quiet()
        finally:
            requests.delete(f"{self.bank}/_faults", timeout=10)
            transaction.set_rollback(True)
            self.all_of_it.__exit__(None, None, None)
            for forget in (clock.forget, shop.forget):
                forget()

    # --- what happens -----------------------------------------------------------------------------------------------

    @initialize(charge_on=st.sampled_from(["confirmed", "packed", "shipped"]), hold=st.booleans())
    def opens(self, charge_on: str, hold: bool) -> None:
        """The shop's clock is the bank's."""
        stands = requests.get(f"{self.bank}/_clock", timeout=10).json()
        if stands["offset_seconds"] > 0:
            with writing():
                clock.advance_business_time(timedelta(seconds=stands["offset_seconds"]))
        self.since = int(stands["now"])
        self._rule(charge_on, hold)

    def _rule(self, charge_on: str, hold: bool) -> None:
        with writing():
            shop.change(charge_on=charge_on, card_at_checkout="authorise" if hold else "save")

    @rule(target=orders, card=cards, bottles=st.integers(1, 3), scarce=st.booleans(), method=st.integers(0, 7))
    def place(self, card: str, bottles: int, scarce: bool, method: int) -> Any:
        lines = [("PINOT-21", bottles), *([("RARE-61", 1)] if scarce else [])]
        body = order_body(*lines, card=card)
        if method < 2:
            body["payment"] = {"method": ("cheque", "on_delivery")[method]}
        return self._do("/orders", body).body["number"]

    @rule(target=orders, card=cards, bottles=st.integers(1, 2))
    def place_and_approve(self, card: str, bottles: int) -> Any:
        number = self._do("/orders", order_body(("PINOT-21", bottles), card=card)).body["number"]
        jobs.drain(only=ROOMS)
        self.approve(number)
        return number

    @rule(order=orders)
    def approve(self, order: str) -> None:
        self._do(f"/orders/{order}/approval", {"ship_estimate": shop.shop().today().isoformat()})

    @rule(order=orders)
    def charge(self, order: str) -> None:
        known = Order.objects.get(number=order)
        body: dict[str, Any] = {}
        if known.payment_method != "card":
            part = Part.objects.filter(order=known).exclude(money="charged").first()
            body = {"reference": "slip 1", "amount": max(0, part.total - part.paid) if part else 0}
        self._do(f"/orders/{order}/charge", body)

    @rule(order=orders)
    def authorise(self, order: str) -> None:
        self._do(f"/orders/{order}/authorisation", {})

    @rule(order=orders)
    def cancel(self, order: str) -> None:
        self._do(f"/orders/{order}/cancellation", {"reason": "changed their mind"})

    @rule(order=orders, amount=st.sampled_from([1, 700, 2500, 10_000]))
    def refund(self, order: str, amount: int) -> None:
        self._do(f"/orders/{order}/refunds", {"amount": amount, "reason": "a label came off"})

    @rule(order=orders)
    def refund_a_bottle(self, order: str) -> None:
        lines = [{"sku": "PINOT-21", "quantity": 1}]
        self._do(f"/orders/{order}/refunds", {"lines": lines, "reason": "a bottle arrived broken"})

    @rule(order=orders)
    def try_refunds_again(self, order: str) -> None:
        for refund in Refund.objects.filter(part__order__number=order, state="failed"):
            from counterfoil.core.actor import SYSTEM
            from counterfoil.steps.charging.actions import retry_refund

            retry_refund(order=order, refund_id=refund.pk, actor=SYSTEM)

    @rule(order=orders, kind=st.sampled_from(["cheaper", "dearer", "split", "later", "cancel"]), yes=st.booleans())
    def ask(self, order: str, kind: str, yes: bool) -> None:
        date = (shop.shop().today() + timedelta(days=2)).isoformat()
        choices: dict[str, dict[str, Any]] = {
            "cheaper": {"kind": "cancel", "line": "PINOT-21", "quantity": 1},
            "dearer": {"kind": "expedite", "method": "Express", "price": 3500},
            "split": {"kind": "split", "line": "PINOT-21", "quantity": 1},
            "later": {"kind": "later_date", "date": date},
            "cancel": {"kind": "cancel"},
        }
        asked = self._do(f"/orders/{order}/proposals", {"choices": [choices[kind]]})
        if asked.status == 201:
            self._do(f"/proposals/{asked.body['token']}/answer", {"choice": 0} if yes else {"decline": True})

    @rule(order=orders, kind=st.sampled_from(["fewer", "more", "lower", "higher"]))
    def amend(self, order: str, kind: str) -> None:
        """A clerk changes what the customer agreed to, also when it is paid."""
        changes: dict[str, dict[str, Any]] = {
            "fewer": {"kind": "quantity", "line": "PINOT-21", "quantity": 1},
            "more": {"kind": "quantity", "line": "PINOT-21", "quantity": 3},
            "lower": {"kind": "price", "line": "PINOT-21", "price": 1999},
            "higher": {"kind": "price", "line": "PINOT-21", "price": 2601},
        }
        self._do(f"/orders/{order}/amendments", {"changes": [changes[kind]], "consent": CONSENT})

    @rule(order=orders)
    def undo(self, order: str) -> None:
        """The newest amendment is undone: money moves by the balance, or not at all."""
        newest = Amendment.objects.filter(order__number=order).count()
        self._do(f"/orders/{order}/amendments/{newest}/undo", {"consent": CONSENT})

    @rule(order=orders)
    def merge(self, order: str) -> None:
        self._do(f"/orders/{order}/merges", {"part": 2, "into": 1, "consent": CONSENT})

    @rule(order=orders)
    def stop(self, order: str) -> None:
        self._do(f"/orders/{order}/holds", {"reason": "odd address"})

    @rule(order=orders)
    def go_on(self, order: str) -> None:
        for hold in self.api.order(order)["holds"]:
            self.api.ask("DELETE", f"/orders/{order}/holds/{hold['id']}")

    @rule(order=orders)
    def open_page(self, order: str) -> None:
        self.client.get(f"/orders/{Order.objects.get(number=order).token}/pay")

    @rule(card=cards, nth=st.integers(0, 3))
    def pay_at_a_page(self, card: str, nth: int) -> None:
        """The customer gives a card at a page that they have open, and closes the window."""
        pages = list(PayLink.objects.exclude(url="").order_by("id").values_list("url", flat=True))
        if pages:
            given = {"card": card, "terms": "accepted"}
            requests.post(pages[nth % len(pages)], data=given, allow_redirects=False, timeout=10)

    @rule(order=orders, act=st.sampled_from(["picks", "packages", "shipments", "deliveries"]))
    def handle(self, order: str, act: str) -> None:
        self.parcels += 1
        body = {"carrier": "UPS", "tracking_number": f"1Z{self.parcels}"} if act == "shipments" else {}
        self._do(f"/orders/{order}/{act}", body)

    @rule(order=orders)
    def bring_to_the_door(self, order: str) -> None:
        for act in ("picks", "packages", "shipments"):
            self.handle(order, act)

    @rule(order=orders)
    def bring_back(self, order: str) -> None:
        lines = [{"sku": "PINOT-21", "quantity": 1}]
        body = {"lines": lines, "condition": "sellable", "reason": "not accepted"}
        self._do(f"/orders/{order}/returns", body)

    @rule(units=st.integers(1, 2))
    def goods_arrive(self, units: int) -> None:
        self._do("/stock", {"sku": "RARE-61", "quantity": units, "reason": "found"})

    @rule(order=orders)
    def a_bottle_is_not_to_be_found(self, order: str) -> None:
        self._do(f"/orders/{order}/stock-check", {"lines": [{"sku": "PINOT-21", "seen": 0}]})

    @rule(charge_on=st.sampled_from(["confirmed", "packed", "shipped"]), hold=st.booleans())
    def the_owner_changes_their_mind(self, charge_on: str, hold: bool) -> None:
        self._rule(charge_on, hold)
        for number in Order.objects.values_list("number", flat=True):
            advance(number)

    # --- what the bank does -----------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(FAULTS), path=st.sampled_from(PATHS), asked=st.booleans())
    def misbehave(self, kind: str, path: str, asked: bool) -> None:
        """The next call of a sort goes wrong; `asked`: the next question about an intent does."""
        order = {"kind": kind, "count": 1, "path": "/v1/payment_intents/*" if asked else path,
                 "method": "GET" if asked else "POST"}  # fmt: skip
        assert requests.post(f"{self.bank}/_faults", json=order, timeout=10).status_code == 200

    @rule(nth=st.integers(0, 3))
    def the_bank_lets_go(self, nth: int) -> None:
        """It cancels an intent of ours, whatever it stands for, if it still can."""
        ours = list(Charge.objects.exclude(intent_id="").order_by("id").values_list("intent_id", flat=True))
        if ours:
            requests.post(f"{self.bank}/v1/payment_intents/{ours[nth % len(ours)]}/cancel", auth=KEY, timeout=10)

    @rule(nth=st.integers(0, 9), twice=st.booleans())
    def tell(self, nth: int, twice: bool) -> None:
        """A webhook comes: early, late, twice."""
        told = self._events()
        if told:
            for _ in range(2 if twice else 1):
                self._hand_in(told[nth % len(told)])

    def _events(self) -> list[dict[str, Any]]:
        wanted = {"limit": "100", "created[gte]": str(self.since)}
        found: list[dict[str, Any]] = requests.get(
            f"{self.bank}/v1/events", params=wanted, auth=KEY, timeout=10
        ).json()["data"]
        return found

    def _hand_in(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        assert deliver(self.client, body, signed(body)) == 200
        self.handed_in.add(event["id"])

    # --- time -------------------------------------------------------------------------------------------------------

    @rule(everything=st.booleans())
    def a_worker_works(self, everything: bool) -> None:
        if everything:
            self._time_for_jobs()
        jobs.drain(only=ROOMS)

    @rule(hours=st.sampled_from([1, 21, 30, 72, 150]))
    def time_passes(self, hours: int) -> None:
        """At the shop and at the bank; what was stored in real time is as much older."""
        by = timedelta(hours=hours)
        ahead = requests.get(f"{self.bank}/_clock", timeout=10).json()["offset_seconds"]
        moved = {"offset_seconds": int(ahead) + hours * 3600}
        assert requests.post(f"{self.bank}/_clock", json=moved, timeout=10).status_code == 200
        with writing():
            clock.advance_business_time(by)
        for model, names in (
            (Charge, ("made_at", "capture_asked_at")),
            (Refund, ("made_at",)),
            (PayLink, ("made_at",)),
        ):
            for row in model.objects.all():
                older = {n: getattr(row, n) - by for n in names if getattr(row, n) is not None}
                model.objects.filter(pk=row.pk).update(**older)
        sweep()

    def _time_for_jobs(self) -> None:
        now = clock.real_now()
        execute("UPDATE core_job SET run_at = %s WHERE state = 'queued' AND run_at > %s", [now, now])

    # --- what must hold ---------------------------------------------------------------------------------------------

    def _do(self, path: str, body: Any) -> Answer:
        """Through the public door, which may refuse, and never fails."""
        breaker.forget()
        answer = self.api.post(path, body)
        self.told[f"{path.rsplit('/', 1)[-1] if body else path} {answer.status} {' '.join(sorted(answer.codes))}"] += 1
        assert answer.status in {200, 201, 202, 402, 404, 409, 422}, (path, answer.status, answer.body)
        return answer

    @invariant()
    def money_is_where_the_records_say(self) -> None:
        found = [*money.parts(), *money.shipped(), *books.balanced(), *books.accounts()]
        assert found == []

    @rule()
    def it_becomes_quiet(self) -> None:
        """The bank is well again, every webhook comes, and everything that is owed is done."""
        requests.delete(f"{self.bank}/_faults", timeout=10)
        for _ in range(4):
            breaker.forget()
            for event in self._events()[::-1]:
                if event["id"] not in self.handed_in:
                    self._hand_in(event)
            self._time_for_jobs()
            jobs.drain(only=ROOMS)
            sweep()
        execute("DELETE FROM core_job WHERE name IN ('mail.send', 'core.render')")
        assert judge_all() == []
        assert not Job.objects.filter(state="dead").exists()
        assert not Part.objects.filter(money__in=["charging", "unknown"]).exists()
        self._one_success_for_each_charge()

    def _one_success_for_each_charge(self) -> None:
        told = requests.get(f"{self.bank}/_ledger", params={"summary": "1"}, timeout=10).json()["payment_intents"]
        keys = [str(i["metadata"].get("charge", "")).partition("~")[0] for i in told if i["amount_captured"]]
        for charge in Charge.objects.filter(method="card"):
            taken = keys.count(charge.create_key.partition("~")[0])
            assert taken == (charge.state == "succeeded" and charge.amount > 0), (charge.pk, charge.state, taken)
        by_page = set(Charge.objects.filter(method="link").values_list("part_id", flat=True))
        for refund in Refund.objects.filter(reason="paid more than is due"):
            assert refund.part_id in by_page, "nothing is taken twice but what the customer pays at a page"
        lost = [i for i in told if i["status"] == "requires_capture" and self._is_ours(i)]
        held = set(Charge.objects.filter(state="held").values_list("intent_id", flat=True))
        assert {i["id"] for i in lost} <= held, "the bank holds nothing that nobody here knows of"
        for hold in Charge.objects.filter(state="held").select_related("part__order"):
            assert hold.part.order.cancelled_at is None, "nothing is held for an order that is over"

    def _is_ours(self, intent: dict[str, Any]) -> bool:
        tokens = {t[:20] for t in Order.objects.values_list("token", flat=True)}
        return any(t in str(intent["metadata"]) for t in tokens)


__all__ = ["Money", "multiple"]
