"""One order's life as the people around it live it: the customer, the clerks, the warehouse. Over HTTP, like everybody.

Whoever is cut off looks at the order and goes on from what is there. What somebody was told is kept for the proof.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from tests.faults.person import ADDRESS, Order, Person
from tests.faults.plans import CHEAPER, RARE
from tests.faults.street import Cut, Heard, give_card, link_in_mail

PATIENCE = 180.0  # seconds that an order may take to come to its end


class Life(Person):
    """One order, from the click on "check out" to its end."""

    # --- living -----------------------------------------------------------------------------------------------------

    def live(self, patience: float = PATIENCE) -> bool:
        """Until the order has come to its end. False when it does not, or everybody is sent home."""
        self.began = time.monotonic()
        until = self.began + patience
        while time.monotonic() < until and not self.street.home.is_set():
            try:
                if not self.number:
                    self._place()
                order = self.look()
                if self.over(order):
                    return True
                self._step(order)
            except Cut as cut:
                self.last = str(cut)
                time.sleep(0.2 + 0.3 * self._door.random())
        return False

    def over(self, order: Order) -> bool:
        """Nothing is left to do, and no money is on its way."""
        if order["refund_owed"] or any(p["money"] in {"charging", "unknown"} for p in order["parts"]):
            return False
        if order["queue"] == "cancelled":
            return True
        return order["queue"] == "done" and not self._to_refund(order, "after_shipping")

    def _place(self) -> None:
        plan = self.plan
        lines = [*plan.lines, (RARE, 2)] if plan.rare else plan.lines
        found = self._ask(
            "POST",
            "/orders",
            {
                "channel": "web",
                "reference": f"{self.run}-{plan.number}",
                "currency": "USD",
                "customer": {"name": "Zoë Brontë", "email": self.email},
                "shipping_address": ADDRESS,
                "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
                "shipping": {"method": "Ground", "price": 1500},
                "payment": {"method": "card", "payment_method": plan.card},
            },
        )
        if found.status not in {200, 201}:
            self.trouble.append(f"not taken: {found.status} {found.body}")
            raise Cut("not placed")
        self.number = str(found.body["number"])
        self.told["placed"] = self.number

    def _step(self, order: Order) -> None:
        """What somebody does next who looks at the order now."""
        queue = order["queue"]
        if order["refund_owed"] and order["next_action"] == "refund_again":
            self._pay_back_again(order)
        elif queue == "cancelled":
            self._wait("the refund")
        elif queue == "review":
            self._read(order)
        elif queue == "stock":
            self._short(order)
        elif queue == "question":
            self._answer(order)
        elif order["holds"] and queue in {"charge", "pick", "pack", "ship"}:
            self._release(order)
        elif queue == "charge":
            self._charge(order)
        elif queue == "payment_problem":
            self._payment_problem(order)
        elif queue in {"pick", "pack", "ship", "transit"}:
            self._warehouse(order)
        elif queue == "done":
            self._after_all(order)
        else:
            self._wait(queue)

    # --- before the charge ------------------------------------------------------------------------------------------

    def _read(self, order: Order) -> None:
        if self.plan.cancel == "unread":
            self._cancel()
            return
        day = datetime.now(UTC).date() + timedelta(days=3)
        self._act("approved", "/approval", {"ship_estimate": day.isoformat()})

    def _cancel(self) -> Heard:
        return self._act("cancelled", "/cancellation", {"reason": "changed their mind"})

    def _short(self, order: Order) -> None:
        """Of the rare wine there is none: something else is offered for it."""
        missing = [line for line in order["lines"] if line["sku"] == RARE and line["short"]]
        if not missing:
            self._wait("the stock check")
            return
        units = missing[0]["quantity"]
        self._offer({"kind": "substitute", "line": RARE, "sku": CHEAPER, "quantity": units})

    def _offer(self, *choices: dict[str, Any]) -> None:
        self._act("asked", "/proposals", {"choices": list(choices)})

    def _answer(self, order: Order) -> None:
        asked = [p for p in order["proposals"] if p["state"] == "open"]
        if not asked:
            self._wait("the answer is worked in")
            return
        found = self._ask("POST", f"/proposals/{asked[0]['token']}/answer", {"choice": 0}, key=False)
        self.last = f"answered: {found.status} {sorted(found.codes)}"

    def _charge(self, order: Order) -> None:
        plan = self.plan
        if any(p["money"] in {"charging", "unknown"} for p in order["parts"]):
            self._wait("the bank")
        elif plan.cancel == "approved":
            self._cancel()
        elif self._to_change(order, before=True):
            self._change(order)
        elif plan.hold and "held" not in self.told and "released" not in self.told:
            self._act("held", "/holds", {"reason": "the flat's number is missing"})
        elif plan.cancel == "with_the_charge":
            self._together((0.0, self._press_charge), (plan.pause, self._cancel))
        elif plan.crowd:
            self._crowd(order)
        else:
            self._press_charge()

    def _release(self, order: Order) -> None:
        """Somebody charges all the same, and is stopped; then the hold is released."""
        if all(p["money"] in {"saved", "authorised"} for p in order["parts"]):
            found = self._act("charged in spite of a hold", "/charge")
            if found.status not in {202, 409} or "on_hold" not in found.codes:
                self.trouble.append(f"a hold did not stop the charge: {self.last}")
        self._ask("DELETE", f"/orders/{self.number}/holds/{order['holds'][0]['id']}")
        self.told["released"] = True

    def _press_charge(self) -> Heard:
        return self._act("charged", "/charge")

    def _crowd(self, order: Order) -> None:
        """Ten press the button: one charges, nine hear who did it."""
        heard = self._together(*[(0.0, self._press_charge)] * 10)
        if sum(1 for h in heard if h.status == 200) > len(order["parts"]):
            self.trouble.append(f"of ten who charged at once {[h.status for h in heard]} were told that they did")
        self._only_these(heard, {"already_charged", "charge_in_flight", "someone_else", "no_payment_method"})

    def _crowd_at_the_door(self, order: Order) -> None:
        """Ten ship the same boxes, which charges them first: one does."""
        heard = self._together(*[(0.0, partial(self._ship, order, n)) for n in range(1, 11)])
        if sum(1 for h in heard if h.status == 201) > len(order["parts"]):
            self.trouble.append(f"of ten who shipped at once {[h.status for h in heard]} were told that they did")

    # --- changes ----------------------------------------------------------------------------------------------------

    def _to_change(self, order: Order, *, before: bool) -> bool:
        """Whether the planned change is still to be offered. Any of the customer's questions counts as it."""
        asked = len(order["proposals"]) - (1 if self.plan.rare else 0)
        wanted = self.plan.change not in {"", "cheaper_after"} if before else self.plan.change == "cheaper_after"
        return wanted and asked < 1

    def _change(self, order: Order) -> None:
        sku = self.plan.lines[0][0]
        day = (datetime.now(UTC).date() + timedelta(days=6)).isoformat()
        offers: dict[str, dict[str, Any]] = {
            "cheaper_before": {"kind": "substitute", "line": sku, "sku": CHEAPER, "quantity": 1},
            "cheaper_after": {"kind": "substitute", "line": sku, "sku": CHEAPER, "quantity": 1},
            "dearer_before": {"kind": "expedite", "method": "Express", "price": 3500},
            "without_a_line": {"kind": "cancel", "line": sku, "quantity": 1},
            "split": {"kind": "split", "line": sku, "quantity": 1, "date": day},
            "later_date": {"kind": "later_date", "date": day},
        }
        offer = offers[self.plan.change]
        whole = sum(quantity for _, quantity in self.plan.lines) + (2 if self.plan.rare else 0)
        if whole == 1 and offer["kind"] in {"split", "cancel"}:
            offer = offers["later_date"]
        self._offer(offer)

    # --- the customer pays ------------------------------------------------------------------------------------------

    def _payment_problem(self, order: Order) -> None:
        if self.plan.cancel in {"approved", "with_the_charge"} or not self.plan.pays:
            self._cancel()
        else:
            self._pay(order)

    def _pay(self, order: Order) -> None:
        """The customer follows the link of the mail to the hosted page and gives a card; then another."""
        if not self.token:
            self.token = link_in_mail(self.street.mailbox, self._address, self.email)
        if not self.token:
            self._wait("a mail with the link")
            return
        found = self._ask("GET", f"/orders/{self.token}/pay", api=False)
        address = found.headers.get("Location", "")
        if found.status != 303 or "/pay/cs_" not in address:
            self._wait(f"a page to pay at ({found.status} {address[-60:]})", 2.0)
            return
        card = self.plan.pays[min(self.pages_tried, len(self.plan.pays) - 1)]
        self.pages_tried += 1
        paid = give_card(address, self._address, card)
        self.last = f"gave {card}: {paid.status}"
        if paid.status == 303 and self.plan.comes_back:
            back = urlsplit(paid.headers["Location"])
            self._ask("GET", f"{back.path}?{back.query}", api=False)
        else:
            time.sleep(0.5)

    # --- after the charge -------------------------------------------------------------------------------------------

    def _warehouse(self, order: Order) -> None:
        plan, queue = self.plan, order["queue"]
        gone = queue == "transit" or bool(order["shipments"])
        changed = plan.cancel in {"with_the_charge", "charged"} or (plan.cancel == "packed" and queue == "ship")
        paid = all(p["money"] == "charged" for p in order["parts"])
        if not gone and not paid:
            # A shop that charges when it packs or ships: what else happens before the charge happens here.
            changed = plan.cancel == "approved" or (plan.cancel == "packed" and queue == "ship")
        if changed and not gone:
            self._cancel()
        elif queue == "pick" and self._to_change(order, before=not paid):
            self._change(order)
        elif self._to_refund(order, "amount", "line", "two_windows"):
            self._refund(order)
        elif queue == "pick":
            self._act("picked", "/picks")
        elif queue == "pack":
            self._act("packed", "/packages", {"weight_g": 1200})
        elif queue == "ship" and plan.cancel == "with_the_charge" and not gone and not paid:
            self._together((0.0, lambda: self._ship(order)), (plan.pause, self._cancel))
        elif queue == "ship" and plan.crowd and not paid:
            self._crowd_at_the_door(order)
        elif queue == "ship":
            self._ship(order)
        else:
            self._act("delivered", "/deliveries")

    def _ship(self, order: Order, nth: int = 0) -> Heard:
        tracking = f"{self.run.upper()}-{self.plan.number}-{len(order['shipments'])}-{nth}"
        return self._act("shipped", "/shipments", {"carrier": "van", "tracking_number": tracking})

    def _after_all(self, order: Order) -> None:
        if self._to_refund(order, "after_shipping"):
            self._refund(order)
        else:
            self._wait("the refund")

    def _to_refund(self, order: Order, *kinds: str) -> bool:
        mine = any(r["reason"].startswith("broken") for r in order["refunds"])
        # Of an order in two parcels one could go back whole: what is not paid for is not picked any more.
        whole = len(order["parts"]) == 1 or order["queue"] in {"transit", "done"}
        return self.plan.refund in kinds and not mine and whole and order["charged"] - order["refunded"] > 0

    def _refund(self, order: Order) -> None:
        left = order["charged"] - order["refunded"] - order["refund_owed"]
        line = next(ln for ln in order["lines"] if ln["quantity"] and ln["sku"] != RARE)
        what: dict[str, Any] = {"reason": "broken on the way", "amount": max(1, left // 3)}
        if self.plan.refund == "line":
            what = {"reason": "broken on the way", "lines": [{"sku": line["sku"], "quantity": 1}]}
        if self.plan.refund != "two_windows":
            self._act("refunded", "/refunds", what)
            return
        # Two windows, each of which gives back more than half of what is there.
        what["amount"] = left * 2 // 3
        heard = self._together(*[(0.0, partial(self._act, "refunded", "/refunds", what))] * 2)
        if sum(1 for h in heard if h.status == 201) > 1:
            self.trouble.append(f"two refunds of {what['amount']} of {left} were taken")

    def _pay_back_again(self, order: Order) -> None:
        """A refund has failed and is still owed: it is tried again, and in the end paid otherwise."""
        for refund in (r for r in order["refunds"] if r["state"] == "failed"):
            tried = self.tried_again[refund["id"]]
            self.tried_again[refund["id"]] += 1
            form = {"refund": str(refund["id"])}
            if tried >= (0 if self.plan.by_hand else 1):
                form["by_hand"] = "yes"
            self.street.desk.act(self._door.choice(self.street.shops), self.number, "refund-again", form)
        self._wait("the refund that was tried again")
